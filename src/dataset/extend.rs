//! Points that are added to a scan. Its plan's file stays as it is: they are in the journal, and whoever reads the scan has a
//! plan with them behind its own ([`super::history`]).

use std::path::Path;
use std::sync::Arc;

use crate::plan::{Plan, Point};
use crate::scan::{ExtendedBy, Record};

use super::disk::{Disk, OsDisk};
use super::error::{OpenError, StoreError};
use super::recover::open_unchecked;
use super::{Dataset, Tally};

/// A scan to which points were added.
#[derive(Debug, Clone, PartialEq)]
pub struct Extended {
    /// Its plan, with these points.
    pub plan: Arc<Plan>,
    /// How it stands now: paused if it had ended.
    pub tally: Tally,
}

impl Dataset {
    /// Puts points behind those of the plan, and says what that is now. On return they are on the disk; before that, nobody
    /// has taken a shot of them. A scan that had ended is paused then.
    ///
    /// # Errors
    /// Points that the plan cannot have, and then nothing is changed.
    pub fn extend(&self, points: &[Point], by: ExtendedBy) -> Result<Arc<Plan>, StoreError> {
        self.plan().can_take(points)?;
        self.append(&Record::Extended { points: points.to_vec(), by }, true)?;
        Ok(self.plan())
    }
}

/// Adds points to the scan at `dir`, which nobody writes to: resuming it takes their shots. `choose` makes them, by the plan
/// that the scan has and how its shots stand. Reads no image, so damage is found when the scan is resumed.
///
/// # Errors
/// As [`recover`](super::recover()); what `choose` says; points that the plan cannot have. Then nothing is changed.
pub fn extend<E: From<OpenError>>(
    dir: &Path,
    by: ExtendedBy,
    choose: impl FnOnce(&Plan, &Tally) -> Result<Vec<Point>, E>,
) -> Result<Extended, E> {
    extend_on(Arc::new(OsDisk), dir, by, choose)
}

/// [`extend`] on a disk of your choice.
pub fn extend_on<E: From<OpenError>>(
    disk: Arc<dyn Disk>,
    dir: &Path,
    by: ExtendedBy,
    choose: impl FnOnce(&Plan, &Tally) -> Result<Vec<Point>, E>,
) -> Result<Extended, E> {
    let mut unchecked = open_unchecked(disk, dir)?;
    let points = choose(&unchecked.plan, &unchecked.tally)?;
    unchecked.plan.can_take(&points).map_err(|error| OpenError::from(StoreError::from(error)))?;
    // A journal that has come to its end does not end in half a line.
    unchecked.reopen()?;
    unchecked.add(&Record::Extended { points, by })?;
    let (dataset, _) = unchecked.into_dataset()?;
    Ok(Extended { plan: dataset.plan(), tally: dataset.tally() })
}
