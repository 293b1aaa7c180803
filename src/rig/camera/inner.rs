//! A camera and its running driver, which all handles and leases of it share, and what changes the driver.
//!
//! Each step holds the session's lock until the camera is in order again. It runs to its end: whoever stops waiting
//! cancels its waits, and never leaves a driver half started.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};

use super::driver::{Way, name_holders};
use super::error::{CameraError, RecoverError};
use super::session::Session;
use super::shared::Shared;
use super::status::State;
use crate::camera_driver::protocol::{ErrorKind, Hello};
use crate::config::Rung;
use crate::model::Controls;

/// A camera with its driver.
pub(super) struct Inner {
    /// What is known of it. Drivers and sessions know no more.
    pub(super) shared: Arc<Shared>,
    /// The running driver. Whoever changes it holds the lock until it is in order again.
    pub(super) session: tokio::sync::Mutex<Option<Session>>,
}

impl Inner {
    /// A camera whose driver does not run yet.
    pub(super) fn new(shared: Shared) -> Self {
        Self { shared: Arc::new(shared), session: tokio::sync::Mutex::default() }
    }

    /// Starts the driver, hears what it says of the camera and ends it; with `configure`, also that the camera can be
    /// had and takes its configuration. Says what is known of a camera that is open.
    pub(super) async fn look(
        &self,
        configure: bool,
        cancel: &CancellationToken,
    ) -> Result<Hello, RecoverError> {
        let slot = self.session.lock().await;
        if let Some(session) = slot.as_ref() {
            return Ok(session.hello.clone());
        }
        self.check_not_wedged()?;
        Session::look(&self.shared, configure, cancel).await.map_err(|error| match error {
            RecoverError::Failed(error) => self.explain(error).into(),
            wedged @ RecoverError::Wedged(_) => wedged,
        })
    }

    /// Starts the driver and its stream, if they do not run.
    pub(super) async fn open(&self, cancel: &CancellationToken) -> Result<Hello, RecoverError> {
        let mut slot = self.session.lock().await;
        if let Some(session) = slot.as_ref().filter(|session| session.is_streaming()) {
            return Ok(session.hello.clone());
        }
        self.check_not_wedged()?;
        self.set_state(State::Opening);
        let result = self.start(&mut slot, Way::Take, cancel).await;
        if let Err(error) = &result {
            warn!(camera = self.name(), "opening the camera failed: {error}");
        }
        result
    }

    /// Puts a new session in place of what there is.
    async fn start(
        &self,
        slot: &mut Option<Session>,
        way: Way,
        cancel: &CancellationToken,
    ) -> Result<Hello, RecoverError> {
        if let Some(old) = slot.take() {
            old.kill(&self.shared).await?;
        }
        let started = Session::start(&self.shared, way, cancel).await;
        let session = match started {
            Ok(session) => session,
            Err(RecoverError::Failed(error)) => {
                let error = self.explain(error);
                self.set_failed(&error);
                return Err(error.into());
            }
            Err(wedged @ RecoverError::Wedged(_)) => return Err(wedged),
        };
        let hello = session.hello.clone();
        if let Some(stream) = &session.stream {
            self.set_state(stream.state());
            info!(camera = self.name(), epoch = stream.epoch, "camera open");
        }
        *slot = Some(session);
        Ok(hello)
    }

    /// Brings a camera that failed back into order.
    pub(super) async fn recover(&self, rung: Rung, cancel: &CancellationToken) -> Result<(), RecoverError> {
        let mut slot = self.session.lock().await;
        self.check_not_wedged()?;
        let (camera, recovery) = (self.name(), &self.recovery);
        self.set_state(State::Recovering { rung });
        let result = match rung {
            Rung::Restart => {
                self.board().counters.restarts += 1;
                let (stop, start) =
                    (recovery.restart_pause.as_secs_f64(), recovery.start_pause.as_secs_f64());
                debug!(camera, %rung, "restarting the camera: stop, wait {stop} s, start, wait {start} s");
                self.restart(slot.as_mut(), cancel).await.map_err(RecoverError::from)
            }
            Rung::Respawn => {
                self.board().counters.respawns += 1;
                debug!(camera, %rung, "ending the camera's driver and starting a new one");
                self.start(&mut slot, Way::Take, cancel).await.map(drop)
            }
            Rung::Reset => {
                self.board().counters.resets += 1;
                debug!(camera, %rung, "ending the camera's driver, and starting a new one that resets its port");
                self.start(&mut slot, Way::Reset, cancel).await.map(drop)
            }
        };
        match &result {
            Ok(()) => debug!(camera, %rung, "the camera streams again"),
            Err(error) => debug!(camera, %rung, "the camera is still out of order: {error}"),
        }
        result
    }

    async fn restart(
        &self,
        session: Option<&mut Session>,
        cancel: &CancellationToken,
    ) -> Result<(), CameraError> {
        let restarted = match session {
            Some(session) => {
                let restarted = session.restart(&self.shared, cancel).await;
                if let (Ok(()), Some(stream)) = (&restarted, &session.stream) {
                    self.set_state(stream.state());
                }
                restarted
            }
            None => Err(CameraError::new(self.name(), ErrorKind::Crashed, "there is no driver to restart")),
        };
        restarted.map_err(|error| self.explain(error)).inspect_err(|error| self.set_failed(error))
    }

    /// Ends the stream and the driver; returns when both are gone, or cannot be ended.
    pub(super) async fn close(&self) {
        let mut slot = self.session.lock().await;
        {
            let mut board = self.board();
            (board.held, board.pinned) = (Controls::default(), None);
        }
        if let Some(session) = slot.take() {
            self.set_state(State::Closing);
            if session.close(&self.shared).await.is_ok() {
                self.set_state(State::Closed);
                info!(camera = self.name(), "camera closed");
            }
        } else if self.board().wedged.is_none() {
            self.set_state(State::Closed);
        }
    }

    /// Adds what else is known of an error's cause.
    pub(super) fn explain(&self, mut error: CameraError) -> CameraError {
        if error.kind == ErrorKind::Busy {
            error.message += &name_holders(self);
        }
        error
    }
}

impl Deref for Inner {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.shared
    }
}

impl fmt::Debug for Inner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inner").field("camera", &self.config.name).finish_non_exhaustive()
    }
}
