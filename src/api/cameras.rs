//! The cameras: what they are, and their settings between scans.

use axum::Json;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::camera_driver::protocol::{Control, Controls, Size};
use crate::daemon::{Seat, StudioError};
use crate::rig::camera::CameraStatus;

use super::app::{App, Shared};
use super::captures::no_camera;
use super::extract::{Body, Path};
use super::problem::{Answer, Problem, ProblemType};

/// Every camera.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct CameraList {
    /// In the order of the configuration.
    cameras: Vec<CameraInfo>,
}

/// A camera.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct CameraInfo {
    /// Its name.
    name: String,
    /// What it is doing.
    status: CameraStatus,
    /// Its model; unknown before it was open for the first time.
    model: Option<String>,
    /// What can be set, and to what; empty before it was open for the first time.
    controls: Vec<Control>,
    /// What the configuration sets.
    configured: Controls,
    /// What is set over that, for photographs and live views between scans.
    chosen: Controls,
    /// Size of its images, if it is known.
    size: Option<Size>,
    /// Whether its live view goes on while it photographs; unknown before it was open for the first time.
    live_beside_stills: Option<bool>,
}

impl CameraInfo {
    fn of(app: &App, seat: &Seat) -> Self {
        let camera = seat.camera();
        let hello = camera.hello();
        let config =
            app.service.station().config().cameras.iter().find(|config| config.name == camera.name());
        Self {
            name: camera.name().to_owned(),
            status: camera.status(),
            model: hello.as_ref().map(|hello| hello.model.clone()),
            controls: hello.as_ref().map(|hello| hello.controls.clone()).unwrap_or_default(),
            configured: config.map(|config| config.controls).unwrap_or_default(),
            chosen: seat.chosen(),
            size: camera.optics().size(),
            live_beside_stills: hello.map(|hello| hello.live_beside_stills),
        }
    }
}

/// The cameras.
#[utoipa::path(get, path = "/api/v1/cameras", operation_id = "list_cameras", tag = "cameras", responses((status = 200, body = CameraList)))]
pub(super) async fn cameras(app: Shared) -> Json<CameraList> {
    let cameras = app.service.studio().seats().iter().map(|seat| CameraInfo::of(&app, seat));
    Json(CameraList { cameras: cameras.collect() })
}

/// Set a camera for photographs and live views between scans, in place of what was set before; what is left out is as
/// configured. Scans are taken as configured.
#[utoipa::path(put, path = "/api/v1/cameras/{camera}/controls", operation_id = "set_camera_controls", tag = "cameras", params(("camera" = String, Path)),
    request_body = Controls, responses(
    (status = 200, body = CameraInfo),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
    (status = "5XX", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn set(
    app: Shared,
    Path(name): Path<String>,
    Body(controls): Body<Controls>,
) -> Answer<Json<CameraInfo>> {
    let seat = app.service.studio().seat(&name).cloned().ok_or_else(|| no_camera(&name))?;
    if app.service.studio().is_scanning() {
        return Err(Problem::new(ProblemType::InUse, "a scan has the cameras: they are set between scans"));
    }
    let setting = seat.clone();
    let set = app.on_rig(move |_| async move { Ok(setting.choose(controls).await) }).await?;
    set.map_err(|error| match error {
        StudioError::Setting { .. } => Problem::bad_request(error),
        StudioError::OutOfHours => Problem::new(ProblemType::OutOfHours, error),
        StudioError::Taken { .. } | StudioError::Scan => Problem::new(ProblemType::InUse, error),
        StudioError::Camera(_) => Problem::new(ProblemType::Camera, error),
    })?;
    Ok(Json(CameraInfo::of(&app, &seat)))
}

/// Whether the lights are to be on.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Lights {
    /// On, each with its configured brightness, or off.
    on: bool,
}

/// Switch the lights, between scans.
#[utoipa::path(post, path = "/api/v1/lights", operation_id = "switch_lights", tag = "rig", request_body = Lights, responses(
    (status = 204),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn lights(app: Shared, Body(lights): Body<Lights>) -> Answer<StatusCode> {
    app.on_rig(move |service| async move { Ok(service.switch_lights(lights.on)?) }).await?;
    Ok(StatusCode::NO_CONTENT)
}
