//! What keeps a scan from being delivered.

use std::io;
use std::path::PathBuf;

use super::which::Program;
use crate::dataset::OpenError;

/// What keeps a scan from being delivered.
#[derive(Debug, thiserror::Error)]
pub enum DeliveryError {
    /// The program is not there.
    #[error("the program {program} is missing: {comes} ({looked})")]
    NoProgram {
        /// Which.
        program: Program,
        /// How it comes to be here.
        comes: &'static str,
        /// Where it was looked for.
        looked: String,
    },
    /// It cannot be started, or spoken to.
    #[error("cannot {action} {program} ({}): {source}; look whether it is executable, and of this version", path.display())]
    Program {
        /// What was tried, as in "cannot ...".
        action: &'static str,
        /// Which.
        program: Program,
        /// Where it is.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// It has ended without a word.
    #[error(
        "{0} has ended by itself: its last words are in the log; what it has brought stays, and the next try goes on"
    )]
    Ended(Program),
    /// What is offered to a workshop is kept nowhere.
    #[error("{0:?} is a workshop, which keeps no scans: there is nothing to compare with")]
    NoCopy(String),
    /// Another process delivers there.
    #[error(
        "another process delivers to {0:?} at this moment: try again when it has ended, see `scanner deliver --status`"
    )]
    Busy(String),
    /// It does not say whether it is there.
    #[error(
        "{target:?} has not answered within {seconds} s: something that is mounted may hang; look at the network and at the other machine"
    )]
    Silent {
        /// The target.
        target: String,
        /// For how long.
        seconds: u64,
    },
    /// It had to make way.
    #[error("it was stopped before its end: what it has brought stays, and the next try goes on")]
    Stopped,
    /// The scan cannot be read.
    #[error(transparent)]
    Scan(#[from] OpenError),
    /// Its folder cannot be looked through.
    #[error("cannot look through {}: {source}; look at the disk here: the kernel's log (dmesg) may say more", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// It is not known, or not kept, what was delivered.
    #[error("what was delivered to {target:?} cannot be read or kept in the state directory: {source}; look who owns {}", state.display())]
    Records {
        /// The target.
        target: String,
        /// The state directory.
        state: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The program says what it is.
    #[error("{message}")]
    Failed {
        /// Its kind, for programs.
        kind: String,
        /// What has happened, and what to do.
        message: String,
        /// Whether it lies in the scan.
        of_scan: bool,
    },
}

impl DeliveryError {
    /// Its kind, for programs.
    pub fn kind(&self) -> &str {
        match self {
            Self::NoProgram { .. } | Self::Program { .. } | Self::Ended(_) => "program",
            Self::NoCopy(_) => "no_copy",
            Self::Busy(_) => "busy",
            Self::Silent { .. } => "silent",
            Self::Stopped => "stopped",
            Self::Scan(_) => "scan",
            Self::Folder { .. } => "folder",
            Self::Records { .. } => "records",
            Self::Failed { kind, .. } => kind,
        }
    }

    /// Whether it lies in the scan: others may be delivered.
    pub const fn is_of_scan(&self) -> bool {
        match self {
            Self::Scan(_) | Self::Folder { .. } => true,
            Self::Failed { of_scan, .. } => *of_scan,
            Self::NoProgram { .. }
            | Self::Program { .. }
            | Self::Ended(_)
            | Self::NoCopy(_)
            | Self::Busy(_)
            | Self::Silent { .. }
            | Self::Stopped
            | Self::Records { .. } => false,
        }
    }
}
