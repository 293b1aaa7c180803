//! Which scan of the empty rig there is for each plan, and whether it still fits.

use axum::Json;
use axum::extract::State;
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::state::Scans;
use crate::api::transport::problem::{Answer, Problem};
use crate::api::transport::work::on_disk;
use crate::daemon::{PlanChoice, storage};
use crate::mask::{Fit, References};
use crate::model::Controls;

/// What there is of the empty rig.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api) struct ReferenceList {
    /// For each plan of the configuration, in its order.
    plans: Vec<PlanReference>,
}

/// What there is of the empty rig for a plan.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api) struct PlanReference {
    /// The plan's name.
    plan: String,
    /// By what masks of the next scan of this plan would be made; none if the empty rig was not photographed from any of its
    /// places.
    reference: Option<ReferenceFit>,
    /// Why the plan cannot be made out, if it cannot.
    unknown: Option<String>,
}

/// A scan of the empty rig, and how it fits the plan and the configuration of now.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api) struct ReferenceFit {
    /// The newest scan of the empty rig with an image from any place of the plan. What it lacks is looked for in older ones.
    scan: String,
    /// When it was created.
    #[schema(value_type = String, format = DateTime)]
    created: Timestamp,
    /// How many images a scan of the plan has, silhouettes included.
    images: usize,
    /// For how many of them there is one of the empty rig. A silhouette without one makes masks, but worse ones.
    matched: usize,
    /// Whether that is each of them.
    fits: bool,
    /// Why not, for people: what has changed since, or was never taken.
    lacking: Vec<String>,
    /// What is set otherwise than it was for the empty rig, so that masks may be worse; for people.
    notes: Vec<String>,
}

impl From<Fit> for ReferenceFit {
    fn from(fit: Fit) -> Self {
        let Fit { scan, created, images, matched, lacking, notes } = fit;
        let notes = notes.into_iter().collect();
        Self { scan, created, images, matched, fits: matched == images, lacking, notes }
    }
}

/// By which scan of the empty rig masks of the next scan of each plan would be made, and whether it still fits.
#[utoipa::path(get, path = "/api/v1/references", operation_id = "list_references", tag = "plans", responses(
    (status = 200, body = ReferenceList),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
    (status = "5XX", body = Problem, content_type = "application/problem+json"),
))]
pub(in crate::api) async fn references(State(scans): State<Scans>) -> Answer<Json<ReferenceList>> {
    on_disk(move || {
        let station = scans.rig.service.station();
        let config = station.config();
        let rig = storage::known_rig(&config.storage).map_err(crate::daemon::StartError::from)?;
        // A rig without a name has not scanned anything yet.
        let root = scans.index.root();
        let made = rig.filter(|_| root.is_dir()).map(|rig| References::of_rig(root, &rig)).transpose()?;
        let controls = |name: &str| -> Controls {
            let camera = config.cameras.iter().find(|camera| camera.name == name);
            camera.map(|camera| camera.controls).unwrap_or_default()
        };
        let of = |name: &String| {
            let (reference, unknown) = match station.plan(&PlanChoice::Named(name.clone())) {
                Ok(plan) => (made.as_ref().and_then(|made| made.fit(&plan, &controls)), None),
                Err(error) => (None, Some(error.to_string())),
            };
            PlanReference { plan: name.clone(), reference: reference.map(ReferenceFit::from), unknown }
        };
        Ok(Json(ReferenceList { plans: config.plans.iter().map(|plan| of(&plan.name)).collect() }))
    })
    .await
}
