//! What happens, as it happens: first how everything stands, then numbered events, and the status whenever it has
//! changed. Events are history and none is left out without a word; the status is how it stands now, and only the
//! newest counts.

use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::response::sse::{Event as SseEvent, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream::{Stream, unfold};
use http::HeaderMap;
use serde::{Deserialize, Serialize};
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, broadcast, watch};
use utoipa::ToSchema;

use crate::event::Told;
use crate::rig::clock::now_ns;
use crate::systemd::StatusLine;

use super::app::{App, Shared};
use super::extract::Query;
use super::history::History;
use super::metrics::Metrics;
use super::problem::{Answer, Problem, ProblemType};
use super::status::RigStatus;

/// Events that are kept for those who were away: some scans' worth.
const KEPT: usize = 4096;
/// Listeners at a time. They stay for hours, and with as many as there may be connections nobody else would get in, not
/// even to pause a scan; with those who look live there are still as many places for requests.
const MAX_LISTENERS: usize = 128;
/// After how long it makes sense for a further one to ask again.
const ASK_AGAIN: Duration = Duration::from_secs(5);
/// Events that may wait for one listener.
const WAITING: usize = 1024;
/// How often the status is compared with what it was.
const LOOK: Duration = Duration::from_millis(250);
/// A sign of life for connections on which nothing happens.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// An event and its number.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(super) struct Numbered {
    /// One more than that of the event before.
    number: u64,
    #[serde(flatten)]
    told: Told,
}

/// A message of the stream of events.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum StreamMessage {
    /// The first message, and again after a gap: how everything stands.
    Snapshot {
        /// Names this run of the program: numbers of another one mean nothing here.
        stream: String,
        /// Of the newest event that the status has in it. Those that follow are of higher numbers, or, if `gap` is
        /// false, the ones that were missed.
        number: u64,
        /// Whether events between the last one known to the client and this may be missing: what was derived from
        /// them is to be asked for anew.
        gap: bool,
        /// What the rig is doing.
        status: Box<RigStatus>,
    },
    /// Something happened.
    Event(Arc<Numbered>),
    /// What the rig is doing has changed.
    Status {
        /// What it is doing now.
        status: Box<RigStatus>,
    },
}

/// Where events come together.
pub(super) struct Hub {
    /// Names this run.
    stream: String,
    history: Mutex<History<Arc<Numbered>>>,
    news: broadcast::Sender<Arc<Numbered>>,
    status: watch::Sender<Option<RigStatus>>,
    line: Mutex<StatusLine>,
    /// A place for each listener.
    places: Arc<Semaphore>,
    /// The first of them has come.
    came: Notify,
    pub(super) metrics: Metrics,
}

impl Default for Hub {
    fn default() -> Self {
        let stream = format!("{:x}", jiff::Timestamp::now().as_microsecond());
        let history = Mutex::new(History::new(KEPT));
        let news = broadcast::channel(WAITING).0;
        Self {
            stream,
            history,
            news,
            status: watch::Sender::new(None),
            line: Mutex::default(),
            places: Arc::new(Semaphore::new(MAX_LISTENERS)),
            came: Notify::new(),
            metrics: Metrics::default(),
        }
    }
}

impl Hub {
    /// How long the scan under way will still take.
    pub(super) fn left(&self) -> Option<Duration> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner).left()
    }

    fn add(&self, told: Told) {
        let now = Duration::from_nanos(now_ns());
        self.line.lock().unwrap_or_else(PoisonError::into_inner).note(&told.event, now);
        self.metrics.note(&told, Instant::now());
        let mut history = self.history.lock().unwrap_or_else(PoisonError::into_inner);
        let event = history.add(|number| Arc::new(Numbered { number, told }));
        // Under the lock, so that whoever subscribes under it misses none and gets none twice. Nobody has to listen.
        let _ = self.news.send(event);
    }

    /// What a new listener is told first, and what it will be told then. `after` is the last event that it knows.
    fn join(&self, after: Option<&EventId>) -> Joined {
        let history = self.history.lock().unwrap_or_else(PoisonError::into_inner);
        let known = after.filter(|id| id.stream == self.stream);
        let missed = known.and_then(|id| history.since(id.number));
        Joined { newest: history.newest(), missed, news: self.news.subscribe() }
    }
}

impl App {
    /// Collects events, until it is dropped.
    pub(super) async fn follow(self: Arc<Self>) {
        let mut events = self.service.events();
        let mut look = tokio::time::interval(LOOK);
        look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            let heard = self.hub.status.receiver_count() > 0;
            tokio::select! {
                told = events.recv() => match told {
                    Ok(told) => self.hub.add(told),
                    Err(RecvError::Lagged(missed)) => {
                        self.hub.history.lock().unwrap_or_else(PoisonError::into_inner).skip(missed);
                    }
                    Err(RecvError::Closed) => return,
                },
                () = self.hub.came.notified(), if !heard => {}
                _ = look.tick(), if heard => {
                    let status = Some(self.status());
                    self.hub.status.send_if_modified(|known| {
                        let changed = *known != status;
                        if changed {
                            *known = status;
                        }
                        changed
                    });
                }
            }
        }
    }
}

