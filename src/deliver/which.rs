//! Which program delivers.

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deliver::DeliveryError;

    #[test]
    fn where_it_is_missing_its_package_is_named() {
        let workshop = Destination::Workshop { broker: None, key: "a".into() };
        let folder = Destination::Folder { path: "/a".into(), mount_point: None };
        for (to, says) in [
            (workshop, "the program scanner-workshop is missing: install the package scanner-fleet, or"),
            (folder, "the program scanner-deliver is missing: it comes with the package scanner;"),
        ] {
            let program = Program::of(&to);
            let looked = "nowhere".to_owned();
            let error = DeliveryError::NoProgram { program, comes: program.comes(), looked }.to_string();
            assert!(error.starts_with(says), "{error}");
        }
    }
}
