//! What goes into and what comes out of the transition function.

use std::time::Duration;

use crate::camera_driver::protocol::ErrorKind;
use crate::config::Rung;
use crate::plan::{CameraIndex, Point, PointIndex, ShotIndex};

use super::end::{End, WaitsFor};
use super::record::Record;

/// Something that happened: all that the transition function hears of the world.
#[derive(Debug, Clone, PartialEq)]
pub enum Input {
    /// Begin, or go on.
    Start,
    /// The axes did not arrive.
    MotionFailed {
        /// Why they did not, for people.
        message: String,
    },
    /// A valid frame is in hand; it is on its way to the disk.
    Captured {
        /// The shot that is in hand.
        shot: ShotIndex,
    },
    /// An attempt failed: no valid frame came.
    CaptureFailed {
        /// The shot that was tried.
        shot: ShotIndex,
        /// What recovery goes by.
        kind: ErrorKind,
        /// What the camera or its driver said, for people.
        message: String,
    },
    /// A recovery step worked: the camera streams again.
    Recovered {
        /// The camera, which is idle now.
        camera: CameraIndex,
    },
    /// A recovery step failed.
    RecoveryFailed {
        /// The camera, which does not stream.
        camera: CameraIndex,
        /// What recovery goes by.
        kind: ErrorKind,
        /// Why it does not stream, for people.
        message: String,
    },
    /// The camera's process cannot be ended: nothing more can be had from it.
    Wedged {
        /// The camera from which nothing more can be had.
        camera: CameraIndex,
        /// Which process that is and where it hangs, for people.
        message: String,
    },
    /// What the camera was doing was given up, as [`Action::Interrupt`] asked.
    Interrupted {
        /// The camera, which is idle now.
        camera: CameraIndex,
    },
    /// The frame is on disk and in the journal.
    Stored {
        /// The shot that is done.
        shot: ShotIndex,
    },
    /// The frame is on disk and in the journal, but is not good enough: [`Record::Retake`] is in the journal, too.
    Rejected {
        /// The shot that is pending again.
        shot: ShotIndex,
    },
    /// The frame could not be stored.
    StoreFailed {
        /// The shot whose frame is lost.
        shot: ShotIndex,
        /// What failed at which file, for people.
        message: String,
    },
    /// A shot is to be taken again; if it was stored, [`Record::Retake`] is in the journal already.
    Retake {
        /// The shot that is pending from now on.
        shot: ShotIndex,
    },
    /// Points are behind those of the plan from now on; [`Record::Extended`] is in the journal already.
    Extended {
        /// In the order in which they are visited.
        points: Vec<Point>,
    },
    /// Stop for now, so that the scan can go on later.
    Pause {
        /// Why it is to stop, for people: it is in the journal and the log.
        reason: String,
        /// What the scan then waits for.
        waits_for: WaitsFor,
        /// Whether somebody wants it; else something is wrong.
        wanted: bool,
    },
    /// Stop for good (the dataset stays resumable).
    Cancel,
}

/// Something to do, by whoever performs the scan.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// Append to the journal.
    Record(Record),
    /// Move the axes to this point.
    Move {
        /// The point of the plan at whose pose the axes are to rest.
        point: PointIndex,
    },
    /// Try a shot at the point last moved to, once the axes have come to rest and settled.
    ///
    /// Answered by `Captured`, `CaptureFailed` or `Interrupted`.
    Capture {
        /// The shot, whose camera is idle.
        shot: ShotIndex,
        /// Counted from 1 over the whole life of the scan.
        attempt: u32,
    },
    /// Bring a camera back to streaming.
    ///
    /// Answered by `Recovered`, `RecoveryFailed`, `Wedged` or `Interrupted`.
    Recover {
        /// The camera, which is idle.
        camera: CameraIndex,
        /// Whether the same driver starts anew, or another one, and whether that resets the port.
        rung: Rung,
        /// How long to wait before, so that what is wrong may pass.
        after: Duration,
    },
    /// Stop the motion, give up every capture and recovery under way.
    Interrupt,
    /// Nothing more will come; once the journal is on disk, the scan has ended.
    End(End),
}

impl Input {
    /// A pause because something is wrong, until a person goes on with the scan.
    pub fn pause(reason: impl Into<String>) -> Self {
        Self::Pause { reason: reason.into(), waits_for: WaitsFor::Person, wanted: false }
    }
}
