//! The live view of one camera: its newest picture, how it stands, and who looks.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde::Serialize;
use tokio::sync::watch;
use utoipa::ToSchema;

use crate::config::Live as LiveConfig;
use crate::daemon::StandbyCamera;

use super::picture::Picture;
use super::stats::{LiveStats, Meter};

/// Where the newest picture is.
pub(in crate::api) type Newest = watch::Receiver<Option<Arc<Picture>>>;

/// How long a feeder goes on without viewers: somebody may only be loading the page again.
const LINGER: Duration = Duration::from_secs(2);

/// Whether a live view goes on.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub(in crate::api) struct ViewState {
    /// What keeps it from going on; none if it does.
    pub(in crate::api) paused: Option<PauseReason>,
    /// Seconds that this is expected to take, where that can be told.
    pub(in crate::api) expected_seconds: Option<f64>,
}

/// What keeps a live view from going on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(in crate::api) enum PauseReason {
    /// A photograph, at a camera that cannot stream meanwhile.
    Capture,
    /// A scan, at such a camera.
    Scan,
    /// The camera is being opened, or brought back.
    Camera,
    /// The cameras are closed at this hour.
    OutOfHours,
}

/// The live view of one camera.
pub(in crate::api) struct LiveCamera {
    pub(in crate::api) standby: Arc<StandbyCamera>,
    /// Whether the configuration wants a stream beside the stills.
    pub(in crate::api) streams: bool,
    newest: watch::Sender<Option<Arc<Picture>>>,
    state: watch::Sender<ViewState>,
    viewers: AtomicUsize,
    meter: Mutex<Meter>,
    /// Whether a feeder runs.
    fed: Mutex<bool>,
}

/// Somebody who looks; until this is dropped.
pub(in crate::api) struct Viewer {
    camera: Arc<LiveCamera>,
    all: Arc<AtomicUsize>,
    pub(in crate::api) newest: Newest,
    pub(in crate::api) state: watch::Receiver<ViewState>,
}

impl Drop for Viewer {
    fn drop(&mut self) {
        self.camera.viewers.fetch_sub(1, Ordering::SeqCst);
        self.all.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Viewer {
    /// How the live view does.
    pub(in crate::api) fn stats(&self) -> LiveStats {
        self.camera.stats()
    }
}

impl LiveCamera {
    /// Of a camera that nobody looks through yet.
    pub(in crate::api) fn new(standby: Arc<StandbyCamera>, config: &crate::config::Camera) -> Self {
        let waiting = ViewState { paused: Some(PauseReason::Camera), expected_seconds: None };
        Self {
            standby,
            streams: config.live != LiveConfig::Off,
            newest: watch::Sender::new(None),
            state: watch::Sender::new(waiting),
            viewers: AtomicUsize::new(0),
            meter: Mutex::new(Meter::default()),
            fed: Mutex::new(false),
        }
    }

    /// Lets one more look, who is counted in `all` already; and whether a feeder has to be started.
    pub(in crate::api) fn look(self: &Arc<Self>, all: Arc<AtomicUsize>) -> (Viewer, bool) {
        self.viewers.fetch_add(1, Ordering::SeqCst);
        let viewer = Viewer {
            camera: self.clone(),
            all,
            newest: self.newest.subscribe(),
            state: self.state.subscribe(),
        };
        let mut fed = self.fed.lock().unwrap_or_else(PoisonError::into_inner);
        (viewer, !std::mem::replace(&mut *fed, true))
    }

    /// Shows a picture to all who look.
    pub(in crate::api) fn show(&self, picture: Arc<Picture>) {
        self.meter().shown(Instant::now(), Timestamp::now());
        self.newest.send_replace(Some(picture));
    }

    pub(in crate::api) fn name(&self) -> &str {
        self.standby.handle().name()
    }

    /// How the live view does.
    pub(in crate::api) fn stats(&self) -> LiveStats {
        let (taken, failed) = self.standby.tally();
        let came = self.standby.handle().status().counters.live;
        let viewers = self.viewers.load(Ordering::SeqCst);
        let meter = self.meter();
        meter.stats(Instant::now(), came, taken, failed, viewers)
    }

    pub(in crate::api) fn state(&self) -> ViewState {
        self.state.borrow().clone()
    }

    fn meter(&self) -> std::sync::MutexGuard<'_, Meter> {
        self.meter.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set_state(&self, state: ViewState) {
        self.state.send_if_modified(|known| {
            let ended = known.paused.is_some() && state.paused.is_none();
            let changed = *known != state;
            *known = state;
            if ended {
                // After a pause, numbers from before it say nothing.
                let (taken, _) = self.standby.tally();
                self.meter().restart(Instant::now(), self.standby.handle().status().counters.live, taken);
            }
            changed
        });
    }

    pub(in crate::api) fn going_on(&self) {
        self.set_state(ViewState { paused: None, expected_seconds: None });
    }

    pub(in crate::api) fn pause(&self, reason: PauseReason, expected: Option<Duration>) {
        // In tenths, so that not every look is news.
        let expected_seconds = expected.map(|expected| (expected.as_secs_f64() * 10.0).round() / 10.0);
        self.set_state(ViewState { paused: Some(reason), expected_seconds });
    }

    /// Whether the feeder ends: nobody has looked for a while. Says so under the lock, so that the next viewer starts
    /// another one.
    pub(in crate::api) fn is_over(&self, lonely: &mut Option<Instant>) -> bool {
        if self.viewers.load(Ordering::SeqCst) > 0 {
            *lonely = None;
            return false;
        }
        if lonely.get_or_insert_with(Instant::now).elapsed() < LINGER {
            return false;
        }
        let mut fed = self.fed.lock().unwrap_or_else(PoisonError::into_inner);
        if self.viewers.load(Ordering::SeqCst) > 0 {
            return false;
        }
        *fed = false;
        self.newest.send_replace(None);
        true
    }
}

/// The newest picture, not before `next`; none if there will be no more.
pub(in crate::api) async fn newest(
    newest: &mut Newest,
    next: tokio::time::Instant,
) -> Option<Option<Arc<Picture>>> {
    tokio::time::sleep_until(next).await;
    newest.changed().await.ok()?;
    Some(newest.borrow_and_update().clone())
}
