//! The right to use a camera, and all that can be done with it.
//!
//! What changes the driver (`open`, `recover`, `close`) runs in a task of its own that holds the session's
//! lock until the camera is in order again: a caller that stops waiting cancels the task's waits, but never
//! leaves a driver half started. `capture` changes nothing: giving it up takes its mailbox away.

use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

use super::attempt::Attempt;
use super::error::{CameraError, RecoverError};
use super::frame::CapturedFrame;
use super::inner::Inner;
use super::limits::{converge_limit, vain_limit};
use super::live::LiveView;
use super::session::Stream;
use super::sorting::{Answer, Want};
use crate::camera_driver::protocol::{ErrorKind, Hello, ToDriver};
use crate::config::{Live, Rung};
use crate::model::Controls;
use crate::plan::ShotIndex;
use crate::units::FramesPerSecond;

/// The right to use a camera. Dropping it closes the camera, in the background; the next lease is given once
/// that is done.
pub struct Lease {
    inner: Arc<Inner>,
    /// Where the camera was opened.
    runtime: Option<Handle>,
}

impl Lease {
    /// The holder has been entered on the camera's board.
    pub(super) fn new(inner: Arc<Inner>) -> Self {
        Self { inner, runtime: None }
    }

    /// The camera's name in the configuration.
    pub fn camera(&self) -> &str {
        self.inner.name()
    }

    /// Starts the driver and its stream, if they do not run: what the driver says of the camera.
    pub async fn open(&mut self) -> Result<Hello, CameraError> {
        self.runtime = Some(Handle::current());
        self.run(|inner, cancel| async move { Ok(inner.open(&cancel).await?) }).await
    }

    /// Starts the driver, hears what it says of the camera and ends it; with `configure`, also that the camera can
    /// be had and takes its configuration. Says what is known of a camera that is open.
    pub async fn look(&mut self, configure: bool) -> Result<Hello, CameraError> {
        self.runtime = Some(Handle::current());
        self.run(move |inner, cancel| async move { Ok(inner.look(configure, &cancel).await?) }).await
    }

    /// Lets settle what is neither configured nor in `fixed`, and holds it all, through recoveries, too, until the
    /// camera is closed: what is held.
    pub async fn converge(&mut self, fixed: Controls) -> Result<Controls, CameraError> {
        let inner = &self.inner;
        let stream = self.stream().await?;
        let controls = fixed.over(inner.config.controls);
        let limit = converge_limit(&inner.recovery, stream.frame_duration(&controls));
        let answer =
            stream.connection.exchange(ToDriver::Converge { controls }, Want::Converged, limit).await;
        let Answer::Converged { controls } = answer.inspect_err(|error| inner.set_failed(error))? else {
            let message = "its driver answered converge with something else";
            return Err(CameraError::new(inner.name(), ErrorKind::Protocol, message));
        };
        inner.board().held = controls;
        stream.connection.set_frame_duration(stream.frame_duration(&controls));
        Ok(controls)
    }

    /// Sets what is held, as far as the camera can take it, through recoveries, too, until the camera is closed.
    /// Frames of captures to come are taken with it.
    pub async fn hold(&mut self, controls: Controls) -> Result<(), CameraError> {
        let held = {
            let mut board = self.inner.board();
            board.held = controls.within(board.hello.as_ref().map_or(&[], |hello| &hello.controls));
            board.held
        };
        let wanted = held.over(self.inner.config.controls);
        let stream = self.stream().await?;
        stream.connection.tell(&ToDriver::Set { controls: wanted })?;
        stream.connection.set_frame_duration(stream.frame_duration(&wanted));
        Ok(())
    }

    /// How long a frame of the open camera takes, with what is set by now; no time if it is not open.
    pub async fn frame_duration(&self) -> Duration {
        self.stream().await.map_or(Duration::ZERO, |stream| stream.frame_duration(&self.inner.controls()))
    }

    /// For how long its driver may be busy with one thing, as it announced; no time if it never is.
    pub fn longest_call(&self) -> Duration {
        self.inner.longest_call()
    }

