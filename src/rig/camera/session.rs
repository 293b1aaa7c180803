//! A running camera: greeted, configured, started, restarted, stopped.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;
use tracing::info;

use super::connection::{Connection, Wait};
use super::driver::Driver;
use super::error::{CameraError, RecoverError, Wedged};
use super::handle::Inner;
use super::process::Ending;
use super::sorting::{Answer, Want};
use super::status::State;
use crate::camera_driver::protocol::{Configure, ErrorKind, Hello, Size, ToDriver, VERSION};

/// A driver that was greeted and configured.
pub(super) struct Session {
    driver: Driver,
    pub(super) hello: Hello,
    frame_duration: Duration,
    /// None while stopped.
    pub(super) stream: Option<Arc<Stream>>,
}

/// One start of a camera.
pub(super) struct Stream {
    pub(super) connection: Arc<Connection>,
    pub(super) epoch: u64,
    pub(super) frame_duration: Duration,
    last_sequence: Mutex<Option<u64>>,
}

impl Stream {
    /// The sequence of the last frame of this epoch.
    pub(super) fn last_sequence(&self) -> Option<u64> {
        *self.last_sequence.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sets the sequence of the last frame.
    pub(super) fn set_last_sequence(&self, sequence: u64) {
        *self.last_sequence.lock().unwrap_or_else(PoisonError::into_inner) = Some(sequence);
    }

    /// As shown in the status.
    pub(super) fn state(&self) -> State {
        State::Streaming { pid: self.connection.process().pid(), epoch: self.epoch }
    }
}

impl Session {
    /// Starts a driver and its stream. A driver that does not get that far is ended.
    pub(super) async fn start(inner: &Arc<Inner>, cancel: &CancellationToken) -> Result<Self, RecoverError> {
        let deadline = Instant::now() + inner.recovery.start_timeout;
        let (driver, hello) = Driver::spawn(inner).await?;
        let (hello, frame_duration) = match greet(inner, &driver.connection, hello, deadline, cancel).await {
            Ok(greeted) => greeted,
            Err(error) => {
                driver.end(inner, Ending::Forced).await?;
                return Err(error.into());
            }
        };
        let mut session = Self { driver, hello, frame_duration, stream: None };
        if let Err(error) = session.start_stream(inner, deadline, cancel).await {
            session.driver.end(inner, Ending::Forced).await?;
            return Err(error.into());
        }
        Ok(session)
    }

    /// Whether the driver lives and streams.
    pub(super) fn is_streaming(&self) -> bool {
        self.stream.is_some() && self.driver.connection.ended().is_none()
    }

    /// Stops the stream and starts it anew, in the same process. Fails at once if the driver is stuck, which
    /// could not hear of it.
    pub(super) async fn restart(
        &mut self,
        inner: &Arc<Inner>,
        cancel: &CancellationToken,
    ) -> Result<(), CameraError> {
        let recovery = &inner.recovery;
        if let Some(stuck) = self.driver.connection.stuck() {
            let message = format!(
                "the driver's camera thread has been stuck for {:.1} s, so no restart helps",
                stuck.as_secs_f64()
            );
            self.stream = None;
            return Err(CameraError::new(inner.name(), ErrorKind::Timeout, message));
        }
        self.stop_stream(Instant::now() + recovery.restart_timeout, inner, cancel).await?;
        pause(inner, recovery.restart_pause, cancel).await?;
        self.start_stream(inner, Instant::now() + recovery.restart_timeout, cancel).await?;
        pause(inner, recovery.start_pause, cancel).await
    }

    /// Ends stream and driver, in this order. A driver that no longer answers is not waited for.
    pub(super) async fn close(mut self, inner: &Arc<Inner>) -> Result<(), Wedged> {
        if self.driver.connection.stuck().is_some() {
            return self.kill(inner).await;
        }
        let deadline = Instant::now() + inner.recovery.restart_timeout;
        let stopped = self.stop_stream(deadline, inner, &CancellationToken::new()).await;
        self.driver.end(inner, if stopped.is_ok() { Ending::Gentle } else { Ending::Forced }).await
    }

