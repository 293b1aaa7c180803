//! `scan.json`: the scan at a glance, for people and other programs.

use std::fs;
use std::io;
use std::path::Path;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::plan::Plan;
use crate::scan::Record;

use super::disk::Disk;
use super::error::{Context, DiskError};
use super::layout::{MANIFEST, temporary};
use super::{Counts, Entry, FORMAT, OpenError, ScanId, State, Tally};

/// The content of `scan.json`. Derived from plan and journal alone, and replaced when the scan's state
/// changes, so the counts of a running scan are those of its last change.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// [`FORMAT`].
    pub format: u32,
    /// The scan.
    pub id: ScanId,
    /// When it was created.
    pub created: Timestamp,
    /// When its state last changed.
    pub updated: Timestamp,
    /// How it stands.
    pub state: State,
    /// How many shots stand how.
    pub shots: Counts,
    /// The plan's cameras.
    pub cameras: Vec<String>,
    /// The version of the program that created it.
    pub software: String,
}

impl Manifest {
    /// What the manifest says at creation.
    pub(super) fn opened(id: ScanId, plan: &Plan, software: &str, at: Timestamp) -> Self {
        let cameras = plan.cameras.iter().map(|camera| camera.name.clone()).collect();
        let tally = Tally::new(plan.shot_count());
        let (state, shots) = (tally.state(), tally.counts());
        Self {
            format: FORMAT,
            id,
            created: at,
            updated: at,
            state,
            shots,
            cameras,
            software: software.into(),
        }
    }

    /// What the manifest must say of a scan with this plan and these `entries`, the first of which opened it;
    /// none without one.
    pub(super) fn derive(plan: &Plan, entries: &[Entry]) -> Option<Self> {
        let first = entries.first()?;
        let Record::Opened { scan, software, .. } = &first.record else { return None };
        let mut manifest = Self::opened(scan.parse().ok()?, plan, software, first.at);
        let tally = Tally::of(plan.shot_count(), entries.iter().map(|entry| &entry.record));
        let changed = entries.iter().rev().find(|entry| changes_state(&entry.record));
        manifest.update(&tally, changed.map_or(first.at, |entry| entry.at));
        Some(manifest)
    }

    /// Says what `tally` says.
    pub(super) fn update(&mut self, tally: &Tally, at: Timestamp) {
        self.updated = at;
        self.state = tally.state();
        self.shots = tally.counts();
    }

    /// Replaces the manifest of the dataset at `dir`, atomically and durably.
    pub(super) fn write(&self, disk: &dyn Disk, dir: &Path) -> Result<(), DiskError> {
        let path = dir.join(MANIFEST);
        let new = temporary(&path, 0);
        match disk.remove_file(&new) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(error).context("remove", &new);
            }
            _ => {}
        }
        let mut json = serde_json::to_vec_pretty(self).map_err(io::Error::from).context("encode", &path)?;
        json.push(b'\n');
        let mut file = disk.create(&new).context("create", &new)?;
        file.write_all(&json).context("write", &new)?;
        file.sync().context("sync", &new)?;
        disk.replace(&new, &path).context("replace", &path)?;
        disk.sync_dir(dir).context("sync", dir)
    }

    /// The manifest of the dataset at `dir`; none if it is missing or damaged, which is no loss.
    pub(super) fn read(dir: &Path) -> Result<Option<Self>, OpenError> {
        #[derive(Deserialize)]
        struct OnlyFormat {
            format: u64,
        }
        let path = dir.join(MANIFEST);
        let json = match fs::read(&path) {
            Ok(json) => json,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error).context("read", &path)?,
        };
        match serde_json::from_slice::<OnlyFormat>(&json) {
            Ok(OnlyFormat { format }) if format != u64::from(FORMAT) => {
                Err(OpenError::Format { path: dir.to_owned(), found: format })
            }
            _ => Ok(serde_json::from_slice(&json).ok()),
        }
    }
}

/// Whether the manifest is replaced after `record`.
pub(super) fn changes_state(record: &Record) -> bool {
    match record {
        Record::Opened { .. }
        | Record::Lost { .. }
        | Record::Retake { .. }
        | Record::Paused { .. }
        | Record::Resumed
        | Record::Finished { .. } => true,
        Record::Attempted { .. }
        | Record::AttemptFailed { .. }
        | Record::Stored(_)
        | Record::ShotFailed { .. } => false,
    }
}
