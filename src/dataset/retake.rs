//! Taking a shot again: its image is kept, aside.

use std::path::Path;
use std::sync::Arc;

use crate::frame::File;
use crate::plan::{Plan, ShotIndex};
use crate::scan::{RetakenFor, Stored};

use super::disk::{Disk, OsDisk};
use super::error::{OpenError, StoreError};
use super::recover::open_unchecked;
use super::retaken::kept;
use super::{Dataset, Tally};

impl Dataset {
    /// Gives the best image of `shot` that the gate had taken again its place back, if the stored one is worse, which is kept
    /// in `retaken/` then. On return both are on the disk; says which image is back.
    ///
    /// These are two steps that a recovery knows: the shot is wanted again, and stored. After a crash between them it is
    /// taken once more.
    pub fn keep_best(&self, shot: ShotIndex) -> Result<Option<Stored>, StoreError> {
        let Some(best) = self.tally().better(shot).cloned() else { return Ok(None) };
        // What somebody has removed cannot come back.
        let Some(files) = kept(self.dir(), &self.plan(), &best)? else { return Ok(None) };
        let files: Vec<_> = files.iter().map(|(kind, bytes)| File { kind, bytes }).collect();
        self.retake(shot, RetakenFor::Better)?;
        self.store(shot, best.attempt, &files, best.facts).map(Some)
    }
}

/// A scan of which shots were asked for again.
#[derive(Debug, Clone, PartialEq)]
pub struct Retaken {
    /// The plan of the scan, by which shots have their names.
    pub plan: Arc<Plan>,
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
        dataset.retake(shot, RetakenFor::Person)?;
    }
    Ok(Retaken { plan: dataset.plan(), tally: dataset.tally() })
}
