//! Points that are added to a scan.

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::dataset::ScanId;
use crate::hull::{self, HullError, Proposal};
use crate::plan::{MOST_ADDED, NewPoint};
use crate::scan::ExtendedBy;

use super::state::Scans;
use super::summary::ScanSummary;
use crate::api::transport::extract::{Body, Path};
use crate::api::transport::problem::{Answer, Problem};
use crate::api::transport::work::on_disk;

/// Points that are wanted.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct NewPoints {
    /// In any order: they are visited in that of least travel time.
    #[schema(min_items = 1, max_items = 2000)]
    points: Vec<NewPoint>,
}

/// Add points to a scan, behind those of its plan. A scan under way visits them behind its own; any other one is paused, and
/// visits them when it is resumed. Until every shot of theirs is stored, the scan is not complete.
#[utoipa::path(post, path = "/api/v1/scans/{scan}/extend", operation_id = "extend_scan", tag = "scans", params(("scan" = String, Path)),
    request_body = NewPoints, responses(
    (status = 200, body = ScanSummary),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
    (status = "5XX", body = Problem, content_type = "application/problem+json"),
))]
pub(in crate::api) async fn extend(
    State(scans): State<Scans>,
    Path(scan): Path<String>,
    Body(NewPoints { points }): Body<NewPoints>,
) -> Answer<Json<ScanSummary>> {
    if !(1..=MOST_ADDED).contains(&points.len()) {
        return Err(Problem::bad_request(format!("name 1 to {MOST_ADDED} points")));
    }
    let id: ScanId = scan.parse().map_err(Problem::not_found)?;
    scans
        .rig
        .act(|service| async move { Ok(service.extend(&id, points, ExtendedBy::Person).await?) })
        .await?;
    let shared = scans.clone();
    on_disk(move || Ok(Json(shared.summary_of(&shared.folder_of(&scan)?)?))).await
}

/// Points within the axes' reach that would show what was seen too little, by the model of the object, the best first; none if
/// nothing within reach shows more. Takes some seconds. 404 as long as there is no model.
#[utoipa::path(get, path = "/api/v1/scans/{scan}/proposal", operation_id = "get_proposal", tag = "scans", params(("scan" = String, Path)), responses(
    (status = 200, body = Proposal),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
    (status = "5XX", body = Problem, content_type = "application/problem+json"),
))]
pub(in crate::api) async fn propose(
    State(scans): State<Scans>,
    Path(scan): Path<String>,
) -> Answer<Json<Proposal>> {
    on_disk(move || {
        let axes = scans.rig.config().motion.axes.clone();
        match hull::propose(&scans.folder_of(&scan)?, &axes, &|_, _| true) {
            Ok(proposal) => Ok(Json(proposal)),
            Err(error @ (HullError::NoMasks(_) | HullError::NoPoses(_))) => {
                Err(Problem::not_found(error.to_string()))
            }
            Err(error) => Err(Problem::failed(error)),
        }
    })
    .await
}
