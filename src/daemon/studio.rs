//! Cameras between scans: photographs, and live views of cameras that no scan has open.
//!
//! A camera has one *turn*, which whoever photographs holds; those who wait for it are served in order. A scan takes all
//! turns, closes what is open, and gives them back when it is over.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde::Serialize;
use tokio::sync::MutexGuard;
use tracing::{debug, warn};

use crate::camera_driver::protocol::{Controls, ErrorKind};
use crate::frame::jpeg::Encoder;
use crate::frame::{Pixels as _, quality, thumbnail};
use crate::plan::ShotIndex;
use crate::rig::camera::{Camera, CameraError, CapturedFrame, Lease};
use crate::rig::clock::now_ns;
use crate::scan::FrameFacts;
use crate::units::Seconds;

use super::captures::Developed;
use super::opening::open_lease;

/// How long a camera stays open that nobody uses.
const LINGER: Duration = Duration::from_secs(15);
/// How often it is looked whether cameras are to be opened or closed.
const LOOK: Duration = Duration::from_millis(250);
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

/// Every camera, between scans.
pub struct Studio {
    seats: Vec<Arc<Seat>>,
    closed: Arc<Closed>,
}

/// Why the cameras may not be open for anybody but a scan.
#[derive(Debug, Default)]
struct Closed {
    /// A scan has them.
    scan: AtomicBool,
    /// It is outside the hours.
    hours: AtomicBool,
}

impl Closed {
    fn check(&self) -> Result<(), StudioError> {
        if self.scan.load(Ordering::SeqCst) {
            return Err(StudioError::Scan);
        }
        if self.hours.load(Ordering::SeqCst) { Err(StudioError::OutOfHours) } else { Ok(()) }
    }
}

/// One camera.
pub struct Seat {
    camera: Camera,
    /// That of the studio.
    closed: Arc<Closed>,
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
struct Turn {
    lease: Option<Lease>,
    /// When it was last used, or failed.
    used: Instant,
    failed: bool,
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

/// Why there is no photograph.
#[derive(Debug, thiserror::Error)]
pub enum StudioError {
    /// The camera is at work.
    #[error("camera {camera} is taken: ask again in {:.1} s, or wait with ?wait=SECONDS", retry_after.as_secs_f64())]
    Taken {
        /// Which.
        camera: String,
        /// When it is expected to be free.
        retry_after: Duration,
    },
    /// A scan has it.
    #[error("a scan has the cameras: photographs are taken between scans")]
    Scan,
    /// It is not the time for it.
    #[error("it is outside the hours of [schedule], in which cameras may be open")]
    OutOfHours,
    /// It does not have such a setting.
    #[error("camera {camera}: {reason}")]
    Setting {
        /// Which.
        camera: String,
        /// What is wrong, and what it takes.
        reason: String,
    },
    /// It failed.
    #[error(transparent)]
    Camera(#[from] CameraError),
}

/// A camera's turn, for one photograph. Whoever holds it shows on the board.
pub struct Held<'a> {
    seat: &'a Seat,
    turn: MutexGuard<'a, Turn>,
    began: Instant,
}

/// Somebody looks at a camera, which is therefore open between scans; until this is dropped.
pub struct Viewing(Arc<Seat>);

impl Studio {
    /// For these cameras, all closed, each with its configured settings.
    pub fn new(cameras: &[Camera], fixed: impl IntoIterator<Item = Controls>) -> Self {
        let closed = Arc::new(Closed::default());
        let seat = |(camera, fixed): (&Camera, Controls)| {
            let turn = Turn { lease: None, used: Instant::now(), failed: false };
            let board = Board {
                running: None,
                pace: FIRST_PACE,
                chosen: Controls::default(),
                taken: 0,
                failed_in_a_row: 0,
            };
            Arc::new(Seat {
                camera: camera.clone(),
                closed: closed.clone(),
                fixed,
                turn: tokio::sync::Mutex::new(turn),
                waiting: AtomicUsize::new(0),
                looked_at: AtomicBool::new(false),
                viewers: AtomicUsize::new(0),
                board: Mutex::new(board),
            })
        };
        let seats = cameras.iter().zip(fixed).map(seat).collect();
        Self { seats, closed }
    }

