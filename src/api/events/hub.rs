//! What happens, as it happens: first how everything stands, then numbered events, and the status whenever it has
//! changed. Events are history and none is left out without a word; the status is how it stands now, and only the
//! newest counts.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde::Serialize;
use tokio::sync::broadcast::error::{RecvError, TryRecvError};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, broadcast, watch};
use utoipa::ToSchema;

use crate::clock::now_ns;
use crate::event::Told;
use crate::systemd::StatusLine;

use super::history::History;
use super::metrics::Metrics;
use super::status::RigStatus;
use crate::api::rig::state::Rig;
use crate::api::transport::problem::{Answer, Problem, ProblemType};

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
/// An event and its number.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(in crate::api) struct Numbered {
    /// One more than that of the event before.
    number: u64,
    #[serde(flatten)]
    told: Told,
}

/// A message of the stream of events.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(in crate::api) enum StreamMessage {
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
    /// An event of the scan under way, with its number.
    Event(Arc<Numbered>),
    /// What the rig is doing has changed.
    Status {
        /// What it is doing now.
        status: Box<RigStatus>,
    },
}

/// What happens, and how the rig stands: for all who ask.
#[derive(Clone)]
pub(in crate::api) struct Events {
    rig: Rig,
    hub: Arc<Hub>,
}

/// Where events come together.
struct Hub {
    /// A name of this run of the program, which no other run has.
    stream: String,
    history: Mutex<History<Arc<Numbered>>>,
    news: broadcast::Sender<Arc<Numbered>>,
    status: watch::Sender<Option<RigStatus>>,
    line: Mutex<StatusLine>,
    /// A place for each listener.
    places: Arc<Semaphore>,
    /// The first of them has come.
    came: Notify,
    metrics: Metrics,
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
    fn left(&self) -> Option<Duration> {
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

    /// As many events were lost.
    fn skip(&self, missed: u64) {
        self.history.lock().unwrap_or_else(PoisonError::into_inner).skip(missed);
    }

    /// What a new listener is told first, and what it will be told then. `after` is the last event that it knows.
    fn join(&self, after: Option<&EventId>) -> Joined {
        let history = self.history.lock().unwrap_or_else(PoisonError::into_inner);
        let known = after.filter(|id| id.stream == self.stream);
        let missed = known.and_then(|id| history.since(id.number));
        Joined { newest: history.newest(), missed, news: self.news.subscribe() }
    }
}

impl Events {
    pub(in crate::api) fn new(rig: Rig) -> Self {
        Self { rig, hub: Arc::default() }
    }

    /// How long the scan under way will still take.
    pub(in crate::api) fn left(&self) -> Option<Duration> {
        self.hub.left()
    }

    /// What the rig is doing now.
    pub(in crate::api) fn status(&self) -> RigStatus {
        RigStatus::of(&self.rig.service, self.left())
    }

    /// What was counted since the program started.
    pub(in crate::api) fn metrics(&self) -> &Metrics {
        &self.hub.metrics
    }

    /// Names this run of the program.
    pub(in crate::api) fn stream(&self) -> &str {
        &self.hub.stream
    }

    fn snapshot(&self, number: u64, gap: bool) -> StreamMessage {
        let stream = self.hub.stream.clone();
        StreamMessage::Snapshot { stream, number, gap, status: Box::new(self.status()) }
    }

    /// Collects events, until it is dropped.
    pub(in crate::api) async fn follow(self) {
        let mut events = self.rig.service.events();
        let mut look = tokio::time::interval(LOOK);
        look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            let heard = self.hub.status.receiver_count() > 0;
            tokio::select! {
                told = events.recv() => match told {
                    Ok(told) => self.hub.add(told),
                    Err(RecvError::Lagged(missed)) => self.hub.skip(missed),
                    Err(RecvError::Closed) => return,
                },
                () = self.hub.came.notified(), if !heard => {}
                _ = look.tick(), if heard => {
                    let status = Some(self.status());
                    // What led to it has been told by now: nobody is to hear that the rig is idle before the end of its scan.
                    loop {
                        match events.try_recv() {
                            Ok(told) => self.hub.add(told),
                            Err(TryRecvError::Lagged(missed)) => self.hub.skip(missed),
                            Err(TryRecvError::Empty) => break,
                            Err(TryRecvError::Closed) => return,
                        }
                    }
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

/// What a new listener begins with.
struct Joined {
    /// Number of the newest event.
    newest: u64,
    /// What it missed; none if that cannot be told.
    missed: Option<Vec<Arc<Numbered>>>,
    news: broadcast::Receiver<Arc<Numbered>>,
}

/// Somebody who listens to events, until this is dropped.
pub(in crate::api) struct Listener {
    events: Events,
    news: broadcast::Receiver<Arc<Numbered>>,
    status: watch::Receiver<Option<RigStatus>>,
    /// To be told before anything else.
    first: std::vec::IntoIter<StreamMessage>,
    /// What events it has been told of.
    number: u64,
    _place: OwnedSemaphorePermit,
}

impl Listener {
    /// Somebody who knows everything up to the event `after`.
    pub(in crate::api) fn join(events: Events, after: Option<&str>) -> Answer<Self> {
        let place = events.hub.places.clone().try_acquire_owned().map_err(|_| {
            let detail =
                format!("{MAX_LISTENERS} listen to events already: close a page that is open, or wait");
            Problem::new(ProblemType::Unavailable, detail).retry_after(ASK_AGAIN)
        })?;
        let after = after.and_then(EventId::parse);
        let mut status = events.hub.status.subscribe();
        status.mark_unchanged();
        events.hub.came.notify_one();
        let Joined { newest, missed, news } = events.hub.join(after.as_ref());
        let gap = missed.is_none();
        // Who resumes without a gap goes on where it was.
        let number = after.filter(|_| !gap).map_or(newest, |id| id.number);
        let snapshot = events.snapshot(number, gap);
        let missed = missed.unwrap_or_default().into_iter().map(StreamMessage::Event);
        let first: Vec<_> = std::iter::once(snapshot).chain(missed).collect();
        Ok(Self { events, news, status, first: first.into_iter(), number, _place: place })
    }

    /// The next message, and the number of the last event that a client then knows.
    pub(in crate::api) async fn next(&mut self) -> Option<(StreamMessage, u64)> {
        let message = if let Some(message) = self.first.next() {
            message
        } else {
            tokio::select! {
                biased;
                event = self.news.recv() => match event {
                    Ok(event) => StreamMessage::Event(event),
                    // It was too slow: from here on anew.
                    Err(RecvError::Lagged(_)) => {
                        let Joined { newest, news, .. } = self.events.hub.join(None);
                        self.news = news;
                        self.number = newest;
                        self.events.snapshot(newest, true)
                    }
                    Err(RecvError::Closed) => return None,
                },
                changed = self.status.changed() => {
                    changed.ok()?;
                    let status = self.status.borrow_and_update().clone();
                    StreamMessage::Status { status: Box::new(status.unwrap_or_else(|| self.events.status())) }
                }
            }
        };
        if let StreamMessage::Event(event) = &message {
            self.number = event.number;
        }
        Some((message, self.number))
    }
}
