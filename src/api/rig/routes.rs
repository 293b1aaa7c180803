//! What is done to the rig: pause, cancel, clear, home, move by hand.

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::model::{Axis, AxisConfig, Pose};

use super::state::Rig;
use crate::api::transport::extract::{Body, MaybeBody};
use crate::api::transport::problem::{Answer, Problem, ProblemType};

/// The axes of the rig, and where they stand.
#[expect(clippy::struct_field_names, reason = "as a client reads it")]
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api) struct Axes {
    /// Where they stand; axes that the rig lacks stand at zero.
    pose: Pose,
    /// Why they are stopped until somebody clears it.
    fault: Option<String>,
    /// Those that the rig has.
    axes: Vec<AxisInfo>,
}

/// What an axis can do.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api) struct AxisInfo {
    /// The name of the axis.
    axis: Axis,
    /// The unit of its positions: `deg` or `mm`.
    unit: &'static str,
    /// Lowest and highest position; a turntable has none.
    travel: Option<[f64; 2]>,
}

/// A move by hand.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct Jog {
    /// The axis that is to move.
    axis: Axis,
    /// How far, in the axis' unit, with its sign.
    #[schema(minimum = -10000, maximum = 10000)]
    distance: f64,
}

/// Which axes to home.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub(in crate::api) struct Home {
    /// Which; those of which it is not known where they stand, if empty.
    axes: Vec<Axis>,
}

/// Why a scan is to stop.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub(in crate::api) struct Stop {
    /// Only if this is the scan under way.
    scan: Option<String>,
}

fn same_scan(rig: &Rig, stop: &Stop) -> Answer<()> {
    let Some(wanted) = &stop.scan else { return Ok(()) };
    match rig.service.status() {
        status if status.scanning && status.scan.as_ref().is_some_and(|scan| scan.scan == *wanted) => Ok(()),
        _ => Err(Problem::new(ProblemType::NoScan, format!("scan {wanted} is not under way"))),
    }
}

/// Stop the scan under way so that it can go on later. It has stopped when the status says so.
#[utoipa::path(post, path = "/api/v1/rig/pause", operation_id = "pause_scan", tag = "rig", request_body = Option<Stop>, responses(
    (status = 202),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
))]
pub(in crate::api) async fn pause(
    State(rig): State<Rig>,
    MaybeBody(stop): MaybeBody<Stop>,
) -> Answer<StatusCode> {
    same_scan(&rig, &stop)?;
    let paused = rig.service.pause("asked for through the API");
    paused.map(|()| StatusCode::ACCEPTED).map_err(|error| Problem::new(ProblemType::NoScan, error))
}

/// Stop the scan under way for good. What it has stored stays.
#[utoipa::path(post, path = "/api/v1/rig/cancel", operation_id = "cancel_scan", tag = "rig", request_body = Option<Stop>, responses(
    (status = 202),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
))]
pub(in crate::api) async fn cancel(
    State(rig): State<Rig>,
    MaybeBody(stop): MaybeBody<Stop>,
) -> Answer<StatusCode> {
    same_scan(&rig, &stop)?;
    let cancelled = rig.service.cancel();
    cancelled.map(|()| StatusCode::ACCEPTED).map_err(|error| Problem::new(ProblemType::NoScan, error))
}

/// Let the axes move again after an emergency stop or another fault. Moves nothing.
#[utoipa::path(post, path = "/api/v1/rig/clear", operation_id = "clear_fault", tag = "rig", responses(
    (status = 204),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
))]
pub(in crate::api) async fn clear(State(rig): State<Rig>) -> Answer<StatusCode> {
    rig.act(|service| async move { Ok(service.station().axes().clear()?) }).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Where the axes stand, and how far they reach.
#[utoipa::path(get, path = "/api/v1/axes", operation_id = "get_axes", tag = "rig", responses((status = 200, body = Axes)))]
pub(in crate::api) async fn axes(State(rig): State<Rig>) -> Json<Axes> {
    let station = rig.service.station();
    let info = |config: &AxisConfig| AxisInfo {
        axis: config.axis,
        unit: config.axis.unit(),
        travel: config.travel.map(|(low, high)| [low, high]),
    };
    let axes = station.config().motion.axes.iter().map(info).collect();
    Json(Axes { pose: station.axes().pose(), fault: station.axes().fault(), axes })
}

/// Move one axis by a distance, between scans; answers when it is at rest.
#[utoipa::path(post, path = "/api/v1/axes/jog", operation_id = "jog_axis", tag = "rig", request_body = Jog, responses(
    (status = 204),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
))]
pub(in crate::api) async fn jog(State(rig): State<Rig>, Body(jog): Body<Jog>) -> Answer<StatusCode> {
    if !rig.config().motion.axes.iter().any(|axis| axis.axis == jog.axis) {
        return Err(Problem::not_found(format!("the rig has no {}", jog.axis)));
    }
    if jog.distance.is_nan() || jog.distance.abs() > 10_000.0 {
        return Err(Problem::bad_request("a distance is from -10000 to 10000"));
    }
    rig.act(move |service| async move { Ok(service.jog(jog.axis, jog.distance).await?) }).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Find out where axes stand, between scans: by their switch, or by taking the word of whoever asks.
#[utoipa::path(post, path = "/api/v1/axes/home", operation_id = "home_axes", tag = "rig", request_body = Option<Home>, responses(
    (status = 204),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
))]
pub(in crate::api) async fn home(
    State(rig): State<Rig>,
    MaybeBody(home): MaybeBody<Home>,
) -> Answer<StatusCode> {
    rig.act(move |service| async move { Ok(service.home(&home.axes).await?) }).await?;
    Ok(StatusCode::NO_CONTENT)
}
