//! One camera on standby: whose turn it is, and who looks.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use tokio::sync::MutexGuard;
use tracing::debug;

use crate::clock::now_ns;
use crate::model::Controls;
use crate::plan::ShotIndex;
use crate::rig::camera::{Camera, CapturedFrame, Lease, State};

use super::super::opening::open_lease;
use super::{Common, StandbyError};

/// How long a camera stays open that nobody uses.
const LINGER: Duration = Duration::from_secs(15);
/// How long after a failure a camera is not opened for viewers again.
const PAUSE: Duration = Duration::from_secs(2);
/// What a photograph is expected to take before there was one.
const FIRST_PACE: Duration = Duration::from_secs(2);
/// Who may wait for a camera at once.
const MAX_WAITING: usize = 16;
/// How often a camera is opened before that has failed.
const ATTEMPTS: u32 = 2;

/// A camera while no scan has it.
pub struct StandbyCamera {
    handle: Camera,
    /// What all cameras share.
    common: Arc<Common>,
    /// Settings of the configuration.
    fixed: Controls,
    turn: tokio::sync::Mutex<TurnState>,
    waiting: AtomicUsize,
    viewers: AtomicUsize,
    overview: Mutex<Overview>,
}

/// What only the holder of the turn may use.
pub(super) struct TurnState {
    pub(super) lease: Option<Lease>,
    /// When it was last used, or failed.
    pub(super) used: Instant,
    pub(super) failed: bool,
}

/// What anybody may look at. Locked for moments only.
#[derive(Debug)]
struct Overview {
    /// The photograph under way.
    running: Option<PhotographUnderWay>,
    /// What one takes, from those before.
    pace: Duration,
    /// Settings that a person chose, over the configuration.
    chosen: Controls,
    /// Photographs taken, and failures since the last one.
    taken: u64,
    failed_in_a_row: u32,
}

/// A photograph under way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PhotographUnderWay {
    /// When its turn began.
    pub since: Timestamp,
    /// What the person who takes it calls the occasion.
    pub session_id: Option<String>,
}

/// Somebody looks at a camera, which is therefore open between scans; until this is dropped.
pub struct Viewing(Arc<StandbyCamera>);

impl StandbyCamera {
    pub(super) fn new(handle: Camera, common: Arc<Common>, fixed: Controls) -> Self {
        let turn = TurnState { lease: None, used: Instant::now(), failed: false };
        let overview = Overview {
            running: None,
            pace: FIRST_PACE,
            chosen: Controls::default(),
            taken: 0,
            failed_in_a_row: 0,
        };
        Self {
            handle,
            common,
            fixed,
            turn: tokio::sync::Mutex::new(turn),
            waiting: AtomicUsize::new(0),
            viewers: AtomicUsize::new(0),
            overview: Mutex::new(overview),
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

    /// The rig's end of it.
    pub fn handle(&self) -> &Camera {
        &self.handle
    }

    /// The photograph under way.
    pub fn running(&self) -> Option<PhotographUnderWay> {
        self.overview().running.clone()
    }

    /// Photographs taken since the program started, and failures since the last one.
    pub fn tally(&self) -> (u64, u32) {
        let overview = self.overview();
        (overview.taken, overview.failed_in_a_row)
    }

    /// What a photograph is expected to take.
    pub fn pace(&self) -> Duration {
        self.overview().pace
    }

    /// Settings that a person chose, over the configuration.
    pub fn chosen(&self) -> Controls {
        self.overview().chosen
    }

    /// Makes it be open between scans, until that is dropped.
    pub fn view(self: &Arc<Self>) -> Viewing {
        self.viewers.fetch_add(1, Ordering::SeqCst);
        self.common.used.notify_one();
        Viewing(self.clone())
    }

    /// Sets what a person chose, for photographs and live views between scans; at once, if the camera is open.
    pub async fn choose(&self, controls: Controls) -> Result<(), StandbyError> {
        self.check(controls)?;
        // What it is at then is what it is shown to be at.
        let controls = self.handle.hello().map_or(controls, |hello| controls.within(&hello.controls));
        let before = std::mem::replace(&mut self.overview().chosen, controls);
        self.restore(&mut *self.turn.lock().await, before).await
    }

    /// Sets what was chosen, after `other` settings.
    pub(super) async fn restore(&self, turn: &mut TurnState, other: Controls) -> Result<(), StandbyError> {
        let Some(mut lease) = turn.lease.take() else { return Ok(()) };
        let (chosen, wanted) = (self.chosen(), self.chosen().over(self.fixed));
        // A camera keeps what it is not told to change: only a new start makes a setting automatic again.
        if wanted.over(other) == wanted {
            if let Err(error) = lease.hold(chosen).await {
                lease.end().await;
                return Err(error.into());
            }
            turn.lease = Some(lease);
        } else {
            lease.end().await;
        }
        Ok(())
    }

    pub(super) fn check(&self, controls: Controls) -> Result<(), StandbyError> {
        let camera = self.handle.name().to_owned();
        let checked = match self.handle.hello() {
            Some(hello) => controls.check(&hello.controls),
            None => controls.check_unseen(),
        };
        checked.map_err(|refused| StandbyError::Setting { camera, reason: refused.to_string() })
    }

    /// A frame for those who look, if nobody photographs.
    pub async fn look(&self) -> Result<CapturedFrame, StandbyError> {
        let Ok(mut turn) = self.turn.try_lock() else { return Err(self.taken()) };
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
    ) -> Result<MutexGuard<'_, TurnState>, StandbyError> {
        let turn = match self.turn.try_lock() {
            Ok(turn) => Some(turn),
            // Only another photograph is a reason to refuse: whoever else has the turn looks, or opens or closes the
            // camera for those who do, and a photograph waits for as long as that may take.
            Err(_) if self.running().is_none() => {
                self.queue(wait.max(self.handle.open_limit(ATTEMPTS))).await
            }
            Err(_) if wait.is_zero() => None,
            Err(_) => self.queue(wait).await,
        };
        let Some(turn) = turn else { return Err(self.taken()) };
        let running =
            PhotographUnderWay { since: Timestamp::now(), session_id: session_id.map(str::to_owned) };
        self.overview().running = Some(running);
        Ok(turn)
    }

    /// In the order of coming; none if the queue is full or the time is over.
    async fn queue(&self, wait: Duration) -> Option<MutexGuard<'_, TurnState>> {
        let place = Place::take(&self.waiting)?;
        let turn = tokio::time::timeout(wait, self.turn.lock()).await.ok();
        drop(place);
        turn
    }

