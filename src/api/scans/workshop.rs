//! What a workshop has made of a scan, and its files.

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use http::{HeaderMap, HeaderValue, header};
use serde::Serialize;
use utoipa::ToSchema;

use super::state::Scans;
use crate::api::transport::extract::Path;
use crate::api::transport::files;
use crate::api::transport::problem::{Answer, Problem};
use crate::api::transport::stored::{Length, StoredFile};
use crate::api::transport::work::on_disk;
use crate::workshop::{self, WorkshopFile, WorkshopFileKind, WorkshopJob};

/// The jobs of a scan.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api) struct WorkshopJobs {
    /// The newest first; none if the scan was never offered, or nobody fetches results (`scanner fleet fetch-results`).
    jobs: Vec<WorkshopJob>,
}

/// What the workshop has made of a scan, or is making: each job that the scan was offered as, how it stood when that was last asked,
/// and what has come back.
#[utoipa::path(get, path = "/api/v1/scans/{scan}/workshop", operation_id = "list_workshop_jobs", tag = "scans", params(("scan" = String, Path)), responses(
    (status = 200, body = WorkshopJobs),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
    (status = "5XX", body = Problem, content_type = "application/problem+json"),
))]
pub(in crate::api) async fn jobs(
    State(scans): State<Scans>,
    Path(scan): Path<String>,
) -> Answer<Json<WorkshopJobs>> {
    on_disk(move || {
        let jobs = workshop::jobs(&scans.folder_of(&scan)?);
        Ok(Json(WorkshopJobs { jobs: jobs.map_err(Problem::failed)? }))
    })
    .await
}

/// A file that came back of a job: its model, its picture, its log or another one that the list of jobs has. What it is, the answer's
/// `Content-Type` says, if that is known.
#[utoipa::path(get, path = "/api/v1/scans/{scan}/workshop/{job}/{file}", operation_id = "get_workshop_file", tag = "scans",
    params(("scan" = String, Path), ("job" = String, Path), ("file" = String, Path)), responses(
    (status = 200, body = [u8], content_type = "application/octet-stream"),
    (status = 206, body = [u8], content_type = "application/octet-stream"),
    (status = 304),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
))]
pub(in crate::api) async fn file(
    State(scans): State<Scans>,
    headers: HeaderMap,
    Path((scan, job, file)): Path<(String, String, String)>,
) -> Answer<Response> {
    let (id, name) = (scan.clone(), file.clone());
    let (stored, found) = on_disk(move || {
        let dir = scans.folder_of(&id)?;
        // What the job does not name may be half of something, or somebody else's.
        let none =
            || Problem::not_found(format!("the workshop has left no file {name} of {job} in scan {id}"));
        let found = workshop::job(&dir, &job).ok_or_else(none)?;
        let found = found.files.into_iter().find(|file| file.name == name).ok_or_else(none)?;
        let stored = StoredFile {
            dir,
            name: workshop::path_of(&job, &found.name),
            length: Length::Exactly(found.bytes),
        };
        Ok((stored, found))
    })
    .await?;
    let tag = format!("\"{:08x}-{:x}\"", found.crc32c, found.bytes);
    let mut response = files::send(stored, content_type(&found.name), Some(tag), &headers).await?;
    let name = HeaderValue::from_str(&disposition(&scan, &found)).map_err(Problem::failed)?;
    response.headers_mut().insert(header::CONTENT_DISPOSITION, name);
    Ok(response)
}

/// Nothing that a browser would run: a worker chooses what is in it.
fn content_type(name: &str) -> &'static str {
    match name.rsplit_once('.').map(|(_, ending)| ending) {
        Some("glb") => "model/gltf-binary",
        Some("gltf") => "model/gltf+json",
        Some("obj") => "model/obj",
        Some("stl") => "model/stl",
        Some("jpg" | "jpeg") => "image/jpeg",
        Some("png") => "image/png",
        Some("txt" | "log") => "text/plain; charset=utf-8",
        Some(_) | None => "application/octet-stream",
    }
}

/// Pictures and logs are looked at, all else is kept, as `SCAN-NAME`.
fn disposition(scan: &str, WorkshopFile { name, kind, .. }: &WorkshopFile) -> String {
    let how = match kind {
        WorkshopFileKind::Picture | WorkshopFileKind::Log => "inline",
        WorkshopFileKind::Model | WorkshopFileKind::Other => "attachment",
    };
    let plain = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '.' | '-' | '_');
    let name: String = name.chars().map(|letter| if plain(letter) { letter } else { '_' }).collect();
    format!("{how}; filename=\"{scan}-{name}\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_browser_would_run_is_only_kept() {
        let of = |name: &str, kind| {
            let file = WorkshopFile { name: name.into(), kind, bytes: 1, crc32c: 1 };
            (content_type(name), disposition("owl", &file))
        };
        let said = |how: &'static str, name: &str| (how, name.to_owned());
        assert_eq!(
            of("log.txt", WorkshopFileKind::Log),
            said("text/plain; charset=utf-8", "inline; filename=\"owl-log.txt\"")
        );
        assert_eq!(
            of("model.glb", WorkshopFileKind::Model),
            said("model/gltf-binary", "attachment; filename=\"owl-model.glb\"")
        );
        for name in ["a.html", "a.svg", "a.js", "a", "model.HTML"] {
            let (kind, how) = of(name, WorkshopFileKind::Other);
            assert!(kind == "application/octet-stream" && how.starts_with("attachment"), "{name}");
        }
        let odd = of("ü\u{202e} \"x\".txt", WorkshopFileKind::Other);
        assert_eq!(odd.1, "attachment; filename=\"owl-____x_.txt\"");
    }
}
