//! How much the gate may have taken again, and what it has flagged.

use std::collections::{BTreeMap, BTreeSet};

use crate::config::{self, GatePolicy};
use crate::plan::ShotIndex;

use super::record::{Record, RetakenFor, Stored};
use super::verdict::Verdict;

/// How often the gate may still have a shot taken again.
#[derive(Debug, Clone)]
pub struct Budget {
    per_shot: u32,
    left: u32,
    taken: BTreeMap<ShotIndex, u32>,
}

impl Budget {
    /// What is left of it in a scan that `records` tell of; nothing, unless the policy is to take images again.
    pub fn new(limits: &config::Gate, records: &[Record]) -> Self {
        let left = match limits.policy {
            GatePolicy::Off | GatePolicy::Flag => 0,
            GatePolicy::Retake => limits.retakes_per_scan,
        };
        let mut budget = Self { per_shot: limits.retakes_per_shot, left, taken: BTreeMap::new() };
        for record in records {
            if let Record::Retake { shot, by: RetakenFor::Gate } = record {
                budget.left = budget.left.saturating_sub(1);
                *budget.taken.entry(*shot).or_default() += 1;
            }
        }
        budget
    }

    /// Whether `shot` may be taken again.
    pub fn allows(&self, shot: ShotIndex) -> bool {
        self.left > 0 && self.taken.get(&shot).copied().unwrap_or_default() < self.per_shot
    }

    /// It is taken again.
    pub fn spend(&mut self, shot: ShotIndex) {
        self.left = self.left.saturating_sub(1);
        *self.taken.entry(shot).or_default() += 1;
    }
}

/// The stored shots that the gate found to be bad.
pub fn flagged<'a>(records: impl IntoIterator<Item = &'a Record>) -> BTreeSet<ShotIndex> {
    let mut flagged = BTreeSet::new();
    for record in records {
        match record {
            Record::Stored(Stored { shot, facts, .. }) => {
                if facts.verdict.as_deref().is_some_and(Verdict::is_bad) {
                    flagged.insert(*shot);
                }
            }
            Record::Flagged { shot, .. } => drop(flagged.insert(*shot)),
            Record::Lost { shot, .. } | Record::Retake { shot, .. } => drop(flagged.remove(shot)),
            Record::Opened { .. }
            | Record::Attempted { .. }
            | Record::AttemptFailed { .. }
            | Record::ShotFailed { .. }
            | Record::Extended { .. }
            | Record::Described(_)
            | Record::Paused { .. }
            | Record::Resumed
            | Record::Finished { .. } => {}
        }
    }
    flagged
}
