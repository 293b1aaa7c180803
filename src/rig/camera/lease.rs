//! The right to use a camera, and all that can be done with it.
//!
//! What changes the driver (`open`, `recover`, `close`) runs in a task of its own that holds the session's
//! lock until the camera is in order again: a caller that stops waiting cancels the task's waits, but never
//! leaves a driver half started. `capture` changes nothing: giving it up takes its mailbox away.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};

use super::driver::name_holders;
use super::error::{CameraError, RecoverError};
use super::frame::{CapturedFrame, Expected};
use super::handle::Inner;
use super::session::{Session, Stream};
use super::sorting::{Answer, Want};
use super::status::State;
use crate::camera_driver::protocol::{self, Controls, ErrorKind, Hello, ToDriver};
use crate::config::Rung;
use crate::plan::ShotIndex;
use crate::rig::clock::now_ns;

/// An attempt lasts at least this long and [`MIN_FRAMES`], whatever the configuration says.
const MIN_TIMEOUT: Duration = Duration::from_secs(2);
const MIN_FRAMES: u32 = 3;
/// What is automatic may take at least this long to settle.
const MIN_CONVERGE: Duration = Duration::from_secs(15);

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
        self.run(|inner, cancel| async move { Ok(open(&inner, &cancel).await?) }).await
    }

    /// Starts the driver, hears what it says of the camera and ends it; with `configure`, also that the camera can
    /// be had and takes its configuration. Says what is known of a camera that is open.
    pub async fn look(&mut self, configure: bool) -> Result<Hello, CameraError> {
        self.runtime = Some(Handle::current());
        self.run(move |inner, cancel| async move { Ok(look(&inner, configure, &cancel).await?) }).await
    }

    /// Lets settle what is neither configured nor in `fixed`, and holds it all, through recoveries, too, until the
    /// camera is closed: what is held.
    pub async fn converge(&mut self, fixed: Controls) -> Result<Controls, CameraError> {
        let inner = &self.inner;
        let stream = self.stream().await?;
        let limit = inner.recovery.capture_timeout.max(MIN_CONVERGE);
        let controls = fixed.over(inner.config.controls);
        let answer =
            stream.connection.exchange(ToDriver::Converge { controls }, Want::Converged, limit).await;
        let Answer::Converged { controls } = answer.inspect_err(|error| inner.set_failed(error))? else {
            let message = "its driver answered converge with something else";
            return Err(CameraError::new(inner.name(), ErrorKind::Protocol, message));
        };
        inner.board().held = controls;
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
        self.stream().await?.connection.tell(&ToDriver::Set { controls: wanted })
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
        let inner = &self.inner;
        let attempt = Attempt::begin(inner, shot, &stream);
        attempt.end(capture(inner, &stream, shot, not_before_ns).await)
    }

    /// Brings a camera that failed back into order.
    pub async fn recover(&mut self, rung: Rung) -> Result<(), RecoverError> {
        self.runtime = Some(Handle::current());
        self.run(move |inner, cancel| async move { recover(&inner, rung, &cancel).await }).await
    }

    /// Ends the stream and the driver; returns when both are gone, or cannot be ended. Does nothing if the
    /// camera is closed.
    pub async fn close(&mut self) {
        let inner = Arc::clone(&self.inner);
        // A task, so that it goes on if nobody waits; it fails only with the runtime.
        let _ = tokio::spawn(async move { close(&inner).await }).await;
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
            drop(runtime.spawn(async move { close(&returned.0).await }));
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

async fn look(
    inner: &Arc<Inner>,
    configure: bool,
    cancel: &CancellationToken,
) -> Result<Hello, RecoverError> {
    let slot = inner.session.lock().await;
    if let Some(session) = slot.as_ref() {
        return Ok(session.hello.clone());
    }
    inner.check_not_wedged()?;
    Session::look(inner, configure, cancel).await.map_err(|error| match error {
        RecoverError::Failed(error) => explain(inner, error).into(),
        wedged @ RecoverError::Wedged(_) => wedged,
    })
}

async fn open(inner: &Arc<Inner>, cancel: &CancellationToken) -> Result<Hello, RecoverError> {
    let mut slot = inner.session.lock().await;
    if let Some(session) = slot.as_ref().filter(|session| session.is_streaming()) {
        return Ok(session.hello.clone());
    }
    inner.check_not_wedged()?;
    inner.set_state(State::Opening);
    let result = start(inner, &mut slot, cancel).await;
    if let Err(error) = &result {
        warn!(camera = inner.name(), "opening the camera failed: {error}");
    }
    result
}

/// Puts a new session in place of what there is.
async fn start(
    inner: &Arc<Inner>,
    slot: &mut Option<Session>,
    cancel: &CancellationToken,
) -> Result<Hello, RecoverError> {
    if let Some(old) = slot.take() {
        old.kill(inner).await?;
    }
    let started = Session::start(inner, cancel).await;
    let session = match started {
        Ok(session) => session,
        Err(RecoverError::Failed(error)) => {
            let error = explain(inner, error);
            inner.set_failed(&error);
            return Err(error.into());
        }
        Err(wedged @ RecoverError::Wedged(_)) => return Err(wedged),
    };
    let hello = session.hello.clone();
    if let Some(stream) = &session.stream {
        inner.set_state(stream.state());
        info!(camera = inner.name(), epoch = stream.epoch, "camera open");
    }
    *slot = Some(session);
    Ok(hello)
}

async fn recover(inner: &Arc<Inner>, rung: Rung, cancel: &CancellationToken) -> Result<(), RecoverError> {
    let mut slot = inner.session.lock().await;
    inner.check_not_wedged()?;
    let (camera, recovery) = (inner.name(), &inner.recovery);
    inner.set_state(State::Recovering { rung });
    let result = match rung {
        Rung::Restart => {
            inner.board().counters.restarts += 1;
            let (stop, start) = (recovery.restart_pause.as_secs_f64(), recovery.start_pause.as_secs_f64());
            debug!(camera, %rung, "restarting the camera: stop, wait {stop} s, start, wait {start} s");
            restart(inner, slot.as_mut(), cancel).await.map_err(RecoverError::from)
        }
        Rung::Respawn => {
            inner.board().counters.respawns += 1;
            debug!(camera, %rung, "ending the camera's driver and starting a new one");
            start(inner, &mut slot, cancel).await.map(drop)
        }
    };
    match &result {
        Ok(()) => debug!(camera, %rung, "the camera streams again"),
        Err(error) => debug!(camera, %rung, "the camera is still out of order: {error}"),
    }
    result
}

async fn restart(
    inner: &Arc<Inner>,
    session: Option<&mut Session>,
    cancel: &CancellationToken,
) -> Result<(), CameraError> {
    let restarted = match session {
        Some(session) => {
            let restarted = session.restart(inner, cancel).await;
            if let (Ok(()), Some(stream)) = (&restarted, &session.stream) {
                inner.set_state(stream.state());
            }
            restarted
        }
        None => Err(CameraError::new(inner.name(), ErrorKind::Crashed, "there is no driver to restart")),
    };
    restarted.map_err(|error| explain(inner, error)).inspect_err(|error| inner.set_failed(error))
}

async fn close(inner: &Arc<Inner>) {
    let mut slot = inner.session.lock().await;
    {
        let mut board = inner.board();
        (board.held, board.pinned) = (Controls::default(), None);
    }
    if let Some(session) = slot.take() {
        inner.set_state(State::Closing);
        if session.close(inner).await.is_ok() {
            inner.set_state(State::Closed);
            info!(camera = inner.name(), "camera closed");
        }
    } else if inner.board().wedged.is_none() {
        inner.set_state(State::Closed);
    }
}

async fn capture(
    inner: &Arc<Inner>,
    stream: &Stream,
    shot: ShotIndex,
    not_before_ns: u64,
) -> Result<CapturedFrame, CameraError> {
    let (epoch, request) = (stream.epoch, inner.next_request());
    let message = ToDriver::Capture { epoch, request, shot: shot.0, not_before_ns };
    let ahead = Duration::from_nanos(not_before_ns.saturating_sub(now_ns()));
    let shortest = MIN_TIMEOUT + stream.frame_duration * MIN_FRAMES;
    let limit = inner.recovery.capture_timeout.max(shortest) + ahead;
    let Answer::Frame(raw) =
        stream.connection.exchange(message, Want::Frame { epoch, request }, limit).await?
    else {
        let message = "its driver answered a capture with something else";
        return Err(CameraError::new(inner.name(), ErrorKind::Protocol, message));
    };
    let expected = Expected {
        stream: protocol::Stream::Still,
        format: inner.config.format,
        size: stream.size,
        not_before_ns,
        after: stream.last_sequence(),
    };
    let sequence = raw.frame.sequence;
    let frame = CapturedFrame::new(raw, &expected).map_err(|wrong| {
        CameraError::new(inner.name(), ErrorKind::BadFrame, format!("a frame was refused: {wrong}"))
    })?;
    stream.set_last_sequence(sequence);
    Ok(frame)
}

/// Adds what else is known of an error's cause.
fn explain(inner: &Inner, mut error: CameraError) -> CameraError {
    if error.kind == ErrorKind::Busy {
        error.message += &name_holders(inner);
    }
    error
}

/// An attempt on the camera's board.
struct Attempt<'a> {
    inner: &'a Inner,
    shot: ShotIndex,
    before: State,
    ended: bool,
}

impl<'a> Attempt<'a> {
    fn begin(inner: &'a Inner, shot: ShotIndex, stream: &Stream) -> Self {
        inner.set_state(State::Capturing { shot, since: Timestamp::now() });
        Self { inner, shot, before: stream.state(), ended: false }
    }

    fn end(mut self, result: Result<CapturedFrame, CameraError>) -> Result<CapturedFrame, CameraError> {
        self.ended = true;
        let (camera, shot) = (self.inner.name(), self.shot.0);
        let result = result.map_err(|error| explain(self.inner, error));
        let mut board = self.inner.board();
        match &result {
            Ok(frame) => {
                board.counters.captured += 1;
                board.state = std::mem::take(&mut self.before);
                debug!(camera, shot, sequence = frame.frame().sequence, "captured");
            }
            Err(error) => {
                *board.counters.failed.entry(error.kind).or_default() += 1;
                board.state = State::Failed { error: error.clone() };
                let kind = error.kind.name();
                debug!(camera, shot, kind, code = error.code, "an attempt failed: {}", error.message);
            }
        }
        drop(board);
        result
    }
}

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        if !self.ended {
            let mut board = self.inner.board();
            board.counters.given_up += 1;
            board.state = std::mem::take(&mut self.before);
        }
    }
}
