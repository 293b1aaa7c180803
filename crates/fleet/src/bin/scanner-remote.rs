//! Camera driver of cameras at other machines.

use std::process::ExitCode;

use scanner::camera_driver::host;
use scanner_fleet::lead;

fn main() -> ExitCode {
    let program = host::Program {
        name: "scanner-remote",
        about: "Camera driver of cameras at other machines, on which `scanner node` runs",
    };
    match host::enter(program) {
        Ok((args, link)) => lead::run(link, &args),
        Err(code) => code,
    }
}
