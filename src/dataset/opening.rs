//! The record that opens a scan, and what it is believed of: the one place that says so, for whoever resumes, checks, lists
//! or shows a scan, and for its place among others.

use std::ffi::{OsStr, OsString};
use std::path::Path;

use jiff::Timestamp;

use super::error::{Context, DiskError, OpenError};
use super::journal::{self, Entry};
use super::layout::{JOURNAL, PLAN};
use super::open::{self, Unread};
use crate::regular_file::is_for_want;
use crate::scan::Record;

/// What a scan says of itself when it begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Opening {
    /// When it began, by the clock of then.
    pub(super) at: Timestamp,
    /// Its id, which is what its folder was called.
    pub(super) scan: String,
    pub(super) plan_crc32c: u32,
    pub(super) software: String,
    /// Its number among the scans of its folder; none of earlier versions.
    pub(super) order: Option<u64>,
    /// Which rig made it, if that is known.
    pub(super) rig: Option<String>,
    /// Whether it is one of the empty rig.
    pub(super) reference: bool,
}

impl Opening {
    /// What the first entry of a journal says; none if it does not open a scan.
    pub(super) fn of(first: &Entry) -> Option<Self> {
        match &first.record {
            Record::Opened { scan, plan_crc32c, software, order, rig, reference } => Some(Self {
                at: first.at,
                scan: scan.clone(),
                plan_crc32c: *plan_crc32c,
                software: software.clone(),
                order: *order,
                rig: rig.clone(),
                reference: *reference,
            }),
            Record::Attempted { .. }
            | Record::AttemptFailed { .. }
            | Record::Stored(_)
            | Record::ShotFailed { .. }
            | Record::Lost { .. }
            | Record::Retake { .. }
            | Record::Flagged { .. }
            | Record::Extended { .. }
            | Record::Described(_)
            | Record::Paused { .. }
            | Record::Resumed
            | Record::Finished { .. } => None,
        }
    }

    /// Of the scan at `dir`; none of a damaged one. Reads one line.
    ///
    /// # Errors
    /// This process lacks what it takes to look: that is not the same as a scan without a number.
    pub(super) fn read(dir: &Path) -> Result<Option<Self>, DiskError> {
        match open::file(dir, JOURNAL) {
            Ok(journal) => Ok(journal::first(journal).and_then(|first| Self::of(&first))),
            Err(Unread::Failed(error)) if is_for_want(&error) => {
                Err(error).context("read", &dir.join(JOURNAL))
            }
            // What is wrong with it, and what cannot be read of it, is said where all of it is read.
            Err(_) => Ok(None),
        }
    }

    /// As it is in the journal.
    pub(super) fn record(&self) -> Record {
        let Self { scan, plan_crc32c, software, order, rig, reference, at: _ } = self.clone();
        Record::Opened { scan, plan_crc32c, software, order, rig, reference }
    }

    /// Whether the scan began with the plan whose file has these bytes.
    pub(super) fn is_of_plan(&self, plan_json: &[u8]) -> bool {
        self.plan_crc32c == crc32c::crc32c(plan_json)
    }

    /// That [`Self::is_of_plan`], as who reads the scan at `dir` says it.
    pub(super) fn must_be_of_plan(&self, dir: &Path, plan_json: &[u8]) -> Result<(), OpenError> {
        if self.is_of_plan(plan_json) {
            return Ok(());
        }
        let reason = "its checksum is not the one in the journal".into();
        Err(OpenError::Plan { path: dir.join(PLAN), reason })
    }

    /// What it was called when it began, if a person has called its folder otherwise since. That breaks no promise: what is
    /// in the folder goes by the old name, as all its files say.
    pub(super) fn other_name(&self, folder: &OsStr) -> Option<String> {
        (folder != self.scan.as_str()).then(|| self.scan.clone())
    }
}

/// What the folder `dir` is called: as somebody has named it, or, where that is no name, as it is found.
pub(super) fn folder_name(dir: &Path) -> Result<OsString, DiskError> {
    if let Some(name) = dir.file_name() {
        return Ok(name.to_owned());
    }
    let found = dir.canonicalize().context("find", dir)?;
    Ok(found.file_name().unwrap_or_default().to_owned())
}
