//! What a run says of itself while it goes on, and at its end.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::scan::Outcome;

use super::timing::Timing;

/// Where a running scan stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Progress {
    /// The scan's id.
    pub scan: String,
    /// The point being shot, from 1; 0 before the first.
    pub point: u32,
    /// Points of the plan.
    pub points: u32,
    /// Shots on disk.
    pub stored: u32,
    /// Shots given up for now.
    pub failed: u32,
    /// Shots of the plan.
    pub shots: u32,
    /// Whether it is coming to an end.
    pub stopping: bool,
}

/// What became of a run.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Summary {
    /// The scan's id.
    pub scan: String,
    /// How it ended.
    pub end: EndName,
    /// Why, if it did not end complete.
    pub reason: Option<String>,
    /// Shots of the plan.
    pub shots: u32,
    /// Shots on disk.
    pub stored: u32,
    /// Shots given up.
    pub failed: u32,
    /// Attempts of this run.
    pub attempts: u32,
    /// Failed attempts of this run by error kind.
    pub failures: BTreeMap<&'static str, u32>,
    /// Recovery steps of this run by rung.
    pub recoveries: BTreeMap<&'static str, u32>,
    /// Where the time went.
    pub timing: Timing,
}

/// How a run ended, as programs read it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum EndName {
    /// Every planned shot is stored.
    Complete,
    /// Every planned shot was tried; some failed.
    Incomplete,
    /// A person ended it.
    Cancelled,
    /// A failed shot ended it, as the configuration says.
    Aborted,
    /// It can be resumed.
    Paused,
}

impl From<Outcome> for EndName {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Complete => Self::Complete,
            Outcome::Incomplete => Self::Incomplete,
            Outcome::Cancelled => Self::Cancelled,
            Outcome::Aborted => Self::Aborted,
        }
    }
}

impl EndName {
    /// As people read it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Complete => "complete",
            Self::Incomplete => "incomplete",
            Self::Cancelled => "cancelled",
            Self::Aborted => "aborted",
            Self::Paused => "paused",
        }
    }
}
