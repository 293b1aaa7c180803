//! What a recovery tells of itself.

use serde::Serialize;

use crate::plan::ShotIndex;

/// What a recovery found and did. All empty for a dataset that was in order.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct RecoveryReport {
    /// Bytes behind the journal's last good line, now in `quarantine/`.
    pub cut_bytes: u64,
    /// Why they did not count.
    pub cut_reason: Option<String>,
    /// Whether there was no usable journal at all.
    pub new_journal: bool,
    /// Stored shots that have to be taken again, and why.
    pub lost: Vec<(ShotIndex, String)>,
    /// Shots whose whole image had no record yet.
    pub adopted: Vec<ShotIndex>,
    /// Files of shots that are wanted again, moved to `retaken/`, by their paths in the dataset.
    pub set_aside: Vec<String>,
    /// Metadata files written again from the journal.
    pub metadata_restored: Vec<ShotIndex>,
    /// Files moved to `quarantine/`, by their paths in the dataset.
    pub quarantined: Vec<String>,
}
