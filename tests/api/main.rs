//! The HTTP API of the real service, asked over real sockets.
#![expect(clippy::unwrap_used, clippy::panic, clippy::print_stdout, reason = "a test fails by panicking")]

mod access;
mod archive;
mod calibration;
mod captures;
mod client;
mod configuration;
mod crowd;
mod delivered;
mod described;
mod exports;
mod extend;
mod flagged;
mod hours;
#[path = "../setup/largest.rs"]
mod largest;
mod live;
mod masks;
mod model;
mod pairing;
mod passed;
mod replaced;
mod requests;
mod retake;
mod revoked;
mod scans;
mod sessions;
mod setup;
mod several;
#[path = "../support/mod.rs"]
mod support;
mod tls;
mod tuning;
mod workshop;