    /// The cameras, in the order of the configuration.
    pub fn seats(&self) -> &[Arc<Seat>] {
        &self.seats
    }

    /// The camera of this name.
    pub fn seat(&self, name: &str) -> Option<&Arc<Seat>> {
        self.seats.iter().find(|seat| seat.camera.name() == name)
    }

    /// Whether a scan has the cameras.
    pub fn is_scanning(&self) -> bool {
        self.closed.scan.load(Ordering::SeqCst)
    }

    /// Whether the cameras may be open at this hour.
    pub(super) fn set_hours(&self, open: bool) {
        self.closed.hours.store(!open, Ordering::SeqCst);
    }

    /// Closes cameras at which nobody is at work.
    pub(super) async fn close_idle(&self) {
        for seat in &self.seats {
            if let Ok(mut turn) = seat.turn.try_lock()
                && let Some(lease) = turn.lease.take()
            {
                lease.end().await;
            }
        }
    }

    /// Takes the turns of all of `seats`, in the order of the configuration: at once, or waiting for at most `wait`.
    pub async fn take<'a>(
        &self,
        seats: &[&'a Seat],
        session_id: Option<&str>,
        wait: Duration,
    ) -> Result<Vec<Held<'a>>, StudioError> {
        let deadline = Instant::now() + wait;
        let mut held = Vec::with_capacity(seats.len());
        for seat in seats {
            self.closed.check()?;
            held.push(seat.take(session_id, deadline.saturating_duration_since(Instant::now())).await?);
        }
        // A scan that has begun to wait for them meanwhile comes first.
        self.closed.check().map(|()| held)
    }

    /// Closes all cameras for a scan, once what is under way is done.
    pub async fn close(&self) {
        self.closed.scan.store(true, Ordering::SeqCst);
        for seat in &self.seats {
            let mut turn = seat.turn.lock().await;
            if let Some(lease) = turn.lease.take() {
                lease.end().await;
            }
        }
    }

    /// The scan is over.
    pub(super) fn reopen(&self) {
        self.closed.scan.store(false, Ordering::SeqCst);
    }

    /// Opens cameras that somebody looks at, and closes those that nobody uses any more; until it is dropped.
    pub async fn keep(self: Arc<Self>) {
        let mut look = tokio::time::interval(LOOK);
        look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            look.tick().await;
            if self.closed.check().is_err() {
                continue;
            }
            let keeping = self.seats.iter().map(|seat| seat.keep());
            futures_util::future::join_all(keeping).await;
        }
    }
}

