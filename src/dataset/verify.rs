//! The invariants of a dataset, checked without changing anything.

use std::fs;
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::scan::Record;

use super::inspect::{image_damage, read_metadata, read_plan, unrecorded_files};
use super::journal::{self, Entry, Stop};
use super::layout::{self, JOURNAL};
use super::lock;
use super::manifest::Manifest;
use super::store::metadata_of;
use super::tally::Anomaly;
use super::{Counts, Note, OpenError, State, Tally, Violation};
use crate::plan::Plan;

/// What a check found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The dataset.
    pub dir: PathBuf,
    /// How the scan stands, as its journal says.
    pub state: State,
    /// How many shots stand how.
    pub shots: Counts,
    /// Broken promises.
    pub violations: Vec<Violation>,
    /// What resuming the scan puts in order, and what is on its way.
    pub notes: Vec<Note>,
}

impl Report {
    /// Whether no promise is broken.
    pub fn is_sound(&self) -> bool {
        self.violations.is_empty()
    }
}

/// Checks the dataset at `dir`, reading every image. Changes nothing. Left-overs of a crash are notes while the
/// scan is not finished, because resuming puts them in order, and violations afterwards.
///
/// # Errors
/// Only if there is nothing to check against: no folder, a newer format, or no plan.
pub fn verify(dir: &Path) -> Result<Report, OpenError> {
    if !dir.is_dir() {
        return Err(OpenError::NotFound(dir.to_owned()));
    }
    let manifest = Manifest::read(dir)?;
    let (plan, plan_json) = read_plan(dir)?;
    let in_use = lock::is_held(dir);
    // Before the files, so that what is stored meanwhile can only look unrecorded, never missing.
    let bytes = fs::read(dir.join(JOURNAL)).unwrap_or_default();
    let read = journal::read(&bytes);
    let tally = Tally::of(plan.shot_count(), read.entries.iter().map(|entry| &entry.record));

    let mut check =
        Check { dir, plan: &plan, entries: &read.entries, tally: &tally, violations: vec![], notes: vec![] };
    if in_use {
        check.notes.push(Note::InUse);
    }
    check.opening(&plan_json);
    if let Some(stop) = &read.stop {
        check.tail(read.good_bytes as u64, (bytes.len() - read.good_bytes) as u64, stop);
    }
    check.anomalies();
    check.images();
    for path in unrecorded_files(dir, &plan, &tally)? {
        check.unrecorded(path);
    }
    check.manifest(manifest.as_ref());
    let Check { violations, notes, .. } = check;
    Ok(Report { dir: dir.to_owned(), state: tally.state(), shots: tally.counts(), violations, notes })
}

/// How the scan at `dir` stands, as its journal says.
pub(super) fn state(dir: &Path) -> Result<State, OpenError> {
    let (plan, _) = read_plan(dir)?;
    let bytes = fs::read(dir.join(JOURNAL)).unwrap_or_default();
    let entries = journal::read(&bytes).entries;
    Ok(Tally::of(plan.shot_count(), entries.iter().map(|entry| &entry.record)).state())
}

struct Check<'a> {
    dir: &'a Path,
    plan: &'a Plan,
    entries: &'a [Entry],
    tally: &'a Tally,
    violations: Vec<Violation>,
    notes: Vec<Note>,
}

impl Check<'_> {
    fn opening(&mut self, plan_json: &[u8]) {
        match self.entries.first().map(|entry| &entry.record) {
            Some(Record::Opened { plan_crc32c, .. }) => {
                if *plan_crc32c != crc32c::crc32c(plan_json) {
                    self.violations.push(Violation::Plan);
                }
            }
            _ => self.violations.push(Violation::NoJournal),
        }
    }

    fn tail(&mut self, at: u64, bytes: u64, stop: &Stop) {
        let reason = stop.to_string();
        // Only an unsynced end can be torn; a line that was whole and is not any more is damage.
        if self.tally.state().is_finished() {
            self.violations.push(Violation::Journal { at, bytes, reason });
        } else {
            self.notes.push(Note::JournalTail { bytes, reason });
        }
    }

    fn anomalies(&mut self) {
        self.violations.extend(self.tally.anomalies().iter().map(|anomaly| match *anomaly {
            Anomaly::StoredTwice(shot) => Violation::StoredTwice { shot },
            Anomaly::UnknownShot(shot) => Violation::UnknownShot { shot },
            Anomaly::SaidComplete(missing) => Violation::SaysComplete { missing },
        }));
    }

    fn images(&mut self) {
        let id = Manifest::derive(self.plan, self.entries).map(|manifest| manifest.id);
        for stored in self.tally.stored() {
            let shot = stored.shot;
            if let Some(reason) = image_damage(self.dir, stored) {
                self.violations.push(Violation::Image { shot, image: stored.image.clone(), reason });
            }
            let path = layout::metadata(self.plan, shot);
            let wanted = id.as_ref().map(|id| metadata_of(id, self.plan, stored));
            if read_metadata(&self.dir.join(&path)) != wanted {
                self.violations.push(Violation::Metadata { shot, path });
            }
        }
    }

    fn unrecorded(&mut self, path: String) {
        if self.tally.state().is_finished() {
            self.violations.push(Violation::Unrecorded { path });
        } else {
            self.notes.push(Note::Unrecorded { path });
        }
    }

    fn manifest(&mut self, found: Option<&Manifest>) {
        if let Some(found) = found
            && found.state == State::Complete
            && self.tally.missing() > 0
        {
            self.violations.push(Violation::SaysComplete { missing: self.tally.missing() });
        }
        let state = self.tally.state();
        if found == Manifest::derive(self.plan, self.entries).as_ref() {
            return;
        }
        // An unfinished state claims nothing: it is what a crash between journal and manifest leaves.
        let is_older = found.is_some_and(|found| !found.state.is_finished());
        if state.is_finished() && !is_older {
            self.violations.push(Violation::Manifest { state });
        } else if found.is_none_or(|found| found.state != state) {
            self.notes.push(Note::OldManifest);
        }
    }
}
