//! The report of a scan, made when somebody wants to see it.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, header};

use super::state::Scans;
use crate::api::transport::extract::Path;
use crate::api::transport::problem::{Answer, Problem};
use crate::api::transport::work::on_disk;
use crate::report;

/// The page has everything in itself, and does nothing.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; \
    form-action 'none'; frame-ancestors 'none'";

/// The report of a scan as it is now: one page for people, with its measurements, its worst images, and where the cameras
/// stood.
#[utoipa::path(get, path = "/api/v1/scans/{scan}/report", operation_id = "get_scan_report", tag = "scans", params(("scan" = String, Path)), responses(
    (status = 200, body = String, content_type = "text/html"),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
))]
pub(in crate::api) async fn report(State(scans): State<Scans>, Path(scan): Path<String>) -> Answer<Response> {
    let shared = scans.clone();
    on_disk(move || {
        let page = report::html(&shared.folder_of(&scan)?)?;
        let mut response = page.into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
        headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(CONTENT_SECURITY_POLICY));
        Ok(response)
    })
    .await
}
