//! Taking a shot again: its image is kept, aside.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use crate::plan::{Plan, ShotIndex};
use crate::scan::{Record, Stored};

use super::Tally;
use super::aside::{candidates, make_folder, move_to};
use super::disk::{Disk, OsDisk};
use super::error::{DiskError, OpenError, StoreError};
use super::inspect::{image_damage, read_metadata};
use super::journal::Entry;
use super::layout::{self, RETAKEN, parent};
use super::recover::open_unchecked;

/// A scan of which shots were asked for again.
#[derive(Debug, Clone, PartialEq)]
pub struct Retaken {
    /// Its plan.
    pub plan: Plan,
    /// How it stands now: paused if it had ended.
    pub tally: Tally,
}

/// Makes `shots` of the scan at `dir` pending, which nobody writes to: resuming it takes them again. Each is in the
/// journal before its image is moved to `retaken/`. Reads no image, so damage is found when the scan is resumed.
///
/// # Errors
/// As [`recover`](super::recover()); a shot that the plan does not have, and then nothing is changed. When the disk fails,
/// shots before that are pending already.
pub fn retake(dir: &Path, shots: &[ShotIndex]) -> Result<Retaken, OpenError> {
    retake_on(Arc::new(OsDisk), dir, shots)
}

/// [`retake`] on a disk of your choice.
pub fn retake_on(disk: Arc<dyn Disk>, dir: &Path, shots: &[ShotIndex]) -> Result<Retaken, OpenError> {
    let unchecked = open_unchecked(disk, dir)?;
    let planned = unchecked.plan.shot_count();
    if let Some(&shot) = shots.iter().find(|shot| shot.0 >= planned) {
        return Err(StoreError::UnknownShot { shot, planned }.into());
    }
    let (dataset, _) = unchecked.into_dataset()?;
    for &shot in shots {
        dataset.retake(shot)?;
    }
    Ok(Retaken { plan: dataset.plan().clone(), tally: dataset.tally() })
}

/// What was stored of each shot that is wanted again and is not stored anew: its files may still be where they were.
pub(super) fn wanted_again(entries: &[Entry]) -> BTreeMap<ShotIndex, Stored> {
    let (mut stored, mut wanted) = (BTreeMap::new(), BTreeMap::new());
    for entry in entries {
        match &entry.record {
            Record::Stored(now) => {
                stored.insert(now.shot, now);
                wanted.remove(&now.shot);
            }
            Record::Retake { shot } => {
                if let Some(old) = stored.remove(shot) {
                    wanted.insert(*shot, old.clone());
                }
            }
            Record::Lost { shot, .. } => {
                stored.remove(shot);
            }
            Record::Opened { .. }
            | Record::Attempted { .. }
            | Record::AttemptFailed { .. }
            | Record::ShotFailed { .. }
            | Record::Paused { .. }
            | Record::Resumed
            | Record::Finished { .. } => {}
        }
    }
    wanted
}

/// The files of `stored` that are where it was stored, as it was stored.
pub(super) fn files_left(dir: &Path, plan: &Plan, stored: &Stored) -> Vec<String> {
    let metadata = layout::metadata(plan, stored.shot);
    let image = image_damage(dir, stored).is_none().then(|| stored.image.clone());
    let is_its = read_metadata(&dir.join(&metadata)).is_some_and(|found| found.stored == *stored);
    image.into_iter().chain(is_its.then_some(metadata)).collect()
}

/// Moves files of `old` to `retaken/CAMERA/LABEL.ATTEMPT.jpg` and `.json`; durable on return.
pub(super) fn set_aside(
    disk: &dyn Disk,
    dir: &Path,
    plan: &Plan,
    old: &Stored,
    files: &[String],
) -> Result<(), DiskError> {
    // It would be taken for that of the new image. There need not be one.
    let _ = disk.remove_file(&dir.join(layout::thumbnail(plan, old.shot)));
    if files.is_empty() {
        return Ok(());
    }
    let stem = dir.join(layout::retaken(plan, old.shot, old.attempt));
    make_folder(disk, &dir.join(RETAKEN))?;
    make_folder(disk, parent(&stem))?;
    for path in files {
        let ending = if *path == old.image { ".jpg" } else { ".json" };
        move_to(disk, &dir.join(path), candidates(&stem, ending))?;
    }
    Ok(())
}
