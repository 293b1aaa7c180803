//! Camera driver of cameras that libcamera knows. A program of its own, because libcamera's calls have no deadline
//! and may crash: nothing else links it.

mod acquired;
mod automatic;
mod capabilities;
mod controls;
mod device;
mod failure;
mod log;
mod nodes;
mod streams;

use std::process::ExitCode;

use scanner::camera_driver::host;

fn main() -> ExitCode {
    let program = host::Program {
        name: "scanner-libcamera",
        about: "Camera driver of cameras that libcamera knows, such as those of a Raspberry Pi",
    };
    host::run(program, device::build)
}
