//! A camera of libcamera.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use libcamera::camera::Camera;
use libcamera::camera_manager::CameraManager;
use libcamera::controls;
use libcamera::framebuffer::AsFrameBuffer;
use libcamera::request::{Request, RequestStatus};
use scanner::camera_driver::clock;
use scanner::camera_driver::host::{
    CaptureRequest, Configured, Device, DeviceError, DriverArgs, LiveGate, RawFrame, parse_options,
};
use scanner::camera_driver::protocol::{Configure, Controls, ErrorKind, Hello, Stream};
use scanner::camera_driver::synthetic::Layout;
use scanner::units::{FramesPerSecond, Seconds};

use super::acquired::Acquired;
use super::automatic::{Convergence, Seen};
use super::capabilities;
use super::controls::{Lens, has_autofocus, seen, write};
use super::failure::failed;
use super::log;
use super::streams::HandedOver;

/// The time between frames where nobody says.
const USUAL_PERIOD: Duration = Duration::from_millis(100);
/// A camera that is still not as it was set after so many frames does not do as it is told.
const MOST_MISMATCHES: u32 = 15;

/// `[camera.options]`
#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Options {
    /// The device node that only one process can use the camera through, if libcamera does not know.
    device: Option<PathBuf>,
}

/// The device of `scanner-libcamera`. Fields are dropped in this order: libcamera wants a camera gone before its
/// manager.
pub(crate) struct LibcameraDevice {
    acquired: Option<Acquired>,
    camera: Camera<'static>,
    hello: Hello,
    /// What is set; everything else is automatic.
    fixed: Controls,
    rate: Option<FramesPerSecond>,
    /// Settings are to go with the next request.
    pending: Option<Lens>,
    capture: Option<CaptureRequest>,
    /// Frames since then that were not taken with what is set.
    mismatches: u32,
    convergence: Option<(Instant, Convergence)>,
    converged: Option<Result<Controls, DeviceError>>,
    live: Option<LiveGate>,
    /// To be handed over next.
    ready: Option<RawFrame>,
    last_buffer: u64,
    _manager: CameraManager,
}

/// Finds the camera.
pub(crate) fn build(args: &DriverArgs) -> Result<LibcameraDevice, DeviceError> {
    let options: Options = parse_options(&args.options)?;
    log::take_over();
    let manager = CameraManager::new().map_err(|error| failed("starting libcamera", &error))?;
    tracing::info!("libcamera {}", manager.version());
    let cameras = manager.cameras();
    let ids: Vec<String> = cameras.iter().map(|camera| camera.id().to_owned()).collect();
    let Some(index) = position(&ids, &args.camera) else {
        let known = if ids.is_empty() { "none".to_owned() } else { ids.join(", ") };
        let message = format!("there is no camera {:?}; libcamera knows: {known}", args.camera);
        return Err(DeviceError::new(ErrorKind::Gone, message));
    };
    let camera: Camera<'static> = manager
        .get(&ids[index])
        .ok_or_else(|| DeviceError::new(ErrorKind::Gone, format!("camera {} has just gone", ids[index])))?;
    let hello = capabilities::hello(&camera, &ids[index], options.device.into_iter().collect());
    Ok(LibcameraDevice {
        acquired: None,
        camera,
        hello,
        fixed: Controls::default(),
        rate: None,
        pending: None,
        capture: None,
        mismatches: 0,
        convergence: None,
        converged: None,
        live: None,
        ready: None,
        last_buffer: 0,
        _manager: manager,
    })
}

/// The camera with this id, or at this place (from 0) in libcamera's list.
fn position(ids: &[String], wanted: &str) -> Option<usize> {
    let by_id = ids.iter().position(|id| id == wanted);
    by_id.or_else(|| wanted.parse().ok().filter(|&index: &usize| index < ids.len()))
}

impl LibcameraDevice {
    /// Gives a request back to the camera, with settings if some are to go out.
    fn queue(&mut self, request: Request) -> Result<(), DeviceError> {
        let Some(acquired) = &mut self.acquired else { return Ok(()) };
        let (lens, fixed, camera) = (self.pending.take(), self.fixed, &self.camera);
        acquired.queue(request, |list| match lens {
            Some(lens) => write(list, camera, &fixed, lens, None),
            None => Ok(()),
        })
    }

