//! Where a recovery moves what is in its way.

use std::io;
use std::path::{Path, PathBuf};

use super::RecoveryReport;
use super::aside::{candidates, make_folder, move_to};
use super::create::write_new;
use super::disk::Disk;
use super::error::{Context, DiskError};
use super::journal::Stop;
use super::layout::QUARANTINE;

/// Moves things out of the way.
pub(super) struct Quarantine<'a> {
    pub(super) disk: &'a dyn Disk,
    pub(super) dir: &'a Path,
    pub(super) report: &'a mut RecoveryReport,
}

impl Quarantine<'_> {
    /// Copies what stands behind the journal's good lines.
    pub(super) fn cut_tail(&mut self, tail: &[u8], stop: Option<&Stop>) -> Result<(), DiskError> {
        if tail.is_empty() {
            return Ok(());
        }
        self.report.cut_bytes = tail.len() as u64;
        self.report.cut_reason = stop.map(ToString::to_string);
        let folder = self.folder()?;
        for path in candidates(&folder.join("journal-tail"), "") {
            match write_new(self.disk, &path, tail) {
                Err(error) if error.source.kind() == io::ErrorKind::AlreadyExists => {}
                written => {
                    written?;
                    break;
                }
            }
        }
        self.disk.sync_dir(&folder).context("sync", &folder)
    }

    /// Moves the file or folder at `path` in the dataset.
    pub(super) fn take(&mut self, path: &str) -> Result<(), DiskError> {
        let folder = self.folder()?;
        move_to(self.disk, &self.dir.join(path), candidates(&folder.join(path.replace('/', "_")), ""))?;
        self.report.quarantined.push(path.to_owned());
        Ok(())
    }

    fn folder(&self) -> Result<PathBuf, DiskError> {
        let folder = self.dir.join(QUARANTINE);
        make_folder(self.disk, &folder)?;
        Ok(folder)
    }
}
