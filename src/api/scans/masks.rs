//! Masks of a scan's images: made in the background, told of, and sent.

use std::collections::HashMap;

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use http::{HeaderMap, StatusCode};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::state::Scans;
use crate::api::transport::extract::{MaybeBody, Path};
use crate::api::transport::files;
use crate::api::transport::problem::{Answer, Problem, ProblemType};
use crate::api::transport::stored::{Length, StoredFile};
use crate::api::transport::work::on_disk;
use crate::daemon::{MaskProgress, MasksEnd};
use crate::dataset::{self, Contents, ScanId, ShotState};
use crate::mask::{self, Remake, Report, Wish};
use crate::model::Lighting;
use crate::plan::ShotIndex;
use crate::scan::Stored;

/// Longest side of a small one.
const SMALL: u32 = 320;

/// Which masks are wanted.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub(in crate::api) struct MaskWish {
    /// The id of the scan of the empty rig to make them by; if absent, the newest that the same rig made before this scan.
    reference: Option<String>,
    /// Whether those are made again, too, that are there and right.
    again: bool,
}

/// The masks of a scan.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api) struct MaskList {
    /// Whether masks are being made, or what came of it last.
    making: MaskMaking,
    /// Images that have a mask, in the order of the plan.
    masks: Vec<ShotMask>,
    /// Images that have none.
    without: Vec<ShotWithoutMask>,
    /// What was otherwise when the reference was made, so that masks may be worse; for people.
    notes: Vec<String>,
}

/// Whether masks of a scan are being made, or what came of it last.
#[derive(Debug, Serialize, ToSchema)]
#[serde(tag = "state", rename_all = "snake_case")]
pub(in crate::api) enum MaskMaking {
    /// Nobody has wanted any since the program started, or it is not remembered.
    Idle,
    /// They are being made, or wait for the rig.
    UnderWay {
        /// Images that are done, with a mask or found to have none.
        done: usize,
        /// Images in all.
        images: usize,
        /// Whether it waits, for a scan or an export to end.
        waiting: bool,
    },
    /// They were made, of all images that can have one.
    Made,
    /// Somebody gave it up; masks that were made before stay.
    Cancelled,
    /// It came to nothing, or not to its end.
    Failed {
        /// Why, for people.
        message: String,
    },
}

/// The mask of a shot.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api) struct ShotMask {
    /// The shot's index in the plan.
    shot: u32,
    /// Part of the image that the object covers.
    covered: f64,
    /// The id of the scan of the empty rig that it was made by, if there was one.
    reference: Option<String>,
    /// The path of the silhouette in the dataset that it was made by, if there was one.
    silhouette: Option<String>,
}

/// A shot whose image has no mask.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api) struct ShotWithoutMask {
    /// The shot's index in the plan.
    shot: u32,
    /// Why there is none, for people; none if none was made yet, or it is not remembered.
    reason: Option<String>,
}

impl MaskMaking {
    const fn of(progress: &MaskProgress) -> Self {
        let &MaskProgress { scan: _, done, images, waiting } = progress;
        Self::UnderWay { done, images, waiting }
    }

    fn ended(end: Option<MasksEnd>) -> (Self, Report) {
        match end {
            None => (Self::Idle, Report::default()),
            Some(MasksEnd::Made(report)) => (Self::Made, report),
            Some(MasksEnd::Cancelled) => (Self::Cancelled, Report::default()),
            Some(MasksEnd::Failed { message }) => (Self::Failed { message }, Report::default()),
        }
    }
}

impl MaskList {
    /// What there is in the dataset at `dir`, from which `contents` were read.
    fn of(dir: &std::path::Path, contents: &Contents, making: MaskMaking, report: Report) -> Self {
        let reasons: HashMap<String, String> =
            report.without.into_iter().map(|without| (without.image, without.reason)).collect();
        let (mut masks, mut without) = (Vec::new(), Vec::new());
        let plan = &contents.plan;
        let is_front = |stored: &&Stored| plan.lighting_of(stored.shot) == Lighting::Front;
        for stored in contents.tally().stored().filter(is_front) {
            let shot = stored.shot.0;
            match mask::find(dir, stored) {
                Some(found) => {
                    let mask::Origin { covered, reference, silhouette, .. } = found.origin;
                    let reference = reference.map(|reference| reference.scan);
                    let silhouette = silhouette.map(|silhouette| silhouette.image);
                    masks.push(ShotMask { shot, covered, reference, silhouette });
                }
                None => {
                    without.push(ShotWithoutMask { shot, reason: reasons.get(&stored.image).cloned() });
                }
            }
        }
        Self { making, masks, without, notes: report.notes.into_iter().collect() }
    }
}

/// Which images of a scan have a mask, which have none and why; and whether masks are being made.
#[utoipa::path(get, path = "/api/v1/scans/{scan}/masks", operation_id = "list_masks", tag = "scans", params(("scan" = String, Path)), responses(
    (status = 200, body = MaskList),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
))]
pub(in crate::api) async fn masks(
    State(scans): State<Scans>,
    Path(scan): Path<String>,
) -> Answer<Json<MaskList>> {
    on_disk(move || {
        let dir = scans.folder_of(&scan)?;
        let id: ScanId = scan.parse().map_err(Problem::not_found)?;
        // Before what is on the disk, so that an end is never told without what came of it.
        let masks = scans.rig.service.masks();
        let under_way = masks.progress().filter(|progress| progress.scan == id.as_str());
        let (making, report) = match under_way {
            Some(progress) => (MaskMaking::of(&progress), Report::default()),
            None => MaskMaking::ended(masks.last(&id)),
        };
        let contents = dataset::read_contents(&dir)?;
        Ok(Json(MaskList::of(&dir, &contents, making, report)))
    })
    .await
}

