//! Words that are answers.

/// No pin at all.
pub(super) const NONE: &str = "none";
/// The answer to [`Key::Wiring`](super::Key::Wiring) with which no pin is asked for.
pub(super) const TABLE: &str = "table";
/// The other one.
pub(super) const OWN: &str = "own";
/// The driver of simulated cameras.
pub(super) const SIMULATED: &str = "scanner-sim";
