//! One camera between scans: whose turn it is, and who looks.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde::Serialize;
use tokio::sync::MutexGuard;
use tracing::debug;

use crate::camera_driver::protocol::Controls;
use crate::plan::ShotIndex;
use crate::rig::camera::{Camera, CapturedFrame, Lease, State};
use crate::rig::clock::now_ns;

use super::super::opening::open_lease;
use super::held::Held;
use super::{Common, StudioError};

/// How long a camera stays open that nobody uses.
const LINGER: Duration = Duration::from_secs(15);
/// How long after a failure a camera is not opened for viewers again.
const PAUSE: Duration = Duration::from_secs(2);
/// What a photograph is expected to take before there was one.
const FIRST_PACE: Duration = Duration::from_secs(2);
/// Who may wait for a camera at once.
const MAX_WAITING: usize = 16;
/// How long a photograph waits for a still that is taken for viewers.
const GLANCE: Duration = Duration::from_secs(5);
/// How often a camera is opened before that has failed.
const ATTEMPTS: u32 = 2;

/// One camera.
pub struct Seat {
    camera: Camera,
    /// That of the studio.
    common: Arc<Common>,
    /// Configured settings.
    fixed: Controls,
    turn: tokio::sync::Mutex<Turn>,
    waiting: AtomicUsize,
    /// Whether the turn is held for a moment only, for a viewer.
    looked_at: AtomicBool,
    viewers: AtomicUsize,
    board: Mutex<Board>,
}

/// What only the holder of the turn may use.
pub(super) struct Turn {
    pub(super) lease: Option<Lease>,
    /// When it was last used, or failed.
    pub(super) used: Instant,
    pub(super) failed: bool,
}

/// What anybody may look at. Locked for moments only.
#[derive(Debug)]
struct Board {
    /// The photograph under way.
    running: Option<Running>,
    /// What one takes, from those before.
    pace: Duration,
    /// Settings that a person chose, over the configuration.
    chosen: Controls,
    /// Photographs taken, and failures since the last one.
    taken: u64,
    failed_in_a_row: u32,
}

/// A photograph under way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Running {
    /// Since when.
    #[schema(value_type = String, format = DateTime)]
    pub since: Timestamp,
    /// What the person who takes it calls the occasion.
    pub session_id: Option<String>,
}

/// Somebody looks at a camera, which is therefore open between scans; until this is dropped.
pub struct Viewing(Arc<Seat>);

impl Seat {
    pub(super) fn new(camera: Camera, common: Arc<Common>, fixed: Controls) -> Self {
        let turn = Turn { lease: None, used: Instant::now(), failed: false };
        let board = Board {
            running: None,
            pace: FIRST_PACE,
            chosen: Controls::default(),
            taken: 0,
            failed_in_a_row: 0,
        };
        Self {
            camera,
            common,
            fixed,
            turn: tokio::sync::Mutex::new(turn),
            waiting: AtomicUsize::new(0),
            looked_at: AtomicBool::new(false),
            viewers: AtomicUsize::new(0),
            board: Mutex::new(board),
        }
    }

    /// Whether nobody uses it, and it is closed.
    pub(super) fn is_left_alone(&self) -> bool {
        let closed = self.turn.try_lock().is_ok_and(|turn| turn.lease.is_none());
        closed && self.viewers.load(Ordering::SeqCst) == 0
    }

    /// Closes it, once what is under way is done.
    pub(super) async fn close(&self) {
        if let Some(lease) = self.turn.lock().await.lease.take() {
            lease.end().await;
        }
    }

    /// Closes it, if nobody is at work.
    pub(super) async fn close_if_free(&self) {
        if let Ok(mut turn) = self.turn.try_lock()
            && let Some(lease) = turn.lease.take()
        {
            lease.end().await;
        }
    }

    /// The camera.
    pub fn camera(&self) -> &Camera {
        &self.camera
    }

    /// The photograph under way.
    pub fn running(&self) -> Option<Running> {
        self.board().running.clone()
    }

    /// Photographs taken since the program started, and failures since the last one.
    pub fn tally(&self) -> (u64, u32) {
        let board = self.board();
        (board.taken, board.failed_in_a_row)
    }

    /// What a photograph is expected to take.
    pub fn pace(&self) -> Duration {
        self.board().pace
    }

    /// Settings that a person chose, over the configuration.
    pub fn chosen(&self) -> Controls {
        self.board().chosen
    }

    /// Makes it be open between scans, until that is dropped.
    pub fn view(self: &Arc<Self>) -> Viewing {
        self.viewers.fetch_add(1, Ordering::SeqCst);
        self.common.used.notify_one();
        Viewing(self.clone())
    }

    /// Sets what a person chose, for photographs and live views between scans; at once, if the camera is open.
    pub async fn choose(&self, controls: Controls) -> Result<(), StudioError> {
        self.check(controls)?;
        let before = std::mem::replace(&mut self.board().chosen, controls);
        self.restore(&mut *self.turn.lock().await, before).await
    }

    /// Sets what was chosen, after `other` settings.
    pub(super) async fn restore(&self, turn: &mut Turn, other: Controls) -> Result<(), StudioError> {
        let Some(mut lease) = turn.lease.take() else { return Ok(()) };
        let (chosen, wanted) = (self.chosen(), self.chosen().over(self.fixed));
        // A camera keeps what it is not told to change: only a new start makes a setting automatic again.
        if wanted.over(other) == wanted {
            lease.hold(chosen).await?;
            turn.lease = Some(lease);
        } else {
            lease.end().await;
        }
        Ok(())
    }

