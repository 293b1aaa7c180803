//! The invariants of a dataset, checked without changing anything.

use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::scan::ScanState;

use super::history::History;
use super::inspect::{damage, read_metadata, unrecorded_files};
use super::journal::Stop;
use super::layout;
use super::lock;
use super::manifest::Manifest;
use super::opening::folder_name;
use super::shot::metadata_of;
use super::{Counts, Note, OpenError, Tally, Violation};
use crate::plan::Plan;

/// What a check found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The folder that was checked.
    #[serde(serialize_with = "super::list::as_text")]
    pub dir: PathBuf,
    /// How the scan stands, as its journal says.
    pub state: ScanState,
    /// How many shots stand how.
    pub shots: Counts,
    /// Promises that are broken; none of a sound dataset.
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

/// Checks the dataset at `dir`, reading every file of every shot. Changes nothing. Left-overs of a crash are notes while the
/// scan is not finished, because resuming puts them in order, and violations afterwards.
///
/// # Errors
/// Only if there is nothing to check against: no folder, a newer format, or no plan.
pub fn verify(dir: &Path) -> Result<Report, OpenError> {
    if !dir.is_dir() {
        return Err(OpenError::NotFound(dir.to_owned()));
    }
    let manifest = Manifest::read(dir)?;
    let in_use = lock::is_held(dir);
    // Before the files, so that what is stored meanwhile can only look unrecorded, never missing.
    let (history, plan_json) = History::read(dir)?;
    let (plan, tally) = (&*history.plan, &history.tally);

    let mut check = Check { dir, plan, history: &history, tally, violations: vec![], notes: vec![] };
    if in_use {
        check.notes.push(Note::InUse);
    }
    check.opening(&plan_json)?;
    if let Some(stop) = &history.extent.stop {
        // Somebody was about to open it again: the manifest says so first.
        let opening = manifest.as_ref().is_some_and(|manifest| !manifest.state.is_finished());
        let torn = opening && *stop == Stop::Torn;
        check.tail(history.extent.bytes, history.tail, stop, torn);
    }
    check.files()?;
    for path in unrecorded_files(dir, plan, tally)? {
        check.unrecorded(path);
    }
    check.manifest(manifest.as_ref());
    let Check { violations, notes, .. } = check;
    Ok(Report { dir: dir.to_owned(), state: tally.state(), shots: tally.counts(), violations, notes })
}

/// How the scan at `dir` stands, as its journal says.
pub(super) fn state(dir: &Path) -> Result<ScanState, OpenError> {
    Ok(History::read(dir)?.0.tally.state())
}

struct Check<'a> {
    dir: &'a Path,
    plan: &'a Plan,
    history: &'a History,
    tally: &'a Tally,
    violations: Vec<Violation>,
    notes: Vec<Note>,
}

impl Check<'_> {
    fn opening(&mut self, plan_json: &[u8]) -> Result<(), OpenError> {
        match self.history.opening() {
            Some(opening) if !opening.is_of_plan(plan_json) => self.violations.push(Violation::Plan),
            Some(opening) => {
                let renamed = opening.other_name(&folder_name(self.dir)?);
                self.notes.extend(renamed.map(|scan| Note::Renamed { scan }));
            }
            None => self.violations.push(Violation::NoJournal),
        }
        Ok(())
    }

    fn tail(&mut self, at: u64, bytes: u64, stop: &Stop, torn_by_a_crash: bool) {
        let reason = stop.to_string();
        // No crash writes what cannot be. Only an unsynced end can be torn; a line that was whole and is not any more is
        // damage.
        let impossible = matches!(stop, Stop::Impossible(_));
        if impossible || self.tally.state().is_finished() && !torn_by_a_crash {
            self.violations.push(Violation::Journal { at, bytes, reason });
        } else {
            self.notes.push(Note::JournalTail { bytes, reason });
        }
    }

    fn files(&mut self) -> Result<(), OpenError> {
        let id = self.history.manifest().map(|manifest| manifest.id);
        for stored in self.tally.stored() {
            let shot = stored.shot;
            for file in stored.files() {
                if let Some(reason) = damage(self.dir, &file)? {
                    self.violations.push(Violation::Image { shot, image: file.path, reason });
                }
            }
            let path = layout::metadata(self.plan, shot);
            let wanted = id.as_ref().map(|id| metadata_of(id, self.plan, stored));
            if read_metadata(self.dir, &path)? != wanted {
                self.violations.push(Violation::Metadata { shot, path });
            }
        }
        Ok(())
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
            && found.state.is_complete()
            && self.tally.missing() > 0
        {
            self.violations.push(Violation::SaysComplete { missing: self.tally.missing() });
        }
        let state = self.tally.state();
        let wanted = self.history.manifest();
        if found == wanted.as_ref() {
            return;
        }
        // What it is called is in the journal first, and says nothing of how it stands.
        if found.map(Manifest::undescribed) == wanted.as_ref().map(Manifest::undescribed) {
            self.notes.push(Note::OldManifest);
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
