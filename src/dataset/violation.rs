//! What a check of a dataset can find.

use serde::Serialize;

use crate::plan::ShotIndex;

use super::State;

/// A broken promise.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Violation {
    /// An acknowledged shot without the image that was acknowledged.
    #[error("shot {}: {image}: {reason}", .shot.0)]
    Image {
        /// Which shot.
        shot: ShotIndex,
        /// Its image's path in the dataset.
        image: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The metadata of an acknowledged shot is missing, damaged, or not what the journal says.
    #[error("shot {}: {path} is missing or does not say what the journal says", .shot.0)]
    Metadata {
        /// Which shot.
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
    /// The journal has a bad line.
    #[error("the journal is damaged at byte {at}: {reason}; {bytes} bytes do not count")]
    Journal {
        /// Where the good lines end.
        at: u64,
        /// How many bytes are behind it.
        bytes: u64,
        /// What is wrong.
        reason: String,
    },
    /// The journal does not begin with the record that opens a scan.
    #[error("the journal is missing, or does not begin with the record that opens a scan")]
    NoJournal,
    /// The plan is not the one that the scan began with.
    #[error("plan.json is not the plan that the scan began with: its checksum differs from the journal's")]
    Plan,
    /// A shot is recorded as stored while it was stored.
    #[error("shot {} was stored twice", .shot.0)]
    StoredTwice {
        /// Which shot.
        shot: ShotIndex,
    },
    /// A record of a shot that the plan does not have.
    #[error("the journal has a record of shot {}, which is not in the plan", .shot.0)]
    UnknownShot {
        /// Which shot.
        shot: ShotIndex,
    },
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
        state: State,
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
        /// How many.
        bytes: u64,
        /// Why.
        reason: String,
    },
    /// The manifest is replaced at changes of state only.
    #[error("scan.json is older than the journal")]
    OldManifest,
}
