//! The handle of a camera: its status, and its one lease.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tracing::{error, info};

use super::connection::Tally;
use super::driver;
use super::error::{Busy, CameraError, Wedged};
use super::lease::Lease;
use super::leftover;
use super::live::Audience;
use super::procfs::{Holder, ThreadEvidence};
use super::session::Session;
use super::spawner::Spawner;
use super::status::{CameraStatus, Counters, LeaseHolder, State};
use crate::camera_driver::protocol::{Controls, Hello, Region, Size};
use crate::config;
use crate::plan::{Optics, Sensor};

/// When it makes sense to ask again for a camera that is in use.
const RETRY_AFTER: Duration = Duration::from_secs(5);

/// How often a driver that cannot be ended is looked after.
const REAP_INTERVAL: Duration = Duration::from_secs(1);

/// A camera of the rig. Cheap to clone: all clones are the same camera.
#[derive(Clone)]
pub struct Camera {
    pub(super) inner: Arc<Inner>,
}

/// What all handles of a camera share.
pub(super) struct Inner {
    pub(super) config: config::Camera,
    pub(super) recovery: config::Recovery,
    /// How many stills may be held at once.
    pub(super) buffers: u32,
    /// `--options` of the driver.
    pub(super) options: String,
    pub(super) spawner: Spawner,
    /// The running driver. Whoever changes it holds the lock until it is in order again.
    pub(super) session: tokio::sync::Mutex<Option<Session>>,
    pub(super) tally: Arc<Tally>,
    pub(super) audience: Arc<Audience>,
    board: Mutex<Board>,
    epoch: AtomicU64,
    request: AtomicU64,
}

/// What `status` shows. Locked for moments only.
#[derive(Debug, Default)]
pub(super) struct Board {
    pub(super) state: State,
    pub(super) counters: Counters,
    pub(super) holder: Option<LeaseHolder>,
    /// A driver that cannot be ended, as long as it lives.
    pub(super) wedged: Option<Wedged>,
    /// What every driver is configured with, over the configuration: what was found automatically and is held.
    pub(super) held: Controls,
    /// What the driver said of the camera, last.
    pub(super) hello: Option<Hello>,
    /// The size of its images, last, and the part of the sensor that they show.
    pub(super) images: Option<(Size, Option<Region>)>,
    /// The size of its images that must not change while it is open.
    pub(super) pinned: Option<Size>,
}

impl Camera {
    /// A camera that is closed. Its driver gets `config.options` and `extra_options`, which come first where
    /// both name the same; the daemon holds at most `buffers` frames at once.
    pub fn new(
        config: &config::Camera,
        recovery: &config::Recovery,
        buffers: u32,
        extra_options: serde_json::Map<String, serde_json::Value>,
        spawner: Spawner,
    ) -> Self {
        let mut options = config.options.as_object().cloned().unwrap_or_default();
        options.extend(extra_options);
        let inner = Inner {
            config: config.clone(),
            recovery: recovery.clone(),
            buffers,
            options: serde_json::Value::Object(options).to_string(),
            spawner,
            session: tokio::sync::Mutex::default(),
            tally: Arc::default(),
            audience: Arc::default(),
            board: Mutex::default(),
            epoch: AtomicU64::new(0),
            request: AtomicU64::new(0),
        };
        Self { inner: Arc::new(inner) }
    }

    /// Its name in the configuration.
    pub fn name(&self) -> &str {
        self.inner.name()
    }

    /// For how long it holds what it finds by itself.
    pub fn hold(&self) -> config::Hold {
        self.inner.config.hold
    }

    /// What it is doing and what happened to it. Never waits for the driver.
    pub fn status(&self) -> CameraStatus {
        let board = self.inner.board();
        let mut counters = board.counters.clone();
        counters.late = self.inner.tally.late.load(Ordering::Relaxed);
        counters.garbage = self.inner.tally.garbage.load(Ordering::Relaxed);
        counters.live = self.inner.audience.shown();
        CameraStatus {
            camera: self.name().into(),
            state: board.state.clone(),
            counters,
            holder: board.holder.clone(),
        }
    }

