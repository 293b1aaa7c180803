//! Camera driver that plays photographs.

use std::process::ExitCode;

use scanner::camera_driver::host;
use scanner::sim::replay;

fn main() -> ExitCode {
    let program = host::Program {
        name: "scanner-replay",
        about: "Camera driver that plays photographs as the frames of a camera",
    };
    host::run(program, replay::build)
}
