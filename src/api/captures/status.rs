//! Whether cameras are at work.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use crate::daemon::{self, StandbyCamera};
use crate::rig::camera::State as CameraState;

use crate::api::rig::state::Rig;

/// Whether cameras are at work.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api) struct CaptureStatus {
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
    /// Every camera, in the order of the configuration.
    cameras: Vec<CameraCaptureStatus>,
}

/// Whether a camera is at work.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api) struct CameraCaptureStatus {
    /// Its name in the configuration.
    camera: String,
    /// Whether it takes a photograph, or a shot of a scan.
    is_capturing: bool,
    /// Since when it is at work; absent if it is not.
    #[schema(value_type = Option<String>, format = DateTime)]
    capture_start_time: Option<Timestamp>,
    /// The session, or the scan.
    session_id: Option<String>,
    /// For how long it is at work; 0 if it is not.
    elapsed_seconds: f64,
    /// What a photograph is expected to take, in seconds.
    expected_seconds: f64,
}

/// Whether cameras are at work. Answers at once, whatever they do.
#[utoipa::path(get, path = "/api/v1/capture/status", operation_id = "get_capture_status", tag = "captures", responses((status = 200, body = CaptureStatus)))]
pub(in crate::api) async fn capture_status(State(rig): State<Rig>) -> Json<CaptureStatus> {
    let now = Timestamp::now();
    let elapsed = |since: Timestamp| now.duration_since(since).as_secs_f64().max(0.0);
    let status = rig.service.status();
    let scan = status.scan.filter(|_| status.scanning).map(|scan| scan.scan);
    let camera = |on_standby: &Arc<StandbyCamera>| {
        let running =
            on_standby.running().map(|daemon::PhotographUnderWay { since, session_id }| (since, session_id));
        let in_scan = || match on_standby.handle().status().state {
            CameraState::Capturing { since, .. } => Some((since, scan.clone())),
            CameraState::Closed
            | CameraState::Opening
            | CameraState::Streaming { .. }
            | CameraState::Recovering { .. }
            | CameraState::Closing
            | CameraState::Wedged { .. }
            | CameraState::Failed { .. } => None,
        };
        let running = running.or_else(in_scan);
        CameraCaptureStatus {
            camera: on_standby.handle().name().to_owned(),
            is_capturing: running.is_some(),
            capture_start_time: running.as_ref().map(|(since, _)| *since),
            elapsed_seconds: running.as_ref().map_or(0.0, |(since, _)| elapsed(*since)),
            session_id: running.and_then(|(_, session)| session),
            expected_seconds: on_standby.pace().as_secs_f64(),
        }
    };
    let cameras: Vec<_> = rig.service.standby().cameras().iter().map(camera).collect();
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
