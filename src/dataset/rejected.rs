//! The least bad of the images of each shot that the gate had taken again: it gets its place back if the last one is worse.

use std::collections::BTreeMap;

use crate::plan::ShotIndex;
use crate::scan::{FrameFacts, Record, RetakenFor, Stored, Verdict};

/// What the gate has rejected of a scan, as its records tell.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Rejected {
    /// What was found of an image that was stored by then.
    late: BTreeMap<ShotIndex, Verdict>,
    /// With all that was found of it.
    best: BTreeMap<ShotIndex, Stored>,
}

impl Rejected {
    /// Adds a record to those before it, after which `before` was stored of its shot.
    pub(super) fn apply(&mut self, before: Option<&Stored>, record: &Record) {
        match record {
            Record::Stored(Stored { shot, .. }) | Record::Lost { shot, .. } => drop(self.late.remove(shot)),
            Record::Flagged { shot, attempt, verdict } => {
                if let Some(stored) = before
                    && stored.attempt == *attempt
                {
                    self.late.insert(*shot, verdict.clone());
                }
            }
            Record::Retake { shot, by: RetakenFor::Gate | RetakenFor::Better } => {
                if let Some(stored) = before {
                    let image = self.judged(stored);
                    if self.best.get(shot).is_none_or(|best| badness(&image) < badness(best)) {
                        self.best.insert(*shot, image);
                    }
                }
                self.late.remove(shot);
            }
            // Whoever wants another image knows something that the gate does not.
            Record::Retake { shot, by: RetakenFor::Person } => {
                self.late.remove(shot);
                self.best.remove(shot);
            }
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

    /// The image that was rejected of the shot of `stored`, if it is better.
    pub(super) fn better_than(&self, stored: &Stored) -> Option<&Stored> {
        let now = badness(&self.judged(stored));
        self.best.get(&stored.shot).filter(|best| badness(best) < now)
    }

    fn judged(&self, stored: &Stored) -> Stored {
        let verdict = self.late.get(&stored.shot).cloned().map(Box::new);
        let verdict = verdict.or_else(|| stored.facts.verdict.clone());
        Stored { facts: FrameFacts { verdict, ..stored.facts.clone() }, ..stored.clone() }
    }
}

fn badness(image: &Stored) -> f64 {
    image.facts.verdict.as_deref().map_or(0.0, Verdict::badness)
}
