//! Photographs between scans.

use std::time::Duration;

use axum::Json;
use axum::response::{IntoResponse, Response};
use futures_util::future::join_all;
use http::{HeaderMap, HeaderValue, header};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::camera_driver::protocol::Controls;
use crate::daemon::{Capture, Developed, Seat, Service, StudioError, develop};

use super::app::{App, Shared};
use super::extract::{MaybeBody, Path, Query};
use super::files;
use super::problem::{Answer, Problem, ProblemType};

/// Longest wait for a camera.
const MAX_WAIT: Duration = Duration::from_secs(60);
/// When to ask again for a camera that a scan has, if it cannot be told how long that takes.
const SCAN_RETRY: Duration = Duration::from_secs(10);
/// Longest name of a session.
const MAX_SESSION: usize = 100;
/// Photographs in the history, if nobody says.
const HISTORY: usize = 10;
/// Most photographs in the history.
const MAX_HISTORY: usize = 200;
/// JPEG quality of previews.
const PREVIEW_QUALITY: u8 = 75;

/// What to photograph.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct CaptureRequest {
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
pub(super) struct Wait {
    wait: Option<f64>,
    camera: Option<String>,
}

/// Photographs that were stored.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Captured {
    /// One a camera, in the order of the configuration.
    captures: Vec<Capture>,
    /// Photographs stored so far, of all times.
    count: u64,
}

/// A photograph that was not stored.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Tested {
    /// Which camera took it.
    camera: String,
    /// Pixels in a row.
    width: u32,
    /// Rows.
    height: u32,
    /// Its length in bytes, as JPEG.
    bytes: u64,
    /// What the camera and the measurement say of it.
    metadata: crate::scan::FrameFacts,
}

/// What test photographs were like.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct TestResult {
    /// One a camera, in the order of the configuration.
    captures: Vec<Tested>,
}

/// The newest photographs.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct History {
    /// The newest first.
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

impl App {
    /// A problem that says when to ask again.
    fn not_captured(&self, error: &StudioError) -> Problem {
        let detail = error.to_string();
        match error {
            StudioError::Taken { retry_after, .. } => {
                Problem::new(ProblemType::CameraTaken, detail).retry_after(*retry_after)
            }
            StudioError::Scan => {
                let left = self.hub.left().unwrap_or(SCAN_RETRY);
                Problem::new(ProblemType::CameraTaken, detail).retry_after(left.max(Duration::from_secs(1)))
            }
            StudioError::OutOfHours => Problem::new(ProblemType::OutOfHours, detail),
            StudioError::Setting { .. } => Problem::bad_request(detail),
            StudioError::Camera(_) => Problem::new(ProblemType::Camera, detail),
        }
    }

    /// Takes photographs of one or all cameras at once, and gives each to `finish` while its camera's turn is held.
    async fn photograph<T: Send + 'static>(
        &self,
        camera: Option<&str>,
        session_id: Option<String>,
        controls: Controls,
        wait: Duration,
        quality: u8,
        finish: impl Fn(Developed) -> Answer<T> + Clone + Send + Sync + 'static,
    ) -> Answer<Vec<T>> {
        if session_id.as_ref().is_some_and(|id| id.len() > MAX_SESSION || id.contains(char::is_control)) {
            return Err(Problem::bad_request(format!("session_id: at most {MAX_SESSION} bytes on one line")));
        }
        let indices = self.seats(camera)?;
        let done = self.on_rig(move |service| async move {
            let taken =
                take_and_finish(&service, &indices, session_id, controls, wait, quality, finish).await;
            Ok(taken)
        });
        done.await?.map_err(|failed| match failed {
            Failed::Studio(error) => self.not_captured(&error),
            Failed::Other(problem) => problem,
        })
    }

    fn seats(&self, camera: Option<&str>) -> Answer<Vec<usize>> {
        let seats = self.service.studio().seats();
        let Some(name) = camera else { return Ok((0..seats.len()).collect()) };
        let index = seats.iter().position(|seat| seat.camera().name() == name);
        Ok(vec![index.ok_or_else(|| no_camera(name))?])
    }
}

/// There is no camera of this name.
pub(super) fn no_camera(name: &str) -> Problem {
    Problem::not_found(format!("there is no camera {name:?}: GET /api/v1/cameras shows them"))
}

enum Failed {
    Studio(StudioError),
    Other(Problem),
}

