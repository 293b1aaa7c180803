//! A camera that this process has: nobody else can use it until this is dropped.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use libcamera::camera::{ActiveCamera, Camera};
use libcamera::control::ControlList;
use libcamera::request::{Request, RequestStatus, ReuseFlag};
use scanner::camera_driver::host::DeviceError;
use scanner::camera_driver::protocol::{Configure, ErrorKind};

use super::failure::{failed, not_queued};
use super::streams::{STREAMING, Streams};

/// An acquired and configured camera. Fields are dropped in this order: libcamera wants requests gone before the
/// camera, and that before the manager.
pub(crate) struct Acquired {
    pub(crate) streams: Streams,
    completed: Receiver<Request>,
    camera: ActiveCamera<'static>,
    wanted: Configure,
    streaming: bool,
    unplugged: Arc<AtomicBool>,
}

impl Acquired {
    /// Takes and configures `camera`. Where there is no memory for all buffers, it makes do with fewer.
    pub(crate) fn new(camera: &Camera<'static>, wanted: &Configure) -> Result<Self, DeviceError> {
        let mut camera = camera.acquire().map_err(|error| failed("acquiring the camera", &error))?;
        let completed = camera.subscribe_request_completed();
        let unplugged = Arc::new(AtomicBool::new(false));
        let told = unplugged.clone();
        camera.on_disconnected(move || told.store(true, Ordering::Relaxed));
        let streams = with_fewer_buffers(&mut camera, wanted, wanted.buffers as usize + STREAMING)?;
        Ok(Self { streams, completed, camera, wanted: wanted.clone(), streaming: false, unplugged })
    }

    /// Starts with the settings that `settings` makes.
    pub(crate) fn start(
        &mut self,
        settings: impl Fn(&Camera<'_>, &mut ControlList) -> Result<(), DeviceError>,
    ) -> Result<(), DeviceError> {
        loop {
            let mut list = ControlList::new();
            settings(&self.camera, &mut list)?;
            match self.camera.start(Some(&list)).map_err(|error| failed("starting the camera", &error)) {
                Ok(()) => break,
                // The camera's own buffers are allocated only now.
                Err(error) if error.kind == ErrorKind::NoMemory && self.streams.count() > 2 => {
                    let fewer = self.streams.count() - 1;
                    tracing::warn!("{error}; trying with {fewer} buffers a stream");
                    self.streams = with_fewer_buffers(&mut self.camera, &self.wanted, fewer)?;
                }
                Err(error) => return Err(error),
            }
        }
        self.streaming = true;
        for request in std::mem::take(&mut self.streams.idle) {
            self.queue(request, |_| Ok(()))?;
        }
        Ok(())
    }

    /// Stops; every request is idle or lent afterwards.
    pub(crate) fn stop(&mut self) -> Result<(), DeviceError> {
        self.camera.stop().map_err(|error| failed("stopping the camera", &error))?;
        self.streaming = false;
        // libcamera has given every request back by now.
        self.streams.idle.extend(self.completed.try_iter());
        Ok(())
    }

    /// Gives a request that is not lent to the camera, with what `settings` puts into it.
    pub(crate) fn queue(
        &mut self,
        mut request: Request,
        settings: impl FnOnce(&mut ControlList) -> Result<(), DeviceError>,
    ) -> Result<(), DeviceError> {
        if !self.streaming {
            self.streams.idle.push(request);
            return Ok(());
        }
        if request.status() != RequestStatus::Pending {
            request.reuse(ReuseFlag::REUSE_BUFFERS);
        }
        settings(request.controls_mut())?;
        self.camera.queue_request(request).map_err(|(request, error)| {
            self.streams.idle.push(request);
            not_queued(&error)
        })
    }

    /// The next request that comes back; none after `timeout`.
    pub(crate) fn next(&mut self, timeout: Duration) -> Result<Option<Request>, DeviceError> {
        if self.unplugged.load(Ordering::Relaxed) {
            return Err(DeviceError::new(ErrorKind::Gone, "the camera was unplugged"));
        }
        match self.completed.recv_timeout(timeout) {
            Ok(request) => Ok(Some(request)),
            Err(RecvTimeoutError::Timeout) => Ok(None),
            Err(RecvTimeoutError::Disconnected) => {
                Err(DeviceError::new(ErrorKind::Gone, "libcamera has let the camera go"))
            }
        }
    }

    /// The camera.
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

/// Configures with `count` buffers a stream, or with fewer where there is no memory for so many.
fn with_fewer_buffers(
    camera: &mut ActiveCamera<'static>,
    wanted: &Configure,
    count: usize,
) -> Result<Streams, DeviceError> {
    let fewer = [STREAMING + 1, STREAMING, 2, 1].into_iter().filter(|fewer| *fewer < count);
    let mut counts = [count].into_iter().chain(fewer).peekable();
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
