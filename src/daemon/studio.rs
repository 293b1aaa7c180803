//! Cameras between scans: photographs, and live views of cameras that no scan has open.
//!
//! A camera has one *turn*, which whoever photographs holds; those who wait for it are served in order. A scan takes all
//! turns, closes what is open, and gives them back when it is over.

mod develop;
mod held;
mod seat;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use crate::camera_driver::protocol::Controls;
use crate::rig::camera::{Camera, CameraError};

pub use develop::develop;
pub use held::Held;
pub use seat::{Running, Seat, Viewing};

/// How often it is looked whether cameras are to be opened or closed, while any is open or looked at.
const LOOK: Duration = Duration::from_millis(250);

/// Every camera, between scans.
pub struct Studio {
    seats: Vec<Arc<Seat>>,
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
    fn check(&self) -> Result<(), StudioError> {
        if self.scan.load(Ordering::SeqCst) {
            return Err(StudioError::Scan);
        }
        if self.hours.load(Ordering::SeqCst) { Err(StudioError::OutOfHours) } else { Ok(()) }
    }
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

impl Studio {
    /// For these cameras, all closed, each with its configured settings.
    pub fn new(cameras: &[Camera], fixed: impl IntoIterator<Item = Controls>) -> Self {
        let common = Arc::<Common>::default();
        let seat = |(camera, fixed): (&Camera, Controls)| Seat::new(camera.clone(), common.clone(), fixed);
        let seats = cameras.iter().zip(fixed).map(|of| Arc::new(seat(of))).collect();
        Self { seats, common }
    }

    /// The cameras, in the order of the configuration.
    pub fn seats(&self) -> &[Arc<Seat>] {
        &self.seats
    }

    /// The camera of this name.
    pub fn seat(&self, name: &str) -> Option<&Arc<Seat>> {
        self.seats.iter().find(|seat| seat.camera().name() == name)
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
        for seat in &self.seats {
            seat.close_if_free().await;
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
            self.common.check()?;
            held.push(seat.take(session_id, deadline.saturating_duration_since(Instant::now())).await?);
        }
        // A scan that has begun to wait for them meanwhile comes first.
        self.common.check().map(|()| held)
    }

    /// Closes all cameras for a scan, once what is under way is done.
    pub async fn close(&self) {
        self.common.scan.store(true, Ordering::SeqCst);
        for seat in &self.seats {
            seat.close().await;
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
            if self.seats.iter().all(|seat| seat.is_left_alone()) {
                self.common.used.notified().await;
            }
            look.tick().await;
            if self.common.check().is_err() {
                continue;
            }
            let keeping = self.seats.iter().map(|seat| seat.keep());
            futures_util::future::join_all(keeping).await;
        }
    }
}
