//! The shots of a scan, each with its state and its files.

use std::path::PathBuf;

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use http::HeaderMap;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::dataset::{self, Contents, ScanId, ShotState, open};
use crate::event::ShotName;
use crate::model::Lighting;
use crate::plan::ShotIndex;
use crate::scan::{FrameFacts, RecordedFile, Stored};

use super::state::Scans;
use super::summary::ScanSummary;
use crate::api::transport::extract::{Body, Path};
use crate::api::transport::files;
use crate::api::transport::problem::{Answer, Problem};
use crate::api::transport::stored::{Length, StoredFile};
use crate::api::transport::work::on_disk;

/// Most shots of one wish.
const MAX_RETAKES: usize = 10_000;

/// Every shot of a scan.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api) struct ShotList {
    /// In the order of the plan.
    shots: Vec<Shot>,
}

/// A shot of a scan.
#[expect(clippy::struct_field_names, reason = "as a client reads it")]
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api) struct Shot {
    /// Its index in the plan.
    shot: u32,
    /// Its point in the order of execution, from 1.
    point: u32,
    /// Label of the point, by which its files are named.
    label: String,
    /// The camera that takes it.
    camera: String,
    /// How the object is lit, from the front if absent: with a backlight, it is a silhouette.
    #[serde(skip_serializing_if = "Lighting::is_front")]
    lighting: Lighting,
    /// How many attempts there were.
    attempts: u32,
    #[serde(flatten)]
    state: ShotOutcome,
}

/// How a shot stands.
#[derive(Debug, Serialize, ToSchema)]
#[serde(tag = "state", rename_all = "snake_case")]
pub(in crate::api) enum ShotOutcome {
    /// Still to be taken.
    Pending,
    /// Tried in vain; it is tried again when the scan goes on.
    Failed {
        /// What the last attempt failed with, for people.
        reason: String,
    },
    /// On the disk, as the journal says.
    Done {
        /// The image's path in the dataset.
        image: String,
        /// Its length in bytes.
        bytes: u64,
        /// Its other files, such as a raw one: `/shots/{shot}/files/{suffix}`.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        beside: Vec<RecordedFile>,
        /// What the camera and the measurement say of it.
        facts: Box<FrameFacts>,
    },
}

fn shots_of(contents: &Contents) -> Vec<Shot> {
    let (plan, tally) = (&contents.plan, contents.tally());
    let shot = |index: ShotIndex| {
        let attempts = contents.attempts(index);
        let state = match tally.shot(index) {
            None | Some(ShotState::Pending) => ShotOutcome::Pending,
            Some(ShotState::Failed { reason }) => ShotOutcome::Failed { reason: reason.clone() },
            Some(ShotState::Done(Stored { image, bytes, beside, attempt, facts, .. })) => {
                let mut facts = Box::new(facts.clone());
                if let Some(verdict) = contents.flagged(index, *attempt) {
                    facts.verdict = Some(Box::new(verdict.clone()));
                }
                ShotOutcome::Done { image: image.clone(), bytes: *bytes, beside: beside.clone(), facts }
            }
        };
        let ShotName { shot, point, label, camera } = ShotName::of(plan, index);
        let lighting = plan.lighting_of(index);
        Shot { shot, point, label, camera, lighting, attempts, state }
    };
    plan.shots().map(shot).collect()
}

/// Every shot of a scan, and how it stands.
#[utoipa::path(get, path = "/api/v1/scans/{scan}/shots", operation_id = "list_shots", tag = "scans", params(("scan" = String, Path)), responses(
    (status = 200, body = ShotList),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
))]
pub(in crate::api) async fn shots(
    State(scans): State<Scans>,
    Path(scan): Path<String>,
) -> Answer<Json<ShotList>> {
    let shared = scans.clone();
    on_disk(move || {
        let contents = dataset::read_contents(&shared.folder_of(&scan)?)?;
        Ok(Json(ShotList { shots: shots_of(&contents) }))
    })
    .await
}