    /// Ends the driver, however the camera is.
    pub(super) async fn kill(self, inner: &Arc<Inner>) -> Result<(), Wedged> {
        self.driver.end(inner, Ending::Forced).await
    }

    async fn start_stream(
        &mut self,
        inner: &Arc<Inner>,
        deadline: Instant,
        cancel: &CancellationToken,
    ) -> Result<(), CameraError> {
        let epoch = inner.next_epoch();
        let connection = &self.driver.connection;
        let started = connection.exchange(
            ToDriver::Start { epoch },
            Want::Started { epoch },
            deadline.saturating_duration_since(Instant::now()),
        );
        unless_cancelled(inner, cancel, started).await?;
        self.stream = Some(Arc::new(Stream {
            connection: Arc::clone(connection),
            epoch,
            frame_duration: self.frame_duration,
            last_sequence: Mutex::default(),
        }));
        Ok(())
    }

    async fn stop_stream(
        &mut self,
        deadline: Instant,
        inner: &Arc<Inner>,
        cancel: &CancellationToken,
    ) -> Result<(), CameraError> {
        self.stream = None;
        let limit = deadline.saturating_duration_since(Instant::now());
        let stopped = self.driver.connection.exchange(ToDriver::Stop, Want::Stopped, limit);
        unless_cancelled(inner, cancel, stopped).await.map(drop)
    }
}

/// Hears `hello` and configures the camera: what the driver says of itself, and the time between frames.
async fn greet(
    inner: &Arc<Inner>,
    connection: &Arc<Connection>,
    hello: Wait,
    deadline: Instant,
    cancel: &CancellationToken,
) -> Result<(Hello, Duration), CameraError> {
    let left = || deadline.saturating_duration_since(Instant::now());
    let config = &inner.config;
    let error = |kind, message| CameraError::new(inner.name(), kind, message);
    let heard = connection.attempt(None, hello, left());
    let Answer::Hello(hello) = unless_cancelled(inner, cancel, heard).await? else {
        return Err(error(ErrorKind::Protocol, "its driver did not begin with hello".into()));
    };
    if hello.protocol != VERSION {
        let message = format!("its driver speaks protocol {}, this program {VERSION}", hello.protocol);
        return Err(error(ErrorKind::Protocol, message));
    }
    if !hello.formats.contains(&config.format) {
        let message = format!("it has no pixel format {:?}, but {:?}", config.format, hello.formats);
        return Err(error(ErrorKind::InvalidArgument, message));
    }
    let configure = ToDriver::Configure(Configure {
        size: still_size(inner),
        format: config.format,
        live: None,
        frame_rate: config.frame_rate,
        controls: config.controls,
        buffers: inner.buffers,
    });
    let configured = connection.exchange(configure, Want::Configured, left());
    let Answer::Configured { frame_duration } = unless_cancelled(inner, cancel, configured).await? else {
        return Err(error(ErrorKind::Protocol, "its driver did not answer configure".into()));
    };
    info!(camera = inner.name(), driver = hello.driver, model = hello.model, ?frame_duration, "configured");
    Ok((hello, frame_duration))
}

/// The configured size of stills.
pub(super) fn still_size(inner: &Inner) -> Size {
    let intrinsics = &inner.config.intrinsics;
    Size { width: intrinsics.width, height: intrinsics.height }
}

async fn pause(inner: &Inner, time: Duration, cancel: &CancellationToken) -> Result<(), CameraError> {
    unless_cancelled(inner, cancel, async {
        sleep(time).await;
        Ok(())
    })
    .await
}

/// What `step` gives, unless nobody wants it any more.
async fn unless_cancelled<T>(
    inner: &Inner,
    cancel: &CancellationToken,
    step: impl Future<Output = Result<T, CameraError>>,
) -> Result<T, CameraError> {
    cancel
        .run_until_cancelled(step)
        .await
        .unwrap_or_else(|| Err(CameraError::new(inner.name(), ErrorKind::Cancelled, "given up on request")))
}