/// Make masks of a scan's images, white where the object is, by a scan of the empty rig. Answers once it has begun: `status`
/// tells how far it is. It waits while a scan is under way, and a service that ends gives it up; begun again, it makes those
/// that are missing.
#[utoipa::path(post, path = "/api/v1/scans/{scan}/masks", operation_id = "begin_masks", tag = "scans", params(("scan" = String, Path)),
    request_body = Option<MaskWish>, responses(
    (status = 202, body = MaskProgress),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
    (status = "5XX", body = Problem, content_type = "application/problem+json"),
))]
pub(in crate::api) async fn make(
    State(scans): State<Scans>,
    Path(scan): Path<String>,
    MaybeBody(MaskWish { reference, again }): MaybeBody<MaskWish>,
) -> Answer<(StatusCode, Json<MaskProgress>)> {
    on_disk(move || {
        let dir = scans.folder_of(&scan)?;
        let id: ScanId = scan.parse().map_err(Problem::not_found)?;
        let reference = reference.map(|reference| scans.folder_of(&reference)).transpose()?;
        if dataset::show(&dir)?.in_use {
            let detail = format!("scan {id} is in use: make its masks when it has ended");
            return Err(Problem::new(ProblemType::InUse, detail));
        }
        let remake = if again { Remake::All } else { Remake::Outdated };
        let progress = scans.rig.service.make_masks(&id, &dir, &Wish { reference, remake })?;
        tracing::info!(scan = %id, "masks of scan {id} are being made: asked for through the API");
        Ok((StatusCode::ACCEPTED, Json(progress)))
    })
    .await
}

/// Give up the making of a scan's masks; answers once it has ended. Masks that were made before stay.
#[utoipa::path(post, path = "/api/v1/scans/{scan}/masks/cancel", operation_id = "cancel_masks", tag = "scans", params(("scan" = String, Path)), responses(
    (status = 204),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
))]
pub(in crate::api) async fn cancel(
    State(scans): State<Scans>,
    Path(scan): Path<String>,
) -> Answer<StatusCode> {
    let id: ScanId = scan.parse().map_err(Problem::not_found)?;
    let masks = scans.rig.service.masks();
    if !masks.cancel(&id) {
        return Err(Problem::not_found(format!("no masks of scan {id} are being made")));
    }
    masks.done_with(&id).await;
    Ok(StatusCode::NO_CONTENT)
}

/// The mask of a shot's image: a grey PNG as large as the image, white where the object is.
#[utoipa::path(get, path = "/api/v1/scans/{scan}/shots/{shot}/mask", operation_id = "get_shot_mask", tag = "scans",
    params(("scan" = String, Path), ("shot" = u32, Path)), responses(
    (status = 200, body = [u8], content_type = "image/png"),
    (status = 206, body = [u8], content_type = "image/png"),
    (status = 304),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
))]
pub(in crate::api) async fn mask(
    State(scans): State<Scans>,
    headers: HeaderMap,
    Path((scan, shot)): Path<(String, u32)>,
) -> Answer<Response> {
    files::send(file_of(&scans, scan, shot).await?, "image/png", None, &headers).await
}

/// The mask of a shot's image, as small as its thumbnail.
#[utoipa::path(get, path = "/api/v1/scans/{scan}/shots/{shot}/mask/thumbnail", operation_id = "get_shot_mask_thumbnail", tag = "scans",
    params(("scan" = String, Path), ("shot" = u32, Path)), responses(
    (status = 200, body = [u8], content_type = "image/png"),
    (status = 206, body = [u8], content_type = "image/png"),
    (status = 304),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
))]
pub(in crate::api) async fn thumbnail(
    State(scans): State<Scans>,
    headers: HeaderMap,
    Path((scan, shot)): Path<(String, u32)>,
) -> Answer<Response> {
    let file = file_of(&scans, scan, shot).await?;
    let bytes = on_disk(move || {
        let name = file.name.clone();
        let unread = |error| Problem::new(ProblemType::Dataset, format!("the mask {name}: {error}"));
        mask::small(file.open()?.file, SMALL).map_err(unread)
    })
    .await?;
    let (length, etag) = (bytes.len() as u64, format!("\"s-{:08x}\"", crc32c::crc32c(&bytes)));
    files::respond(files::wanted(&headers, length, &etag), length, &etag, "image/png", |part| {
        let (first, last) = part.into_inner();
        Body::from(bytes.get(first as usize..=last as usize).unwrap_or_default().to_vec())
    })
}

/// The mask's file.
async fn file_of(scans: &Scans, scan: String, shot: u32) -> Answer<StoredFile> {
    let scans = scans.clone();
    on_disk(move || {
        let dir = scans.folder_of(&scan)?;
        let contents = dataset::read_contents(&dir)?;
        match contents.tally().shot(ShotIndex(shot)) {
            Some(ShotState::Done(stored)) => {
                let found = mask::find(&dir, stored);
                let none = || Problem::not_found(format!("shot {shot} of scan {scan} has no mask (yet)"));
                // Another one may take its place before it is opened.
                let name = found.ok_or_else(none)?.path;
                Ok(StoredFile { dir, name, length: Length::AtMost(mask::LONGEST) })
            }
            Some(ShotState::Pending | ShotState::Failed { .. }) => {
                Err(Problem::not_found(format!("shot {shot} of scan {scan} is not on disk (yet)")))
            }
            None => Err(Problem::not_found(format!("scan {scan} has no shot {shot}"))),
        }
    })
    .await
}
