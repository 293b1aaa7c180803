//! Whole scans through the real program: config file to verified dataset.

#[path = "../camera/fuse.rs"]
#[expect(dead_code, reason = "shared with the camera's tests, which use all of it")]
mod fuse;
mod interrupted;
mod refused;
#[path = "../support/mod.rs"]
mod support;
mod whole;
mod wedged;
