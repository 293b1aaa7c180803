//! Where a scan stands among the others of its folder: by a number that only grows. A clock may be an hour behind, or
//! start in 1970 where nobody has set it.

use std::fs;
use std::path::Path;

use jiff::Timestamp;

use super::ScanId;
use super::error::DiskError;
use super::opening::Opening;

/// A scan's place; those that began later are greater.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Its number. Scans of earlier versions have none, and stand before all others; so do damaged ones.
    pub order: Option<u64>,
    /// When it began, by the clock of then; of a damaged one, when its folder last changed. Two machines that share a
    /// folder may take the same number.
    pub created: Timestamp,
    /// The name of its folder.
    pub id: ScanId,
}

impl Place {
    /// The place of the scan `id` in `root`, as it says itself.
    ///
    /// # Errors
    /// This process lacks what it takes to look.
    pub fn of(root: &Path, id: ScanId) -> Result<Self, DiskError> {
        let dir = root.join(id.as_str());
        let opening = Opening::read(&dir)?;
        Ok(Self::found(&dir, id, opening.as_ref()))
    }

    /// That of the scan `id`, at `dir`, whose first record says this; none of a damaged one.
    pub(super) fn found(dir: &Path, id: ScanId, opening: Option<&Opening>) -> Self {
        if let Some(opening) = opening {
            return Self::said(id, opening);
        }
        let changed = || fs::metadata(dir).and_then(|metadata| metadata.modified()).ok()?.try_into().ok();
        Self { order: None, created: changed().unwrap_or_default(), id }
    }

    /// That of the scan `id` whose first record says this.
    pub(super) fn said(id: ScanId, opening: &Opening) -> Self {
        Self { order: opening.order, created: opening.at, id }
    }
}
