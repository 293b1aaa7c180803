//! Words that are answers.

/// No pin at all.
pub(super) const NONE: &str = "none";
/// The answer to [`Key::Wiring`](super::Key::Wiring) with which no pin is asked for.
pub(super) const TABLE: &str = "table";
/// The other one.
pub(super) const OWN: &str = "own";
/// The page is for this machine alone.
pub(super) const HERE: &str = "here";
/// The page is for the whole network.
pub const NETWORK: &str = "network";
/// The driver of simulated cameras.
pub const SIMULATED: &str = "scanner-sim";
