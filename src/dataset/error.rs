//! What can go wrong with a dataset.

use std::io;
use std::path::{Path, PathBuf};

use rustix::fs::statvfs;

use crate::frame::FailureKind;
use crate::plan::{ShotIndex, Unaddable};
use crate::scan::Unfit;

use super::ParseScanIdError;
use super::open::Unread;
use crate::regular_file::is_for_want;

/// An operation that the file system refused.
#[derive(Debug, thiserror::Error)]
#[error("cannot {action} {}: {source}{}", .path.display(), then(.source))]
pub struct DiskError {
    /// What was tried: "write", "sync".
    pub action: &'static str,
    /// With which file or folder.
    pub path: PathBuf,
    /// What the operating system said, and what to do about it.
    pub source: io::Error,
}

impl DiskError {
    /// Whether there is no space left, on the disk or in the user's quota.
    pub fn is_full(&self) -> bool {
        matches!(self.source.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
    }

    /// Whether this process lacked descriptors or memory, so that nothing is known of the file.
    pub fn is_for_want(&self) -> bool {
        is_for_want(&self.source)
    }
}

/// `error`, met in writing to `path`, with what people do about it. To be asked at once: what was being made is removed
/// again, and then there are inodes.
pub fn with_remedy(error: io::Error, path: &Path) -> io::Error {
    match remedy(&error, path) {
        Some(remedy) => io::Error::new(error.kind(), format!("{error}; {remedy}")),
        None => error,
    }
}

fn remedy(error: &io::Error, path: &Path) -> Option<&'static str> {
    if error.kind() == io::ErrorKind::StorageFull && lacks_inodes(path) {
        return Some("there are bytes left, but no inodes (`df -i`): remove files");
    }
    let remedies = [
        (io::ErrorKind::StorageFull, "free some space"),
        (io::ErrorKind::QuotaExceeded, "free some space"),
        (
            io::ErrorKind::FileTooLarge,
            "a limit of the length of files is in force (`ulimit -f`, or LimitFSIZE= of the service): raise it",
        ),
        (
            io::ErrorKind::ReadOnlyFilesystem,
            "as after an error of an SD card: check it, or store scans elsewhere",
        ),
        (io::ErrorKind::PermissionDenied, "check who owns the folder of the scans"),
    ];
    remedies.iter().find(|(kind, _)| *kind == error.kind()).map(|(_, remedy)| *remedy)
}

/// What else there is to do about an error of a scan.
fn then(error: &io::Error) -> &'static str {
    let pauses = [io::ErrorKind::StorageFull, io::ErrorKind::QuotaExceeded, io::ErrorKind::FileTooLarge];
    if pauses.contains(&error.kind()) { " and resume the scan" } else { "" }
}

/// Whether the file system of `path`, or of the folder that it was to be in, has room for no further file.
fn lacks_inodes(path: &Path) -> bool {
    let near = path.ancestors().find_map(|near| statvfs(near).ok());
    near.is_some_and(|space| space.f_files > 0 && space.f_favail == 0)
}

