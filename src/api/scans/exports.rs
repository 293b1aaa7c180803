//! A scan for programs that reconstruct, as a ZIP archive that is made while it is sent.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use http::HeaderMap;
use jiff::tz::TimeZone;

use crate::dataset;
use crate::export::{At, Files, Views};
use crate::model::ExportFormat;

use super::packed::{Packed, Packing};
use super::shots::stored_image;
use super::state::Scans;
use crate::api::transport::extract::Path;
use crate::api::transport::problem::{Answer, Problem};
use crate::api::transport::work::on_disk;
use crate::api::transport::zip::DosTime;

/// How the router knows it: it cannot tell a name from its ending.
pub(in crate::api) const ROUTE: &str = "/api/v1/scans/{scan}/exports/{file}";

/// The images as they are in the dataset, and what the format adds to them.
fn pack(dir: &std::path::Path, id: &str, format: ExportFormat) -> Answer<Packed> {
    let contents = dataset::read_contents(dir)?;
    let views =
        Views::of(&contents).measured(dir, &contents).with_masks(dir, &contents).merged(dir, &contents);
    if views.views.is_empty() {
        return Err(Problem::not_found(format!(
            "scan {id} has no image on disk (yet): there is nothing to export"
        )));
    }
    let zone = TimeZone::system();
    let time = |at: jiff::Timestamp| DosTime::of(&at.to_zoned(zone.clone()));
    let Files { images, masks, texts } = format.files(&views, At::Anywhere);
    let mut packing = Packing::new(format!("{id}-{format}"));
    // What is read first stands first, so that a client that breaks off has it.
    for (name, text) in texts {
        packing.bytes(&name, text.into(), time(contents.manifest.updated))?;
    }
    for (view, name) in views.views.iter().zip(images) {
        let image = stored_image(dir.to_owned(), view.image.clone(), view.bytes);
        packing.file(&name, image, time(view.taken_at))?;
    }
    for (view, name) in views.views.iter().zip(masks) {
        if let (Some(mask), Some(name)) = (&view.mask, name) {
            let file = stored_image(dir.to_owned(), mask.path.clone(), mask.bytes);
            packing.file(&name, file, time(view.taken_at))?;
        }
    }
    Ok(packing.done())
}

/// The scan as a folder that a program for reconstruction opens with every camera in its place, as far as poses are known
/// (`poses` says what is missing), as a ZIP archive. Parts of it can be had (`Range`), as long as the scan does not change
/// (`If-Range`).
#[utoipa::path(get, path = "/api/v1/scans/{scan}/exports/{format}.zip", operation_id = "get_scan_export", tag = "scans",
    params(("scan" = String, Path), ("format" = ExportFormat, Path, description = "The program that it is for.")), responses(
    (status = 200, body = [u8], content_type = "application/zip"),
    (status = 206, body = [u8], content_type = "application/zip"),
    (status = 304),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
))]
pub(in crate::api) async fn export(
    State(scans): State<Scans>,
    headers: HeaderMap,
    Path((scan, file)): Path<(String, String)>,
) -> Answer<Response> {
    let named = file.strip_suffix(".zip");
    let named =
        named.ok_or_else(|| Problem::not_found(format!("there is no export {file}: FORMAT.zip is one")));
    let format: ExportFormat = named?.parse().map_err(Problem::not_found)?;
    let (shared, id) = (scans.clone(), scan.clone());
    let packed = on_disk(move || pack(&shared.folder_of(&id)?, &id, format).map(Arc::new)).await?;
    // The id of a scan has no character that would have to be escaped.
    packed.respond(&scans, &headers, &format!("{scan}-{format}.zip"))
}
