//! What a check of a dataset can find.

use serde::Serialize;

use crate::plan::ShotIndex;
use crate::scan::ScanState;

/// A promise about a dataset that is broken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Violation {
    /// An acknowledged shot without a file that was acknowledged: its image, or a raw one.
    #[error("shot {}: {image}: {reason}", .shot.0)]
    Image {
        /// The shot that the journal has as stored.
        shot: ShotIndex,
        /// The file's path in the dataset.
        image: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The metadata of an acknowledged shot is missing, damaged, or not what the journal says.
    #[error("shot {}: {path} is missing or does not say what the journal says", .shot.0)]
    Metadata {
        /// The shot that the journal has as stored.
        shot: ShotIndex,
        /// Its path in the dataset.
        path: String,
    },
    /// A file that no record accounts for.
    #[error("{path} has no record in the journal")]
    Unrecorded {
        /// Its path in the dataset.
        path: String,
    },
    /// The journal has a bad line, or one that says what cannot be.
    #[error("the journal is damaged at byte {at}: {reason}; {bytes} bytes do not count")]
    Journal {
        /// Where the good lines end.
        at: u64,
        /// How many bytes are behind it.
        bytes: u64,
        /// What is wrong with the line there.
        reason: String,
    },
    /// The journal does not begin with the record that opens a scan.
    #[error("the journal is missing, or does not begin with the record that opens a scan")]
    NoJournal,
    /// The plan is not the one that the scan began with.
    #[error("plan.json is not the plan that the scan began with: its checksum differs from the journal's")]
    Plan,
    /// Said to be complete, and is not.
    #[error("the scan says that it is complete, but {missing} shots are missing")]
    SaysComplete {
        /// How many shots are not stored.
        missing: u32,
    },
    /// The manifest of a finished scan is missing, damaged, or not what the journal says.
    #[error("scan.json is missing or does not say what the journal says ({state})")]
    Manifest {
        /// How the scan stands.
        state: ScanState,
    },
}

/// Something to know that breaks no promise: the scan is not finished, and resuming it puts this in order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Note {
    /// A process writes to the dataset at this moment.
    #[error("a process is writing to this scan")]
    InUse,
    /// What a crash left, or what is being written.
    #[error("{path} has no record yet")]
    Unrecorded {
        /// Its path in the dataset.
        path: String,
    },
    /// What a crash left, or a line being written.
    #[error("{bytes} bytes at the journal's end do not count: {reason}")]
    JournalTail {
        /// How many bytes are behind the good lines.
        bytes: u64,
        /// What is wrong with the line there.
        reason: String,
    },
    /// A person has renamed the folder: what is in it goes by the name of before.
    #[error("the folder was renamed: the scan began as {scan}, and goes by that name in its files")]
    Renamed {
        /// What it was called when it began.
        scan: String,
    },
    /// The manifest is replaced at changes of state only.
    #[error("scan.json is older than the journal")]
    OldManifest,
}
