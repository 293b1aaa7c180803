//! The order of the scans of a folder: which is the newest, and what number the next one gets.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use super::disk::Disk;
use super::error::DiskError;
use super::ids::{Folder, folders};
use super::journal::Entry;
use super::opening::Opening;
use super::places::{Line, Places};
use super::{Place, ScanId};

/// The places of all scans in `root`, in no order; none if the folder is missing. Reads only those of which nothing is
/// remembered beside them.
pub fn places(root: &Path) -> Result<Vec<Place>, DiskError> {
    let (folders, remembered) = (folders(root)?, Places::read(root));
    let place = |folder: Folder| match remembered.of(&folder) {
        Some(place) => Ok(place.clone()),
        None => Place::of(root, folder.id),
    };
    folders.into_iter().map(place).collect()
}

/// The greatest of those scans in `root` that are `wanted`, as each says itself (nothing, if it is damaged). Reads those of
/// which nothing is remembered, and of the others few beyond those that are not wanted.
pub(super) fn newest(
    root: &Path,
    wanted: impl Fn(&ScanId, Option<&Opening>) -> bool,
) -> Result<Option<Place>, DiskError> {
    let mut places = places(root)?;
    places.sort_unstable_by(|a, b| b.cmp(a));
    let mut newest: Option<Place> = None;
    for place in places {
        if newest.as_ref().is_some_and(|newest| *newest > place) {
            break;
        }
        let dir = root.join(place.id.as_str());
        let opening = Opening::read(&dir)?;
        if wanted(&place.id, opening.as_ref()) {
            newest = newest.max(Some(Place::found(&dir, place.id, opening.as_ref())));
        }
    }
    Ok(newest)
}

/// The scans in `root` of the empty rig by which masks of the scan `of` can be made, the newest first: those that the same
/// rig made before.
pub fn references(root: &Path, of: &ScanId) -> Result<Vec<ScanId>, DiskError> {
    let made_by = Opening::read(&root.join(of.as_str()))?.and_then(|opening| opening.rig);
    let place = Place::of(root, of.clone())?;
    references_where(root, made_by.as_deref(), |reference| *reference < place)
}

/// The scans in `root` of the empty rig by which masks of the next scan of `rig` can be made, the newest first.
pub fn references_of_rig(root: &Path, rig: &str) -> Result<Vec<ScanId>, DiskError> {
    references_where(root, Some(rig), |_| true)
}

/// Reads the first lines of those that are remembered to be of the empty rig, and of those of which nothing is remembered.
fn references_where(
    root: &Path,
    made_by: Option<&str>,
    is_wanted: impl Fn(&Place) -> bool,
) -> Result<Vec<ScanId>, DiskError> {
    let (folders, remembered) = (folders(root)?, Places::read(root));
    let mut found = Vec::new();
    for folder in folders {
        if remembered.is_reference(&folder) == Some(false) {
            continue;
        }
        let Some(opening) = Opening::read(&root.join(folder.id.as_str()))? else { continue };
        let same_rig = match (made_by, opening.rig.as_deref()) {
            (Some(made_by), Some(rig)) => made_by == rig,
            (None, _) | (_, None) => true,
        };
        let place = Place::said(folder.id, &opening);
        if opening.reference && same_rig && is_wanted(&place) {
            found.push(place);
        }
    }
    found.sort_unstable();
    Ok(found.into_iter().rev().map(|place| place.id).collect())
}

/// What a scan that begins has to know of the others in its folder.
#[derive(Debug)]
pub(super) struct Next {
    /// Its number: one more than the highest of those that are there.
    pub(super) order: u64,
    folders: Vec<Folder>,
    remembered: Places,
    /// What was read and is not remembered.
    found: Vec<Line>,
}

impl Next {
    /// For a scan in `root`. Reads one or two of those that are there, and those of which nothing is remembered.
    pub(super) fn look(root: &Path) -> Result<Self, DiskError> {
        let (folders, remembered) = (folders(root)?, Places::read(root));
        let (highest, found) =
            remembered.highest(&folders, |folder| Opening::read(&root.join(folder.id.as_str())))?;
        Ok(Self { order: highest.unwrap_or(0).saturating_add(1), folders, remembered, found })
    }

    /// Remembers what was found, and the new scan: `id`, in the folder `dir`, with this first record.
    pub(super) fn remember(mut self, disk: &dyn Disk, root: &Path, id: &ScanId, dir: &Path, opened: &Entry) {
        let inode = fs::metadata(dir).map(|metadata| metadata.ino());
        if let (Ok(inode), Some(opening)) = (inode, Opening::of(opened)) {
            self.found.push(Line::new(&Folder { id: id.clone(), inode }, &opening));
        }
        self.write(disk, root);
    }

    /// Remembers what was found, and nothing of the scan `id`, which gets another first record.
    pub(super) fn forget(mut self, disk: &dyn Disk, root: &Path, id: ScanId) {
        self.found.push(Line::forgotten(id));
        self.write(disk, root);
    }

    fn write(&self, disk: &dyn Disk, root: &Path) {
        self.remembered.write(disk, root, &self.found, &self.folders);
    }
}
