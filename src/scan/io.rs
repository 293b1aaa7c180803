//! What goes into and what comes out of the transition function.

use std::time::Duration;

use crate::camera_driver::protocol::ErrorKind;
use crate::config::Rung;
use crate::plan::{CameraIndex, PointIndex, ShotIndex};

use super::record::{Outcome, Record};

/// Something that happened.
#[derive(Debug, Clone, PartialEq)]
pub enum Input {
    /// Begin, or go on.
    Start,
    /// The axes did not arrive.
    MotionFailed {
        /// For people.
        message: String,
    },
    /// A valid frame is in hand; it is on its way to the disk.
    Captured {
        /// Which shot.
        shot: ShotIndex,
    },
    /// An attempt failed.
    CaptureFailed {
        /// Which shot.
        shot: ShotIndex,
        /// What recovery goes by.
        kind: ErrorKind,
        /// For people.
        message: String,
    },
    /// A recovery step worked: the camera streams again.
    Recovered {
        /// Whose.
        camera: CameraIndex,
    },
    /// A recovery step failed.
    RecoveryFailed {
        /// Whose.
        camera: CameraIndex,
        /// What recovery goes by.
        kind: ErrorKind,
        /// For people.
        message: String,
    },
    /// The camera's process cannot be ended: nothing more can be had from it.
    Wedged {
        /// Whose.
        camera: CameraIndex,
        /// For people.
        message: String,
    },
    /// What the camera was doing was given up, as [`Action::Interrupt`] asked.
    Interrupted {
        /// Whose.
        camera: CameraIndex,
    },
    /// The frame is on disk and in the journal.
    Stored {
        /// Which shot.
        shot: ShotIndex,
    },
    /// The frame could not be stored.
    StoreFailed {
        /// Which shot.
        shot: ShotIndex,
        /// For people.
        message: String,
    },
    /// A person wants a shot taken again; if it was stored, [`Record::Retake`] is in the journal already.
    Retake {
        /// Which shot.
        shot: ShotIndex,
    },
    /// Stop for now, so that the scan can go on later.
    Pause {
        /// For people.
        reason: String,
    },
    /// Stop for good (the dataset stays resumable).
    Cancel,
}

/// Something to do.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// Append to the journal.
    Record(Record),
    /// Move the axes to this point.
    Move {
        /// Where to.
        point: PointIndex,
    },
    /// Try a shot at the point last moved to, once the axes have come to rest and settled.
    ///
    /// Answered by `Captured`, `CaptureFailed` or `Interrupted`.
    Capture {
        /// Which shot.
        shot: ShotIndex,
        /// Counted from 1 over the whole life of the scan.
        attempt: u32,
    },
    /// Bring a camera back to streaming.
    ///
    /// Answered by `Recovered`, `RecoveryFailed`, `Wedged` or `Interrupted`.
    Recover {
        /// Whose.
        camera: CameraIndex,
        /// How.
        rung: Rung,
        /// Wait before.
        after: Duration,
    },
    /// Stop the motion, give up every capture and recovery under way.
    Interrupt,
    /// Nothing more will come; once the journal is on disk, the scan has ended.
    End(End),
}

/// How a run of a scan ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// Stopped before its time; can be resumed.
    Paused {
        /// For people.
        reason: String,
    },
    /// Over.
    Finished(Outcome),
}
