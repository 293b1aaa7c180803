//! The workshop: a real broker, real workers whose command is a line of shell, and what goes wrong between them.

mod access;
pub(crate) mod bench;
mod by_itself;
mod deaths;
mod endings;
mod jobs;
mod troubles;
