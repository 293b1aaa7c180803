//! What a run says of itself while it goes on, and at its end.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::scan::End;

use super::timing::Timing;

/// Where a running scan stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Progress {
    /// The scan's id, which is the name of its folder.
    pub scan: String,
    /// What a person calls it, if anybody said.
    pub name: Option<String>,
    /// The point being shot, from 1; 0 before the first.
    pub point: u32,
    /// Points of the plan.
    pub points: u32,
    /// Shots that are on the disk, of earlier runs as well.
    pub stored: u32,
    /// Shots given up for now.
    pub failed: u32,
    /// Shots on disk that the gate found to be bad.
    pub flagged: u32,
    /// Shots of the plan.
    pub shots: u32,
    /// Whether it is coming to an end.
    pub stopping: bool,
}

/// What became of a run.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Summary {
    /// The scan's id, which is the name of its folder.
    pub scan: String,
    /// How it ended, and why.
    #[serde(flatten)]
    pub end: End,
    /// Shots of the plan.
    pub shots: u32,
    /// Shots that are on the disk, of earlier runs as well.
    pub stored: u32,
    /// Shots that were tried in vain, and are not on the disk.
    pub failed: u32,
    /// Shots on disk that the gate found to be bad.
    pub flagged: u32,
    /// Attempts of this run.
    pub attempts: u32,
    /// Failed attempts of this run by error kind.
    pub failures: BTreeMap<&'static str, u32>,
    /// Recovery steps of this run by rung.
    pub recoveries: BTreeMap<&'static str, u32>,
    /// Where the time went.
    pub timing: Timing,
}
