//! Plans: those of the configuration, and those that a person makes up.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::config::{self, inline_plan};
use crate::daemon::{PlanChoice, Service};
use crate::model::{Lighting, Pose};
use crate::plan::geometry::{CameraPose, Vec3};
use crate::plan::{self, Plan};
use crate::units::{Degrees, Dioptres, Millimetres, Stops};

use crate::api::rig::state::Rig;
use crate::api::transport::extract::{Body, Path};
use crate::api::transport::problem::{Answer, Problem, ProblemType};
use crate::api::transport::work::on_disk;

/// A plan in the words of a `[plan.NAME]` of the configuration, where each key is documented. Which ones there must be
/// depends on `shape`.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct InlinePlan {
    /// Which poses it covers.
    shape: Shape,
    /// In which order points are visited; by the least travel if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    order: Option<Order>,
    /// Lens positions, each of which gives an image at every point.
    #[serde(skip_serializing_if = "Option::is_none")]
    focus: Option<Vec<Dioptres>>,
    /// Exposures in stops from the usual one, each of which gives an image at every point and lens position.
    #[serde(skip_serializing_if = "Option::is_none")]
    bracket: Option<Vec<Stops>>,
    /// Points of a ring, or of each ring of a cylinder.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 10000)]
    angles: Option<u32>,
    /// Of a cylinder: positions of the lift.
    #[serde(skip_serializing_if = "Option::is_none")]
    heights: Option<Vec<Millimetres>>,
    /// Of a ring: position of the lift.
    #[serde(skip_serializing_if = "Option::is_none")]
    height: Option<Millimetres>,
    /// Of a ring: position of the tilt.
    #[serde(skip_serializing_if = "Option::is_none")]
    tilt: Option<Degrees>,
    /// Of a sphere: how many.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 10000)]
    points: Option<u32>,
    /// Of a sphere: how its points are spread.
    #[serde(skip_serializing_if = "Option::is_none")]
    distribution: Option<Distribution>,
    /// Of a sphere whose points are spread evenly: what decides where they are; the spiral if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    travel: Option<Travel>,
    /// Of a sphere by rings: how many.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 10000)]
    rings: Option<u32>,
    /// Of a sphere: its lowest tilt.
    #[serde(skip_serializing_if = "Option::is_none")]
    min_tilt: Option<Degrees>,
    /// Of a sphere: its highest tilt.
    #[serde(skip_serializing_if = "Option::is_none")]
    max_tilt: Option<Degrees>,
}

/// What a plan covers.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(in crate::api) enum Shape {
    /// Rings at heights of the lift.
    Cylinder,
    /// One turn of the turntable.
    Ring,
    /// Tilts from `min_tilt` to `max_tilt`.
    Sphere,
    /// The points of a file; only in the configuration.
    List,
}

/// The order of points.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(in crate::api) enum Order {
    /// By the least travel time.
    Fastest,
    /// As they are generated.
    Given,
}

/// How the points of a sphere are spread.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(in crate::api) enum Distribution {
    /// Each with the same area.
    Fibonacci,
    /// On rings of equal tilt.
    Rings,
}

/// What decides where the evenly spread points of a sphere are.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(in crate::api) enum Travel {
    /// The spiral.
    Given,
    /// The least travel time, with no larger gaps than those of the spiral.
    Least,
}

/// A plan of the configuration.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api) struct PlanInfo {
    /// What to start it by.
    name: String,
    /// What it covers, in the words of its table.
    plan: InlinePlan,
}

/// All plans of the configuration.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api) struct PlanList {
    /// The first is the one that the start button starts.
    plans: Vec<PlanInfo>,
}

/// A plan, made out.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api) struct PlanDetail {
    /// The points, in the order in which they are visited.
    points: Vec<PlanPoint>,
    /// The names of the cameras, each of which takes one image at each point. Shot `s` is that of camera `s % n` at
    /// point `s / n` (from 0), where `n` is their number.
    cameras: Vec<String>,
    /// How many images a scan of it has: points times cameras.
    shots: u32,
    /// Seconds that the axes will move.
    travel_s: f64,
    /// Seconds that a scan will take, roughly.
    estimate_s: f64,
}

/// A point of a plan.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api) struct PlanPoint {
    /// What its files are named by.
    label: String,
    /// Where the axes stand.
    pose: Pose,
    /// Lens position of every camera, if the plan says.
    focus: Option<Dioptres>,
    /// How much more than usual every camera exposes, if the plan says.
    #[serde(skip_serializing_if = "Option::is_none")]
    bracket: Option<Stops>,
    /// How the object is lit, from the front if absent: with a backlight, its images are silhouettes.
    #[serde(skip_serializing_if = "Lighting::is_front")]
    lighting: Lighting,
    /// Where each camera stands in the object's frame, which turns with the turntable: x, y and z (up) in millimetres;
    /// none if its mount is not configured.
    eyes: Vec<Option<Eye>>,
}

/// Where a camera stands and looks.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api) struct Eye {
    /// x, y, z in millimetres.
    at: [f64; 3],
    /// Unit vector along its optical axis.
    forward: [f64; 3],
}

impl From<CameraPose> for Eye {
    fn from(pose: CameraPose) -> Self {
        let (at, forward): (Vec3, Vec3) = (pose.centre(), pose.forward());
        Self { at, forward }
    }
}

