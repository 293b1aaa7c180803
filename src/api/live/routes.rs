//! Live views over HTTP: a WebSocket, or MJPEG for what has none.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, header};
use serde::{Deserialize, Serialize};
use tokio::time::Instant;
use utoipa::ToSchema;

use super::camera::{LiveCamera, ViewState, Viewer, newest};
use super::mjpeg;
use super::state::Live;
use super::stats::LiveStats;
use crate::api::access::grant::Grant;
use crate::api::rig::state::no_camera;
use crate::api::transport::extract::{Path, Query};
use crate::api::transport::problem::{Answer, Problem, ProblemType};

/// How often viewers are told how the live view does.
const STATS: Duration = Duration::from_secs(1);

/// A text message of a live view's WebSocket. Binary ones are frames: a header of 44 bytes, all little-endian, and a JPEG.
/// The header: the letters `SLV1`, `number` as `u32`, microseconds since 1970 as `u64`, width and height as `u16`, and as
/// `f32` sharpness, parts of the pixels at black and at white, exposure in seconds, gain, and lens position in dioptres
/// (NaN without a lens that moves).
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(in crate::api) enum LiveMessage {
    /// Whether the live view goes on: first, and whenever that changes.
    State(ViewState),
    /// How it does: once a second.
    Stats(LiveStats),
}

/// The live views of all cameras.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api) struct LiveList {
    /// One a camera, in the order of the configuration.
    cameras: Vec<LiveInfo>,
}

/// The live view of a camera.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api) struct LiveInfo {
    /// The camera's name in the configuration.
    camera: String,
    #[serde(flatten)]
    state: ViewState,
    /// Rate, losses and viewers of late.
    stats: LiveStats,
}

/// How a viewer wants it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct Wish {
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
pub(in crate::api) async fn live(State(live): State<Live>) -> Json<LiveList> {
    let info = |camera: &Arc<LiveCamera>| LiveInfo {
        camera: camera.name().to_owned(),
        state: camera.state(),
        stats: camera.stats(),
    };
    Json(LiveList { cameras: live.cameras().iter().map(info).collect() })
}

fn look(live: &Live, name: &str) -> Answer<Viewer> {
    let camera = live.camera(name).ok_or_else(|| no_camera(name))?;
    live.look(camera).ok_or_else(|| {
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
pub(in crate::api) async fn socket(
    State(live): State<Live>,
    axum::Extension(grant): axum::Extension<Grant>,
    Path(name): Path<String>,
    Query(wish): Query<Wish>,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Answer<Response> {
    let interval = wish.interval()?;
    let upgrade =
        upgrade.map_err(|error| Problem::bad_request(error.body_text()).with_status(error.status()))?;
    let viewer = look(&live, &name)?;
    Ok(upgrade.on_upgrade(move |socket| grant.bound(show(socket, viewer, interval))))
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
        if socket.send(message).await.is_err() {
            return;
        }
    }
}

fn text(message: &LiveMessage) -> Option<Message> {
    serde_json::to_string(message).ok().map(Message::text)
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
pub(in crate::api) async fn stream(
    State(live): State<Live>,
    Path(name): Path<String>,
    Query(wish): Query<Wish>,
) -> Answer<Response> {
    let interval = wish.interval()?;
    let viewer = look(&live, &name)?;
    let newest = viewer.newest.clone();
    let mut response = Body::from_stream(mjpeg::parts(viewer, newest, interval)).into_response();
    let kind = HeaderValue::from_static(mjpeg::CONTENT_TYPE);
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    Ok(response)
}
