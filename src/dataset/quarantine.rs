//! Where a recovery moves what is in its way.

use std::io;
use std::path::{Path, PathBuf};

use super::RecoveryReport;
use super::aside::{candidates, make_folder, move_to};
use super::disk::{Disk, write_new_from};
use super::error::{Context, DiskError};
use super::history::History;
use super::layout::{JOURNAL, QUARANTINE};

/// File systems have names of 255 bytes.
const LONGEST_NAME: usize = 200;

/// Moves things out of the way.
pub(super) struct Quarantine<'a> {
    pub(super) disk: &'a dyn Disk,
    pub(super) dir: &'a Path,
    pub(super) report: &'a mut RecoveryReport,
}

impl Quarantine<'_> {
    /// Copies what stands behind the journal's good lines.
    pub(super) fn cut_tail(&mut self, history: &History) -> Result<(), DiskError> {
        if history.tail == 0 {
            return Ok(());
        }
        self.report.cut_bytes = history.tail;
        self.report.cut_reason = history.extent.stop.as_ref().map(ToString::to_string);
        let folder = self.folder()?;
        for path in candidates(&folder.join("journal-tail"), "") {
            let tail = history.tail().context("read", &self.dir.join(JOURNAL))?;
            match write_new_from(self.disk, &path, tail) {
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
        move_to(self.disk, &self.dir.join(path), candidates(&folder.join(short(path)), ""))?;
        self.report.quarantined.push(path.to_owned());
        Ok(())
    }

    fn folder(&self) -> Result<PathBuf, DiskError> {
        // Somebody may have put a file of that name there.
        for folder in candidates(&self.dir.join(QUARANTINE), "") {
            make_folder(self.disk, &folder)?;
            if folder.symlink_metadata().context("look at", &folder)?.is_dir() {
                return Ok(folder);
            }
        }
        Ok(self.dir.join(QUARANTINE))
    }
}

/// A name for what was at `path`, with room behind it for a number.
fn short(path: &str) -> String {
    let mut name = String::new();
    for c in path.replace('/', "_").chars() {
        if name.len() + c.len_utf8() > LONGEST_NAME {
            break;
        }
        name.push(c);
    }
    name
}
