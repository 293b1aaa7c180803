//! Performs a scan: feeds the pure transition function with what really happens, and does what it says.
//!
//! One task loops over inputs ([`Run::perform`]); one task a camera performs captures and recoveries; one moves
//! the axes; frames are encoded and stored by the threads of [`crate::frame::Pipeline`]. Each answers into the
//! loop's inbox, so the transition function sees one input at a time.

mod arrival;
mod at_disk;
mod cameras;
mod command;
mod emit;
mod gated;
mod held_settings;
mod identity;
mod motion;
mod performer;
mod pulse;
mod settling;
mod still;
mod storage;
mod summary;
mod timing;

pub use at_disk::{AtDisk, Errand};
pub use command::{Command, ExtendRefused, RetakeRefused};
pub use emit::Emit;
pub use performer::*;
pub use pulse::{Pulse, longest_silence};
pub use storage::Storage;
pub use summary::*;
pub use timing::*;
