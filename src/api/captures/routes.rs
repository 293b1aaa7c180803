//! Routes of photographs between scans.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, header};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::daemon::{Capture, Captures as Store, Developed};
use crate::dataset::{self, open};
use crate::model::Controls;

use super::state::Captures;
use crate::api::transport::extract::{MaybeBody, Path, Query};
use crate::api::transport::files;
use crate::api::transport::problem::{Answer, Problem, ProblemType};
use crate::api::transport::stored::{Length, StoredFile};
use crate::api::transport::work::on_disk;

/// Longest wait for a camera.
const MAX_WAIT: Duration = Duration::from_secs(60);
/// Photographs in the history, if nobody says.
const HISTORY: usize = 10;
/// Most photographs in the history.
const MAX_HISTORY: usize = 200;
/// JPEG quality of previews.
const PREVIEW_QUALITY: u8 = 75;

/// Which cameras are to photograph, and how.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub(in crate::api) struct CaptureRequest {
    /// Which camera; all of them if absent.
    camera: Option<String>,
    /// What you call the occasion; for your own use.
    #[schema(max_length = 100)]
    session_id: Option<String>,
    /// Settings for this photograph, over those that are set.
    #[serde(rename = "settings")]
    controls: Controls,
}

/// How long to wait.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct Wait {
    wait: Option<f64>,
    camera: Option<String>,
}

/// Photographs that were stored.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api) struct Captured {
    /// One a camera, in the order of the configuration.
    captures: Vec<Capture>,
    /// Photographs stored so far, of all times.
    count: u64,
}

/// A photograph that was not stored.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api) struct Tested {
    /// Which camera took it.
    camera: String,
    /// Pixels in a row.
    width: u32,
    /// Rows of pixels in the photograph.
    height: u32,
    /// Its length in bytes, as JPEG.
    bytes: u64,
    /// What the camera and the measurement say of it.
    metadata: crate::scan::FrameFacts,
}

/// What test photographs were like.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api) struct TestResult {
    /// One a camera, in the order of the configuration.
    captures: Vec<Tested>,
}

/// The newest photographs of the history.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api) struct History {
    /// The photographs that were asked for, the newest first.
    captures: Vec<Capture>,
    /// How many there are in all.
    count: u64,
}

impl Wait {
    fn time(&self) -> Answer<Duration> {
        let seconds = self.wait.unwrap_or(0.0);
        let time = Duration::try_from_secs_f64(seconds).ok().filter(|time| *time <= MAX_WAIT);
        time.ok_or_else(|| {
            Problem::bad_request(format!("wait {seconds}: write seconds, from 0 to {}", MAX_WAIT.as_secs()))
        })
    }
}

/// Take a photograph with one or all cameras, and keep it. While a camera is at work: 429 at once, or with `wait` in
/// the order of coming.
#[utoipa::path(post, path = "/api/v1/capture", operation_id = "take_capture", tag = "captures", request_body = Option<CaptureRequest>, params(
    ("wait" = Option<f64>, Query, minimum = 0, maximum = 60, description = "Seconds to wait for a camera that is taken: 0 if absent."),
), responses(
    (status = 200, body = Captured),
    (status = 429, body = Problem, content_type = "application/problem+json", headers(("Retry-After" = u32, description = "seconds"))),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
    (status = "5XX", body = Problem, content_type = "application/problem+json"),
))]
pub(in crate::api) async fn capture(
    State(captures): State<Captures>,
    Query(wait): Query<Wait>,
    MaybeBody(request): MaybeBody<CaptureRequest>,
) -> Answer<Json<Captured>> {
    let CaptureRequest { camera, session_id, controls } = request;
    let store = captures.rig.service.captures().clone();
    let session = session_id.clone();
    let finish = move |developed: Developed| {
        store.store(&developed, session.as_deref()).map_err(|error| {
            let error = dataset::with_remedy(error, store.folder());
            Problem::new(
                ProblemType::Storage,
                format!("the photograph is lost, since it could not be stored: {error}"),
            )
        })
    };
    let quality = captures.rig.config().storage.jpeg_quality;
    let camera = camera.or_else(|| wait.camera.clone());
    let taken =
        captures.photograph(camera.as_deref(), session_id, controls, wait.time()?, quality, finish).await?;
    Ok(Json(Captured { captures: taken, count: count(&captures).await? }))
}

/// Do all that `POST /capture` does, but store nothing and count nothing.
#[utoipa::path(post, path = "/api/v1/capture/test", operation_id = "take_test_capture", tag = "captures", request_body = Option<CaptureRequest>, params(
    ("wait" = Option<f64>, Query, minimum = 0, maximum = 60, description = "Seconds to wait for a camera that is taken: 0 if absent."),
), responses(
    (status = 200, body = TestResult),
    (status = 429, body = Problem, content_type = "application/problem+json", headers(("Retry-After" = u32, description = "seconds"))),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
    (status = "5XX", body = Problem, content_type = "application/problem+json"),
))]
pub(in crate::api) async fn test(
    State(captures): State<Captures>,
    Query(wait): Query<Wait>,
    MaybeBody(request): MaybeBody<CaptureRequest>,
) -> Answer<Json<TestResult>> {
    let CaptureRequest { camera, session_id, controls } = request;
    let finish = |developed: Developed| {
        let Developed { camera, size, facts, image, .. } = developed;
        let bytes = image.len() as u64;
        Ok(Tested { camera, width: size.width, height: size.height, bytes, metadata: facts })
    };
    let quality = captures.rig.config().storage.jpeg_quality;
    let camera = camera.or_else(|| wait.camera.clone());
    let captures =
        captures.photograph(camera.as_deref(), session_id, controls, wait.time()?, quality, finish).await?;
    Ok(Json(TestResult { captures }))
}