/// Says what was tried with which path when it fails.
pub(super) trait Context<T> {
    fn context(self, action: &'static str, path: &Path) -> Result<T, DiskError>;
}

impl<T> Context<T> for io::Result<T> {
    fn context(self, action: &'static str, path: &Path) -> Result<T, DiskError> {
        self.map_err(|source| DiskError { action, path: path.to_owned(), source: with_remedy(source, path) })
    }
}

impl<T> Context<T> for Result<T, Unread> {
    fn context(self, action: &'static str, path: &Path) -> Result<T, DiskError> {
        self.map_err(io::Error::from).context(action, path)
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
        /// What the earlier error said.
        cause: String,
    },
    /// The shot has an image already, and stored images are never overwritten.
    #[error("shot {} is stored already as {image}: stored images are never overwritten", .shot.0)]
    AlreadyStored {
        /// The shot that was to be stored once more.
        shot: ShotIndex,
        /// The path of the image that it has, in the dataset.
        image: String,
    },
    /// The plan has no such shot.
    #[error("shot {} is not in the plan of {planned} shots", .shot.0)]
    UnknownShot {
        /// The number that was asked for.
        shot: ShotIndex,
        /// How many there are.
        planned: u32,
    },
    /// The bytes are not a whole JPEG.
    #[error("shot {}: {bytes} bytes that are not a whole JPEG", .shot.0)]
    NotJpeg {
        /// The shot that the bytes were to be stored for.
        shot: ShotIndex,
        /// How many bytes there are.
        bytes: usize,
    },
    /// Other files than shots of this camera have.
    #[error("shot {} was not taken with the files that shots of its camera have: {reason}", .shot.0)]
    OtherFiles {
        /// The shot that they were to be stored for.
        shot: ShotIndex,
        /// What is wrong with them.
        reason: String,
    },
    /// Points that cannot be behind those of the scan.
    #[error(transparent)]
    Unaddable(#[from] Unaddable),
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

impl StoreError {
    /// Where to look.
    pub(super) fn kind(&self) -> FailureKind {
        match self {
            Self::DiskFull(_) => FailureKind::DiskFull,
            Self::Poisoned { .. } => FailureKind::StorageUnusable,
            Self::Disk(_) | Self::AlreadyStored { .. } | Self::UnknownShot { .. } => FailureKind::Storage,
            Self::NotJpeg { .. }
            | Self::OtherFiles { .. }
            | Self::Unaddable(_)
            | Self::NotComplete { .. }
            | Self::Unreadable { .. } => FailureKind::Frame,
        }
    }
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
        /// The id that was wanted for a new scan.
        id: String,
    },
    /// There is no folder of this name.
    #[error("there is no scan at {}", .0.display())]
    NotFound(PathBuf),
    /// Somebody writes to it.
    #[error("the scan at {} is in use by another process", .0.display())]
    InUse(PathBuf),
    /// Another machine, or a process that this one sees through another mount, may write to it.
    #[error(
        "the scan at {} belongs to {who}, as {} says: end it there; if that machine has stopped for good: scanner resume {} --take-over",
        .dir.display(), .note.display(), .dir.file_name().unwrap_or_default().display()
    )]
    Owned {
        /// The folder that the scan is in.
        dir: PathBuf,
        /// Who, and its last sign of life.
        who: String,
        /// The file that says so.
        note: PathBuf,
    },
    /// Somebody wanted it so.
    #[error("the check of the scan at {} was given up: begin it again", .0.display())]
    GivenUp(PathBuf),
    /// Written by a newer program.
    #[error(
        "the scan at {} has format version {found}, this program knows {} at most: use a newer program; nothing was changed",
        .path.display(), super::FORMAT
    )]
    Format {
        /// The folder that the scan is in.
        path: PathBuf,
        /// The version in its `scan.json`.
        found: u64,
    },
    /// A journal line that is intact but means nothing to this program.
    #[error(
        "record {seq} of {} is intact but unknown to this program ({reason}): use a newer program; nothing was changed",
        .path.display()
    )]
    UnknownRecord {
        /// The path of the journal.
        path: PathBuf,
        /// Position, counted from 0.
        seq: u64,
        /// What reading it said.
        reason: String,
    },
    /// Nothing says what scan it is.
    #[error(
        "{} does not begin with the record that opens a scan, so nothing is known of it: if there is a copy of the file, put \
         it back; nothing was changed",
        .path.display()
    )]
    NoOpening {
        /// The path of the journal.
        path: PathBuf,
    },
    /// The plan cannot be used.
    #[error("the plan in {} is damaged ({reason}): a scan cannot go on without its plan; nothing was changed", .path.display())]
    Plan {
        /// The path of the plan.
        path: PathBuf,
        /// What reading it said.
        reason: String,
    },
    /// A name in the plan that cannot be the name of a file, or is there twice.
    #[error("{name:?} cannot name a file of the dataset: {reason}")]
    Name {
        /// The label or camera.
        name: String,
        /// Why no file can have that name.
        reason: &'static str,
    },
    /// The folder's name or the id inside is not one.
    #[error(transparent)]
    Id(#[from] ParseScanIdError),
    /// The first record could not be written.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl OpenError {
    /// Whether this process lacked descriptors or memory, so that nothing is known of the scan.
    pub fn is_for_want(&self) -> bool {
        if let Self::Disk(error) = self { error.is_for_want() } else { false }
    }
}

/// Why a scan is not described otherwise.
#[derive(Debug, thiserror::Error)]
pub enum DescribeError {
    /// That cannot be said of a scan.
    #[error(transparent)]
    Unfit(#[from] Unfit),
    /// The dataset cannot be written.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The scan has ended, and its process is about to give it back.
    #[error("the scan has just ended: ask again")]
    Ended,
}

impl From<StoreError> for DescribeError {
    fn from(error: StoreError) -> Self {
        Self::Open(error.into())
    }
}
