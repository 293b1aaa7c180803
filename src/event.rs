//! What happens, in one vocabulary: each event is a log line, a JSON object and a step of a progress bar.

mod message;

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;
use tracing::{error, info, warn};

use crate::camera_driver::protocol::{Controls, ErrorKind};
use crate::config::Rung;
use crate::frame::FailureKind;
use crate::plan::{Plan, ShotIndex};
use crate::scan::Outcome;

pub use message::message_id;
use message::target;

/// A shot, as logs name it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct ShotName {
    /// Index in the plan.
    pub shot: u32,
    /// Point in the order of execution, from 1.
    pub point: u32,
    /// Stem of its file.
    pub label: String,
    /// Who takes it.
    pub camera: String,
}

impl ShotName {
    /// The names of `shot`, which the plan has.
    pub fn of(plan: &Plan, shot: ShotIndex) -> Self {
        let point = plan.point_of(shot);
        Self {
            shot: shot.0,
            point: point.0 + 1,
            label: plan.point(point).label.clone(),
            camera: plan.camera(plan.camera_of(shot)).name.clone(),
        }
    }
}

/// An event as listeners get it.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct Told {
    /// Of which scan.
    #[schema(value_type = String)]
    pub scan: Arc<str>,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// What happened.
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
        /// From 1.
        point: u32,
        /// Points of the plan.
        points: u32,
    },
    /// A frame is in hand.
    Captured {
        /// Which shot.
        shot: ShotName,
        /// Counted from 1 over the life of the scan.
        attempt: u32,
    },
    /// What a camera finds by itself is held from now on.
    Held {
        /// Whose.
        camera: String,
        /// At these values.
        controls: Controls,
    },
    /// A try failed.
    AttemptFailed {
        /// Which shot.
        shot: ShotName,
        /// Counted from 1 over the life of the scan.
        attempt: u32,
        /// What recovery goes by.
        kind: ErrorKind,
        /// For people.
        message: String,
    },
    /// A camera is being brought back.
    Recovering {
        /// Whose.
        camera: String,
        /// How.
        rung: Rung,
        /// Wait before, in seconds.
        #[serde(serialize_with = "seconds")]
        #[schema(value_type = f64)]
        after: Duration,
    },
    /// It streams again.
    Recovered {
        /// Whose.
        camera: String,
        /// How.
        rung: Rung,
        /// How long it took, in seconds.
        #[serde(serialize_with = "seconds")]
        #[schema(value_type = f64)]
        took: Duration,
    },
    /// It does not.
    RecoveryFailed {
        /// Whose.
        camera: String,
        /// How it was tried.
        rung: Rung,
        /// What recovery goes by.
        kind: ErrorKind,
        /// For people.
        message: String,
    },
    /// A camera's process cannot be ended.
    Wedged {
        /// Whose.
        camera: String,
        /// For people.
        message: String,
    },
    /// An image is on disk and acknowledged.
    Stored {
        /// Which shot.
        shot: ShotName,
        /// Its path in the dataset.
        image: String,
        /// Its length.
        bytes: u64,
        /// Variance of the luma's Laplacian.
        sharpness: f64,
        /// Shots stored so far.
        stored: u32,
        /// Shots of the plan.
        shots: u32,
    },
    /// An image could not be stored.
    StoreFailed {
        /// Which shot.
        shot: ShotName,
        /// Where to look.
        kind: FailureKind,
        /// For people.
        message: String,
    },
    /// All tries of a pass failed.
    ShotFailed {
        /// Which shot.
        shot: ShotName,
        /// For people.
        reason: String,
    },
    /// A person wants a shot taken again.
    Retake {
        /// Which shot.
        shot: ShotName,
        /// Shots that are stored without it.
        stored: u32,
        /// Shots of the plan.
        shots: u32,
    },
    /// The run ended before its time; the scan can be resumed.
    Paused {
        /// For people.
        reason: String,
        /// Shots stored so far.
        stored: u32,
        /// Shots of the plan.
        shots: u32,
    },
    /// The scan is over.
    Finished {
        /// How.
        outcome: Outcome,
        /// Shots stored.
        stored: u32,
        /// Shots of the plan.
        shots: u32,
    },
}

