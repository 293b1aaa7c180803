//! A running camera: greeted, configured, started, restarted, stopped.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::connection::Connection;
use super::driver::{Driver, Way};
use super::error::{CameraError, RecoverError, Wedged};
use super::mailbox::Wait;
use super::process::Ending;
use super::raw::{raw_for, raw_images};
use super::shared::Shared;
use super::sizes;
use super::sorting::{Answer, Want};
use super::status::State;
use crate::camera_driver::protocol::{
    Configure, ErrorKind, Hello, LONGEST_CALL, OLDEST, Timestamps, ToDriver, VERSION,
};
use crate::model::{Bayer, Controls, FileType, Orientation, PixelFormat, Size};
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
    /// Starts a driver and its stream. A driver that does not get that far is ended.
    pub(super) async fn start(inner: &Arc<Shared>, cancel: &CancellationToken) -> Result<Self, RecoverError> {
        let deadline = Instant::now() + inner.recovery.start_timeout;
        let (driver, hello) = Driver::spawn(inner, Way::Take).await?;
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

/// Hears what driver and camera are: the message `hello`.
async fn hear(
    inner: &Arc<Shared>,
    connection: &Arc<Connection>,
    hello: Wait,
    deadline: Instant,
    cancel: &CancellationToken,
) -> Result<Hello, CameraError> {
    let error = |kind, message| CameraError::new(inner.name(), kind, message);
    let heard = connection.attempt(None, hello, deadline.saturating_duration_since(Instant::now()));
    let Answer::Hello(hello) = unless_cancelled(inner, cancel, heard).await? else {
        return Err(error(ErrorKind::Protocol, "its driver did not begin with hello".into()));
    };
    if !(OLDEST..=VERSION).contains(&hello.protocol) {
        let message =
            format!("its driver speaks protocol {}, this program {OLDEST} to {VERSION}", hello.protocol);
        return Err(error(ErrorKind::Protocol, message));
    }
    let longest_call = hello.longest_call();
    if longest_call > LONGEST_CALL {
        let (calls, most) = (longest_call.as_secs(), LONGEST_CALL.as_secs());
        let message = format!("its driver announces calls of {calls} s; at most {most} s are waited for");
        return Err(error(ErrorKind::Protocol, message));
    }
    connection.allow_busy(longest_call);
    // A driver that began badly is no fault of the settings: its successor may be fine.
    let nothing = hello.formats.is_empty() && hello.files().is_empty();
    if nothing || hello.sensor.width == 0 || hello.sensor.height == 0 {
        let message = "its driver began with a hello that names no pixel format and no file, or no sensor";
        return Err(error(ErrorKind::Protocol, message.into()));
    }
    if let Some(objection) = FileType::objection(hello.files()).filter(|_| !hello.files().is_empty()) {
        return Err(error(
            ErrorKind::Protocol,
            format!("its driver announces files, and what it announces {objection}"),
        ));
    }
    inner.board().hello = Some(hello.clone());
    Ok(hello)
}

/// Hears `hello` and configures the camera. Where the configuration leaves the size of the images to the camera,
/// it is the largest one for which there is memory.
async fn greet(
    inner: &Arc<Shared>,
    connection: &Arc<Connection>,
    hello: Wait,
    deadline: Instant,
    cancel: &CancellationToken,
) -> Result<(Hello, Streams), CameraError> {
    let mut hello = hear(inner, connection, hello, deadline, cancel).await?;
    let config = &inner.config;
    let error = |kind, message| CameraError::new(inner.name(), kind, message);
    let format = format_for(inner, &hello)?;
    let raw = raw_for(config.raw, &hello).map_err(|why| error(ErrorKind::InvalidArgument, why.into()))?;
    let controls = inner.controls();
    let checked = controls.check_present(&hello.controls);
    checked.map_err(|refused| error(ErrorKind::InvalidArgument, refused.to_string()))?;
    // The images of a scan have one size, whatever there is memory for by now.
    let settled = config.optics.size().or(inner.board().pinned);
    let mut sizes = sizes::of_stills(settled, &hello).into_iter().peekable();
    loop {
        let Some(size) = sizes.next() else {
            return Err(error(ErrorKind::InvalidArgument, "it does not say which sizes it has".into()));
        };
        let configure = ToDriver::Configure(Configure {
            size,
            format,
            live: sizes::of_live(config.live, &hello, size),
            frame_rate: config.frame_rate,
            orientation: config.orientation,
            controls,
            raw,
            buffers: inner.buffers,
        });
        let left = deadline.saturating_duration_since(Instant::now());
        let configured = connection.exchange(configure, Want::Configured, left);
        match (unless_cancelled(inner, cancel, configured).await, sizes.peek()) {
            (Ok(Answer::Configured { frame_duration, live, controls, field_of_view, bayer }), _) => {
                let bayer = raw_images(config.raw, &hello, bayer)
                    .map_err(|message| error(ErrorKind::Protocol, message))?;
                let (driver, model, Size { width, height }) = (&hello.driver, &hello.model, size);
                let live = live.map(|live| format!("{}x{}", live.width, live.height));
                info!(
                    camera = inner.name(),
                    driver,
                    model,
                    ?frame_duration,
                    live,
                    "configured: {width}x{height}"
                );
                if let Some(controls) = controls {
                    hello.controls = controls;
                }
                let mut board = inner.board();
                board.images = Some((size, field_of_view));
                board.pinned = Some(size);
                board.hello = Some(hello.clone());
                return Ok((hello, Streams { frame_duration, size, bayer }));
            }
            (
                Ok(
                    Answer::Hello(_)
                    | Answer::Started
                    | Answer::Stopped
                    | Answer::Converged { .. }
                    | Answer::Frame(_),
                ),
                _,
            ) => {
                return Err(error(ErrorKind::Protocol, "its driver did not answer configure".into()));
            }
            (Err(refused), Some(next)) if refused.kind == ErrorKind::NoMemory => {
                warn!(camera = inner.name(), "{refused}; trying {}x{} instead", next.width, next.height);
            }
            (Err(refused), _) => return Err(refused),
        }
    }
}

/// The format to configure; none for a camera that makes files.
fn format_for(inner: &Shared, hello: &Hello) -> Result<Option<PixelFormat>, CameraError> {
    let config = &inner.config;
    let refused = |message| Err(CameraError::new(inner.name(), ErrorKind::InvalidArgument, message));
    if hello.files().is_empty() {
        if !hello.formats.contains(&config.format) {
            return refused(format!("it has no pixel format {:?}, but {:?}", config.format, hello.formats));
        }
        return Ok(Some(config.format));
    }
    if config.orientation != Orientation::Normal {
        let message = "it makes files, which are stored as they are, so they cannot be turned: leave its orientation out";
        return refused(message.to_owned());
    }
    Ok(None)
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
