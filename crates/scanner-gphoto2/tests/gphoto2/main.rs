//! `scanner-gphoto2` on the libgphoto2 of this machine, with the simulated DSLR: whole scans through the real program.
#![expect(clippy::unwrap_used, clippy::panic, clippy::print_stdout, reason = "a test fails by panicking")]

mod bench;
mod faults;
mod scans;
#[path = "../../../../tests/support/mod.rs"]
mod support;
