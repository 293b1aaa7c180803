//! What happens, in one vocabulary: each event is a log line, a JSON object and a step of a progress bar.

mod line;
mod message;
mod shot_name;

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;

use crate::camera_driver::protocol::ErrorKind;
use crate::config::Rung;
use crate::frame::FailureKind;
use crate::model::{Controls, ExportFormat};
use crate::scan::{Finding, Outcome, WaitsFor};

pub use message::message_id;
pub use shot_name::ShotName;

/// An event as listeners get it.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct Told {
    /// The id of the scan of which it tells.
    #[schema(value_type = String)]
    pub scan: Arc<str>,
    /// When it was told, by the wall clock.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// What happened, in the words of the log.
    #[serde(flatten)]
    pub event: Event,
}

/// Something that happened to a scan.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// A run of a scan began.
    Started {
        /// Points of the plan.
        points: u32,
        /// Shots of the plan.
        shots: u32,
        /// Shots stored by earlier runs.
        stored: u32,
    },
    /// The axes began to move to a point.
    Moving {
        /// Its number in the order of the plan, from 1.
        point: u32,
        /// Points of the plan.
        points: u32,
    },
    /// A frame is in hand.
    Captured {
        /// The shot that is in hand, and not on the disk yet.
        shot: ShotName,
        /// Counted from 1 over the life of the scan.
        attempt: u32,
    },
    /// What a camera finds by itself is held from now on.
    Held {
        /// The camera, as the configuration calls it.
        camera: String,
        /// The values that it found, which it keeps.
        controls: Controls,
    },
    /// A try at a shot failed; recovery decides whether there is another.
    AttemptFailed {
        /// The shot that was tried.
        shot: ShotName,
        /// Counted from 1 over the life of the scan.
        attempt: u32,
        /// What recovery goes by.
        kind: ErrorKind,
        /// What the camera or its driver said, for people.
        message: String,
    },
    /// A camera is being brought back.
    Recovering {
        /// The camera that is to stream again.
        camera: String,
        /// The step: `restart` in the same driver, `respawn` of a new one, or `reset` of its port beside that.
        rung: Rung,
        /// Wait before, in seconds.
        #[serde(serialize_with = "seconds")]
        #[schema(value_type = f64)]
        after: Duration,
    },
    /// The camera streams again, and its shot is tried anew.
    Recovered {
        /// The camera that streams again.
        camera: String,
        /// The step that worked.
        rung: Rung,
        /// How long it took, in seconds.
        #[serde(serialize_with = "seconds")]
        #[schema(value_type = f64)]
        took: Duration,
    },
    /// The step did not bring the camera back: the next one follows, or the shot has failed.
    RecoveryFailed {
        /// The camera that does not stream.
        camera: String,
        /// How it was tried.
        rung: Rung,
        /// What recovery goes by.
        kind: ErrorKind,
        /// Why it does not stream, for people.
        message: String,
    },
    /// A camera's process cannot be ended.
    Wedged {
        /// The camera from which nothing more can be had.
        camera: String,
        /// Which process that is and where it hangs, for people.
        message: String,
    },
    /// An image is on disk and acknowledged.
    Stored {
        /// The shot that is done.
        shot: ShotName,
        /// Its path in the dataset.
        image: String,
        /// Length of the image's file, in bytes.
        bytes: u64,
        /// Variance of the luma's Laplacian.
        sharpness: f64,
        /// Shots stored so far.
        stored: u32,
        /// Shots of the plan.
        shots: u32,
    },
    /// The gate found something wrong with an image that is stored.
    Flagged {
        /// Which shot.
        shot: ShotName,
        /// What is wrong, with its numbers.
        findings: Vec<Finding>,
        /// What is wrong, for people.
        message: String,
        /// Whether it is taken again.
        again: bool,
    },
    /// The ring of marks in an image that is stored shows that something is not where it should be.
    Displaced {
        /// The shot by whose image it was seen.
        shot: ShotName,
        /// What stands elsewhere, and how far, for people.
        message: String,
        /// By how many degrees the table stands further on than it should; none if it does not.
        #[serde(skip_serializing_if = "Option::is_none")]
        table_deg: Option<f64>,
        /// By how many millimetres the camera was moved; none if it was not.
        #[serde(skip_serializing_if = "Option::is_none")]
        camera_mm: Option<f64>,
    },
    /// An image could not be stored.
    StoreFailed {
        /// The shot whose frame is lost: it is pending again.
        shot: ShotName,
        /// What kind of failure it was: where to look for the cause.
        kind: FailureKind,
        /// What failed at which file, for people.
        message: String,
    },
    /// All tries of a pass failed.
    ShotFailed {
        /// The shot that is given up for this pass.
        shot: ShotName,
        /// What the last of its attempts failed with, for people.
        reason: String,
    },
    /// A shot is taken again: a person wants that, or the gate.
    Retake {
        /// The shot that is pending from now on.
        shot: ShotName,
        /// Shots that are stored without it.
        stored: u32,
        /// Shots of the plan.
        shots: u32,
    },
    /// Points were added to the scan.
    Extended {
        /// How many.
        added: u32,
        /// Points of the plan now.
        points: u32,
        /// Shots stored so far.
        stored: u32,
        /// Shots of the plan now.
        shots: u32,
    },
    /// The run ended before its time; the scan can be resumed.
    Paused {
        /// What stopped it, for people.
        reason: String,
        /// What has to come before it goes on.
        waits_for: WaitsFor,
        /// Whether it was told to stop; else something is wrong.
        wanted: bool,
        /// Shots stored so far.
        stored: u32,
        /// Shots of the plan.
        shots: u32,
    },
    /// The scan is over.
    Finished {
        /// Whether it is complete; else why not.
        outcome: Outcome,
        /// Shots on the disk at the end, of earlier runs as well.
        stored: u32,
        /// Shots of the plan.
        shots: u32,
    },
    /// A scan that was interrupted does not go on by itself.
    NotResumed {
        /// Why not, and what to do, for people.
        message: String,
    },
    /// The scan, which is over, is exported.
    Exported {
        /// For which program.
        format: ExportFormat,
        /// Where the export is.
        folder: String,
        /// Images in it.
        images: u32,
    },
    /// It could not be exported; of the scan itself that says nothing.
    ExportFailed {
        /// For which program.
        format: ExportFormat,
        /// For people.
        message: String,
    },
    /// The scan, which is over, is where `[[deliver]]` wants it, and was compared there.
    Delivered {
        /// The name of that place.
        target: String,
        /// Files there.
        files: u64,
        /// Their bytes.
        bytes: u64,
        /// Files that had to be sent: the others were there already.
        sent_files: u64,
        /// Their bytes.
        sent_bytes: u64,
    },
    /// It could not be brought there; that is tried again. Told once for each reason.
    DeliveryFailed {
        /// The name of that place.
        target: String,
        /// For people.
        message: String,
    },
}

fn seconds<S: serde::Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(duration.as_secs_f64())
}
