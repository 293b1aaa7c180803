//! Which scans may be removed, and removing them.

use std::fs;
use std::io;
use std::path::Path;

use super::disk::{Disk, OsDisk};
use super::error::{Context, OpenError};
use super::layout::{NEW_PREFIX, TRASH_PREFIX};
use super::lock::Lock;
use super::{Listed, ScanId, State, verify};
use crate::units::Bytes;

/// Which of `scans` (the newest first, as [`super::list()`] gives them) may go so that `keep_scans` complete ones
/// are left, the oldest first; none without a number. Only complete scans are ever counted or removed: what is
/// running, paused, interrupted, incomplete or damaged stays until a person decides.
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
    let complete: Vec<&Listed> = complete(scans).collect();
    let mut freed = Bytes::ZERO;
    let mut old = Vec::new();
    for scan in complete.into_iter().rev() {
        if freed >= missing {
            break;
        }
        let size = size(scan);
        // One that frees nothing would go for nothing.
        if size > Bytes::ZERO {
            freed = freed + size;
            old.push(scan.id.clone());
        }
    }
    (freed >= missing).then_some(old)
}

/// The newest first, as in `scans`.
fn complete(scans: &[Listed]) -> impl Iterator<Item = &Listed> {
    scans.iter().filter(|scan| {
        !scan.in_use && scan.scan.as_ref().is_ok_and(|manifest| manifest.state == State::Complete)
    })
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
        /// Which scan.
        id: ScanId,
        /// How it stands, as its journal says.
        state: State,
    },
}

/// Removes a complete scan: renames it to a name that is no scan's, then removes its files, so that a crash
/// on the way leaves no half scan. Left-overs of earlier crashes go with it.
pub fn remove(root: &Path, id: &ScanId) -> Result<(), RemoveError> {
    let dir = root.join(id.as_str());
    let _lock = Lock::take(&dir)?;
    let state = verify::state(&dir)?;
    if state != State::Complete {
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
    let trash = root.join(format!("{TRASH_PREFIX}{id}"));
    remove_all(&trash)?;
    OsDisk.rename(dir, &trash).context("remove", dir).map_err(OpenError::from)?;
    OsDisk.sync_dir(root).context("sync", root).map_err(OpenError::from)?;
    remove_all(&trash)?;
    Ok(())
}

/// Removes what was being created or removed in `root` when a process died.
pub fn sweep(root: &Path) -> Result<(), OpenError> {
    let entries = fs::read_dir(root).context("read", root)?;
    for entry in entries {
        let path = entry.context("read", root)?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let left_over = name.starts_with(NEW_PREFIX) || name.starts_with(TRASH_PREFIX);
        // One that is locked is being created at this moment.
        if left_over && Lock::take(&path).is_ok() {
            remove_all(&path)?;
        }
    }
    Ok(())
}

fn remove_all(path: &Path) -> Result<(), OpenError> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => Ok(removed.context("remove", path)?),
    }
}
