//! The camera drivers as the daemon sees them: real processes at the other end of a socket.

#![expect(
    clippy::panic,
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    reason = "helpers of tests fail by panicking, with whatever came instead of what was expected"
)]

#[path = "driver/faults.rs"]
mod faults;
#[path = "driver/process.rs"]
mod process;
#[path = "driver/protocol.rs"]
mod protocol;
#[path = "driver/replay.rs"]
mod replay;
