//! Events over HTTP: server-sent, or over a WebSocket; and the status.

use std::convert::Infallible;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::response::sse::{Event as SseEvent, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream::{Stream, unfold};
use http::HeaderMap;
use jiff::Timestamp;
use serde::Deserialize;

use crate::api::access::grant::Grant;
use crate::api::transport::extract::Query;
use crate::api::transport::problem::{Answer, Problem};

use super::hub::{Events, Listener, StreamMessage};
use super::status::StatusNow;

/// A sign of life for connections on which nothing happens.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// Where to go on.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct Resume {
    after: Option<String>,
}

impl Resume {
    /// The last event that the client knows.
    fn after<'a>(&'a self, headers: &'a HeaderMap) -> Option<&'a str> {
        let header = headers.get("last-event-id").and_then(|id| id.to_str().ok());
        header.or(self.after.as_deref())
    }
}

/// What the rig is doing. Answers at once, whatever the cameras do.
#[utoipa::path(get, path = "/api/v1/status", operation_id = "get_status", tag = "rig", responses((status = 200, body = StatusNow)))]
pub(in crate::api) async fn status(State(events): State<Events>) -> Json<StatusNow> {
    Json(StatusNow { now: Timestamp::now(), status: events.status() })
}

/// What happens, as server-sent events: `event:` is the message's `type`, `data:` a `StreamMessage`, and `id:` what to
/// resume with.
#[utoipa::path(get, path = "/api/v1/events", operation_id = "stream_events", tag = "events", params(
    ("after" = Option<String>, Query, description = "The id of the last event that is known, as STREAM-NUMBER: `stream` of the snapshot and `number` of the event. The header `Last-Event-ID` comes first."),
), responses(
    (status = 200, body = StreamMessage, content_type = "text/event-stream"),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
    (status = 503, description = "As many listen as may.", body = Problem, content_type = "application/problem+json"),
))]
pub(in crate::api) async fn events(
    State(events): State<Events>,
    headers: HeaderMap,
    Query(query): Query<Resume>,
) -> Answer<Response> {
    let stream = events.stream().to_owned();
    let listener = Listener::join(events, query.after(&headers))?;
    Ok(Sse::new(sse(stream, listener)).keep_alive(KeepAlive::new().interval(KEEP_ALIVE)).into_response())
}

fn sse(stream: String, listener: Listener) -> impl Stream<Item = Result<SseEvent, Infallible>> {
    unfold((stream, listener), |(stream, mut listener)| async move {
        let (message, number) = listener.next().await?;
        let name = match &message {
            StreamMessage::Snapshot { .. } => "snapshot",
            StreamMessage::Event(_) => "event",
            StreamMessage::Status { .. } => "status",
        };
        let id = format!("{stream}-{number}");
        // Types of ours have no keys that JSON does not know.
        let event = SseEvent::default().event(name).id(id).json_data(&message).unwrap_or_default();
        Some((Ok(event), (stream, listener)))
    })
}

/// What happens, over a WebSocket: each text is a `StreamMessage`. Nothing is expected of the client.
#[utoipa::path(get, path = "/api/v1/events/ws", operation_id = "stream_events_ws", tag = "events", params(
    ("after" = Option<String>, Query, description = "The id of the last event that is known, as STREAM-NUMBER: `stream` of the snapshot and `number` of the event. The header `Last-Event-ID` comes first."),
), responses(
    (status = 101, description = "A WebSocket of `StreamMessage`"),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
    (status = 426, body = Problem, content_type = "application/problem+json"),
    (status = 503, description = "As many listen as may.", body = Problem, content_type = "application/problem+json"),
))]
pub(in crate::api) async fn events_ws(
    State(events): State<Events>,
    axum::Extension(grant): axum::Extension<Grant>,
    headers: HeaderMap,
    Query(query): Query<Resume>,
    upgrade: Result<WebSocketUpgrade, axum::extract::ws::rejection::WebSocketUpgradeRejection>,
) -> Answer<Response> {
    let upgrade =
        upgrade.map_err(|error| Problem::bad_request(error.body_text()).with_status(error.status()))?;
    let listener = Listener::join(events, query.after(&headers))?;
    Ok(upgrade.on_upgrade(|socket| grant.bound(tell(socket, listener))))
}

async fn tell(mut socket: WebSocket, mut listener: Listener) {
    let mut alive = tokio::time::interval(KEEP_ALIVE);
    loop {
        let message = tokio::select! {
            next = listener.next() => {
                let Some(Ok(text)) = next.map(|(message, _)| serde_json::to_string(&message)) else { return };
                Message::text(text)
            }
            _ = alive.tick() => Message::Ping(bytes::Bytes::new()),
            heard = socket.recv() => match heard {
                Some(Ok(_)) => continue,
                Some(Err(_)) | None => return,
            },
        };
        // It takes nothing any more, or has gone away.
        if socket.send(message).await.is_err() {
            return;
        }
    }
}
