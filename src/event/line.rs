//! Events as lines of the log.

use tracing::{error, info, warn};

use super::message::target;
use super::{Event, ShotName};
use crate::scan::Outcome;
use crate::units::counted;

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
                let told = counted(*added as usize, "point was", "points were");
                info!(target: target::EXTENDED, scan, added, points, stored, shots, "{told} added: the scan has {shots} shots at {points} points now");
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