    /// Whether there are programs that may be ended when they hold it.
    pub fn may_end_holders(&self) -> bool {
        !self.inner.recovery.may_end.is_empty()
    }

    /// Whether its driver can reset its port, as far as that is known.
    pub fn can_reset(&self) -> bool {
        self.inner.board().hello.as_ref().is_some_and(|hello| hello.reset.is_some())
    }

    /// Why it is not to take pictures now, as its driver says.
    pub fn unfit(&self) -> Option<String> {
        self.inner.tally.condition()?.unfit
    }

    /// How long searches for settings may be in vain, one after the other.
    pub async fn vain_limit(&self) -> Duration {
        vain_limit(&self.inner.recovery, self.frame_duration().await)
    }

    /// Looks at the open camera, at most at `rate`; none if it has no low-resolution frames beside stills. In a tokio
    /// runtime.
    pub fn live(&self, rate: FramesPerSecond) -> Option<LiveView> {
        let beside = self.inner.board().hello.as_ref().is_some_and(|hello| hello.live_beside_stills);
        let wanted = self.inner.config.live != Live::Off;
        (beside && wanted).then(|| LiveView::new(Arc::clone(&self.inner), rate))
    }

    /// One attempt at `shot`: the first valid frame whose exposure began at `not_before_ns`
    /// (`CLOCK_MONOTONIC`) or later.
    ///
    /// It may take `recovery.capture_timeout`, or three frames and 2 s if that is longer, from then on.
    pub async fn capture(
        &mut self,
        shot: ShotIndex,
        not_before_ns: u64,
    ) -> Result<CapturedFrame, CameraError> {
        let stream = self.stream().await?;
        Attempt::begin(&self.inner, shot, &stream).frame(not_before_ns).await
    }

    /// Brings a camera that failed back into order.
    pub async fn recover(&mut self, rung: Rung) -> Result<(), RecoverError> {
        self.runtime = Some(Handle::current());
        self.run(move |inner, cancel| async move { inner.recover(rung, &cancel).await }).await
    }

    /// Ends the stream and the driver; returns when both are gone, or cannot be ended. Does nothing if the
    /// camera is closed.
    pub async fn close(&mut self) {
        let inner = Arc::clone(&self.inner);
        // A task, so that it goes on if nobody waits; it fails only with the runtime.
        let _ = tokio::spawn(async move { inner.close().await }).await;
    }

    /// As [`Self::close`], and gives the camera back before it returns: the next lease can be had at once.
    pub async fn end(mut self) {
        self.close().await;
        // Nothing is left to be closed in the background.
        self.runtime = None;
    }

    async fn stream(&self) -> Result<Arc<Stream>, CameraError> {
        let inner = &self.inner;
        let stream = inner.session.lock().await.as_ref().and_then(|session| session.stream.clone());
        let Some(stream) = stream else {
            inner.check_not_wedged()?;
            let message = "it does not stream: its last start or recovery failed, or it was not opened";
            return Err(CameraError::new(inner.name(), ErrorKind::Crashed, message));
        };
        Ok(stream)
    }

    /// Runs `step` to its end in a task; if this future is dropped, `step` is told.
    async fn run<T, E, F>(&self, step: impl FnOnce(Arc<Inner>, CancellationToken) -> F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<CameraError> + Send + 'static,
        F: Future<Output = Result<T, E>> + Send + 'static,
    {
        let cancel = CancellationToken::new();
        let given_up = cancel.clone().drop_guard();
        let result = tokio::spawn(step(Arc::clone(&self.inner), cancel)).await;
        given_up.disarm();
        result.unwrap_or_else(|error| {
            let message = format!("a step was ended: {error}");
            Err(CameraError::new(self.inner.name(), ErrorKind::Cancelled, message).into())
        })
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let returned = Return(Arc::clone(&self.inner));
        if let Some(runtime) = &self.runtime {
            // If the runtime is gone, so are its tasks: the session is dropped and with it the driver.
            drop(runtime.spawn(async move { returned.0.close().await }));
        }
    }
}

/// Gives the lease back when dropped.
struct Return(Arc<Inner>);

impl Drop for Return {
    fn drop(&mut self) {
        self.0.board().holder = None;
    }
}
