//! Cameras on standby, while no scan has them: photographs and live views between scans.
//!
//! A camera has one *turn*, which whoever photographs holds; those who wait for it are served in order. A scan takes all
//! turns, closes what is open, and gives them back when it is over.

mod camera;
mod develop;
mod turn;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use crate::model::Controls;
use crate::rig::camera::{Camera, CameraError};

pub use camera::{PhotographUnderWay, StandbyCamera, Viewing};
pub use develop::develop;
pub use turn::CameraTurn;

/// How often it is looked whether cameras are to be opened or closed, while any is open or looked at.
const LOOK: Duration = Duration::from_millis(250);

/// Every camera while no scan has it.
pub struct StandbyCameras {
    cameras: Vec<Arc<StandbyCamera>>,
    common: Arc<Common>,
}

/// What all cameras share: why they may not be open for anybody but a scan.
#[derive(Debug, Default)]
struct Common {
    /// A scan has them.
    scan: AtomicBool,
    /// It is outside the hours.
    hours: AtomicBool,
    /// Somebody has begun to use a camera, or to look at one.
    used: Notify,
}

impl Common {
    fn check(&self) -> Result<(), StandbyError> {
        if self.scan.load(Ordering::SeqCst) {
            return Err(StandbyError::Scan);
        }
        if self.hours.load(Ordering::SeqCst) { Err(StandbyError::OutOfHours) } else { Ok(()) }
    }
}

/// Why there is no photograph.
#[derive(Debug, thiserror::Error)]
pub enum StandbyError {
    /// The camera is at work.
    #[error("camera {camera} is taken: ask again in {:.1} s, or wait with ?wait=SECONDS", retry_after.as_secs_f64())]
    Taken {
        /// The camera that is at work.
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
        /// The camera that was to be set.
        camera: String,
        /// What is wrong, and what it takes.
        reason: String,
    },
    /// The camera failed, or cannot be opened.
    #[error(transparent)]
    Camera(#[from] CameraError),
}

impl StandbyCameras {
    /// For these cameras, all closed, each with its configured settings.
    pub fn new(cameras: &[Camera], fixed: impl IntoIterator<Item = Controls>) -> Self {
        let common = Arc::<Common>::default();
        let on_standby =
            |(camera, fixed): (&Camera, Controls)| StandbyCamera::new(camera.clone(), common.clone(), fixed);
        let cameras = cameras.iter().zip(fixed).map(|of| Arc::new(on_standby(of))).collect();
        Self { cameras, common }
    }

    /// The cameras, in the order of the configuration.
    pub fn cameras(&self) -> &[Arc<StandbyCamera>] {
        &self.cameras
    }

    /// The camera of this name.
    pub fn camera(&self, name: &str) -> Option<&Arc<StandbyCamera>> {
        self.cameras.iter().find(|camera| camera.handle().name() == name)
    }

    /// Whether a scan has the cameras.
    pub fn is_scanning(&self) -> bool {
        self.common.scan.load(Ordering::SeqCst)
    }

    /// Whether the cameras may be open at this hour.
    pub(super) fn set_hours(&self, open: bool) {
        self.common.hours.store(!open, Ordering::SeqCst);
    }

    /// Closes cameras at which nobody is at work.
    pub(super) async fn close_idle(&self) {
        for camera in &self.cameras {
            camera.close_if_free().await;
        }
    }

    /// Takes the turns of all of `cameras`, in the order of the configuration: at once, or waiting for at most `wait`.
    pub async fn take<'a>(
        &self,
        cameras: &[&'a StandbyCamera],
        session_id: Option<&str>,
        wait: Duration,
    ) -> Result<Vec<CameraTurn<'a>>, StandbyError> {
        let deadline = Instant::now() + wait;
        let mut turns = Vec::with_capacity(cameras.len());
        for camera in cameras {
            self.common.check()?;
            turns.push(
                CameraTurn::take(camera, session_id, deadline.saturating_duration_since(Instant::now()))
                    .await?,
            );
        }
        // A scan that has begun to wait for them meanwhile comes first.
        self.common.check().map(|()| turns)
    }

    /// Closes all cameras for a scan, once what is under way is done.
    pub async fn close(&self) {
        self.common.scan.store(true, Ordering::SeqCst);
        for camera in &self.cameras {
            camera.close().await;
        }
    }

    /// The scan is over.
    pub(super) fn reopen(&self) {
        self.common.scan.store(false, Ordering::SeqCst);
    }

    /// Opens cameras that somebody looks at, and closes those that nobody uses any more; until it is dropped.
    pub async fn keep(self: Arc<Self>) {
        let mut look = tokio::time::interval(LOOK);
        look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            if self.cameras.iter().all(|camera| camera.is_left_alone()) {
                self.common.used.notified().await;
            }
            look.tick().await;
            if self.common.check().is_err() {
                continue;
            }
            let keeping = self.cameras.iter().map(|camera| camera.keep());
            futures_util::future::join_all(keeping).await;
        }
    }
}
