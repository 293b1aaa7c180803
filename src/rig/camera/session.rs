//! A running camera: greeted, configured, started, restarted, stopped.

mod greeting;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use self::greeting::{greet, hear};
use super::connection::Connection;
use super::driver::{Driver, Way};
use super::error::{CameraError, RecoverError, Wedged};
use super::process::Ending;
use super::shared::Shared;
use super::sorting::Want;
use super::status::State;
use crate::camera_driver::protocol::{ErrorKind, Hello, Timestamps, ToDriver};
use crate::model::{Bayer, Controls, FileType, Size};
use crate::units::Seconds;

/// A driver that was greeted and configured.
pub(super) struct Session {
    driver: Driver,
    pub(super) hello: Hello,
    streams: Streams,
    /// The start that runs; none while it is stopped.
    pub(super) stream: Option<Arc<Stream>>,
}

/// What a camera was configured to.
#[derive(Debug, Clone)]
struct Streams {
    frame_duration: Duration,
    size: Size,
    /// The raw images beside the stills, if they are wanted.
    bayer: Option<Bayer>,
}

/// One start of a camera.
pub(super) struct Stream {
    pub(super) connection: Arc<Connection>,
    pub(super) epoch: u64,
    frame_duration: Duration,
    /// Size of stills, in pixels.
    pub(super) size: Size,
    /// By what it is known when they were exposed.
    pub(super) timestamps: Timestamps,
    /// The files of each; none if they are pixels.
    pub(super) files: Vec<FileType>,
    /// The raw image beside each; none without.
    pub(super) bayer: Option<Bayer>,
    last_sequence: Mutex<Option<u64>>,
}

impl Stream {
    /// How long a frame takes: as long as the stream was configured for, or as an exposure that was `set` since.
    pub(super) fn frame_duration(&self, set: &Controls) -> Duration {
        self.frame_duration.max(set.exposure.map_or(Duration::ZERO, Seconds::duration))
    }

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
    /// Starts a driver in this `way` and its stream. A driver that does not get that far is ended.
    pub(super) async fn start(
        inner: &Arc<Shared>,
        way: Way,
        cancel: &CancellationToken,
    ) -> Result<Self, RecoverError> {
        let start_timeout = inner.recovery.start_timeout;
        let deadline = Instant::now()
            + match way {
                Way::Look | Way::Take => start_timeout,
                // A device that was reset comes back as if it had been plugged in.
                Way::Reset => start_timeout.saturating_mul(2),
            };
        let (driver, hello) = Driver::spawn(inner, way).await?;
        let (hello, streams) = match greet(inner, &driver.connection, hello, deadline, cancel).await {
            Ok(greeted) => greeted,
            Err(error) => {
                driver.end(inner, Ending::Forced).await?;
                return Err(error.into());
            }
        };
        let mut session = Self { driver, hello, streams, stream: None };
        if let Err(error) = session.start_stream(inner, deadline, cancel).await {
            session.driver.end(inner, Ending::Forced).await?;
            return Err(error.into());
        }
        Ok(session)
    }

    /// Hears what a driver says of the camera and, if `configure`, that it can be configured, and ends it again.
    pub(super) async fn look(
        inner: &Arc<Shared>,
        configure: bool,
        cancel: &CancellationToken,
    ) -> Result<Hello, RecoverError> {
        let deadline = Instant::now() + inner.recovery.start_timeout;
        let (driver, hello) = Driver::spawn(inner, Way::Look).await?;
        let heard = if configure {
            greet(inner, &driver.connection, hello, deadline, cancel).await.map(|(hello, _)| hello)
        } else {
            hear(inner, &driver.connection, hello, deadline, cancel).await
        };
        driver.end(inner, if heard.is_ok() { Ending::Gentle } else { Ending::Forced }).await?;
        Ok(heard?)
    }

    /// Says `message` unless the driver has stopped listening.
    pub(super) fn say(&self, message: &ToDriver) {
        self.driver.connection.say(message);
    }

    /// Whether the driver lives and streams.
    pub(super) fn is_streaming(&self) -> bool {
        self.stream.is_some() && self.driver.connection.ended().is_none()
    }

    /// Stops the stream and starts it anew, in the same process. Fails at once if the driver is stuck, which
    /// could not hear of it.
    pub(super) async fn restart(
        &mut self,
        inner: &Arc<Shared>,
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
    pub(super) async fn close(mut self, inner: &Arc<Shared>) -> Result<(), Wedged> {
        if self.driver.connection.stuck().is_some() {
            return self.kill(inner).await;
        }
        let deadline = Instant::now() + inner.recovery.restart_timeout;
        let stopped = self.stop_stream(deadline, inner, &CancellationToken::new()).await;
        self.driver.end(inner, if stopped.is_ok() { Ending::Gentle } else { Ending::Forced }).await
    }

    /// Ends the driver, however the camera is.
    pub(super) async fn kill(self, inner: &Arc<Shared>) -> Result<(), Wedged> {
        self.driver.end(inner, Ending::Forced).await
    }

    async fn start_stream(
        &mut self,
        inner: &Arc<Shared>,
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
        let stream = Stream {
            connection: Arc::clone(connection),
            epoch,
            frame_duration: self.streams.frame_duration,
            size: self.streams.size,
            timestamps: self.hello.timestamps(),
            files: self.hello.files().to_vec(),
            bayer: self.streams.bayer.clone(),
            last_sequence: Mutex::default(),
        };
        connection.set_frame_duration(stream.frame_duration(&inner.controls()));
        self.stream = Some(Arc::new(stream));
        if let Some(rate) = inner.audience.rate() {
            self.say(&ToDriver::Live { rate: Some(rate) });
        }
        Ok(())
    }

    async fn stop_stream(
        &mut self,
        deadline: Instant,
        inner: &Arc<Shared>,
        cancel: &CancellationToken,
    ) -> Result<(), CameraError> {
        self.stream = None;
        let limit = deadline.saturating_duration_since(Instant::now());
        let stopped = self.driver.connection.exchange(ToDriver::Stop, Want::Stopped, limit);
        unless_cancelled(inner, cancel, stopped).await.map(drop)
    }
}

async fn pause(inner: &Shared, time: Duration, cancel: &CancellationToken) -> Result<(), CameraError> {
    unless_cancelled(inner, cancel, async {
        sleep(time).await;
        Ok(())
    })
    .await
}

/// What `step` gives, unless nobody wants it any more.
async fn unless_cancelled<T>(
    inner: &Shared,
    cancel: &CancellationToken,
    step: impl Future<Output = Result<T, CameraError>>,
) -> Result<T, CameraError> {
    cancel
        .run_until_cancelled(step)
        .await
        .unwrap_or_else(|| Err(CameraError::new(inner.name(), ErrorKind::Cancelled, "given up on request")))
}
