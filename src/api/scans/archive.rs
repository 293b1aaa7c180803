//! The whole dataset of a scan as one ZIP archive, or any part of it.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use http::HeaderMap;
use jiff::tz::TimeZone;

use crate::dataset::{self, open};
use crate::scan::RecordedFile;

use super::packed::{Packed, Packing};
use super::shots::{stored_image, stored_thumbnail};
use super::state::Scans;
use crate::api::transport::extract::Path;
use crate::api::transport::problem::{Answer, Problem};
use crate::api::transport::stored::{Length, StoredFile};
use crate::api::transport::work::on_disk;
use crate::api::transport::zip::DosTime;

/// Of the files that the scan's records know, and those that describe it.
fn pack(dir: &std::path::Path, id: &str) -> Answer<Packed> {
    let contents = dataset::read_contents(dir)?;
    let zone = TimeZone::system();
    let time = |at: jiff::Timestamp| DosTime::of(&at.to_zoned(zone.clone()));
    let created = time(contents.manifest.created);
    let mut packing = Packing::new(id.to_owned());
    let stored = |name: String, length| StoredFile { dir: dir.to_owned(), name, length };
    // Of a scan under way these grow: they are as they are now.
    for (name, limit) in dataset::DESCRIPTIONS {
        packing.file_as_it_is(name, &stored(name.to_owned(), Length::AtMost(limit)), created)?;
    }
    for shot in contents.tally().stored() {
        let Some(files) = contents.files(shot.shot) else { continue };
        let at = time(shot.facts.taken_at);
        for RecordedFile { path, bytes, .. } in shot.files() {
            packing.file(&path, stored_image(dir.to_owned(), path.clone(), bytes), at)?;
        }
        let metadata = stored(files.metadata.clone(), Length::AtMost(open::DESCRIPTION));
        packing.file(&files.metadata, metadata, at)?;
        let thumbnail = stored_thumbnail(dir.to_owned(), files.thumbnail.clone());
        packing.file_if_there(&files.thumbnail, thumbnail, at)?;
    }
    Ok(packing.done())
}

/// The whole dataset as a ZIP archive, nothing compressed. Parts of it can be had (`Range`), as long as the scan does
/// not change (`If-Range`).
#[utoipa::path(get, path = "/api/v1/scans/{scan}/archive.zip", operation_id = "get_scan_archive", tag = "scans", params(("scan" = String, Path)), responses(
    (status = 200, body = [u8], content_type = "application/zip"),
    (status = 206, body = [u8], content_type = "application/zip"),
    (status = 304),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
))]
pub(in crate::api) async fn archive(
    State(scans): State<Scans>,
    headers: HeaderMap,
    Path(scan): Path<String>,
) -> Answer<Response> {
    let (shared, id) = (scans.clone(), scan.clone());
    let packed = on_disk(move || pack(&shared.folder_of(&id)?, &id).map(Arc::new)).await?;
    // The id of a scan has no character that would have to be escaped.
    packed.respond(&scans, &headers, &format!("{scan}.zip"))
}
