//! Camera driver of simulated cameras.

use std::process::ExitCode;

use scanner::camera_driver::host;
use scanner::sim::object;

fn main() -> ExitCode {
    let program = host::Program {
        name: "scanner-sim",
        about: "Camera driver of simulated cameras, which see an object on a simulated turntable",
    };
    host::run(program, object::build)
}
