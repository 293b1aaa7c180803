//! What people want of a scan under way.

use tokio::sync::oneshot;

use crate::plan::ShotIndex;

/// What a person can ask of a running scan.
#[derive(Debug)]
pub enum Command {
    /// Stop; the scan can be resumed.
    Pause {
        /// For people.
        reason: String,
    },
    /// Stop for good.
    Cancel,
    /// Take a shot again.
    Retake {
        /// Which.
        shot: ShotIndex,
        /// Is told when it is certain that this will be done; dropped if the scan ends before that.
        done: oneshot::Sender<Result<(), RetakeRefused>>,
    },
}

/// Why a shot is not taken again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RetakeRefused {
    /// There is no such shot.
    #[error("shot {} is not in the plan of {planned} shots", .shot.0)]
    Unknown {
        /// Which.
        shot: ShotIndex,
        /// How many there are.
        planned: u32,
    },
    /// It was captured and is not stored yet.
    #[error("shot {} is on its way to the disk: look at it first, then ask again", .0.0)]
    InHand(ShotIndex),
    /// Nothing more is taken in this run.
    #[error("the scan is stopping: ask again when it has, and shot {} is taken when it is resumed", .0.0)]
    Stopping(ShotIndex),
    /// There is nothing to take it with.
    #[error("the camera of shot {} is wedged, so its image is left alone: ask again after a reboot", .0.0)]
    Wedged(ShotIndex),
    /// The journal cannot be written, or the image not be moved.
    #[error("the image of shot {} could not be kept, and the scan pauses: {message}", .shot.0)]
    NotKept {
        /// Which.
        shot: ShotIndex,
        /// Why, for people.
        message: String,
    },
}

impl Command {
    /// Why it was given, for people.
    pub(crate) fn reason(self) -> String {
        match self {
            Self::Pause { reason } => reason,
            Self::Cancel => "cancelled".to_owned(),
            Self::Retake { shot, .. } => format!("shot {} is to be taken again", shot.0),
        }
    }
}
