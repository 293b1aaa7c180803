//! Looking through the cameras: each frame is encoded once, however many look, and not at all if nobody does.
//!
//! A feeder, one a camera that somebody looks at, takes the newest frame, encodes it on a thread for that, and puts it
//! where every viewer finds it: whoever is slow skips those in between. A camera that streams beside its stills goes on
//! through photographs and scans. One that cannot is shown by stills between photographs, and its viewers are told
//! that it is paused meanwhile.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use jiff::Timestamp;
use serde::Serialize;
use tokio::sync::watch;
use utoipa::ToSchema;

use crate::config::Live as LiveConfig;
use crate::daemon::{Seat, StudioError};
use crate::frame::jpeg::Encoder;
use crate::frame::{Pixels as _, quality};
use crate::rig::camera::CapturedFrame;
use crate::units::FramesPerSecond;

use super::app::App;
use super::live_stats::{LiveStats, Meter};

/// Highest rate that is shown.
const RATE: FramesPerSecond = FramesPerSecond::new(15.0);
/// JPEG quality of live frames.
const QUALITY: u8 = 70;
/// How long a feeder goes on without viewers: somebody may only be loading the page again.
const LINGER: Duration = Duration::from_secs(2);
/// How often a feeder looks how things stand.
const LOOK: Duration = Duration::from_millis(200);
/// Without a frame for this long, viewers are told that they wait for one.
const SILENCE: Duration = Duration::from_millis(1500);
/// Viewers of all cameras at once.
const MAX_VIEWERS: usize = 128;

/// What the first bytes of a binary message are, all little-endian: the letters `SLV1`, then `number` as `u32`,
/// microseconds since 1970 as `u64`, width and height as `u16`, and as `f32` sharpness, parts of the pixels at black and
/// at white, exposure in seconds, gain and lens position in dioptres (NaN without a lens that moves).
const MAGIC: &[u8; 4] = b"SLV1";
/// Bytes in front of the JPEG.
pub(super) const HEADER: usize = 44;

/// A live frame, encoded.
#[derive(Debug)]
pub(super) struct Picture {
    /// Grows by one from frame to frame of a feeder.
    pub(super) number: u32,
    /// Header and JPEG.
    pub(super) message: Bytes,
}

/// Whether a live view goes on.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub(super) struct ViewState {
    /// What keeps it from going on; none if it does.
    pub(super) paused: Option<PauseReason>,
    /// Seconds that this is expected to take, where that can be told.
    pub(super) expected_seconds: Option<f64>,
}

/// What keeps a live view from going on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum PauseReason {
    /// A photograph, at a camera that cannot stream meanwhile.
    Capture,
    /// A scan, at such a camera.
    Scan,
    /// The camera is being opened, or brought back.
    Camera,
    /// The cameras are closed at this hour.
    OutOfHours,
}

/// All live views.
pub(super) struct Live {
    cameras: Vec<Arc<LiveCamera>>,
    viewers: Arc<AtomicUsize>,
}

/// The live view of one camera.
pub(super) struct LiveCamera {
    pub(super) seat: Arc<Seat>,
    /// Whether the configuration wants a stream beside the stills.
    streams: bool,
    newest: watch::Sender<Option<Arc<Picture>>>,
    state: watch::Sender<ViewState>,
    viewers: AtomicUsize,
    meter: Mutex<Meter>,
    /// Whether a feeder runs.
    fed: Mutex<bool>,
}

/// Somebody who looks; until this is dropped.
pub(super) struct Viewer {
    camera: Arc<LiveCamera>,
    all: Arc<AtomicUsize>,
    pub(super) newest: watch::Receiver<Option<Arc<Picture>>>,
    pub(super) state: watch::Receiver<ViewState>,
}

impl Live {
    pub(super) fn new(seats: &[Arc<Seat>], configs: &[crate::config::Camera]) -> Self {
        let camera = |(seat, config): (&Arc<Seat>, &crate::config::Camera)| {
            let waiting = ViewState { paused: Some(PauseReason::Camera), expected_seconds: None };
            Arc::new(LiveCamera {
                seat: seat.clone(),
                streams: config.live != LiveConfig::Off,
                newest: watch::Sender::new(None),
                state: watch::Sender::new(waiting),
                viewers: AtomicUsize::new(0),
                meter: Mutex::new(Meter::default()),
                fed: Mutex::new(false),
            })
        };
        Self { cameras: seats.iter().zip(configs).map(camera).collect(), viewers: Arc::default() }
    }

