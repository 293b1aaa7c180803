//! What happened to a scan, as its journal tells it.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::gate::why;
use crate::dataset::Contents;
use crate::plan::ShotIndex;
use crate::scan::Record;
use crate::units::counted;

/// What happened to a scan.
#[derive(Debug, Default)]
pub(super) struct Story {
    /// Failed attempts by the camera's index and the kind of error.
    pub(super) failures: BTreeMap<(usize, String), u32>,
    /// How often an image was taken again.
    pub(super) retakes: u32,
    /// Images that were found missing or damaged.
    pub(super) lost: u32,
    /// In the order in which it happened.
    pub(super) lines: Vec<Line>,
}

/// A record that people want to read: a failure, a pause, an image that was lost or is taken again.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) at: Timestamp,
    /// To which shot, if to one.
    pub(super) shot: Option<ShotIndex>,
    pub(super) what: &'static str,
    /// Why; may be empty.
    pub(super) reason: String,
}

impl Story {
    pub(super) fn of(contents: &Contents) -> Self {
        let plan = &contents.plan;
        let mut story = Self::default();
        for entry in contents.notes() {
            let mut tell = |shot: Option<ShotIndex>, what, reason: &str| {
                story.lines.push(Line { at: entry.at, shot, what, reason: reason.to_owned() });
            };
            if let Record::AttemptFailed { shot, kind, message, .. } = &entry.record {
                tell(Some(*shot), "attempt failed", &format!("{kind}: {message}"));
                let camera = usize::from(plan.camera_of(*shot).0);
                *story.failures.entry((camera, kind.to_string())).or_default() += 1;
            } else if let Record::ShotFailed { shot, reason } = &entry.record {
                tell(Some(*shot), "given up", reason);
            } else if let Record::Lost { shot, reason } = &entry.record {
                tell(Some(*shot), "image lost", reason);
                story.lost += 1;
            } else if let Record::Retake { shot, by } = &entry.record {
                tell(Some(*shot), "taken again", why(*by));
                story.retakes += 1;
            } else if let Record::Flagged { shot, verdict, .. } = &entry.record {
                tell(Some(*shot), "flagged later", &verdict.message());
            } else if let Record::Extended { points, .. } = &entry.record {
                tell(
                    None,
                    "extended",
                    &format!("{} added", counted(points.len(), "point was", "points were")),
                );
            } else if let Record::Paused { reason, .. } = &entry.record {
                tell(None, "paused", reason);
            } else if let Record::Resumed = &entry.record {
                tell(None, "resumed", "");
            } else if let Record::Finished { outcome } = &entry.record {
                tell(None, "finished", outcome.name());
            }
        }
        story
    }

    /// Failed attempts in all.
    pub(super) fn failed_attempts(&self) -> u32 {
        self.failures.values().sum()
    }
}
