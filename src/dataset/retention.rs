//! Which scans may be removed, and removing them.

use std::fs;
use std::io;
use std::path::Path;

use super::disk::{Disk, OsDisk};
use super::error::{Context, DiskError, OpenError};
use super::layout::{NEW_PREFIX, TRASH_PREFIX, unused};
use super::lock::Lock;
use super::{Listed, Manifest, ScanId, verify};
use crate::scan::ScanState;
use crate::units::Bytes;

/// Which of `scans` (the newest first, as [`super::list()`] gives them) may go so that `keep_scans` complete ones
/// are left, the oldest first; none without a number. Only complete scans are ever counted or removed: what is
/// running, paused, interrupted, incomplete, damaged or renamed stays until a person decides, and so does what shows the
/// empty rig.
pub fn removable(scans: &[Listed], keep_scans: Option<u32>) -> Vec<ScanId> {
    let Some(keep) = keep_scans else { return Vec::new() };
    let mut old: Vec<ScanId> = complete(scans).skip(keep as usize).map(|scan| scan.id.clone()).collect();
    old.reverse();
    old
}

/// Which of `scans` (the newest first, as [`super::list()`] gives them) have to go so that `missing` bytes become
/// free, the oldest first; none at all if that many cannot. `size` tells how much a removal frees. Of what is
/// complete only, as with [`removable`].
pub fn removable_for_room(
    scans: &[Listed],
    missing: Bytes,
    size: impl Fn(&Listed) -> Bytes,
) -> Option<Vec<ScanId>> {
    oldest(scans, missing.get(), |scan| size(scan).get())
}

/// As [`removable_for_room`], so that `missing` more files can be made.
pub fn removable_for_files(scans: &[Listed], missing: u64) -> Option<Vec<ScanId>> {
    oldest(scans, missing as f64, |scan| scan.files() as f64)
}

fn oldest(scans: &[Listed], missing: f64, size: impl Fn(&Listed) -> f64) -> Option<Vec<ScanId>> {
    let complete: Vec<&Listed> = complete(scans).collect();
    let mut freed = 0.0;
    let mut old = Vec::new();
    for scan in complete.into_iter().rev() {
        if freed >= missing {
            break;
        }
        let size = size(scan);
        // One that frees nothing would go for nothing.
        if size > 0.0 {
            freed += size;
            old.push(scan.id.clone());
        }
    }
    (freed >= missing).then_some(old)
}

/// The newest first, as in `scans`.
fn complete(scans: &[Listed]) -> impl Iterator<Item = &Listed> {
    let is_one = |manifest: &Manifest| manifest.state.is_complete() && !manifest.reference;
    let is_kept = |scan: &&Listed| scan.in_use || scan.began_as.is_some();
    scans.iter().filter(move |scan| !is_kept(scan) && scan.scan.as_ref().is_ok_and(is_one))
}

/// Why a scan was not removed.
#[derive(Debug, thiserror::Error)]
pub enum RemoveError {
    /// It cannot be opened, or the file system refused.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// It is not complete, and only complete scans are removed unasked.
    #[error("the scan {id} is {state}: only complete scans are removed")]
    NotComplete {
        /// The scan that was to be removed.
        id: ScanId,
        /// How it stands, as its journal says.
        state: ScanState,
    },
}

/// Removes a complete scan: renames it to a name that is no scan's, then removes its files, so that a crash
/// on the way leaves no half scan.
pub fn remove(root: &Path, id: &ScanId) -> Result<(), RemoveError> {
    let dir = root.join(id.as_str());
    let _lock = Lock::take(&dir)?;
    let state = verify::state(&dir)?;
    if !state.is_complete() {
        return Err(RemoveError::NotComplete { id: id.clone(), state });
    }
    trash(root, id, &dir)
}

/// Removes a scan that a person wants to be gone, however it stands; not one that is in use.
pub fn discard(root: &Path, id: &ScanId) -> Result<(), RemoveError> {
    let dir = root.join(id.as_str());
    let _lock = Lock::take(&dir)?;
    trash(root, id, &dir)
}

fn trash(root: &Path, id: &ScanId, dir: &Path) -> Result<(), RemoveError> {
    let trash = unused(root, TRASH_PREFIX, id.as_str()).map_err(OpenError::from)?;
    OsDisk.rename(dir, &trash).context("remove", dir).map_err(OpenError::from)?;
    OsDisk.sync_dir(root).context("sync", root).map_err(OpenError::from)?;
    remove_all(&trash).map_err(OpenError::from)?;
    Ok(())
}

/// Removes what was being created or removed in `root` when a process died. What cannot be removed stays, and is logged.
pub fn sweep(root: &Path) -> Result<(), OpenError> {
    let entries = fs::read_dir(root).context("read", root)?;
    for entry in entries {
        let path = entry.context("read", root)?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let is_left_over = name.starts_with(NEW_PREFIX) || name.starts_with(TRASH_PREFIX);
        // One that is locked is being created or removed at this moment.
        let Some(_lock) = is_left_over.then(|| Lock::take_left_over(&path).ok()).flatten() else { continue };
        if let Err(error) = sweep_away(root, &path, &name) {
            tracing::warn!(path = %path.display(), "{error}");
        }
    }
    Ok(())
}

/// Another machine may have begun it just now, and not be seen here yet. So it gets another name first: whoever builds
/// in it finds nothing there any more, and begins anew.
fn sweep_away(root: &Path, path: &Path, name: &str) -> Result<(), DiskError> {
    if name.starts_with(TRASH_PREFIX) {
        return remove_all(path);
    }
    let trash = unused(root, TRASH_PREFIX, name.trim_start_matches('.'))?;
    match OsDisk.rename(path, &trash) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        renamed => renamed.context("remove", path).and_then(|()| remove_all(&trash)),
    }
}

fn remove_all(path: &Path) -> Result<(), DiskError> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed.context("remove", path),
    }
}
