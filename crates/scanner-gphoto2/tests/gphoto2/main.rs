//! `scanner-gphoto2` on the libgphoto2 of this machine, with the simulated DSLR: whole scans through the real program.
#![expect(clippy::unwrap_used, clippy::panic, clippy::print_stdout, reason = "a test fails by panicking")]

mod awake;
mod bench;
#[expect(dead_code, reason = "the tests of the API use all of it")]
#[path = "../../../../tests/api/client.rs"]
mod client;
mod condition;
mod controls;
mod demo;
mod faults;
mod held;
mod live;
mod network;
mod phases;
mod reset;
mod scans;
mod service;
#[path = "../../../../tests/support/mod.rs"]
mod support;
mod throughput;
