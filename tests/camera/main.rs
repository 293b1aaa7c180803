//! The daemon's end of a camera against real driver processes.

#![expect(missing_docs, clippy::cast_lossless, reason = "a test")]

mod bench;
mod faults;
mod fuse;
mod processes;
