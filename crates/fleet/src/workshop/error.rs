//! What keeps the workshop from being used.

use std::path::PathBuf;

use crate::broker::NoBroker;
use crate::keys::KeyError;

/// What is wanted of the broker first.
pub(super) const ASK: &str = "say what it has of the workshop";

/// What keeps the workshop from being used.
#[derive(Debug, thiserror::Error)]
pub enum ShopError {
    /// The key.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// No connection.
    #[error(transparent)]
    Broker(#[from] NoBroker),
    /// The broker does not do it.
    #[error("the broker does not {doing}: {reason}")]
    Broken {
        /// What was to be done.
        doing: &'static str,
        /// What it says.
        reason: String,
    },
    /// It has no workshop.
    #[error(
        "the broker has no workshop yet ({0}): set it up with `scanner fleet init --workshop FOLDER`, restart the broker, and offer a scan"
    )]
    Closed(String),
    /// The key is none of the workshop's.
    #[error(
        "the broker lets the key {} do nothing in the workshop ({reason}): name the rig's, workshop.nk in the folder of `scanner fleet init --workshop FOLDER`",
        key.display()
    )]
    NotLetIn {
        /// The file of the key.
        key: PathBuf,
        /// What the broker says.
        reason: String,
    },
}

/// An error of the broker, while `doing` something.
pub(super) fn broken(doing: &'static str) -> impl Fn(&dyn std::fmt::Display) -> ShopError {
    move |reason| ShopError::Broken { doing, reason: reason.to_string() }
}
