//! A camera that this process has: nobody else can use it until this is dropped.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use libcamera::camera::{ActiveCamera, Camera};
use libcamera::control::ControlList;
use libcamera::request::{Request, RequestStatus, ReuseFlag};
use scanner::camera_driver::host::DeviceError;
use scanner::camera_driver::protocol::{Configure, ErrorKind};

use super::failure::{failed, not_acquired, not_queued};
use super::streams::{STREAMING, Streams};

/// Requests that the camera has at once. With fewer it would wait for one; with more, settings, which go with the
/// next request, would take effect later.
const IN_FLIGHT: usize = STREAMING + 1;

/// An acquired and configured camera. Fields are dropped in this order: libcamera wants requests gone before the
/// camera, and that before the manager.
pub(crate) struct Acquired {
    /// None only while they are being replaced.
    streams: Option<Streams>,
    completed: Receiver<Request>,
    camera: ActiveCamera<'static>,
    wanted: Configure,
    streaming: bool,
    in_flight: usize,
    presence: Presence,
}

impl Acquired {
    /// Takes and configures `camera`. Where there is no memory for all buffers, it makes do with fewer.
    pub(crate) fn new(camera: &Camera<'static>, wanted: &Configure) -> Result<Self, DeviceError> {
        let mut camera = camera.acquire().map_err(|error| not_acquired(&error))?;
        let completed = camera.subscribe_request_completed();
        let presence = Presence::of(&mut camera);
        let streams = with_fewer_buffers(&mut camera, wanted, wanted.buffers as usize + STREAMING)?;
        Ok(Self {
            streams: Some(streams),
            completed,
            camera,
            wanted: wanted.clone(),
            streaming: false,
            in_flight: 0,
            presence,
        })
    }

    /// Starts with the settings that `settings` makes.
    pub(crate) fn start(
        &mut self,
        settings: impl Fn(&Camera<'_>, &mut ControlList) -> Result<(), DeviceError>,
    ) -> Result<(), DeviceError> {
        loop {
            let mut list = ControlList::new();
            settings(&self.camera, &mut list)?;
            let count = self.streams.as_ref().map_or(0, Streams::count);
            match self.camera.start(Some(&list)).map_err(|error| failed("starting the camera", &error)) {
                Ok(()) => break,
                // The camera's own buffers are allocated only now.
                Err(error) if error.kind == ErrorKind::NoMemory && count > 1 => {
                    tracing::warn!("{count} buffers a stream: {error}; trying with fewer");
                    // Given back first: there is no memory for both.
                    self.streams = None;
                    self.streams = Some(with_fewer_buffers(&mut self.camera, &self.wanted, count - 1)?);
                }
                Err(error) => return Err(error),
            }
        }
        (self.streaming, self.in_flight) = (true, 0);
        let fed = self.feed(|_, _| Ok(()));
        if fed.is_err() {
            self.stop()?;
        }
        fed
    }

    /// Stops; every request is idle or lent afterwards.
    pub(crate) fn stop(&mut self) -> Result<(), DeviceError> {
        self.camera.stop().map_err(|error| failed("stopping the camera", &error))?;
        (self.streaming, self.in_flight) = (false, 0);
        // libcamera has given every request back by now.
        if let Some(streams) = &mut self.streams {
            streams.idle.extend(self.completed.try_iter());
        }
        Ok(())
    }

    /// Gives idle requests to the camera, as many as it should have, each with what `settings` puts into it. A
    /// request that is not taken stays idle.
    pub(crate) fn feed(
        &mut self,
        mut settings: impl FnMut(&mut ControlList, u64) -> Result<(), DeviceError>,
    ) -> Result<(), DeviceError> {
        let Some(streams) = self.streams.as_mut().filter(|_| self.streaming) else { return Ok(()) };
        while self.in_flight < IN_FLIGHT {
            // Queueing for one that is gone would wait for ever.
            self.presence.check()?;
            let Some(mut request) = streams.idle.pop() else { break };
            if request.status() != RequestStatus::Pending {
                request.reuse(ReuseFlag::REUSE_BUFFERS);
            }
            let cookie = request.cookie();
            if let Err(error) = settings(request.controls_mut(), cookie) {
                streams.idle.push(request);
                return Err(error);
            }
            if let Err((request, error)) = self.camera.queue_request(request) {
                streams.idle.push(request);
                return Err(not_queued(&error));
            }
            self.in_flight += 1;
        }
        Ok(())
    }

    /// The next request that comes back; none after `timeout`.
    pub(crate) fn next(&mut self, timeout: Duration) -> Result<Option<Request>, DeviceError> {
        self.presence.check()?;
        match self.completed.recv_timeout(timeout) {
            Ok(request) => {
                self.in_flight = self.in_flight.saturating_sub(1);
                Ok(Some(request))
            }
            Err(RecvTimeoutError::Timeout) => Ok(None),
            Err(RecvTimeoutError::Disconnected) => {
                Err(DeviceError::new(ErrorKind::Gone, "libcamera has let the camera go"))
            }
        }
    }

    /// Whether there are as many requests as the camera needs to stream, beside those that are lent.
    pub(crate) fn can_stream(&self) -> bool {
        let idle = self.streams.as_ref().map_or(0, |streams| streams.idle.len());
        self.in_flight + idle >= STREAMING
    }

    /// The streams, but while they could not be replaced.
    pub(crate) fn streams(&mut self) -> Option<&mut Streams> {
        self.streams.as_mut()
    }

    /// libcamera's own view of the camera.
    pub(crate) fn camera(&self) -> &Camera<'static> {
        &self.camera
    }
}

impl Drop for Acquired {
    fn drop(&mut self) {
        // Requests must not be dropped while the camera has them.
        if self.streaming
            && let Err(error) = self.stop()
        {
            tracing::warn!("{error}");
        }
    }
}

/// Whether the camera is still there.
struct Presence {
    gone: Arc<AtomicBool>,
}

impl Presence {
    fn of(camera: &mut ActiveCamera<'static>) -> Self {
        let gone = Arc::new(AtomicBool::new(false));
        let told = gone.clone();
        camera.on_disconnected(move || {
            told.store(true, Ordering::Release);
            // This is libcamera's own thread. Were it to go on, it would give back the requests of a camera that is
            // gone, for which libcamera aborts the process (`Camera::requestComplete`), perhaps before the daemon
            // has been told why. Nothing more can be done with the camera in this process anyway, which the daemon
            // kills.
            loop {
                thread::park();
            }
        });
        Self { gone }
    }

    fn check(&self) -> Result<(), DeviceError> {
        if self.gone.load(Ordering::Acquire) {
            return Err(DeviceError::new(ErrorKind::Gone, "the camera was unplugged"));
        }
        Ok(())
    }
}

/// Configures with `count` buffers a stream, or with fewer where there is no memory for so many.
fn with_fewer_buffers(
    camera: &mut ActiveCamera<'static>,
    wanted: &Configure,
    count: usize,
) -> Result<Streams, DeviceError> {
    let mut counts = (1..=count).rev().peekable();
    loop {
        let Some(count) = counts.next() else {
            return Err(DeviceError::new(ErrorKind::NoMemory, "there is no memory for a single frame"));
        };
        match (Streams::new(camera, wanted, count), counts.peek()) {
            (Err(error), Some(next)) if error.kind == ErrorKind::NoMemory => {
                tracing::warn!("{count} buffers a stream: {error}; trying with {next}");
            }
            (streams, _) => return streams,
        }
    }
}
