//! Live views over HTTP: a WebSocket, or MJPEG for what has none.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::body::Body;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::response::{IntoResponse, Response};
use bytes::{Bytes, BytesMut};
use futures_util::stream::unfold;
use http::{HeaderValue, header};
use serde::{Deserialize, Serialize};
use tokio::time::Instant;
use utoipa::ToSchema;

use super::app::Shared;
use super::captures::no_camera;
use super::extract::{Path, Query};
use super::live::{HEADER, LiveCamera, Picture, ViewState, Viewer};
use super::live_stats::LiveStats;
use super::problem::{Answer, Problem, ProblemType};

type Newest = tokio::sync::watch::Receiver<Option<Arc<Picture>>>;

/// How long a viewer may take nothing before it counts as gone.
const PATIENCE: Duration = Duration::from_secs(20);
/// How often viewers are told how the live view does.
const STATS: Duration = Duration::from_secs(1);

/// A text message of a live view's WebSocket. Binary ones are frames: a header of 44 bytes, all little-endian, and a JPEG.
/// The header: the letters `SLV1`, `number` as `u32`, microseconds since 1970 as `u64`, width and height as `u16`, and as
/// `f32` sharpness, parts of the pixels at black and at white, exposure in seconds, gain, and lens position in dioptres
/// (NaN without a lens that moves).
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum LiveMessage {
    /// Whether the live view goes on: first, and whenever that changes.
    State(ViewState),
    /// How it does: once a second.
    Stats(LiveStats),
}

/// Every live view.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct LiveList {
    /// One a camera, in the order of the configuration.
    cameras: Vec<LiveInfo>,
}

/// The live view of a camera.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct LiveInfo {
    /// Its name.
    camera: String,
    #[serde(flatten)]
    state: ViewState,
    /// How it does.
    stats: LiveStats,
}

/// How a viewer wants it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wish {
    fps: Option<f64>,
}

impl Wish {
    /// Shortest time from frame to frame.
    fn interval(&self) -> Answer<Duration> {
        let fps = self.fps.unwrap_or(15.0);
        if !(0.1..=30.0).contains(&fps) {
            return Err(Problem::bad_request(format!("fps {fps}: write 0.1 to 30")));
        }
        // A frame that comes a little early is the one that is meant.
        Ok(Duration::from_secs_f64(0.8 / fps))
    }
}

/// How the live views do.
#[utoipa::path(get, path = "/api/v1/live", operation_id = "list_live_views", tag = "live", responses((status = 200, body = LiveList)))]
pub(super) async fn live(app: Shared) -> Json<LiveList> {
    let info = |camera: &Arc<LiveCamera>| LiveInfo {
        camera: camera.name().to_owned(),
        state: camera.state(),
        stats: camera.stats(),
    };
    Json(LiveList { cameras: app.live.cameras().iter().map(info).collect() })
}

fn look(app: &Shared, name: &str) -> Answer<Viewer> {
    let camera = app.live.camera(name).ok_or_else(|| no_camera(name))?;
    app.look(camera).ok_or_else(|| {
        Problem::new(ProblemType::Unavailable, "too many look already").retry_after(Duration::from_secs(5))
    })
}

/// Look through a camera, over a WebSocket: binary messages are frames, texts are `LiveMessage`s.
#[utoipa::path(get, path = "/api/v1/live/{camera}", operation_id = "stream_live_view_ws", tag = "live", params(
    ("camera" = String, Path),
    ("fps" = Option<f64>, Query, minimum = 0.1, maximum = 30, description = "Most frames a second: 15 if absent."),
), responses(
    (status = 101, description = "A WebSocket of frames and `LiveMessage`s", body = LiveMessage),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
    (status = "5XX", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn socket(
    app: Shared,
    Path(name): Path<String>,
    Query(wish): Query<Wish>,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Answer<Response> {
    let interval = wish.interval()?;
    let upgrade =
        upgrade.map_err(|error| Problem::bad_request(error.body_text()).with_status(error.status()))?;
    let viewer = look(&app, &name)?;
    Ok(upgrade.on_upgrade(move |socket| show(socket, viewer, interval)))
}

async fn show(mut socket: WebSocket, mut viewer: Viewer, interval: Duration) {
    viewer.state.mark_changed();
    viewer.newest.mark_changed();
    let mut stats = tokio::time::interval(STATS);
    stats.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut next = Instant::now();
    let mut seen = None;
    loop {
        let message = tokio::select! {
            biased;
            heard = socket.recv() => match heard {
                Some(Ok(_)) => continue,
                Some(Err(_)) | None => return,
            },
            changed = viewer.state.changed() => {
                if changed.is_err() {
                    return;
                }
                let state = viewer.state.borrow_and_update().clone();
                text(&LiveMessage::State(state))
            }
            _ = stats.tick() => text(&LiveMessage::Stats(viewer.stats())),
            changed = newest(&mut viewer.newest, next) => {
                let Some(picture) = changed else { return };
                let Some(picture) = picture.filter(|picture| seen != Some(picture.number)) else { continue };
                seen = Some(picture.number);
                next = Instant::now() + interval;
                Some(Message::Binary(picture.message.clone()))
            }
        };
        let Some(message) = message else { return };
        // It takes nothing any more, or has gone away.
        if !matches!(tokio::time::timeout(PATIENCE, socket.send(message)).await, Ok(Ok(()))) {
            return;
        }
    }
}

fn text(message: &LiveMessage) -> Option<Message> {
    serde_json::to_string(message).ok().map(Message::text)
}

/// The newest picture, not before `next`; none if there will be no more.
async fn newest(newest: &mut Newest, next: Instant) -> Option<Option<Arc<Picture>>> {
    tokio::time::sleep_until(next).await;
    newest.changed().await.ok()?;
    Some(newest.borrow_and_update().clone())
}

/// Look through a camera, as MJPEG: one JPEG after the other, as parts of one answer. It has nothing to say of pauses.
#[utoipa::path(get, path = "/api/v1/live/{camera}/mjpeg", operation_id = "stream_live_view_mjpeg", tag = "live", params(
    ("camera" = String, Path),
    ("fps" = Option<f64>, Query, minimum = 0.1, maximum = 30, description = "Most frames a second: 15 if absent."),
), responses(
    (status = 200, body = [u8], content_type = "multipart/x-mixed-replace"),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
    (status = "5XX", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn mjpeg(
    app: Shared,
    Path(name): Path<String>,
    Query(wish): Query<Wish>,
) -> Answer<Response> {
    let interval = wish.interval()?;
    let mut viewer = look(&app, &name)?;
    viewer.newest.mark_changed();
    let parts = unfold((viewer, Instant::now()), move |(mut viewer, mut next)| async move {
        loop {
            let picture = newest(&mut viewer.newest, next).await?;
            next = Instant::now() + interval;
            if let Some(picture) = picture {
                return Some((Ok::<_, std::convert::Infallible>(part(&picture)), (viewer, next)));
            }
        }
    });
    let mut response = Body::from_stream(parts).into_response();
    let kind = HeaderValue::from_static("multipart/x-mixed-replace; boundary=frame");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    Ok(response)
}

fn part(picture: &Picture) -> Bytes {
    let jpeg = picture.message.get(HEADER..).unwrap_or_default();
    let head = format!("--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {}\r\n\r\n", jpeg.len());
    let mut part = BytesMut::with_capacity(head.len() + jpeg.len() + 2);
    part.extend_from_slice(head.as_bytes());
    part.extend_from_slice(jpeg);
    part.extend_from_slice(b"\r\n");
    part.freeze()
}
