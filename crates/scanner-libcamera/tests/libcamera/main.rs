//! `scanner-libcamera` on the real libcamera, whose virtual camera plays photographs and fails on command.
#![expect(clippy::unwrap_used, clippy::panic, unreachable_pub, reason = "a test fails by panicking")]

#[path = "../../../../tests/support/built.rs"]
mod built;
mod faults;
mod inside;
mod pictures;
mod rig;
mod scans;
mod settings;
mod unsaid;
mod virtual_camera;
