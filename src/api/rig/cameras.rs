//! The cameras: what they are, and their settings between scans.

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::daemon::{StandbyCamera, StandbyError};
use crate::model::{Control, Controls, Lighting, Size};
use crate::rig::camera::CameraStatus;

use super::state::Rig;
use crate::api::transport::extract::{Body, Path};
use crate::api::transport::problem::{Answer, Problem, ProblemType};

/// Every camera of the rig.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api) struct CameraList {
    /// In the order of the configuration.
    cameras: Vec<CameraInfo>,
}

/// A camera of the rig: what it is, and how it is set.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api) struct CameraInfo {
    /// Its name in the configuration.
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
    fn of(rig: &Rig, on_standby: &StandbyCamera) -> Self {
        let camera = on_standby.handle();
        let hello = camera.hello();
        let config = rig.config().cameras.iter().find(|config| config.name == camera.name());
        Self {
            name: camera.name().to_owned(),
            status: camera.status(),
            model: hello.as_ref().map(|hello| hello.model.clone()),
            controls: hello.as_ref().map(|hello| hello.controls.clone()).unwrap_or_default(),
            configured: config.map(|config| config.controls).unwrap_or_default(),
            chosen: on_standby.chosen(),
            size: camera.optics().size(),
            live_beside_stills: hello.map(|hello| hello.live_beside_stills),
        }
    }
}

/// Every camera: what it is, what it is doing, and how it is set.
#[utoipa::path(get, path = "/api/v1/cameras", operation_id = "list_cameras", tag = "cameras", responses((status = 200, body = CameraList)))]
pub(in crate::api) async fn cameras(State(rig): State<Rig>) -> Json<CameraList> {
    let cameras = rig.service.standby().cameras().iter().map(|on_standby| CameraInfo::of(&rig, on_standby));
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
pub(in crate::api) async fn set(
    State(rig): State<Rig>,
    Path(name): Path<String>,
    Body(controls): Body<Controls>,
) -> Answer<Json<CameraInfo>> {
    let on_standby = rig.camera(&name)?.clone();
    if rig.service.standby().is_scanning() {
        return Err(Problem::new(ProblemType::InUse, "a scan has the cameras: they are set between scans"));
    }
    let setting = on_standby.clone();
    let set = rig.act(move |_| async move { Ok(setting.choose(controls).await) }).await?;
    set.map_err(|error| match error {
        StandbyError::Setting { .. } => Problem::bad_request(error),
        StandbyError::OutOfHours => Problem::new(ProblemType::OutOfHours, error),
        StandbyError::Taken { .. } | StandbyError::Scan => Problem::new(ProblemType::InUse, error),
        StandbyError::Camera(_) => Problem::new(ProblemType::Camera, error),
    })?;
    Ok(Json(CameraInfo::of(&rig, &on_standby)))
}

/// Whether the lights are to be on.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct Lights {
    /// On, each with its configured brightness, or all off.
    on: bool,
    /// Which ones come on, while the others go off; those that shine on the object if absent.
    #[serde(default)]
    lighting: Lighting,
}

/// Switch the lights, between scans.
#[utoipa::path(post, path = "/api/v1/lights", operation_id = "switch_lights", tag = "rig", request_body = Lights, responses(
    (status = 204),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
))]
pub(in crate::api) async fn lights(State(rig): State<Rig>, Body(lights): Body<Lights>) -> Answer<StatusCode> {
    rig.act(move |service| async move { Ok(service.switch_lights(lights.on.then_some(lights.lighting))?) })
        .await?;
    Ok(StatusCode::NO_CONTENT)
}