async fn take_and_finish<T: Send + 'static>(
    service: &Service,
    indices: &[usize],
    session_id: Option<String>,
    controls: Controls,
    wait: Duration,
    quality: u8,
    finish: impl Fn(Developed) -> Answer<T> + Clone + Send + Sync + 'static,
) -> Result<Vec<T>, Failed> {
    let studio = service.studio();
    let seats: Vec<&Seat> =
        indices.iter().filter_map(|index| studio.seats().get(*index)).map(AsRef::as_ref).collect();
    let mut held = studio.take(&seats, session_id.as_deref(), wait).await.map_err(Failed::Studio)?;
    let taking = held.iter_mut().map(|held| async {
        let frame = held.frame(controls).await.map_err(Failed::Studio)?;
        let (name, finish) = (held.camera().name().to_owned(), finish.clone());
        let developing = tokio::task::spawn_blocking(move || {
            let developed = develop(&name, &frame, quality).map_err(|error| Failed::Studio(error.into()))?;
            finish(developed).map_err(Failed::Other)
        });
        developing.await.unwrap_or_else(|error| Err(Failed::Other(Problem::failed(error))))
    });
    // All of them have ended before one's failure is told, and before the turns are given back.
    let taken = join_all(taking).await;
    drop(held);
    taken.into_iter().collect()
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
pub(super) async fn capture(
    app: Shared,
    Query(wait): Query<Wait>,
    MaybeBody(request): MaybeBody<CaptureRequest>,
) -> Answer<Json<Captured>> {
    let CaptureRequest { camera, session_id, controls } = request;
    let store = app.service.captures().clone();
    let session = session_id.clone();
    let finish = move |developed: Developed| {
        store.store(&developed, session.as_deref()).map_err(|error| {
            Problem::new(
                ProblemType::Storage,
                format!("the photograph is lost, since it could not be stored: {error}"),
            )
        })
    };
    let quality = app.service.station().config().storage.jpeg_quality;
    let camera = camera.or_else(|| wait.camera.clone());
    let captures =
        app.photograph(camera.as_deref(), session_id, controls, wait.time()?, quality, finish).await?;
    let count = count(&app).await?;
    Ok(Json(Captured { captures, count }))
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
pub(super) async fn test(
    app: Shared,
    Query(wait): Query<Wait>,
    MaybeBody(request): MaybeBody<CaptureRequest>,
) -> Answer<Json<TestResult>> {
    let CaptureRequest { camera, session_id, controls } = request;
    let finish = |developed: Developed| {
        let Developed { camera, size, facts, image, .. } = developed;
        let bytes = image.len() as u64;
        Ok(Tested { camera, width: size.width, height: size.height, bytes, metadata: facts })
    };
    let quality = app.service.station().config().storage.jpeg_quality;
    let camera = camera.or_else(|| wait.camera.clone());
    let captures =
        app.photograph(camera.as_deref(), session_id, controls, wait.time()?, quality, finish).await?;
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
pub(super) async fn preview(app: Shared, Query(wait): Query<Wait>) -> Answer<Response> {
    let first = app.service.studio().seats().first().map(|seat| seat.camera().name().to_owned());
    let camera = wait.camera.clone().or(first);
    let finish = |developed: Developed| Ok(developed.image);
    let images = app
        .photograph(camera.as_deref(), None, Controls::default(), wait.time()?, PREVIEW_QUALITY, finish)
        .await?;
    let image = images.into_iter().next().ok_or_else(|| Problem::failed("a photograph without an image"))?;
    let mut response = image.into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("image/jpeg"));
    Ok(response)
}

async fn count(app: &App) -> Answer<u64> {
    let captures = app.service.captures().clone();
    app.on_disk(move || captures.stored().map_err(|error| storage(&error))).await
}

fn storage(error: &std::io::Error) -> Problem {
    Problem::new(ProblemType::Storage, format!("the photographs cannot be read: {error}"))
}

/// Which of the history.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Newest {
    limit: Option<usize>,
}

/// The newest photographs.
#[utoipa::path(get, path = "/api/v1/captures", operation_id = "list_captures", tag = "captures", params(
    ("limit" = Option<usize>, Query, minimum = 1, maximum = 200, description = "How many: 10 if absent."),
), responses(
    (status = 200, body = History),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn history(app: Shared, Query(newest): Query<Newest>) -> Answer<Json<History>> {
    let limit = newest.limit.unwrap_or(HISTORY);
    if !(1..=MAX_HISTORY).contains(&limit) {
        return Err(Problem::bad_request(format!("the history has 1 to {MAX_HISTORY} photographs")));
    }
    let store = app.service.captures().clone();
    let read = move || {
        let captures = store.newest(limit).map_err(|error| storage(&error))?;
        Ok((captures, store.stored().map_err(|error| storage(&error))?))
    };
    let (captures, count) = app.on_disk(read).await?;
    Ok(Json(History { captures, count }))
}

/// A photograph.
#[utoipa::path(get, path = "/api/v1/captures/{id}/image", operation_id = "get_capture_image", tag = "captures", params(("id" = u64, Path)), responses(
    (status = 200, body = [u8], content_type = "image/jpeg"),
    (status = 206, body = [u8], content_type = "image/jpeg"),
    (status = 304),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn image(app: Shared, headers: HeaderMap, Path(id): Path<u64>) -> Answer<Response> {
    let path = app.service.captures().image(id);
    files::send(path, "image/jpeg", None, &headers).await
}

/// A small picture of a photograph.
#[utoipa::path(get, path = "/api/v1/captures/{id}/thumbnail", operation_id = "get_capture_thumbnail", tag = "captures", params(("id" = u64, Path)), responses(
    (status = 200, body = [u8], content_type = "image/jpeg"),
    (status = 206, body = [u8], content_type = "image/jpeg"),
    (status = 304),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn thumbnail(app: Shared, headers: HeaderMap, Path(id): Path<u64>) -> Answer<Response> {
    let path = app.service.captures().thumbnail(id);
    files::send(path, "image/jpeg", None, &headers).await
}
