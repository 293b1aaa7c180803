//! All that a dataset says of its scan, read without changing anything.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use crate::plan::{Plan, ShotIndex};
use crate::scan::{ScanState, Stored, Verdict, WaitsFor};

use super::history::History;
use super::layout::{self, JOURNAL, MANIFEST, PLAN};
use super::opening::Opening;
use super::past::Past;
use super::{Entry, Manifest, OpenError, Tally, open};

/// The files that describe a scan, in the order in which people would look into them, and how long they may be.
pub const DESCRIPTIONS: [(&str, u64); 3] =
    [(MANIFEST, open::DESCRIPTION), (PLAN, open::PLAN), (JOURNAL, open::JOURNAL)];

/// What is in a dataset, but for its files.
#[derive(Debug, Clone)]
pub struct Contents {
    /// The scan at a glance.
    pub manifest: Manifest,
    /// What is to be taken: with the points that were added since it began.
    pub plan: Arc<Plan>,
    tally: Tally,
    past: Past,
}

/// The files of a shot, by their paths in the dataset. They need not be there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShotFiles {
    /// The photograph, a JPEG.
    pub image: String,
    /// What is known of it.
    pub metadata: String,
    /// A small picture of it.
    pub thumbnail: String,
}

/// Reads the dataset at `dir`, as far as its journal is whole.
pub fn read(dir: &Path) -> Result<Contents, OpenError> {
    if !dir.is_dir() {
        return Err(OpenError::NotFound(dir.to_owned()));
    }
    // Of a format that this program knows?
    Manifest::read(dir)?;
    let (history, plan_json) = History::read(dir)?;
    let (Some(opening), Some(manifest)) = (history.opening(), history.manifest()) else {
        return Err(OpenError::NoOpening { path: dir.join(JOURNAL) });
    };
    opening.must_be_of_plan(dir, &plan_json)?;
    let History { plan, tally, past, .. } = history;
    Ok(Contents { manifest, plan, tally, past })
}

impl Contents {
    /// How its shots stand.
    pub fn tally(&self) -> &Tally {
        &self.tally
    }

    /// What its first record says: id, number, rig, and the checksum of its plan.
    pub(super) fn opening(&self) -> Option<&Opening> {
        self.past.opening()
    }

    /// The last attempt that was made of `shot`; 0 if none was.
    pub fn attempts(&self, shot: ShotIndex) -> u32 {
        self.past.attempts(shot)
    }

    /// How long `shot` took from its first attempt until it was stored; none if that is not known.
    pub fn took(&self, shot: ShotIndex) -> Option<Duration> {
        self.past.took(shot)
    }

    /// What the gate found of the image of `attempt` of `shot` after it was stored, if anything.
    pub fn flagged(&self, shot: ShotIndex, attempt: u32) -> Option<&Verdict> {
        self.past.flagged(shot, attempt)
    }

    /// Whether it has points that nobody asked for.
    pub fn extended_unasked(&self) -> bool {
        self.past.extended_unasked()
    }

    /// As if no shot had taken a known time: for tests that take one.
    #[cfg(test)]
    pub(crate) fn forget_times(&mut self) {
        self.past.forget_times();
    }

    /// What happened that people want to know of, in order: failures, pauses and the like. Of a very long journal, the
    /// last of it.
    pub fn notes(&self) -> impl Iterator<Item = &Entry> {
        self.past.notes()
    }

    /// Images that were taken again, in order, and what the gate had found of them. As [`Self::notes`], of a very long journal
    /// the last of them.
    pub fn retakes(&self) -> impl Iterator<Item = (&Entry, Option<&Verdict>)> {
        self.past.retakes()
    }

    /// What the gate says of an image that is stored, at once or later.
    pub fn verdict<'a>(&'a self, stored: &'a Stored) -> Option<&'a Verdict> {
        self.past.verdict(stored)
    }

    /// What a paused scan waits for; none if it is not paused.
    pub fn waits_for(&self) -> Option<WaitsFor> {
        (self.manifest.state == ScanState::Paused).then(|| self.past.waits_for())
    }

    /// The files of `shot`; none if the plan does not have it.
    pub fn files(&self, shot: ShotIndex) -> Option<ShotFiles> {
        (shot.0 < self.plan.shot_count()).then(|| ShotFiles {
            image: layout::image(&self.plan, shot),
            metadata: layout::metadata(&self.plan, shot),
            thumbnail: layout::thumbnail(&self.plan, shot),
        })
    }
}