impl Seat {
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
        Viewing(self.clone())
    }

    /// Sets what a person chose, for photographs and live views between scans; at once, if the camera is open.
    pub async fn choose(&self, controls: Controls) -> Result<(), StudioError> {
        self.check(controls)?;
        let before = std::mem::replace(&mut self.board().chosen, controls);
        self.restore(&mut *self.turn.lock().await, before).await
    }

    /// Sets what was chosen, after `other` settings.
    async fn restore(&self, turn: &mut Turn, other: Controls) -> Result<(), StudioError> {
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

    fn check(&self, controls: Controls) -> Result<(), StudioError> {
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

    async fn take(&self, session_id: Option<&str>, wait: Duration) -> Result<Held<'_>, StudioError> {
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
        Ok(Held { seat: self, turn, began: Instant::now() })
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

    async fn keep(&self) {
        let Ok(mut turn) = self.turn.try_lock() else { return };
        let viewed = self.viewers.load(Ordering::SeqCst) > 0;
        let idle = turn.used.elapsed();
        let out_of_order = matches!(self.camera.status().state, crate::rig::camera::State::Failed { .. });
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

    async fn open(&self, turn: &mut Turn) -> Result<(), StudioError> {
        if turn.lease.is_some() {
            return Ok(());
        }
        // Whoever waited for the turn may have waited for a scan to take it.
        self.closed.check()?;
        let taken = |_| StudioError::Taken { camera: self.camera.name().to_owned(), retry_after: FIRST_PACE };
        let mut lease = self.camera.lease("API").map_err(taken)?;
        open_lease(&mut lease, ATTEMPTS).await?;
        let chosen = self.chosen();
        if chosen != Controls::default() {
            lease.hold(chosen).await?;
        }
        turn.lease = Some(lease);
        Ok(())
    }

    fn board(&self) -> std::sync::MutexGuard<'_, Board> {
        self.board.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Board {
    fn count(&mut self, succeeded: bool) {
        if succeeded {
            (self.taken, self.failed_in_a_row) = (self.taken + 1, 0);
        } else {
            self.failed_in_a_row += 1;
        }
    }
}

impl Held<'_> {
    /// Which camera it is.
    pub fn camera(&self) -> &Camera {
        &self.seat.camera
    }

    /// Takes a frame with `controls` over what is set; the exposure begins after this was called.
    pub async fn frame(&mut self, controls: Controls) -> Result<CapturedFrame, StudioError> {
        let taken = self.try_frame(controls).await;
        self.turn.used = Instant::now();
        self.turn.failed = taken.is_err();
        self.seat.board().count(taken.is_ok());
        // A camera that failed is opened anew by whoever comes next.
        if matches!(taken, Err(StudioError::Camera(_)))
            && let Some(lease) = self.turn.lease.take()
        {
            lease.end().await;
        }
        taken
    }

    async fn try_frame(&mut self, controls: Controls) -> Result<CapturedFrame, StudioError> {
        self.seat.open(&mut self.turn).await?;
        self.seat.check(controls)?;
        let chosen = self.seat.chosen();
        let camera = self.seat.camera.name();
        let Some(lease) = &mut self.turn.lease else {
            return Err(CameraError::new(camera, ErrorKind::Crashed, "it is not open").into());
        };
        let own = controls != Controls::default();
        if own {
            lease.hold(controls.over(chosen)).await?;
        }
        let frame = lease.capture(ShotIndex(0), now_ns()).await;
        if own {
            self.seat.restore(&mut self.turn, controls).await?;
        }
        Ok(frame?)
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        let took = self.began.elapsed();
        let mut board = self.seat.board();
        board.running = None;
        // The newest counts most.
        board.pace = (board.pace + took) / 2;
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

/// Makes a photograph of a frame. Blocks.
pub fn develop(camera: &str, frame: &CapturedFrame, jpeg_quality: u8) -> Result<Developed, CameraError> {
    let wrong =
        |error: &dyn std::fmt::Display| CameraError::new(camera, ErrorKind::BadFrame, error.to_string());
    let view = frame.view().map_err(|error| wrong(&error))?;
    let mut image = Vec::new();
    let mut encoder = Encoder::new(jpeg_quality).map_err(|error| wrong(&error))?;
    encoder.encode(&view, None, &mut image).map_err(|error| wrong(&error))?;
    let mut small = Vec::new();
    let thumbnail = Encoder::new(thumbnail::QUALITY)
        .and_then(|mut encoder| thumbnail::encode(&mut encoder, &view, &mut small))
        .inspect_err(|error| warn!(camera, "no thumbnail: {error}"));
    let measured = quality::measure(&view);
    let said = frame.frame();
    let facts = FrameFacts {
        taken_at: Timestamp::now(),
        sensor_timestamp_ns: said.sensor_timestamp_ns,
        exposure: Seconds::new(said.exposure_us as f64 / 1e6),
        gain: said.gain,
        white_balance: said.white_balance,
        focus: said.focus,
        sequence: said.sequence,
        sharpness: measured.sharpness,
        clipped_dark: measured.clipped_dark,
        clipped_bright: measured.clipped_bright,
    };
    let size = view.size();
    Ok(Developed {
        camera: camera.to_owned(),
        size,
        facts,
        image,
        thumbnail: thumbnail.is_ok().then_some(small),
    })
}
