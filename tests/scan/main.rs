//! Whole scans through the real program: config file to verified dataset.
#![expect(clippy::unwrap_used, clippy::panic, clippy::print_stdout, reason = "a test fails by panicking")]

#[path = "../camera/fuse.rs"]
#[expect(unreachable_pub, reason = "shared with the camera's tests")]
mod fuse;
mod interrupted;
mod manager;
mod panel;
mod pins;
mod pins_left;
mod refused;
mod retake;
mod room;
mod service;
mod settling;
#[path = "../support/mod.rs"]
mod support;
mod wedged;
mod whole;
