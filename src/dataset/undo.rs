//! The files of an attempt: all of them, or none.

use std::path::{Path, PathBuf};

use super::disk::{Disk, write_new};
use super::error::{Context, DiskError};
use super::layout::temporary;

/// Removes what an attempt made, unless it succeeded: nothing of it was acknowledged.
pub(super) struct Undo<'a> {
    disk: &'a dyn Disk,
    files: Vec<PathBuf>,
}

impl<'a> Undo<'a> {
    /// Before anything is written to `disk`.
    pub(super) fn new(disk: &'a dyn Disk) -> Self {
        Self { disk, files: Vec::new() }
    }

    /// Writes a file of this attempt under a name of its own, and syncs it.
    pub(super) fn write(&mut self, path: &Path, attempt: u32, bytes: &[u8]) -> Result<(), DiskError> {
        let path = temporary(path, attempt);
        self.files.push(path.clone());
        write_new(self.disk, &path, bytes)
    }

    /// Gives it its name, which has to be free.
    pub(super) fn publish(&mut self, path: &Path, attempt: u32) -> Result<(), DiskError> {
        let from = temporary(path, attempt);
        self.disk.rename(&from, path).context("rename", &from)?;
        self.files.push(path.to_owned());
        Ok(())
    }

    /// All is there that belongs together: from here on it stays.
    pub(super) fn keep(mut self) {
        self.files.clear();
    }
}

impl Drop for Undo<'_> {
    fn drop(&mut self) {
        for path in &self.files {
            // Already renamed, or it stays for the next recovery to quarantine.
            let _ = self.disk.remove_file(path);
        }
    }
}
