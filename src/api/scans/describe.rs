//! What a scan is called.

use axum::Json;
use axum::extract::State;

use crate::dataset::ScanId;
use crate::scan::DescriptionChanges;

use super::state::Scans;
use super::summary::ScanSummary;
use crate::api::transport::extract::{MergePatch, Path};
use crate::api::transport::problem::{Answer, Problem};
use crate::api::transport::work::on_disk;

/// Change name, note and tags of a scan, also while it is under way: a JSON merge patch (RFC 7396), in which what is absent
/// stays, and `null` takes away. Its id, its files and how it stands do not change.
#[utoipa::path(patch, path = "/api/v1/scans/{scan}", operation_id = "describe_scan", tag = "scans", params(("scan" = String, Path)),
    request_body = DescriptionChanges, responses(
    (status = 200, body = ScanSummary),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
    (status = "5XX", body = Problem, content_type = "application/problem+json"),
))]
pub(in crate::api) async fn describe(
    State(scans): State<Scans>,
    Path(scan): Path<String>,
    MergePatch(changes): MergePatch<DescriptionChanges>,
) -> Answer<Json<ScanSummary>> {
    let id: ScanId = scan.parse().map_err(Problem::not_found)?;
    scans.rig.act(|service| async move { Ok(service.describe(&id, changes).await?) }).await?;
    let shared = scans.clone();
    on_disk(move || Ok(Json(shared.summary_of(&shared.folder_of(&scan)?)?))).await
}
