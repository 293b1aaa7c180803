//! The lists that say what was delivered.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// What says that a scan is there whole. It comes last.
pub(crate) const LIST: &str = "delivered.json";
/// The paths of all that may lie there, as long as a delivery is under way, or was cut off: a list of texts.
pub(crate) const UNDER_WAY: &str = "delivering.json";
/// Longest of a list.
pub(crate) const LONGEST_LIST: u64 = 32 << 20;
/// Of its format.
pub(crate) const FORMAT: u32 = 1;

/// What was delivered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Delivered {
    pub(crate) format: u32,
    pub(crate) scan: String,
    /// When, by the clock of the scanner.
    pub(crate) at: Timestamp,
    pub(crate) by: String,
    pub(crate) bytes: u64,
    pub(crate) files: Vec<Listed>,
}

/// A file, with what was read back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Listed {
    pub(crate) path: String,
    pub(crate) bytes: u64,
    pub(crate) crc32c: u32,
}
