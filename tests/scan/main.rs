//! Whole scans through the real program: config file to verified dataset.
#![expect(clippy::unwrap_used, clippy::panic, clippy::print_stdout, reason = "a test fails by panicking")]

mod backlight;
mod bad_drivers;
mod completed;
mod delivery;
mod disk_space;
mod earlier;
mod exports;
mod extend;
mod file_systems;
mod flooded;
mod format_1;
#[path = "../camera/fuse.rs"]
#[expect(unreachable_pub, reason = "shared with the camera's tests")]
mod fuse;
mod gate;
mod interrupted;
mod manager;
mod many;
mod marks;
mod mqtt;
mod notify;
mod odd_files;
mod owner;
mod panel;
mod pins;
mod pins_left;
mod raw;
mod refused;
mod report;
mod retake;
mod service;
mod settling;
mod several;
mod silent;
mod speed;
mod stacks;
mod storage;
mod stray;
mod stuck_disk;
#[path = "../support/mod.rs"]
mod support;
mod threads;
mod triggered;
mod tuning;
mod unread;
mod users;
mod wedged;
mod whole;

// For the file that never answers, too.
use support::skipped;
