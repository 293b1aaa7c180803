//! What keeps masks from being made.

use std::io;
use std::path::PathBuf;

use crate::dataset::OpenError;

/// Why no masks were made.
#[derive(Debug, thiserror::Error)]
pub enum MaskError {
    /// A dataset cannot be read.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// There is nothing to make masks by.
    #[error(
        "no scan of the empty rig was made before the scan at {}: take everything off the table and run `scanner reference`; \
         for this scan, if nothing on the rig has changed since, name that one with --reference",
        .0.display()
    )]
    NoReference(PathBuf),
    /// There is no object.
    #[error("the scan at {} is one of the empty rig: there is no object to be masked", .0.display())]
    EmptyRig(PathBuf),
    /// Somebody wanted it so.
    #[error("the making of masks was given up: begin it again")]
    GivenUp,
    /// A mask cannot be written.
    #[error("cannot write the mask {}: {source}", path.display())]
    Write {
        /// The file that was to be written.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}