    /// How many look through all cameras.
    pub(super) fn viewers(&self) -> usize {
        self.viewers.load(Ordering::SeqCst)
    }

    pub(super) fn cameras(&self) -> &[Arc<LiveCamera>] {
        &self.cameras
    }

    /// The camera of this name.
    pub(super) fn camera(&self, name: &str) -> Option<&Arc<LiveCamera>> {
        self.cameras.iter().find(|camera| camera.name() == name)
    }
}

impl App {
    /// Looks through a camera; none if too many do.
    pub(super) fn look(self: &Arc<Self>, camera: &Arc<LiveCamera>) -> Option<Viewer> {
        let enter = |count: usize| (count < MAX_VIEWERS).then_some(count + 1);
        self.live.viewers.fetch_update(Ordering::SeqCst, Ordering::SeqCst, enter).ok()?;
        camera.viewers.fetch_add(1, Ordering::SeqCst);
        let viewer = Viewer {
            camera: camera.clone(),
            all: self.live.viewers.clone(),
            newest: camera.newest.subscribe(),
            state: camera.state.subscribe(),
        };
        let mut fed = camera.fed.lock().unwrap_or_else(PoisonError::into_inner);
        if !std::mem::replace(&mut *fed, true) {
            tokio::spawn(feed(self.clone(), camera.clone()));
        }
        Some(viewer)
    }
}

