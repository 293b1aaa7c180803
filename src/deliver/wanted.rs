//! Which scans are to be brought to a target.

use std::path::Path;

use crate::config::{Deliver, DestinationKind, Keep};
use crate::dataset::{Listed, ScanId};
use crate::scan::{Outcome, ScanState};

use super::records::{Records, Stamp};

/// Whether scans that stand so go to `target`.
pub fn is_wanted(scan: &Listed, target: &Deliver) -> bool {
    // One that a person has renamed is that person's.
    if scan.in_use || scan.began_as.is_some() {
        return false;
    }
    let may_be_empty = match target.to.kind() {
        DestinationKind::Folder | DestinationKind::S3 => true,
        // Of the empty rig, nobody wants a model.
        DestinationKind::Workshop => false,
    };
    scan.scan.as_ref().is_ok_and(|manifest| match manifest.state {
        ScanState::Finished(_) if manifest.reference && !may_be_empty => false,
        ScanState::Finished(Outcome::Complete) => true,
        ScanState::Finished(Outcome::Incomplete | Outcome::Aborted) => target.incomplete,
        ScanState::Finished(Outcome::Cancelled) | ScanState::Running | ScanState::Paused => false,
    })
}

/// Those of `scans` (the newest first) that are to be brought to `target` by what is recorded, the oldest first.
pub fn wanted(scans: &[Listed], target: &Deliver, records: &Records) -> Vec<ScanId> {
    // What cannot be looked at is tried, and then says why.
    let is_there = |scan: &Listed| Stamp::of(&scan.dir).is_ok_and(|stamp| records.has(&scan.id, stamp));
    let missing = scans.iter().rev().filter(|scan| is_wanted(scan, target) && !is_there(scan));
    missing.map(|scan| scan.id.clone()).collect()
}

/// Whether the scan in `dir` was brought to every target that it is kept for, and so may go. What cannot be looked at was not.
pub fn has_all(targets: &[Deliver], state: &Path, id: &ScanId, dir: &Path) -> bool {
    let mut kept_for = targets
        .iter()
        .filter(|target| match target.keep {
            Keep::UntilDelivered => true,
            Keep::AsStorageSays => false,
        })
        .peekable();
    if kept_for.peek().is_none() {
        return true;
    }
    let Ok(stamp) = Stamp::of(dir) else { return false };
    kept_for.all(|target| Records::read(state, target).is_ok_and(|records| records.has(id, stamp)))
}
