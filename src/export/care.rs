//! What an export has regard to while it is made.

use std::fmt;
use std::fs::{self, File};
use std::io;
use std::path::Path;

use rustix::fs::statvfs;
use tempfile::TempDir;

use crate::file_lock;
use crate::units::Bytes;

/// Starts the name of an export that is being made.
const PREFIX: &str = ".export-";
/// Folders that are begun before their being taken away is an error.
const MOST_TRIES: usize = 10;

/// What an export has regard to while it is made.
#[derive(Clone, Copy)]
pub struct Care<'a> {
    /// Room that stays free on its file system.
    pub keep_free: Bytes,
    /// Asked before each image: a no gives the export up.
    pub go_on: &'a dyn Fn() -> bool,
    /// Whether the masks that are there go along.
    pub masks: bool,
    /// Whether every image of a stack goes along, also where there is a merged one.
    pub singles: bool,
}

impl Care<'_> {
    /// Nothing but itself, as when a person waits for it.
    pub const NONE: Self = Self { keep_free: Bytes::ZERO, go_on: &|| true, masks: true, singles: false };
}

impl fmt::Debug for Care<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Care")
            .field("keep_free", &self.keep_free)
            .field("masks", &self.masks)
            .field("singles", &self.singles)
            .finish_non_exhaustive()
    }
}

/// How much room is free in the file system of `folder`.
///
/// # Errors
/// It cannot be asked.
pub fn free(folder: &Path) -> io::Result<Bytes> {
    let space = statvfs(folder)?;
    Ok(Bytes::new(space.f_bavail as f64 * space.f_frsize as f64))
}

/// A folder in `parent` in which an export is made, and the lock by which nobody takes it for a left-over.
pub(super) fn begin(parent: &Path) -> io::Result<(TempDir, File)> {
    sweep(parent);
    let mut tries = 0;
    loop {
        tries += 1;
        let folder = tempfile::Builder::new().prefix(PREFIX).tempdir_in(parent)?;
        let lock = File::open(folder.path())?;
        let locked = file_lock::take(&lock);
        // Somebody who sweeps up may have come before the lock.
        let is_ours = locked != Ok(None) && folder.path().is_dir();
        if is_ours || tries == MOST_TRIES {
            return Ok((folder, lock));
        }
    }
}

/// Removes what exports left that were cut off: nobody has its lock. What cannot be removed is in nobody's way.
fn sweep(parent: &Path) {
    let Ok(entries) = fs::read_dir(parent) else { return };
    for entry in entries.flatten() {
        let is_left = entry.file_name().to_string_lossy().starts_with(PREFIX)
            && entry.file_type().is_ok_and(|kind| kind.is_dir());
        if is_left
            && let Ok(folder) = File::open(entry.path())
            && file_lock::take(&folder) == Ok(Some(()))
        {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}
