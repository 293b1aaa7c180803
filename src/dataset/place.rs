//! Where a scan stands among the others of its folder: by a number that only grows. A clock may be an hour behind, or
//! start in 1970 where nobody has set it.

use std::fs;
use std::path::Path;

use jiff::Timestamp;

use super::ScanId;
use super::error::DiskError;
use super::ids::ids;
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
    /// The place of the scan `id` in `root`.
    pub fn of(root: &Path, id: ScanId) -> Self {
        let dir = root.join(id.as_str());
        let opening = Opening::read(&dir);
        let order = opening.as_ref().and_then(|opening| opening.order);
        let changed = || fs::metadata(&dir).and_then(|metadata| metadata.modified()).ok()?.try_into().ok();
        let created = opening.map(|opening| opening.at).or_else(changed).unwrap_or_default();
        Self { order, created, id }
    }
}

/// The scans in `root` of the empty rig by which masks of the scan `of` can be made, the newest first: those that the same
/// rig made before.
pub fn references(root: &Path, of: &ScanId) -> Result<Vec<ScanId>, DiskError> {
    let made_by = Opening::read(&root.join(of.as_str())).and_then(|opening| opening.rig);
    let place = Place::of(root, of.clone());
    references_where(root, made_by.as_deref(), |reference| *reference < place)
}

/// The scans in `root` of the empty rig by which masks of the next scan of `rig` can be made, the newest first.
pub fn references_of_rig(root: &Path, rig: &str) -> Result<Vec<ScanId>, DiskError> {
    references_where(root, Some(rig), |_| true)
}

fn references_where(
    root: &Path,
    made_by: Option<&str>,
    is_wanted: impl Fn(&Place) -> bool,
) -> Result<Vec<ScanId>, DiskError> {
    let mut found = Vec::new();
    for id in ids(root)? {
        let Some(opening) = Opening::read(&root.join(id.as_str())) else { continue };
        let same_rig = match (made_by, opening.rig.as_deref()) {
            (Some(made_by), Some(rig)) => made_by == rig,
            (None, _) | (_, None) => true,
        };
        let place = Place { order: opening.order, created: opening.at, id };
        if opening.reference && same_rig && is_wanted(&place) {
            found.push(place);
        }
    }
    found.sort_unstable();
    Ok(found.into_iter().rev().map(|place| place.id).collect())
}

/// The number of the next scan in `root`.
pub(super) fn next(root: &Path) -> Result<u64, DiskError> {
    let highest = ids(root)?.into_iter().filter_map(|id| Place::of(root, id).order).max();
    Ok(highest.unwrap_or(0).saturating_add(1))
}