/// Shots that are wanted again.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct Retake {
    /// Their indices in the plan.
    #[schema(min_items = 1, max_items = 10_000)]
    shots: Vec<u32>,
}

/// Take shots again. A scan under way takes them at its next step; any other one is paused, and takes them when it is
/// resumed. Until then they are pending. The images that they had are kept in the dataset, in `retaken/`.
#[utoipa::path(post, path = "/api/v1/scans/{scan}/retake", operation_id = "retake_shots", tag = "scans", params(("scan" = String, Path)),
    request_body = Retake, responses(
    (status = 200, body = ScanSummary),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
    (status = "5XX", body = Problem, content_type = "application/problem+json"),
))]
pub(in crate::api) async fn retake(
    State(scans): State<Scans>,
    Path(scan): Path<String>,
    Body(Retake { shots }): Body<Retake>,
) -> Answer<Json<ScanSummary>> {
    if !(1..=MAX_RETAKES).contains(&shots.len()) {
        return Err(Problem::bad_request(format!("name 1 to {MAX_RETAKES} shots")));
    }
    let id: ScanId = scan.parse().map_err(Problem::not_found)?;
    let shots = shots.into_iter().map(ShotIndex).collect();
    scans.rig.act(|service| async move { Ok(service.retake(&id, shots).await?) }).await?;
    let shared = scans.clone();
    on_disk(move || Ok(Json(shared.summary_of(&shared.folder_of(&scan)?)?))).await
}

/// The image and the thumbnail of a shot, and the tag of its image.
async fn files_of(scans: &Scans, scan: String, shot: u32) -> Answer<(StoredFile, StoredFile, String)> {
    let shared = scans.clone();
    on_disk(move || {
        let dir = shared.folder_of(&scan)?;
        let contents = dataset::read_contents(&dir)?;
        let index = ShotIndex(shot);
        let files = contents.files(index);
        let files = files.ok_or_else(|| Problem::not_found(format!("scan {scan} has no shot {shot}")))?;
        match contents.tally().shot(index) {
            Some(ShotState::Done(Stored { bytes, crc32c, .. })) => {
                let tag = format!("{crc32c:08x}-{bytes:x}");
                let image = stored_image(dir.clone(), files.image, *bytes);
                Ok((image, stored_thumbnail(dir, files.thumbnail), tag))
            }
            Some(ShotState::Pending | ShotState::Failed { .. }) | None => {
                Err(Problem::not_found(format!("shot {shot} of scan {scan} is not on disk (yet)")))
            }
        }
    })
    .await
}

/// An image or another file of a shot, which is as long as its record says.
pub(super) fn stored_image(dir: PathBuf, name: String, bytes: u64) -> StoredFile {
    StoredFile { dir, name, length: Length::Exactly(bytes.min(open::IMAGE)) }
}

/// A thumbnail, of which nothing is recorded.
pub(super) fn stored_thumbnail(dir: PathBuf, name: String) -> StoredFile {
    StoredFile { dir, name, length: Length::AtMost(open::THUMBNAIL) }
}

/// The photograph of a shot.
#[utoipa::path(get, path = "/api/v1/scans/{scan}/shots/{shot}/image", operation_id = "get_shot_image", tag = "scans",
    params(("scan" = String, Path), ("shot" = u32, Path)), responses(
    (status = 200, body = [u8], content_type = "image/jpeg"),
    (status = 206, body = [u8], content_type = "image/jpeg"),
    (status = 304),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
))]
pub(in crate::api) async fn image(
    State(scans): State<Scans>,
    headers: HeaderMap,
    Path((scan, shot)): Path<(String, u32)>,
) -> Answer<Response> {
    let (image, _, tag) = files_of(&scans, scan, shot).await?;
    files::send(image, "image/jpeg", Some(format!("\"{tag}\"")), &headers).await
}

