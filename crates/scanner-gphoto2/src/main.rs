//! Camera driver for the DSLRs and mirrorless cameras that libgphoto2 knows.
//!
//! What the library does and does not, and what follows from it:
//! - It is not safe to be used by two threads, and keeps settings for a whole process: a process a camera, and all calls by the
//!   thread that owns it.
//! - A call that captures may never return. So the shutter is triggered, and then events are waited for, a little at a time; files
//!   are read in pieces, so that the thread beats meanwhile. Where a camera gives a file in one piece only, the driver says that it
//!   is busy.
//! - Cameras at a network it opens only if it is told that it is one; else it takes the first on USB.
//! - It keeps its last port in `~/.gphoto`, and a stale one makes the next start fail: here it has no home.

mod camera;
mod controls;
mod device;
mod failure;
mod found;
mod library;
mod network;
mod options;
mod simulated;
mod taken;
mod wishes;

use std::process::ExitCode;

use scanner::camera_driver::host;

fn main() -> ExitCode {
    #[expect(unsafe_code, reason = "libgphoto2 asks the environment where its settings are")]
    // SAFETY: no thread was started yet.
    unsafe {
        std::env::set_var("HOME", "/dev/null");
    }
    let program = host::Program {
        name: "scanner-gphoto2",
        about: "Camera driver for the cameras that libgphoto2 knows: DSLRs, mirrorless ones and others on USB",
    };
    host::run(program, device::build)
}