    /// Whether a frame, described by `raw` but for its memory, is the one that is waited for.
    fn is_wanted(&mut self, raw: &RawFrame, seen: &Seen) -> Result<bool, DeviceError> {
        if !self.capture.is_some_and(|capture| capture.is_answered_by(raw)) {
            return Ok(false);
        }
        let Some(difference) = seen.differs_from(&self.fixed) else { return Ok(true) };
        self.mismatches += 1;
        if self.mismatches < MOST_MISMATCHES {
            return Ok(false);
        }
        self.mismatches = 0;
        Err(DeviceError::new(
            ErrorKind::BadFrame,
            format!("after {MOST_MISMATCHES} frames the camera does not do as it is set: {difference}"),
        ))
    }

    /// What there is to hand over of a completed request; the request, if it is free again.
    fn frames(&mut self, request: Request) -> Result<(Option<RawFrame>, Option<Request>), DeviceError> {
        let completed_ns = clock::now_ns();
        let seen = seen(request.metadata());
        if let Some((began, convergence)) = &mut self.convergence
            && let Some(converged) = convergence.frame(seen, began.elapsed())
        {
            self.hold(converged);
        }
        let Some(mut raw) = self.describe(&request, &seen, completed_ns) else {
            return Ok((None, Some(request)));
        };
        self.show(&request, &raw)?;
        let wanted = match self.is_wanted(&raw, &seen) {
            Ok(wanted) => wanted,
            Err(error) => {
                self.queue(request)?;
                return Err(error);
            }
        };
        let Some(acquired) = self.acquired.as_mut().filter(|_| wanted) else {
            return Ok((None, Some(request)));
        };
        self.last_buffer += 1;
        raw.buffer = self.last_buffer;
        let streams = &mut acquired.streams;
        match streams.still.hand_over(&request, raw.buffer)? {
            HandedOver::Lent => {
                streams.lent.insert(raw.buffer, request);
                Ok((Some(raw), None))
            }
            HandedOver::Copied(memory) => {
                let offsets = streams.still.layout.offsets.clone();
                Ok((memory.map(|memory| RawFrame { memory, offsets, ..raw }), Some(request)))
            }
        }
    }

    /// The still of a completed request, in the camera's own memory.
    fn describe(&self, request: &Request, seen: &Seen, completed_ns: u64) -> Option<RawFrame> {
        let still = &self.acquired.as_ref()?.streams.still;
        let (buffer, memory, offsets) = still.of(request)?;
        let info = buffer.metadata()?;
        let timestamp = request.metadata().get::<controls::SensorTimestamp>();
        let timestamp = timestamp.map_or(info.timestamp(), |time| time.0 as u64);
        let skew = request.metadata().get::<controls::SensorRollingShutterSkew>();
        let exposure = seen.exposure.or(self.fixed.exposure).unwrap_or(Seconds::ZERO);
        let Layout { format, size, strides, .. } = still.layout.clone();
        Some(RawFrame {
            stream: Stream::Still,
            memory: Arc::clone(memory),
            format,
            size,
            strides,
            offsets: offsets.to_vec(),
            sensor_timestamp_ns: monotonic(timestamp),
            exposure_us: (exposure.get() * 1e6).round() as u64,
            readout_us: skew.map_or(0, |skew| skew.0.max(0) as u64 / 1000),
            gain: seen.gain.or(self.fixed.gain).unwrap_or(1.0),
            white_balance: seen.white_balance,
            focus: seen.focus,
            completed_ns,
            sequence: u64::from(info.sequence()),
            buffer: 0,
            valid: request.status() == RequestStatus::Complete,
            tamper: None,
        })
    }

    /// Copies the live frame of a completed request, whose still is `raw`, if it is time for one.
    fn show(&mut self, request: &Request, raw: &RawFrame) -> Result<(), DeviceError> {
        let Some(live) = self.acquired.as_mut().and_then(|acquired| acquired.streams.live.as_mut()) else {
            return Ok(());
        };
        let due = raw.valid && self.live.as_mut().is_some_and(|gate| gate.admits(raw.sensor_timestamp_ns));
        if !due || self.ready.is_some() {
            return Ok(());
        }
        let Some(memory) = live.copy(request, self.last_buffer + 1)? else { return Ok(()) };
        self.last_buffer += 1;
        let Layout { format, size, strides, offsets, bytes: _ } = live.pool.layout().clone();
        self.ready = Some(RawFrame {
            stream: Stream::Live,
            memory,
            format,
            size,
            strides,
            offsets,
            buffer: self.last_buffer,
            ..raw.clone()
        });
        Ok(())
    }

    /// The camera has found its settings, or cannot.
    fn hold(&mut self, converged: Result<Controls, DeviceError>) {
        self.convergence = None;
        let converged = converged.map(|found| {
            self.fixed = self.fixed.over(found.within(&self.hello.controls));
            self.pending = Some(Lens::Stays);
            Controls { metering: None, focus_window: None, noise_reduction: None, crop: None, ..self.fixed }
        });
        self.converged = Some(converged);
    }

