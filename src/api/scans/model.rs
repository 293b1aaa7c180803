//! The model of the object that is made behind a scan, and its numbers.

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use http::HeaderMap;

use super::state::Scans;
use crate::api::transport::extract::Path;
use crate::api::transport::files;
use crate::api::transport::problem::{Answer, Problem};
use crate::api::transport::stored::{Length, StoredFile};
use crate::api::transport::work::on_disk;
use crate::hull::{self, Numbers};

/// How well images cover the object, by a model that is made from their masks and poses; 404 as long as there is none. While a scan
/// goes on, it is made anew every now and then.
#[utoipa::path(get, path = "/api/v1/scans/{scan}/preview", operation_id = "get_scan_preview", tag = "scans", params(("scan" = String, Path)), responses(
    (status = 200, body = Numbers),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
))]
pub(in crate::api) async fn numbers(
    State(scans): State<Scans>,
    Path(scan): Path<String>,
) -> Answer<Json<Numbers>> {
    on_disk(move || hull::numbers(&scans.folder_of(&scan)?).map(Json).ok_or_else(|| none(&scan))).await
}

/// The model itself: glTF 2.0 in one file, in metres, y up, with the colours of the photographs (`COLOR_0`), how well each part is
/// covered (`_COVERAGE`, 0 to 1; `_IMAGES`), and the cameras as nodes named after their images.
#[utoipa::path(get, path = "/api/v1/scans/{scan}/preview.glb", operation_id = "get_scan_model", tag = "scans", params(("scan" = String, Path)), responses(
    (status = 200, body = [u8], content_type = "model/gltf-binary"),
    (status = 206, body = [u8], content_type = "model/gltf-binary"),
    (status = 304),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
))]
pub(in crate::api) async fn model(
    State(scans): State<Scans>,
    headers: HeaderMap,
    Path(scan): Path<String>,
) -> Answer<Response> {
    let file = on_disk(move || {
        let dir = scans.folder_of(&scan)?;
        let found = crate::dataset::open::file(&dir, hull::FILE);
        found.map_err(|_| none(&scan))?;
        Ok(StoredFile { dir, name: hull::FILE.into(), length: Length::AtMost(hull::LONGEST) })
    })
    .await?;
    files::send(file, "model/gltf-binary", None, &headers).await
}

fn none(scan: &str) -> Problem {
    Problem::not_found(format!(
        "scan {scan} has no model (yet): it needs poses and masks; `scanner dataset hull {scan}` makes one, or says what is missing"
    ))
}
