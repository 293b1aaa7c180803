//! For those who look after the machine.

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

use crate::rig::camera::State;

use super::app::Shared;

/// Whether a scan could be started.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Readiness {
    /// Whether one could.
    ready: bool,
    /// Why not, for people.
    reasons: Vec<String>,
}

/// The program answers.
#[utoipa::path(get, path = "/healthz", tag = "operation", security(()), responses((status = 200, body = String, content_type = "text/plain")))]
pub(super) async fn healthz() -> &'static str {
    "ok\n"
}

/// Whether a scan could be started, or is under way.
#[utoipa::path(get, path = "/readyz", tag = "operation", security(()), responses(
    (status = 200, body = Readiness),
    (status = 503, body = Readiness),
))]
pub(super) async fn readyz(app: Shared) -> Response {
    let status = app.service.status();
    let mut reasons: Vec<String> =
        status.fault.map(|_| "the axes are stopped".to_owned()).into_iter().collect();
    let wedged = status.cameras.iter().filter(|camera| matches!(camera.state, State::Wedged { .. }));
    reasons.extend(wedged.map(|camera| format!("the driver of camera {} cannot be ended", camera.camera)));
    if !app.service.station().config().schedule.at(&jiff::Zoned::now()).open {
        reasons.push("it is outside the hours of [schedule]".to_owned());
    }
    let ready = reasons.is_empty();
    let code = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (code, Json(Readiness { ready, reasons })).into_response()
}