/// `STREAM-NUMBER`, as in `id:` of server-sent events.
#[derive(Debug, Clone, PartialEq, Eq)]
struct EventId {
    stream: String,
    number: u64,
}

impl EventId {
    fn parse(text: &str) -> Option<Self> {
        let (stream, number) = text.rsplit_once('-')?;
        Some(Self { stream: stream.to_owned(), number: number.parse().ok()? })
    }
}

/// Where to go on.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Resume {
    after: Option<String>,
}

/// What a new listener begins with.
struct Joined {
    /// Number of the newest event.
    newest: u64,
    /// What it missed; none if that cannot be told.
    missed: Option<Vec<Arc<Numbered>>>,
    news: broadcast::Receiver<Arc<Numbered>>,
}

/// One listener.
struct Listener {
    app: Arc<App>,
    news: broadcast::Receiver<Arc<Numbered>>,
    status: watch::Receiver<Option<RigStatus>>,
    /// To be told before anything else.
    first: std::vec::IntoIter<StreamMessage>,
    /// What events it has been told of.
    number: u64,
    _place: OwnedSemaphorePermit,
}

impl Listener {
    fn join(app: Arc<App>, headers: &HeaderMap, query: &Resume) -> Answer<Self> {
        let place = app.hub.places.clone().try_acquire_owned().map_err(|_| {
            let detail =
                format!("{MAX_LISTENERS} listen to events already: close a page that is open, or wait");
            Problem::new(ProblemType::Unavailable, detail).retry_after(ASK_AGAIN)
        })?;
        let header = headers.get("last-event-id").and_then(|id| id.to_str().ok());
        let after = header.or(query.after.as_deref()).and_then(EventId::parse);
        let mut status = app.hub.status.subscribe();
        status.mark_unchanged();
        app.hub.came.notify_one();
        let Joined { newest, missed, news } = app.hub.join(after.as_ref());
        let gap = missed.is_none();
        // Who resumes without a gap goes on where it was.
        let number = after.filter(|_| !gap).map_or(newest, |id| id.number);
        let snapshot = snapshot(&app, number, gap);
        let events = missed.unwrap_or_default().into_iter().map(StreamMessage::Event);
        let first: Vec<_> = std::iter::once(snapshot).chain(events).collect();
        Ok(Self { app, news, status, first: first.into_iter(), number, _place: place })
    }

    /// The next message, and the number of the last event that a client then knows.
    async fn next(&mut self) -> Option<(StreamMessage, u64)> {
        let message = if let Some(message) = self.first.next() {
            message
        } else {
            tokio::select! {
                biased;
                event = self.news.recv() => match event {
                    Ok(event) => StreamMessage::Event(event),
                    // It was too slow: from here on anew.
                    Err(RecvError::Lagged(_)) => {
                        let Joined { newest, news, .. } = self.app.hub.join(None);
                        self.news = news;
                        self.number = newest;
                        snapshot(&self.app, newest, true)
                    }
                    Err(RecvError::Closed) => return None,
                },
                changed = self.status.changed() => {
                    changed.ok()?;
                    let status = self.status.borrow_and_update().clone();
                    StreamMessage::Status { status: Box::new(status.unwrap_or_else(|| self.app.status())) }
                }
            }
        };
        if let StreamMessage::Event(event) = &message {
            self.number = event.number;
        }
        Some((message, self.number))
    }
}

fn snapshot(app: &App, number: u64, gap: bool) -> StreamMessage {
    let stream = app.hub.stream.clone();
    StreamMessage::Snapshot { stream, number, gap, status: Box::new(app.status()) }
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
pub(super) async fn events(app: Shared, headers: HeaderMap, Query(query): Query<Resume>) -> Answer<Response> {
    let listener = Listener::join(app.0.clone(), &headers, &query)?;
    Ok(Sse::new(sse(listener)).keep_alive(KeepAlive::new().interval(KEEP_ALIVE)).into_response())
}

fn sse(listener: Listener) -> impl Stream<Item = Result<SseEvent, Infallible>> {
    unfold(listener, |mut listener| async move {
        let (message, number) = listener.next().await?;
        let name = match &message {
            StreamMessage::Snapshot { .. } => "snapshot",
            StreamMessage::Event(_) => "event",
            StreamMessage::Status { .. } => "status",
        };
        let id = format!("{}-{number}", listener.app.hub.stream);
        // Types of ours have no keys that JSON does not know.
        let event = SseEvent::default().event(name).id(id).json_data(&message).unwrap_or_default();
        Some((Ok(event), listener))
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
pub(super) async fn events_ws(
    app: Shared,
    headers: HeaderMap,
    Query(query): Query<Resume>,
    upgrade: Result<WebSocketUpgrade, axum::extract::ws::rejection::WebSocketUpgradeRejection>,
) -> Answer<Response> {
    let upgrade =
        upgrade.map_err(|error| Problem::bad_request(error.body_text()).with_status(error.status()))?;
    let listener = Listener::join(app.0.clone(), &headers, &query)?;
    Ok(upgrade.on_upgrade(|socket| tell(socket, listener)))
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
