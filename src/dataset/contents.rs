//! All that a dataset says of its scan, read without changing anything.

use std::fs;
use std::path::Path;

use crate::plan::{Plan, ShotIndex};

use super::error::Context as _;
use super::inspect::read_plan;
use super::layout::{self, JOURNAL, MANIFEST, PLAN};
use super::{Entry, Manifest, OpenError, Tally, journal};

/// The files that describe a scan, in the order in which people would look into them.
pub const DESCRIPTIONS: [&str; 3] = [MANIFEST, PLAN, JOURNAL];

/// What is in a dataset, but for its files.
#[derive(Debug, Clone)]
pub struct Contents {
    /// The scan at a glance.
    pub manifest: Manifest,
    /// What is to be taken.
    pub plan: Plan,
    /// What happened.
    pub entries: Vec<Entry>,
}

/// The files of a shot, by their paths in the dataset. They need not be there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShotFiles {
    /// The photograph.
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
    let (plan, _) = read_plan(dir)?;
    let path = dir.join(JOURNAL);
    let entries = journal::read(&fs::read(&path).context("read", &path)?).entries;
    let Some(manifest) = Manifest::derive(&plan, &entries) else {
        let reason = "its journal does not begin with the record that opens a scan".into();
        return Err(OpenError::Plan { path, reason });
    };
    Ok(Contents { manifest, plan, entries })
}

impl Contents {
    /// How its shots stand.
    pub fn tally(&self) -> Tally {
        Tally::of(self.plan.shot_count(), self.entries.iter().map(|entry| &entry.record))
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
