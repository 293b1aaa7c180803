//! What keeps stacks from being merged.

use std::io;
use std::path::PathBuf;

use crate::dataset::OpenError;
use crate::units::Bytes;

/// Why no stacks were merged.
#[derive(Debug, thiserror::Error)]
pub enum MergeError {
    /// The dataset cannot be read.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// There is nothing to merge.
    #[error(
        "the scan at {} has no stacks: its plan has one image at each point; give [plan.NAME] a focus or a bracket",
        .0.display()
    )]
    NoStacks(PathBuf),
    /// The program is not there.
    #[error(
        "enfuse is not installed: install the package enfuse (`sudo apt install enfuse`), or merge with the program \"own\""
    )]
    NoEnfuse,
    /// Another process is at it.
    #[error("stacks of the scan at {} are being merged already: wait for that to end", .0.display())]
    Busy(PathBuf),
    /// There is too little room.
    #[error(
        "{} has no room for merged images: {:.0} MB are free, and {:.0} MB are to stay free (storage.keep_free); free some space",
        path.display(), free.get() / 1e6, keep_free.get() / 1e6
    )]
    Full {
        /// The folder that they were to be in.
        path: PathBuf,
        /// What is free there.
        free: Bytes,
        /// What is to stay free.
        keep_free: Bytes,
    },
    /// Somebody wanted it so.
    #[error("the merging was given up: begin it again")]
    GivenUp,
    /// A merged image cannot be written.
    #[error("cannot write {}: {source}", path.display())]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}