impl Event {
    /// Writes the event as one log line. Info is the normal course; a warning has been or is being dealt with;
    /// an error waits for a person.
    pub fn log(&self, scan: &str) {
        match self {
            Self::Started { points, shots, stored: 0 } => {
                info!(target: target::STARTED, scan, points, shots, "scan started: {shots} shots at {points} points");
            }
            Self::Started { points, shots, stored } => {
                info!(target: target::RESUMED, scan, points, shots, stored, "scan resumed: {stored} of {shots} shots are stored");
            }
            Self::Moving { point, points } => {
                info!(target: target::MOVING, scan, point, "moving to point {point} of {points}");
            }
            Self::Captured { shot: ShotName { shot, point, label, camera }, attempt } => {
                info!(target: target::CAPTURED, scan, point, camera, shot, attempt, "captured {camera}/{label}");
            }
            Self::Held { camera, controls } => {
                info!(target: target::HELD, scan, camera, "camera {camera} holds {controls}");
            }
            Self::AttemptFailed { shot: ShotName { shot, point, label, camera }, attempt, kind, message } => {
                warn!(target: target::ATTEMPT_FAILED, scan, point, camera, shot, attempt, %kind, "attempt {attempt} at {camera}/{label} failed: {kind}: {message}");
            }
            Self::Recovering { camera, rung, after } => {
                let when = if after.is_zero() { "now".into() } else { format!("in {after:.1?}") };
                warn!(target: target::RECOVERING, scan, camera, %rung, "recovering camera {camera}: {rung} {when}");
            }
            Self::Recovered { camera, rung, took } => {
                warn!(target: target::RECOVERED, scan, camera, %rung, "camera {camera} is back: {rung} took {took:.1?}");
            }
            Self::RecoveryFailed { camera, rung, kind, message } => {
                warn!(target: target::RECOVERY_FAILED, scan, camera, %rung, %kind, "{rung} of camera {camera} failed: {kind}: {message}");
            }
            Self::Wedged { camera, message } => {
                error!(target: target::WEDGED, scan, camera, "wedged: {message}");
            }
            Self::Stored {
                shot: ShotName { shot, point, label: _, camera },
                image,
                bytes,
                sharpness,
                stored,
                shots,
            } => {
                info!(target: target::STORED,
                    scan,
                    point,
                    camera,
                    shot,
                    bytes,
                    sharpness,
                    "stored {image} ({stored}/{shots}, sharpness {sharpness:.0})"
                );
            }
            Self::StoreFailed { shot: ShotName { shot, point, label, camera }, kind, message } => {
                let kind = kind.name();
                error!(target: target::STORE_FAILED, scan, point, camera, shot, kind, "could not store {camera}/{label}: {message}");
            }
            Self::ShotFailed { shot: ShotName { shot, point, label, camera }, reason } => {
                warn!(target: target::SHOT_FAILED, scan, point, camera, shot, "gave up {camera}/{label} for now: {reason}");
            }
            Self::Retake { shot: ShotName { shot, point, label, camera }, stored, shots } => {
                info!(target: target::RETAKE, scan, point, camera, shot, stored, shots, "{camera}/{label} is to be taken again; its image, if there was one, is kept in retaken/");
            }
            Self::Paused { reason, stored, shots } => {
                error!(target: target::PAUSED,
                    scan,
                    stored,
                    shots,
                    "scan paused at {stored} of {shots} shots: {reason}; go on with: scanner resume {scan}"
                );
            }
            Self::Finished { outcome: Outcome::Complete, stored, shots } => {
                info!(target: target::COMPLETE,
                    scan,
                    stored,
                    shots,
                    outcome = "complete",
                    "scan complete: all {shots} shots are stored"
                );
            }
            Self::Finished { outcome, stored, shots } => {
                let outcome = outcome.name();
                error!(target: target::ENDED,
                    scan,
                    stored,
                    shots,
                    outcome,
                    "scan {outcome}: {stored} of {shots} shots are stored; try the rest again with: scanner resume {scan}"
                );
            }
        }
    }
}

fn seconds<S: serde::Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(duration.as_secs_f64())
}
