//! Where each image of a scan was taken from.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use crate::dataset;
use crate::export::{View, Views};

use super::state::Scans;
use crate::api::transport::extract::Path;
use crate::api::transport::problem::{Answer, Problem, ProblemType};
use crate::api::transport::work::on_disk;

/// Where each stored image was taken from, in the object's frame: right-handed, in millimetres, z up along the turntable's
/// axis, its surface at z = 0. What turns on the rig is the object; here the cameras go around it.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api) struct Poses {
    /// In the order of the plan.
    views: Vec<View>,
    /// What is not known or not there, and what follows from it, for people.
    lacking: Vec<String>,
}

/// Where each image was taken from, as far as the cameras' mounts are configured.
#[utoipa::path(get, path = "/api/v1/scans/{scan}/poses", operation_id = "list_poses", tag = "scans", params(("scan" = String, Path)), responses(
    (status = 200, body = Poses),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
))]
pub(in crate::api) async fn poses(
    State(scans): State<Scans>,
    Path(scan): Path<String>,
) -> Answer<Json<Poses>> {
    let shared = scans.clone();
    on_disk(move || {
        let dir = shared.folder_of(&scan)?;
        let contents = dataset::read_contents(&dir)?;
        let Views { cameras: _, views, lacking } = Views::of(&contents).measured(&dir, &contents);
        if views.iter().any(|view| view.pose.is_some()) {
            return Ok(Json(Poses { views, lacking }));
        }
        let why = if views.is_empty() { "has no image on disk (yet)" } else { "has no poses" };
        let detail = format!("scan {scan} {why}: {}", lacking.join("; "));
        Err(Problem::new(ProblemType::NoPoses, detail))
    })
    .await
}