    fn unconfigured() -> DeviceError {
        DeviceError::invalid("the camera is not configured")
    }
}

impl Device for LibcameraDevice {
    fn hello(&self) -> Hello {
        self.hello.clone()
    }

    fn configure(&mut self, wanted: &Configure) -> Result<Configured, DeviceError> {
        // Given back first: configured anew is as good as new.
        self.acquired = None;
        let acquired = Acquired::new(&self.camera, wanted)?;
        let live = acquired.streams.live_size();
        self.acquired = Some(acquired);
        (self.fixed, self.rate, self.pending) = (wanted.controls, wanted.frame_rate, None);
        let period = self.rate.map_or(USUAL_PERIOD, |rate| Duration::from_secs_f64(rate.get().recip()));
        let exposure = self.fixed.exposure.map_or(Duration::ZERO, Seconds::duration);
        Ok(Configured { frame_duration: period.max(exposure), live })
    }

    fn start(&mut self, epoch: u64) -> Result<(), DeviceError> {
        let Some(acquired) = &mut self.acquired else { return Err(Self::unconfigured()) };
        let (fixed, rate) = (self.fixed, self.rate);
        (self.pending, self.ready, self.mismatches) = (None, None, 0);
        acquired.start(|camera, list| write(list, camera, &fixed, Lens::Follows, rate))?;
        tracing::debug!("epoch {epoch}: {} buffers a stream", acquired.streams.count());
        Ok(())
    }

    fn stop(&mut self) -> Result<(), DeviceError> {
        (self.convergence, self.converged) = (None, None);
        if let Some(frame) = self.ready.take() {
            self.release(frame.buffer);
        }
        self.acquired.as_mut().map_or(Ok(()), Acquired::stop)
    }

    fn set(&mut self, controls: &Controls) -> Result<(), DeviceError> {
        self.fixed = controls.over(self.fixed);
        self.pending = Some(Lens::Stays);
        self.mismatches = 0;
        Ok(())
    }

    fn converge(&mut self, fixed: &Controls) -> Result<(), DeviceError> {
        let Some(acquired) = &self.acquired else { return Err(Self::unconfigured()) };
        let autofocus = fixed.focus.is_none() && has_autofocus(acquired.camera());
        self.fixed = *fixed;
        self.pending = Some(if autofocus { Lens::Starts } else { Lens::Stays });
        self.convergence = Some((Instant::now(), Convergence::new(autofocus)));
        self.converged = None;
        Ok(())
    }

    fn converged(&mut self) -> Option<Result<Controls, DeviceError>> {
        self.converged.take()
    }

    fn wanted(&mut self, capture: Option<&CaptureRequest>) {
        if self.capture != capture.copied() {
            self.capture = capture.copied();
            self.mismatches = 0;
        }
    }

    fn live(&mut self, rate: Option<FramesPerSecond>) {
        self.live = rate.and_then(LiveGate::new);
    }

    fn next_frame(&mut self, timeout: Duration) -> Result<Option<RawFrame>, DeviceError> {
        if let Some(frame) = self.ready.take() {
            return Ok(Some(frame));
        }
        let Some(acquired) = &mut self.acquired else { return Err(Self::unconfigured()) };
        let Some(request) = acquired.next(timeout)? else { return Ok(None) };
        let cancelled = request.status() == RequestStatus::Cancelled;
        let (frame, free) = self.frames(request)?;
        if let Some(request) = free {
            self.queue(request)?;
        }
        if cancelled && self.capture.is_some() {
            return Err(DeviceError::new(
                ErrorKind::Cancelled,
                "the camera gave a request back without a picture",
            ));
        }
        Ok(frame)
    }

    fn release(&mut self, buffer: u64) {
        let Some(acquired) = &mut self.acquired else { return };
        acquired.streams.given_back(buffer);
        let Some(request) = acquired.streams.lent.remove(&buffer) else { return };
        if let Err(error) = self.queue(request) {
            tracing::warn!("{error}");
        }
    }
}

/// A sensor's timestamp on `CLOCK_MONOTONIC`. libcamera documents `CLOCK_BOOTTIME`, which is ahead by the time that
/// the machine has slept; kernels' camera drivers use either.
fn monotonic(timestamp_ns: u64) -> u64 {
    let now_ns = clock::now_ns();
    let boot = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    let boot_ns = boot.tv_sec as u64 * 1_000_000_000 + boot.tv_nsec as u64;
    let slept_ns = boot_ns.saturating_sub(now_ns);
    if timestamp_ns > now_ns { timestamp_ns.saturating_sub(slept_ns) } else { timestamp_ns }
}