    /// When the camera will be free: once what runs is done, and those who wait are served.
    fn taken(&self) -> StandbyError {
        let overview = self.overview();
        let elapsed = overview.running.as_ref().map_or(Duration::ZERO, |running| {
            Timestamp::now().duration_since(running.since).try_into().unwrap_or_default()
        });
        let waiting = self.waiting.load(Ordering::SeqCst) as u32;
        let retry_after =
            overview.pace.saturating_sub(elapsed).max(Duration::from_millis(100)) + overview.pace * waiting;
        StandbyError::Taken { camera: self.handle.name().to_owned(), retry_after }
    }

    pub(super) async fn keep(&self) {
        let Ok(mut turn) = self.turn.try_lock() else { return };
        let viewed = self.viewers.load(Ordering::SeqCst) > 0;
        let idle = turn.used.elapsed();
        let out_of_order = matches!(self.handle.status().state, State::Failed { .. });
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

    pub(super) async fn open(&self, turn: &mut TurnState) -> Result<(), StandbyError> {
        if turn.lease.is_some() {
            return Ok(());
        }
        // Whoever waited for the turn may have waited for a scan to take it.
        self.common.check()?;
        let taken =
            |_| StandbyError::Taken { camera: self.handle.name().to_owned(), retry_after: FIRST_PACE };
        let mut lease = self.handle.lease("API").map_err(taken)?;
        let chosen = self.chosen();
        let opened = async {
            open_lease(&mut lease, ATTEMPTS).await?;
            if chosen == Controls::default() { Ok(()) } else { lease.hold(chosen).await }
        };
        // Dropped, it would be closed behind our back, and a scan that waited for the turn would find it busy.
        if let Err(error) = opened.await {
            lease.end().await;
            return Err(error.into());
        }
        turn.lease = Some(lease);
        self.common.used.notify_one();
        Ok(())
    }

    /// Takes note of the end of a photograph that `took` so long.
    pub(super) fn done(&self, took: Duration) {
        let mut overview = self.overview();
        overview.running = None;
        // The newest counts most.
        overview.pace = (overview.pace + took) / 2;
    }

    pub(super) fn count(&self, succeeded: bool) {
        let mut overview = self.overview();
        if succeeded {
            (overview.taken, overview.failed_in_a_row) = (overview.taken + 1, 0);
        } else {
            overview.failed_in_a_row += 1;
        }
    }

    fn overview(&self) -> std::sync::MutexGuard<'_, Overview> {
        self.overview.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Viewing {
    fn drop(&mut self) {
        self.0.viewers.fetch_sub(1, Ordering::SeqCst);
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

#[cfg(test)]
mod tests;
