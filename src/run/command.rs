//! What people want of a scan under way.

use std::time::Duration;

use tokio::sync::oneshot;

use crate::dataset::DescribeError;
use crate::plan::{Point, ShotIndex, Unaddable};
use crate::scan::{Description, DescriptionChanges, ExtendedBy, WaitsFor};

/// What a person can ask of a running scan.
#[derive(Debug)]
pub enum Command {
    /// Stop; the scan can be resumed.
    Pause {
        /// Why it is to stop, for people: it is in the journal and the log.
        reason: String,
        /// What the scan then waits for.
        waits_for: WaitsFor,
    },
    /// Stop for good; the dataset stays resumable.
    Cancel,
    /// Take a shot again.
    Retake {
        /// Its number in the plan.
        shot: ShotIndex,
        /// Is told when it is certain that this will be done; dropped if the scan ends before that.
        done: oneshot::Sender<Result<(), RetakeRefused>>,
    },
    /// Take shots at further points, behind those of the plan.
    Extend {
        /// The points, which the axes can reach, in the order in which they are visited.
        points: Vec<Point>,
        /// Who wants that.
        by: ExtendedBy,
        /// How long the longest move between points may take from now on.
        longest_move: Duration,
        /// Is told when they are part of the scan, and how many shots it has now; dropped if the scan ends before that.
        done: oneshot::Sender<Result<u32, ExtendRefused>>,
    },
    /// Call the scan something else.
    Describe {
        /// What is to be different.
        changes: DescriptionChanges,
        /// Is told what it is called now, once that is on the disk; dropped if the scan ends before that.
        done: oneshot::Sender<Result<Description, DescribeError>>,
    },
}

/// Why a shot is not taken again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RetakeRefused {
    /// There is no such shot.
    #[error("shot {} is not in the plan of {planned} shots", .shot.0)]
    Unknown {
        /// The number that was asked for.
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
        /// The shot whose image stands where it stood.
        shot: ShotIndex,
        /// What could not be written or moved, for people.
        message: String,
    },
}

/// Why points are not added.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ExtendRefused {
    /// The plan cannot have them.
    #[error(transparent)]
    Unaddable(#[from] Unaddable),
    /// Nothing more is taken in this run.
    #[error("the scan is stopping: ask again when it has, and the points are visited when it is resumed")]
    Stopping,
    /// The journal cannot be written.
    #[error("the points could not be written down, and the scan pauses: {message}")]
    NotKept {
        /// What could not be written, for people.
        message: String,
    },
}

impl Command {
    /// Why it was given, for people.
    pub(crate) fn reason(self) -> String {
        match self {
            Self::Pause { reason, .. } => reason,
            Self::Cancel => "cancelled".to_owned(),
            Self::Describe { .. } => "it was to be called something else".to_owned(),
            Self::Extend { points, .. } => format!("{} points are to be added", points.len()),
            Self::Retake { shot, .. } => format!("shot {} is to be taken again", shot.0),
        }
    }
}
