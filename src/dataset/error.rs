//! What can go wrong with a dataset.

use std::io;
use std::path::{Path, PathBuf};

use crate::plan::ShotIndex;

use super::ParseScanIdError;

/// An operation that the file system refused.
#[derive(Debug, thiserror::Error)]
#[error("cannot {action} {}: {}", .path.display(), explain(.source))]
pub struct DiskError {
    /// What was tried: "write", "sync".
    pub action: &'static str,
    /// With which file or folder.
    pub path: PathBuf,
    /// What the operating system said.
    pub source: io::Error,
}

impl DiskError {
    /// Whether there is no space left, on the disk or in the user's quota.
    pub fn is_full(&self) -> bool {
        matches!(self.source.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
    }
}

/// What to do about the errors that people meet.
fn explain(error: &io::Error) -> String {
    let advice = [
        (io::ErrorKind::StorageFull, "; free some space and resume the scan"),
        (io::ErrorKind::QuotaExceeded, "; free some space and resume the scan"),
        (
            io::ErrorKind::ReadOnlyFilesystem,
            "; as after an error of an SD card: check it, or store scans elsewhere",
        ),
        (io::ErrorKind::PermissionDenied, "; check who owns the folder of the scans"),
    ];
    let advice = advice.iter().find(|(kind, _)| *kind == error.kind()).map_or("", |(_, advice)| advice);
    format!("{error}{advice}")
}

/// Says what was tried with which path when it fails.
pub(super) trait Context<T> {
    fn context(self, action: &'static str, path: &Path) -> Result<T, DiskError>;
}

impl<T> Context<T> for io::Result<T> {
    fn context(self, action: &'static str, path: &Path) -> Result<T, DiskError> {
        self.map_err(|source| DiskError { action, path: path.to_owned(), source })
    }
}

/// Why a shot was not stored, or a record not noted. Nothing was acknowledged.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// No space left. The scan can be resumed when there is some.
    #[error("the disk is full: {0}")]
    DiskFull(DiskError),
    /// The file system failed this attempt; another one writes new files.
    #[error(transparent)]
    Disk(DiskError),
    /// An earlier write of the journal failed, so nothing is known of its end: only a recovery goes on.
    #[error(
        "the journal is unusable since an earlier error ({cause}): resume the scan to read what is on disk"
    )]
    Poisoned {
        /// The earlier error.
        cause: String,
    },
    /// The shot has an image already, and stored images are never overwritten.
    #[error("shot {} is stored already as {image}: stored images are never overwritten", .shot.0)]
    AlreadyStored {
        /// Which shot.
        shot: ShotIndex,
        /// Its image.
        image: String,
    },
    /// The plan has no such shot.
    #[error("shot {} is not in the plan of {planned} shots", .shot.0)]
    UnknownShot {
        /// Which shot.
        shot: ShotIndex,
        /// How many there are.
        planned: u32,
    },
    /// The bytes are not a whole JPEG.
    #[error("shot {}: {bytes} bytes that are not a whole JPEG", .shot.0)]
    NotJpeg {
        /// Which shot.
        shot: ShotIndex,
        /// How many bytes there are.
        bytes: usize,
    },
    /// A scan may not say that it is complete while shots are missing.
    #[error("the scan is not complete: {missing} of {planned} shots are missing")]
    NotComplete {
        /// How many shots are not stored.
        missing: u32,
        /// How many are planned.
        planned: u32,
    },
    /// A record that could not be read back, such as one with a number that is not finite.
    #[error("this record could not be read back from the journal: {reason}")]
    Unreadable {
        /// What reading it said.
        reason: String,
    },
}

impl From<DiskError> for StoreError {
    fn from(error: DiskError) -> Self {
        if error.is_full() { Self::DiskFull(error) } else { Self::Disk(error) }
    }
}

/// Why a dataset was not created, opened or read.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The file system refused.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// There is a scan of this name.
    #[error("a scan {id} exists already")]
    Exists {
        /// Its id.
        id: String,
    },
    /// No such folder.
    #[error("there is no scan at {}", .0.display())]
    NotFound(PathBuf),
    /// Somebody writes to it.
    #[error("the scan at {} is in use by another process", .0.display())]
    InUse(PathBuf),
    /// Somebody wanted it so.
    #[error("the check of the scan at {} was given up: begin it again", .0.display())]
    GivenUp(PathBuf),
    /// Written by a newer program.
    #[error(
        "the scan at {} has format version {found}, this program knows {}: use a newer program; nothing was changed",
        .path.display(), super::FORMAT
    )]
    Format {
        /// Its folder.
        path: PathBuf,
        /// Its version.
        found: u64,
    },
    /// A journal line that is intact but means nothing to this program.
    #[error(
        "record {seq} of {} is intact but unknown to this program ({reason}): use a newer program; nothing was changed",
        .path.display()
    )]
    UnknownRecord {
        /// The journal.
        path: PathBuf,
        /// Position, counted from 0.
        seq: u64,
        /// What reading it said.
        reason: String,
    },
    /// The plan cannot be used.
    #[error("the plan in {} is damaged ({reason}): a scan cannot go on without its plan; nothing was changed", .path.display())]
    Plan {
        /// Its file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// A name in the plan that cannot be the name of a file, or is there twice.
    #[error("{name:?} cannot name a file of the dataset: {reason}")]
    Name {
        /// The label or camera.
        name: String,
        /// What is wrong.
        reason: &'static str,
    },
    /// The folder's name or the id inside is not one.
    #[error(transparent)]
    Id(#[from] ParseScanIdError),
    /// The first record could not be written.
    #[error(transparent)]
    Store(#[from] StoreError),
}
