//! Cameras at other machines, all of them this one: a real broker, real nodes with simulated cameras, and whole scans through the
//! real program.
#![expect(clippy::unwrap_used, clippy::panic, clippy::print_stdout, reason = "a test fails by panicking")]

mod access;
mod bench;
mod campaign;
mod clocks;
mod commands;
mod cost;
mod deaths;
mod network;
mod scans;
mod seen;
#[path = "../../../../tests/support/mod.rs"]
mod support;
mod tls;
mod workshop;
mod world;
