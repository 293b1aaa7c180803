//! Whether cameras are at work.

use std::sync::Arc;

use axum::Json;
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use crate::daemon::{self, Seat};
use crate::rig::camera::State;

use super::app::Shared;

/// Whether cameras are at work.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct CaptureStatus {
    /// Whether any camera is.
    is_capturing: bool,
    /// Since when the one is that has been for longest.
    #[schema(value_type = Option<String>, format = DateTime)]
    capture_start_time: Option<Timestamp>,
    /// Of that one: the session, or the scan.
    session_id: Option<String>,
    /// For how long that one is.
    elapsed_seconds: f64,
    /// Whether a scan has the cameras.
    scanning: bool,
    /// Every camera.
    cameras: Vec<CameraCaptureStatus>,
}

/// Whether a camera is at work.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct CameraCaptureStatus {
    /// Its name.
    camera: String,
    /// Whether it is.
    is_capturing: bool,
    /// Since when.
    #[schema(value_type = Option<String>, format = DateTime)]
    capture_start_time: Option<Timestamp>,
    /// The session, or the scan.
    session_id: Option<String>,
    /// For how long.
    elapsed_seconds: f64,
    /// What a photograph is expected to take, in seconds.
    expected_seconds: f64,
}

/// Whether cameras are at work. Answers at once, whatever they do.
#[utoipa::path(get, path = "/api/v1/capture/status", operation_id = "get_capture_status", tag = "captures", responses((status = 200, body = CaptureStatus)))]
pub(super) async fn capture_status(app: Shared) -> Json<CaptureStatus> {
    let now = Timestamp::now();
    let elapsed = |since: Timestamp| now.duration_since(since).as_secs_f64().max(0.0);
    let status = app.service.status();
    let scan = status.scan.filter(|_| status.scanning).map(|scan| scan.scan);
    let camera = |seat: &Arc<Seat>| {
        let running = seat.running().map(|daemon::Running { since, session_id }| (since, session_id));
        let in_scan = || match seat.camera().status().state {
            State::Capturing { since, .. } => Some((since, scan.clone())),
            State::Closed
            | State::Opening
            | State::Streaming { .. }
            | State::Recovering { .. }
            | State::Closing
            | State::Wedged { .. }
            | State::Failed { .. } => None,
        };
        let running = running.or_else(in_scan);
        CameraCaptureStatus {
            camera: seat.camera().name().to_owned(),
            is_capturing: running.is_some(),
            capture_start_time: running.as_ref().map(|(since, _)| *since),
            elapsed_seconds: running.as_ref().map_or(0.0, |(since, _)| elapsed(*since)),
            session_id: running.and_then(|(_, session)| session),
            expected_seconds: seat.pace().as_secs_f64(),
        }
    };
    let cameras: Vec<_> = app.service.studio().seats().iter().map(camera).collect();
    let longest =
        cameras.iter().filter(|camera| camera.is_capturing).min_by_key(|camera| camera.capture_start_time);
    Json(CaptureStatus {
        is_capturing: longest.is_some(),
        capture_start_time: longest.and_then(|camera| camera.capture_start_time),
        session_id: longest.and_then(|camera| camera.session_id.clone()),
        elapsed_seconds: longest.map_or(0.0, |camera| camera.elapsed_seconds),
        scanning: status.scanning,
        cameras,
    })
}
