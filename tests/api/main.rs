//! The HTTP API of the real service, asked over real sockets.

mod access;
mod captures;
mod client;
mod hours;
mod live;
mod scans;
#[path = "../support/mod.rs"]
mod support;
