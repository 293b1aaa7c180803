//! What is known of a camera, for all who deal with it.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tracing::{error, info};

use super::audience::Audience;
use super::connection::Tally;
use super::error::{CameraError, Wedged};
use super::leftover;
use super::spawner::Spawner;
use super::status::{Counters, LeaseHolder, State};
use crate::camera_driver::protocol::Hello;
use crate::config;
use crate::model::{Controls, Region, Size};
use crate::procfs::ThreadEvidence;

/// How often a driver that cannot be ended is looked after.
const REAP_INTERVAL: Duration = Duration::from_secs(1);

/// What all who deal with a camera know of it: how it is configured, and how it stands.
pub(super) struct Shared {
    pub(super) config: config::Camera,
    pub(super) recovery: config::Recovery,
    /// How many stills may be held at once.
    pub(super) buffers: u32,
    /// `--options` of the driver.
    pub(super) options: String,
    pub(super) spawner: Spawner,
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
    /// Its device nodes, as a driver that could not open it has said in place of that since.
    pub(super) devices: Vec<PathBuf>,
    /// The size of its images, last, and the part of the sensor that they show.
    pub(super) images: Option<(Size, Option<Region>)>,
    /// The size of its images that must not change while it is open.
    pub(super) pinned: Option<Size>,
}

impl Shared {
    /// Of a camera that is closed.
    pub(super) fn new(
        config: config::Camera,
        recovery: config::Recovery,
        buffers: u32,
        options: String,
        spawner: Spawner,
    ) -> Self {
        Self {
            config,
            recovery,
            buffers,
            options,
            spawner,
            tally: Arc::default(),
            audience: Arc::default(),
            board: Mutex::default(),
            epoch: AtomicU64::new(0),
            request: AtomicU64::new(0),
        }
    }

    pub(super) fn name(&self) -> &str {
        &self.config.name
    }

    /// What the camera is to take its images with: what is held over what is configured.
    pub(super) fn controls(&self) -> Controls {
        self.board().held.over(self.config.controls)
    }

    /// For how long its driver may be busy with one thing, as far as is known.
    pub(super) fn longest_call(&self) -> Duration {
        self.board().hello.as_ref().map_or(Duration::ZERO, Hello::longest_call)
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