impl InlinePlan {
    /// This plan, checked as one of the configuration would be.
    pub(in crate::api) fn checked(&self, service: &Service) -> Answer<PlanChoice> {
        let keys = match serde_json::to_value(self) {
            Ok(serde_json::Value::Object(keys)) => keys,
            Ok(_) => return Err(Problem::failed("a plan that is no object")),
            Err(error) => return Err(Problem::failed(error)),
        };
        let plan = inline_plan(&keys, &service.station().config().motion)
            .map_err(|mistakes| Problem::new(ProblemType::Plan, mistakes.join("; ")))?;
        Ok(PlanChoice::Inline(Box::new(plan)))
    }

    fn of(plan: &config::NamedPlan) -> Self {
        let order = match plan.order {
            config::PlanOrder::Fastest => Order::Fastest,
            config::PlanOrder::Given => Order::Given,
        };
        let empty = Self {
            shape: Shape::List,
            order: Some(order),
            focus: (!plan.focus.is_empty()).then(|| plan.focus.clone()),
            bracket: (!plan.bracket.is_empty()).then(|| plan.bracket.clone()),
            angles: None,
            heights: None,
            height: None,
            tilt: None,
            points: None,
            distribution: None,
            travel: None,
            rings: None,
            min_tilt: None,
            max_tilt: None,
        };
        match plan.shape.clone() {
            config::PlanShape::Cylinder { angles, heights } => {
                Self { shape: Shape::Cylinder, angles: Some(angles), heights: Some(heights), ..empty }
            }
            config::PlanShape::Ring { angles, height, tilt } => Self {
                shape: Shape::Ring,
                angles: Some(angles),
                height: Some(height),
                tilt: Some(tilt),
                ..empty
            },
            config::PlanShape::LatitudeSphere { points, rings, min_tilt, max_tilt } => Self {
                shape: Shape::Sphere,
                points: Some(points),
                distribution: Some(Distribution::Rings),
                rings: Some(rings),
                min_tilt: Some(min_tilt),
                max_tilt: Some(max_tilt),
                ..empty
            },
            config::PlanShape::FibonacciSphere { points, min_tilt, max_tilt, travel } => Self {
                travel: match travel {
                    config::SphereTravel::Given => None,
                    config::SphereTravel::Least => Some(Travel::Least),
                },
                shape: Shape::Sphere,
                points: Some(points),
                min_tilt: Some(min_tilt),
                max_tilt: Some(max_tilt),
                ..empty
            },
            // Where the file is, is nobody's business.
            config::PlanShape::List { file: _ } => empty,
        }
    }
}

impl PlanDetail {
    /// What a client draws of `plan`.
    pub(in crate::api) fn of(plan: &Plan, config: &config::Config, start: &Pose) -> Self {
        let axes = &config.motion.axes;
        let estimate = plan::estimate(plan, axes, start, &plan::Pace::of(config));
        let eyes = |pose: &Pose| {
            let eye = |camera: &plan::PlanCamera| camera.pose(pose).map(Into::into);
            plan.cameras.iter().map(eye).collect()
        };
        let point = |point: &plan::Point| PlanPoint {
            label: point.label.clone(),
            pose: point.pose,
            focus: point.focus,
            bracket: point.bracket,
            lighting: point.lighting,
            eyes: eyes(&point.pose),
        };
        Self {
            points: plan.points.iter().map(point).collect(),
            cameras: plan.cameras.iter().map(|camera| camera.name.clone()).collect(),
            shots: plan.shot_count(),
            travel_s: plan::travel(plan, axes, start).as_secs_f64(),
            estimate_s: estimate.as_secs_f64(),
        }
    }
}

/// The plans of the configuration.
#[utoipa::path(get, path = "/api/v1/plans", operation_id = "list_plans", tag = "plans", responses((status = 200, body = PlanList)))]
pub(in crate::api) async fn plans(State(rig): State<Rig>) -> Json<PlanList> {
    let plans = rig.config().plans.iter();
    let plans = plans.map(|plan| PlanInfo { name: plan.name.clone(), plan: InlinePlan::of(plan) });
    Json(PlanList { plans: plans.collect() })
}

/// A plan of the configuration, made out from where the axes stand now.
#[utoipa::path(get, path = "/api/v1/plans/{name}", operation_id = "get_plan", tag = "plans", params(("name" = String, Path)), responses(
    (status = 200, body = PlanDetail),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
))]
pub(in crate::api) async fn plan(
    State(rig): State<Rig>,
    Path(name): Path<String>,
) -> Answer<Json<PlanDetail>> {
    let known = rig.config().plans.iter().any(|plan| plan.name == name);
    if !known {
        return Err(Problem::not_found(format!("there is no plan {name:?} in the configuration")));
    }
    detail(&rig, PlanChoice::Named(name)).await
}

/// The plan in the body, made out from where the axes stand now; nothing is kept of it.
#[utoipa::path(post, path = "/api/v1/plans/preview", operation_id = "preview_plan", tag = "plans", request_body = InlinePlan, responses(
    (status = 200, body = PlanDetail),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
))]
pub(in crate::api) async fn preview(
    State(rig): State<Rig>,
    Body(plan): Body<InlinePlan>,
) -> Answer<Json<PlanDetail>> {
    let choice = plan.checked(&rig.service)?;
    detail(&rig, choice).await
}

/// The order of a large plan takes its time.
async fn detail(rig: &Rig, choice: PlanChoice) -> Answer<Json<PlanDetail>> {
    let rig = rig.clone();
    on_disk(move || {
        let station = rig.service.station();
        let plan = station.plan(&choice)?;
        Ok(Json(PlanDetail::of(&plan, station.config(), &station.axes().pose())))
    })
    .await
}