    pub(super) fn check(&self, controls: Controls) -> Result<(), StudioError> {
        let camera = self.camera.name().to_owned();
        let Some(hello) = self.camera.hello() else { return Ok(()) };
        controls
            .check(&hello.controls)
            .map_err(|refused| StudioError::Setting { camera, reason: refused.to_string() })
    }

    /// A frame for those who look, if nobody photographs.
    pub async fn look(&self) -> Result<CapturedFrame, StudioError> {
        let Ok(mut turn) = self.turn.try_lock() else { return Err(self.taken()) };
        let _looking = Looking::begin(&self.looked_at);
        self.open(&mut turn).await?;
        turn.used = Instant::now();
        let Some(mut lease) = turn.lease.take() else { return Err(self.taken()) };
        match lease.capture(ShotIndex(0), now_ns()).await {
            Ok(frame) => {
                turn.lease = Some(lease);
                Ok(frame)
            }
            Err(error) => {
                lease.end().await;
                turn.failed = true;
                Err(error.into())
            }
        }
    }

    pub(super) async fn take(
        &self,
        session_id: Option<&str>,
        wait: Duration,
    ) -> Result<Held<'_>, StudioError> {
        let turn = match self.turn.try_lock() {
            Ok(turn) => Some(turn),
            // Somebody who only looks is no reason to refuse.
            Err(_) if self.looked_at.load(Ordering::SeqCst) => self.queue(wait.max(GLANCE)).await,
            Err(_) if wait.is_zero() => None,
            Err(_) => self.queue(wait).await,
        };
        let Some(turn) = turn else { return Err(self.taken()) };
        let running = Running { since: Timestamp::now(), session_id: session_id.map(str::to_owned) };
        self.board().running = Some(running);
        Ok(Held::new(self, turn))
    }

    /// In the order of coming; none if the queue is full or the time is over.
    async fn queue(&self, wait: Duration) -> Option<MutexGuard<'_, Turn>> {
        let place = Place::take(&self.waiting)?;
        let turn = tokio::time::timeout(wait, self.turn.lock()).await.ok();
        drop(place);
        turn
    }

    /// When the camera will be free: once what runs is done, and those who wait are served.
    fn taken(&self) -> StudioError {
        let board = self.board();
        let elapsed = board.running.as_ref().map_or(Duration::ZERO, |running| {
            Timestamp::now().duration_since(running.since).try_into().unwrap_or_default()
        });
        let waiting = self.waiting.load(Ordering::SeqCst) as u32;
        let retry_after =
            board.pace.saturating_sub(elapsed).max(Duration::from_millis(100)) + board.pace * waiting;
        StudioError::Taken { camera: self.camera.name().to_owned(), retry_after }
    }

    pub(super) async fn keep(&self) {
        let Ok(mut turn) = self.turn.try_lock() else { return };
        let viewed = self.viewers.load(Ordering::SeqCst) > 0;
        let idle = turn.used.elapsed();
        let out_of_order = matches!(self.camera.status().state, State::Failed { .. });
        if turn.lease.is_some() && (out_of_order || (!viewed && idle > LINGER)) {
            if let Some(lease) = turn.lease.take() {
                lease.end().await;
            }
            (turn.failed, turn.used) = (out_of_order, Instant::now());
        } else if viewed && turn.lease.is_none() && !(turn.failed && idle < PAUSE) {
            turn.failed = self
                .open(&mut turn)
                .await
                .inspect_err(|error| debug!("not open for its viewers: {error}"))
                .is_err();
            turn.used = Instant::now();
        }
    }

    pub(super) async fn open(&self, turn: &mut Turn) -> Result<(), StudioError> {
        if turn.lease.is_some() {
            return Ok(());
        }
        // Whoever waited for the turn may have waited for a scan to take it.
        self.common.check()?;
        let taken = |_| StudioError::Taken { camera: self.camera.name().to_owned(), retry_after: FIRST_PACE };
        let mut lease = self.camera.lease("API").map_err(taken)?;
        open_lease(&mut lease, ATTEMPTS).await?;
        let chosen = self.chosen();
        if chosen != Controls::default() {
            lease.hold(chosen).await?;
        }
        turn.lease = Some(lease);
        self.common.used.notify_one();
        Ok(())
    }

    /// Takes note of the end of a photograph that `took` so long.
    pub(super) fn done(&self, took: Duration) {
        let mut board = self.board();
        board.running = None;
        // The newest counts most.
        board.pace = (board.pace + took) / 2;
    }

    pub(super) fn count(&self, succeeded: bool) {
        let mut board = self.board();
        if succeeded {
            (board.taken, board.failed_in_a_row) = (board.taken + 1, 0);
        } else {
            board.failed_in_a_row += 1;
        }
    }

    fn board(&self) -> std::sync::MutexGuard<'_, Board> {
        self.board.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Viewing {
    fn drop(&mut self) {
        self.0.viewers.fetch_sub(1, Ordering::SeqCst);
    }
}

/// The turn is held for a viewer.
struct Looking<'a>(&'a AtomicBool);

impl<'a> Looking<'a> {
    fn begin(looked_at: &'a AtomicBool) -> Self {
        looked_at.store(true, Ordering::SeqCst);
        Self(looked_at)
    }
}

impl Drop for Looking<'_> {
    fn drop(&mut self) {
        self.0.store(false, Ordering::SeqCst);
    }
}

/// A place in the queue.
struct Place<'a>(&'a AtomicUsize);

impl<'a> Place<'a> {
    fn take(waiting: &'a AtomicUsize) -> Option<Self> {
        let enter = |count: usize| (count < MAX_WAITING).then_some(count + 1);
        waiting.fetch_update(Ordering::SeqCst, Ordering::SeqCst, enter).ok().map(|_| Self(waiting))
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}
