//! Why the configuration was not changed.

use std::io;
use std::path::PathBuf;

use super::edit::EditError;
use crate::config::ConfigErrors;

/// Why the configuration was not changed: it is as it was.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// It cannot be changed key by key.
    #[error(transparent)]
    Edit(#[from] EditError),
    /// Somebody else was faster.
    #[error("the configuration was changed by somebody else meanwhile: look at it again, and change it then")]
    Conflict,
    /// It would not load.
    #[error("the configuration would not load:\n{0}")]
    Config(#[from] ConfigErrors),
    /// It would load, and yet not do.
    #[error("{0}")]
    Unfit(String),
    /// More than anybody writes.
    #[error("a drop-in of more than {limit} bytes is not kept: take something out of it")]
    TooLong {
        /// How long it may be.
        limit: usize,
    },
    /// Somebody else writes at this moment.
    #[error("another process is changing the configuration at this moment: try again")]
    Busy,
    /// There is no such version.
    #[error("there is no version {0}: `scanner config versions` shows those that there are")]
    NoVersion(u32),
    /// What was kept cannot be read, and is not written over.
    #[error("the versions kept in {} cannot be read: {reason}; put that file right, or move it away", path.display())]
    Versions {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A file or folder.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// What was tried, as in "cannot ...".
        action: &'static str,
        /// The file or folder that it was tried on.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}
