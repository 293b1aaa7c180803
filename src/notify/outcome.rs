//! What a try comes to, and how long it may take.

use std::time::Instant;

/// What one try came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The receiver has it.
    Delivered,
    /// Not this time, for this reason; another try may do.
    Failed(String),
    /// The receiver does not want it, and will not.
    Refused(String),
}

/// Until when a try may go on. It may become earlier in the middle of it.
pub(super) trait Limit: Fn() -> Instant + Sync {}

impl<T: Fn() -> Instant + Sync> Limit for T {}