    /// Its images, as far as they are known: once it was open, all that the camera says.
    pub fn optics(&self) -> Optics {
        let board = self.inner.board();
        let config = &self.inner.config;
        let (Some(hello), Some((size, field_of_view))) = (&board.hello, board.images) else {
            return config.optics;
        };
        let sensor =
            Sensor { model: &hello.model, size: hello.sensor, pitch_um: hello.pixel_pitch_um, field_of_view };
        config.optics.once_open(sensor, size, config.controls.crop)
    }

    /// What its driver said of it, last; none before it was asked.
    pub fn hello(&self) -> Option<Hello> {
        self.inner.board().hello.clone()
    }

    /// Makes its images of this size, until it is closed, where the configuration leaves that to the camera.
    pub fn pin_size(&self, size: Size) {
        self.inner.board().pinned = Some(size);
    }

    /// Who else has the camera's device nodes open, as far as they are known.
    pub fn foreign_holders(&self) -> Vec<Holder> {
        driver::foreign_holders(&self.inner)
    }

    /// Ends those of `recovery.may_end` who have the camera's device nodes open, and says who that was. Blocks.
    pub fn end_permitted_holders(&self) -> Vec<Holder> {
        driver::end_permitted_holders(&self.inner, self.inner.recovery.kill_timeout)
    }

    /// The right to use the camera, for `holder` (a name for people), until it is dropped. Never waits.
    pub fn lease(&self, holder: &str) -> Result<Lease, Busy> {
        let mut board = self.inner.board();
        if let Some(LeaseHolder { name, since }) = board.holder.clone() {
            let camera = self.name().into();
            return Err(Busy { camera, holder: name, since, retry_after: RETRY_AFTER });
        }
        board.holder = Some(LeaseHolder { name: holder.into(), since: Timestamp::now() });
        Ok(Lease::new(Arc::clone(&self.inner)))
    }
}

impl fmt::Debug for Inner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inner").field("camera", &self.config.name).finish_non_exhaustive()
    }
}

impl fmt::Debug for Camera {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Camera").field("status", &self.status()).finish_non_exhaustive()
    }
}

impl Inner {
    pub(super) fn name(&self) -> &str {
        &self.config.name
    }

    pub(super) fn board(&self) -> MutexGuard<'_, Board> {
        self.board.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn set_state(&self, state: State) {
        self.board().state = state;
    }

    /// Shows that the camera is out of order.
    pub(super) fn set_failed(&self, error: &CameraError) {
        self.set_state(State::Failed { error: error.clone() });
    }

    /// Greater than every one before.
    pub(super) fn next_epoch(&self) -> u64 {
        self.epoch.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Unlike every one before.
    pub(super) fn next_request(&self) -> u64 {
        self.request.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Fails while there is a driver that cannot be ended.
    pub(super) fn check_not_wedged(&self) -> Result<(), Wedged> {
        self.board().wedged.clone().map_or(Ok(()), Err)
    }

    /// Shows that the driver cannot be ended, and looks in the background whether it has `ended` nevertheless:
    /// only then is the camera usable again.
    pub(super) fn set_wedged(
        self: &Arc<Self>,
        wedged: &Wedged,
        has_ended: impl Fn() -> bool + Send + 'static,
    ) {
        let (camera, pid) = (self.name().to_owned(), wedged.pid);
        error!(camera, pid, "the driver cannot be ended, it hangs in the kernel: a reboot is needed");
        for thread in &wedged.evidence.threads {
            let ThreadEvidence { tid, comm, state, wchan, syscall, stack } = thread;
            let stack = stack.replace('\n', " < ");
            error!(camera, pid, tid, comm, %state, wchan, syscall, stack, "where the driver hangs");
        }
        let mut board = self.board();
        board.state = State::Wedged { pid, evidence: wedged.evidence.clone() };
        board.wedged = Some(wedged.clone());
        let weak = Arc::downgrade(self);
        tokio::spawn(async move {
            while !has_ended() {
                tokio::time::sleep(REAP_INTERVAL).await;
            }
            info!(camera, pid, "the driver that could not be ended has ended");
            if let Some(inner) = weak.upgrade() {
                leftover::forget(inner.spawner.runtime_directory(), &camera);
                let mut board = inner.board();
                board.wedged = None;
                board.state = State::Closed;
            }
        });
    }
}
