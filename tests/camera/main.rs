//! The daemon's end of a camera against real driver processes.

#![expect(clippy::unwrap_used, clippy::print_stdout, unreachable_pub, reason = "a test")]

mod bench;
mod faults;
mod fuse;
mod processes;
mod silence;
#[path = "../support/skip.rs"]
#[expect(unreachable_pub, reason = "shared with other tests")]
mod skip;

use skip::skipped;
