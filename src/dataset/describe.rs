//! What a person calls a scan that nobody writes to. No file but journal and manifest is touched.

use std::path::Path;
use std::sync::Arc;

use crate::scan::{Description, DescriptionChanges, Record};

use super::disk::{Disk, OsDisk};
use super::error::{DescribeError, OpenError};
use super::history::History;
use super::manifest::Manifest;
use super::recover::open_unchecked;

/// Changes what the scan at `dir` is called, which nobody writes to. On return it is on the disk.
///
/// # Errors
/// As [`recover`](super::recover()); something that cannot be said, and then nothing is changed.
pub fn describe(dir: &Path, changes: DescriptionChanges) -> Result<Description, DescribeError> {
    describe_on(Arc::new(OsDisk), dir, changes)
}

/// [`describe`] on a disk of your choice.
pub fn describe_on(
    disk: Arc<dyn Disk>,
    dir: &Path,
    changes: DescriptionChanges,
) -> Result<Description, DescribeError> {
    // What is refused leaves the journal alone.
    changes.clone().applied(&Description::default())?;
    let mut unchecked = open_unchecked(disk, dir)?;
    let before = unchecked.description().clone();
    let now = changes.applied(&before)?;
    if now != before {
        unchecked.add(&Record::Described(now.clone()))?;
    }
    unchecked.into_dataset()?;
    Ok(now)
}

/// What the scan at `dir` is called. Cheap: its manifest says so, which nobody acknowledges a name before.
pub fn description(dir: &Path) -> Result<Description, OpenError> {
    if let Some(manifest) = Manifest::read(dir)? {
        return Ok(manifest.description);
    }
    Ok(History::read(dir)?.0.past.description().clone())
}
