//! The handle of a camera: its status, and its one lease.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use jiff::Timestamp;

use super::driver;
use super::error::Busy;
use super::inner::Inner;
use super::lease::Lease;
use super::limits::{attempt_limit, busy_limit, recovery_limit};
use super::live::LiveView;
use super::shared::Shared;
use super::spawner::Spawner;
use super::status::{CameraStatus, LeaseHolder};
use crate::camera_driver::protocol::Hello;
use crate::config::{self, Raw, Rung};
use crate::model::{Controls, FileType, Optics, Sensor, Size};
use crate::procfs::Holder;
use crate::units::FramesPerSecond;

/// When it makes sense to ask again for a camera that is in use.
const RETRY_AFTER: Duration = Duration::from_secs(5);

/// A camera of the rig. Cheap to clone: all clones are the same camera.
#[derive(Clone)]
pub struct Camera {
    pub(super) inner: Arc<Inner>,
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
        let options = serde_json::Value::Object(options).to_string();
        let shared = Shared::new(config.clone(), recovery.clone(), buffers, options, spawner);
        Self { inner: Arc::new(Inner::new(shared)) }
    }

    /// Its name in the configuration.
    pub fn name(&self) -> &str {
        self.inner.name()
    }

    /// For how long it holds what it finds by itself.
    pub fn hold_settings(&self) -> config::HoldSettings {
        self.inner.config.hold
    }

    /// What is configured for it to be set to.
    pub fn configured(&self) -> Controls {
        self.inner.config.controls
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
            condition: self.inner.tally.condition(),
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

    /// The files of each of its shots, once that is known: those that it makes, or an image that is made of its pixels, with
    /// the raw image beside it if that is wanted.
    pub fn files(&self) -> Option<Vec<FileType>> {
        let hello = self.hello()?;
        let made_here = match self.inner.config.raw {
            Raw::Off => FileType::IMAGE_ALONE,
            Raw::Beside => FileType::IMAGE_AND_RAW,
        };
        Some(if hello.files().is_empty() { made_here } else { hello.files() }.to_vec())
    }

    /// Makes its images of this size, until it is closed, where the configuration leaves that to the camera.
    pub fn pin_size(&self, size: Size) {
        self.inner.board().pinned = Some(size);
    }

    /// How long it may take to close it, to open it in as many `attempts`, and to take a frame.
    pub fn open_limit(&self, attempts: u32) -> Duration {
        let recovery = &self.inner.recovery;
        let opened = recovery_limit(recovery, Rung::Respawn).saturating_mul(attempts.saturating_add(1));
        opened
            .saturating_add(recovery_limit(recovery, Rung::Reset))
            .saturating_add(attempt_limit(recovery, Duration::ZERO))
            .saturating_add(busy_limit(self.inner.longest_call()))
    }

    /// Who else has the camera's device nodes open, as far as they are known.
    ///
    /// # Errors
    /// There was no looking: somebody may.
    pub fn foreign_holders(&self) -> io::Result<Vec<Holder>> {
        driver::foreign_holders(&self.inner)
    }

    /// Ends those of `recovery.may_end` who have the camera's device nodes open, and says who that was. Blocks.
    pub fn end_permitted_holders(&self) -> Vec<Holder> {
        driver::end_permitted_holders(&self.inner, self.inner.recovery.kill_timeout)
    }

    /// Looks at the camera, at most at `rate`. In a tokio runtime.
    pub fn live(&self, rate: FramesPerSecond) -> LiveView {
        LiveView::new(Arc::clone(&self.inner), rate)
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

impl fmt::Debug for Camera {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Camera").field("status", &self.status()).finish_non_exhaustive()
    }
}
