//! For those who look after the machine.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use crate::rig::camera::State as CameraState;
use crate::schedule::Hours;

use crate::api::rig::state::Rig;

/// Whether the rig is in order.
#[derive(Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(in crate::api) struct Readiness {
    /// Whether nobody has to look after it: a scan is under way, or could be started now or in its hours.
    ready: bool,
    /// Why not, for people.
    reasons: Vec<String>,
    /// Whether it is within the hours of `[schedule]`. Outside them cameras are closed and scans refused as configured:
    /// that is no fault, and everything else answers.
    open: bool,
    /// Until when `open` stays so; none if for good.
    #[schema(value_type = Option<String>, format = DateTime)]
    until: Option<Timestamp>,
}

impl Readiness {
    fn of(stopped: bool, wedged: &[&str], hours: &Hours) -> Self {
        let stopped = stopped.then(|| "the axes are stopped".to_owned());
        let wedged = wedged.iter().map(|camera| format!("the driver of camera {camera} cannot be ended"));
        let reasons: Vec<String> = stopped.into_iter().chain(wedged).collect();
        let until = hours.until.as_ref().map(jiff::Zoned::timestamp);
        Self { ready: reasons.is_empty(), reasons, open: hours.open, until }
    }
}

/// Whether the program answers at all.
#[utoipa::path(get, path = "/healthz", operation_id = "get_health", tag = "operation", security(()), responses((status = 200, body = String, content_type = "text/plain")))]
pub(in crate::api) async fn healthz() -> &'static str {
    "ok\n"
}

/// Whether the rig is in order. Outside the hours of `[schedule]` it is, and says so: whoever watches it is not called out
/// each night, and whoever hands out scans goes by `open`.
#[utoipa::path(get, path = "/readyz", operation_id = "get_readiness", tag = "operation", security(()), responses(
    (status = 200, body = Readiness),
    (status = 503, body = Readiness),
))]
pub(in crate::api) async fn readyz(State(rig): State<Rig>) -> Response {
    let status = rig.service.status();
    let wedged = status.cameras.iter().filter(|camera| matches!(camera.state, CameraState::Wedged { .. }));
    let wedged: Vec<&str> = wedged.map(|camera| camera.camera.as_str()).collect();
    let hours = rig.config().schedule.at(&jiff::Zoned::now());
    let readiness = Readiness::of(status.fault.is_some(), &wedged, &hours);
    let code = if readiness.ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (code, Json(readiness)).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn closed_hours_are_no_fault_and_hide_none() {
        let until: jiff::Zoned = "2026-11-22T09:00[UTC]".parse().unwrap();
        let closed = Hours { open: false, until: Some(until.clone()) };
        let readiness = Readiness::of(false, &[], &closed);
        assert_eq!(
            readiness,
            Readiness { ready: true, reasons: Vec::new(), open: false, until: Some(until.timestamp()) }
        );
        let readiness = Readiness::of(true, &["cam0", "cam1"], &closed);
        assert!(!readiness.ready && !readiness.open);
        assert_eq!(
            readiness.reasons,
            [
                "the axes are stopped",
                "the driver of camera cam0 cannot be ended",
                "the driver of camera cam1 cannot be ended"
            ]
        );
        let open = Hours { open: true, until: None };
        assert!(Readiness::of(false, &[], &open).ready && !Readiness::of(false, &["cam0"], &open).ready);
    }
}
