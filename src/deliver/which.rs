//! Which program delivers to which place.

use std::fmt;

use crate::config::Destination;

/// The programs that deliver.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Program {
    /// To folders, and to storage.
    Deliver,
    /// To the workshop.
    Workshop,
}

impl Program {
    /// The one for what goes to `to`.
    pub const fn of(to: &Destination) -> Self {
        match to {
            Destination::Folder { .. } | Destination::S3(_) => Self::Deliver,
            Destination::Workshop { .. } => Self::Workshop,
        }
    }

    /// What it is called, without `scanner-`.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Deliver => "deliver",
            Self::Workshop => "workshop",
        }
    }

    /// How it comes to be here.
    pub(super) const fn comes(self) -> &'static str {
        match self {
            Self::Deliver => "it comes with the package scanner; without a package, `make deliver` builds it",
            Self::Workshop => "install the package scanner-fleet, or build it with `make fleet`",
        }
    }
}

impl fmt::Display for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "scanner-{}", self.name())
    }
}