impl Drop for Viewer {
    fn drop(&mut self) {
        self.camera.viewers.fetch_sub(1, Ordering::SeqCst);
        self.all.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Viewer {
    /// How the live view does.
    pub(super) fn stats(&self) -> LiveStats {
        self.camera.stats()
    }
}

impl LiveCamera {
    pub(super) fn name(&self) -> &str {
        self.seat.camera().name()
    }

    /// How the live view does.
    pub(super) fn stats(&self) -> LiveStats {
        let (taken, failed) = self.seat.tally();
        let came = self.seat.camera().status().counters.live;
        let viewers = self.viewers.load(Ordering::SeqCst);
        let meter = self.meter();
        meter.stats(Instant::now(), came, taken, failed, viewers)
    }

    pub(super) fn state(&self) -> ViewState {
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
                let (taken, _) = self.seat.tally();
                self.meter().restart(Instant::now(), self.seat.camera().status().counters.live, taken);
            }
            changed
        });
    }

    fn going_on(&self) {
        self.set_state(ViewState { paused: None, expected_seconds: None });
    }

    fn pause(&self, reason: PauseReason, expected: Option<Duration>) {
        // In tenths, so that not every look is news.
        let expected_seconds = expected.map(|expected| (expected.as_secs_f64() * 10.0).round() / 10.0);
        self.set_state(ViewState { paused: Some(reason), expected_seconds });
    }

    /// Whether the feeder ends: nobody has looked for a while. Says so under the lock, so that the next viewer starts
    /// another one.
    fn is_over(&self, lonely: &mut Option<Instant>) -> bool {
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

/// A feeder, from the first viewer to the last.
async fn feed(app: Arc<App>, camera: Arc<LiveCamera>) {
    // Between scans, the camera is open for it.
    let _open = camera.seat.view();
    let mut feeder = Feeder { number: 0, encoder: None, camera: camera.clone() };
    camera.pause(PauseReason::Camera, None);
    let mut lonely = None;
    // Whether it streams is known once it was open.
    let streams = loop {
        if camera.is_over(&mut lonely) {
            return;
        }
        if let Some(hello) = camera.seat.camera().hello() {
            break camera.streams && hello.live_beside_stills;
        }
        tokio::time::sleep(LOOK).await;
    };
    if streams { feeder.stream(&app, &mut lonely).await } else { feeder.stills(&app, &mut lonely).await }
}

struct Feeder {
    number: u32,
    encoder: Option<(Encoder, Vec<u8>)>,
    camera: Arc<LiveCamera>,
}

impl Feeder {
    /// Shows the stream that the camera has beside its stills.
    async fn stream(&mut self, app: &App, lonely: &mut Option<Instant>) {
        let camera = self.camera.clone();
        let mut view = {
            let _on_rig = app.rig_runtime().enter();
            camera.seat.camera().live(RATE)
        };
        let mut look = tokio::time::interval(LOOK);
        look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut shown = Instant::now();
        loop {
            tokio::select! {
                biased;
                _ = look.tick() => {
                    if camera.is_over(lonely) {
                        return;
                    }
                    if shown.elapsed() > SILENCE {
                        let closed = !app.service.station().config().schedule.at(&jiff::Zoned::now()).open;
                        camera.pause(if closed { PauseReason::OutOfHours } else { PauseReason::Camera }, None);
                    }
                }
                frame = view.next() => {
                    let Some(frame) = frame else { return };
                    shown = Instant::now();
                    camera.going_on();
                    self.show(frame).await;
                }
            }
        }
    }

    /// Shows stills, one after the other, whenever nobody else wants the camera.
    async fn stills(&mut self, app: &Arc<App>, lonely: &mut Option<Instant>) {
        let camera = self.camera.clone();
        while !camera.is_over(lonely) {
            if app.service.studio().is_scanning() {
                camera.pause(PauseReason::Scan, app.hub.left());
                tokio::time::sleep(LOOK).await;
                continue;
            }
            let seat = camera.seat.clone();
            let frame = app.rig_runtime().spawn(async move { seat.look().await }).await;
            match frame {
                Ok(Ok(frame)) => {
                    camera.going_on();
                    self.show(Arc::new(frame)).await;
                    tokio::time::sleep(Duration::from_secs_f64(1.0 / RATE.get())).await;
                    continue;
                }
                Ok(Err(StudioError::Taken { retry_after, .. })) => {
                    camera.pause(PauseReason::Capture, Some(retry_after));
                }
                Ok(Err(StudioError::OutOfHours)) => camera.pause(PauseReason::OutOfHours, None),
                Ok(Err(StudioError::Scan | StudioError::Setting { .. } | StudioError::Camera(_)))
                | Err(_) => {
                    camera.pause(PauseReason::Camera, None);
                }
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Encodes a frame, on a thread for that, and shows it.
    async fn show(&mut self, frame: Arc<CapturedFrame>) {
        let kept = self.encoder.take();
        self.number = self.number.wrapping_add(1);
        let number = self.number;
        let encoding = tokio::task::spawn_blocking(move || {
            let (mut encoder, mut jpeg) = match kept {
                Some(kept) => kept,
                None => (Encoder::new(QUALITY)?, Vec::new()),
            };
            let message = encode(&mut encoder, &mut jpeg, &frame, number)?;
            Ok::<_, crate::frame::jpeg::JpegError>((encoder, jpeg, message))
        });
        match encoding.await {
            Ok(Ok((encoder, jpeg, message))) => {
                self.encoder = Some((encoder, jpeg));
                self.camera.meter().shown(Instant::now(), Timestamp::now());
                self.camera.newest.send_replace(Some(Arc::new(Picture { number, message })));
            }
            Ok(Err(error)) => {
                tracing::debug!(camera = self.camera.name(), "a live frame is not shown: {error}");
            }
            Err(error) => tracing::warn!(camera = self.camera.name(), "a live frame is not shown: {error}"),
        }
    }
}

fn encode(
    encoder: &mut Encoder,
    jpeg: &mut Vec<u8>,
    frame: &CapturedFrame,
    number: u32,
) -> Result<Bytes, crate::frame::jpeg::JpegError> {
    let wrong = |error: crate::frame::ViewError| crate::frame::jpeg::JpegError { reason: error.to_string() };
    let view = frame.view().map_err(wrong)?;
    let measured = quality::measure(&view);
    encoder.encode(&view, None, jpeg)?;
    let (said, size) = (frame.frame(), view.size());
    let mut message = Vec::with_capacity(HEADER + jpeg.len());
    message.extend_from_slice(MAGIC);
    message.extend_from_slice(&number.to_le_bytes());
    message.extend_from_slice(&(Timestamp::now().as_microsecond() as u64).to_le_bytes());
    // A JPEG's sides have 16 bits.
    message.extend_from_slice(&(size.width as u16).to_le_bytes());
    message.extend_from_slice(&(size.height as u16).to_le_bytes());
    let focus = said.focus.map_or(f64::NAN, crate::units::Dioptres::get);
    let exposure = said.exposure_us as f64 / 1e6;
    for value in
        [measured.sharpness, measured.clipped_dark, measured.clipped_bright, exposure, said.gain, focus]
    {
        message.extend_from_slice(&(value as f32).to_le_bytes());
    }
    message.extend_from_slice(jpeg);
    Ok(message.into())
}