/// A file of a shot, as the camera made it: by what its name ends in, without the dot.
#[utoipa::path(get, path = "/api/v1/scans/{scan}/shots/{shot}/files/{suffix}", operation_id = "get_shot_file", tag = "scans",
    params(("scan" = String, Path), ("shot" = u32, Path), ("suffix" = String, Path)), responses(
    (status = 200, body = [u8], content_type = "application/octet-stream"),
    (status = 206, body = [u8], content_type = "application/octet-stream"),
    (status = 304),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
))]
pub(in crate::api) async fn file(
    State(scans): State<Scans>,
    headers: HeaderMap,
    Path((scan, shot, suffix)): Path<(String, u32, String)>,
) -> Answer<Response> {
    let shared = scans.clone();
    let (file, tag) = on_disk(move || {
        let dir = shared.folder_of(&scan)?;
        let contents = dataset::read_contents(&dir)?;
        let Some(ShotState::Done(stored)) = contents.tally().shot(ShotIndex(shot)) else {
            return Err(Problem::not_found(format!("shot {shot} of scan {scan} is not on disk (yet)")));
        };
        let ends =
            |file: &RecordedFile| file.path.rsplit_once('.').is_some_and(|(_, ending)| ending == suffix);
        let RecordedFile { path, bytes, crc32c } = stored.files().find(ends).ok_or_else(|| {
            Problem::not_found(format!("shot {shot} of scan {scan} has no file that ends in .{suffix}"))
        })?;
        Ok((stored_image(dir, path, bytes), format!("\"{crc32c:08x}-{bytes:x}\"")))
    })
    .await?;
    files::send(file, "application/octet-stream", Some(tag), &headers).await
}

/// A small picture of a shot; of one whose thumbnail is missing, there is none.
#[utoipa::path(get, path = "/api/v1/scans/{scan}/shots/{shot}/thumbnail", operation_id = "get_shot_thumbnail", tag = "scans",
    params(("scan" = String, Path), ("shot" = u32, Path)), responses(
    (status = 200, body = [u8], content_type = "image/jpeg"),
    (status = 206, body = [u8], content_type = "image/jpeg"),
    (status = 304),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
))]
pub(in crate::api) async fn thumbnail(
    State(scans): State<Scans>,
    headers: HeaderMap,
    Path((scan, shot)): Path<(String, u32)>,
) -> Answer<Response> {
    let (_, thumbnail, tag) = files_of(&scans, scan, shot).await?;
    files::send(thumbnail, "image/jpeg", Some(format!("\"t-{tag}\"")), &headers).await
}

/// A small picture of a scan: of its first shot that is on disk.
#[utoipa::path(get, path = "/api/v1/scans/{scan}/thumbnail", operation_id = "get_scan_thumbnail", tag = "scans",
    params(("scan" = String, Path)), responses(
    (status = 200, body = [u8], content_type = "image/jpeg"),
    (status = 206, body = [u8], content_type = "image/jpeg"),
    (status = 304),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
))]
pub(in crate::api) async fn cover(
    State(scans): State<Scans>,
    headers: HeaderMap,
    Path(scan): Path<String>,
) -> Answer<Response> {
    let shared = scans.clone();
    let (thumbnail, tag) = on_disk(move || {
        let dir = shared.folder_of(&scan)?;
        let contents = dataset::read_contents(&dir)?;
        let tally = contents.tally();
        let first = tally
            .stored()
            .find_map(|stored| Some((contents.files(stored.shot)?, stored.crc32c, stored.bytes)));
        let (files, crc32c, bytes) =
            first.ok_or_else(|| Problem::not_found(format!("scan {scan} has no image on disk (yet)")))?;
        Ok((stored_thumbnail(dir, files.thumbnail), format!("\"t-{crc32c:08x}-{bytes:x}\"")))
    })
    .await?;
    files::send(thumbnail, "image/jpeg", Some(tag), &headers).await
}
