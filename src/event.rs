//! What happens, in one vocabulary: each event is a log line, a JSON object and a step of a progress bar.

mod message;
mod shot_name;

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;
use tracing::{error, info, warn};

use crate::camera_driver::protocol::ErrorKind;
use crate::config::Rung;
use crate::frame::FailureKind;
use crate::model::{Controls, ExportFormat};
use crate::scan::{Finding, Outcome, WaitsFor};

pub use message::message_id;
use message::target;
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

impl Event {
    /// Writes the event as one log line. Info is the normal course; a warning has been or is being dealt with;
    /// an error waits for a person.
    #[expect(clippy::too_many_lines, reason = "each event has its line")]
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
                shot: ShotName { shot, point, camera, .. },
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
            Self::Flagged { shot, findings: _, message, again } => log_flagged(scan, shot, message, *again),
            Self::Displaced { shot, message, table_deg, camera_mm } => {
                log_displaced(scan, shot, message, *table_deg, *camera_mm);
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
            Self::Extended { added, points, stored, shots } => {
                info!(target: target::EXTENDED, scan, added, points, stored, shots, "{added} points were added: the scan has {shots} shots at {points} points now");
            }
            Self::Paused { reason, waits_for: _, wanted: _, stored, shots } => {
                error!(target: target::PAUSED,
                    scan,
                    stored,
                    shots,
                    "scan paused at {stored} of {shots} shots: {reason}; go on with: scanner resume {scan}"
                );
            }
            Self::Finished { outcome: Outcome::Complete, stored, shots } => {
                info!(target: target::COMPLETE, scan, stored, shots, outcome = "complete", "scan complete: all {shots} shots are stored");
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
            Self::NotResumed { message } => {
                error!(target: target::NOT_RESUMED, scan, "scan {scan} does not go on by itself: {message}");
            }
            Self::Exported { format, folder, images } => {
                info!(target: target::EXPORTED, scan, %format, images, "exported for {format}: {images} images in {folder}");
            }
            Self::ExportFailed { format, message } => {
                error!(target: target::EXPORT_FAILED, scan, %format, "not exported for {format}: {message}; the scan is as it was; export it by hand with: scanner dataset export {scan} --to {format}");
            }
            Self::Delivered { target, files, bytes, sent_files, sent_bytes } => {
                info!(target: target::DELIVERED, scan, to = target, files, bytes, sent_files, sent_bytes, "delivered to {target:?}: {files} files, of which {sent_files} had to be sent");
            }
            Self::DeliveryFailed { target, message } => {
                error!(target: target::DELIVERY_FAILED, scan, to = target, "not delivered to {target:?}: {message}; it is tried again, and stays here; at once with: scanner deliver {scan} --to {target}");
            }
        }
    }
}

fn log_flagged(scan: &str, ShotName { shot, point, label, camera }: &ShotName, message: &str, again: bool) {
    let then = if again { "; it is taken again" } else { "" };
    warn!(target: target::FLAGGED, scan, point, camera, shot, again, "flagged {camera}/{label}: {message}{then}");
}

fn log_displaced(
    scan: &str,
    ShotName { shot, point, label, camera }: &ShotName,
    message: &str,
    table_deg: Option<f64>,
    camera_mm: Option<f64>,
) {
    warn!(target: target::DISPLACED, scan, point, camera, shot, table_deg, camera_mm, "displaced at {camera}/{label}: {message}");
}

fn seconds<S: serde::Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(duration.as_secs_f64())
}