/// A photograph of one camera (the first, if none is named), which is not kept.
#[utoipa::path(get, path = "/api/v1/preview.jpg", operation_id = "get_camera_image", tag = "captures", params(
    ("camera" = Option<String>, Query, description = "Which camera; the first one if absent."),
    ("wait" = Option<f64>, Query, minimum = 0, maximum = 60, description = "Seconds to wait for a camera that is taken: 0 if absent."),
), responses(
    (status = 200, body = [u8], content_type = "image/jpeg"),
    (status = 429, body = Problem, content_type = "application/problem+json", headers(("Retry-After" = u32, description = "seconds"))),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
    (status = "5XX", body = Problem, content_type = "application/problem+json"),
))]
pub(in crate::api) async fn preview(
    State(captures): State<Captures>,
    Query(wait): Query<Wait>,
) -> Answer<Response> {
    let first =
        captures.rig.service.standby().cameras().first().map(|camera| camera.handle().name().to_owned());
    let camera = wait.camera.clone().or(first);
    let finish = |developed: Developed| Ok(developed.image);
    let images = captures
        .photograph(camera.as_deref(), None, Controls::default(), wait.time()?, PREVIEW_QUALITY, finish)
        .await?;
    let image = images.into_iter().next().ok_or_else(|| Problem::failed("a photograph without an image"))?;
    let mut response = image.into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("image/jpeg"));
    Ok(response)
}

async fn count(captures: &Captures) -> Answer<u64> {
    let captures = captures.rig.service.captures().clone();
    on_disk(move || captures.stored().map_err(|error| storage(&error))).await
}

fn storage(error: &std::io::Error) -> Problem {
    Problem::new(ProblemType::Storage, format!("the photographs cannot be read: {error}"))
}

/// Which of the history.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct Newest {
    limit: Option<usize>,
}

/// The newest photographs between scans.
#[utoipa::path(get, path = "/api/v1/captures", operation_id = "list_captures", tag = "captures", params(
    ("limit" = Option<usize>, Query, minimum = 1, maximum = 200, description = "How many: 10 if absent."),
), responses(
    (status = 200, body = History),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
))]
pub(in crate::api) async fn history(
    State(captures): State<Captures>,
    Query(newest): Query<Newest>,
) -> Answer<Json<History>> {
    let limit = newest.limit.unwrap_or(HISTORY);
    if !(1..=MAX_HISTORY).contains(&limit) {
        return Err(Problem::bad_request(format!("the history has 1 to {MAX_HISTORY} photographs")));
    }
    let store = captures.rig.service.captures().clone();
    let read = move || {
        let captures = store.newest(limit).map_err(|error| storage(&error))?;
        Ok((captures, store.stored().map_err(|error| storage(&error))?))
    };
    let (captures, count) = on_disk(read).await?;
    Ok(Json(History { captures, count }))
}

/// The image of a photograph, or a part of it.
#[utoipa::path(get, path = "/api/v1/captures/{id}/image", operation_id = "get_capture_image", tag = "captures", params(("id" = u64, Path)), responses(
    (status = 200, body = [u8], content_type = "image/jpeg"),
    (status = 206, body = [u8], content_type = "image/jpeg"),
    (status = 304),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
))]
pub(in crate::api) async fn image(
    State(captures): State<Captures>,
    headers: HeaderMap,
    Path(id): Path<u64>,
) -> Answer<Response> {
    let image = captures.rig.service.captures().clone();
    let image = on_disk(move || {
        let facts = image.find(id).map_err(|error| storage(&error))?;
        let facts = facts.ok_or_else(|| Problem::not_found(format!("there is no photograph {id}")))?;
        let length = Length::Exactly(facts.bytes.min(open::IMAGE));
        Ok(StoredFile { dir: image.folder().to_owned(), name: Store::image_name(id), length })
    });
    files::send(image.await?, "image/jpeg", None, &headers).await
}

/// A small picture of a photograph.
#[utoipa::path(get, path = "/api/v1/captures/{id}/thumbnail", operation_id = "get_capture_thumbnail", tag = "captures", params(("id" = u64, Path)), responses(
    (status = 200, body = [u8], content_type = "image/jpeg"),
    (status = 206, body = [u8], content_type = "image/jpeg"),
    (status = 304),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
))]
pub(in crate::api) async fn thumbnail(
    State(captures): State<Captures>,
    headers: HeaderMap,
    Path(id): Path<u64>,
) -> Answer<Response> {
    let thumbnail = StoredFile {
        dir: captures.rig.service.captures().folder().to_owned(),
        name: Store::thumbnail_name(id),
        length: Length::AtMost(open::THUMBNAIL),
    };
    files::send(thumbnail, "image/jpeg", None, &headers).await
}
