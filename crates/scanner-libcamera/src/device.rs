//! A camera of libcamera.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use libcamera::camera::Camera;
use libcamera::camera_manager::CameraManager;
use libcamera::control::ControlList;
use libcamera::controls;
use libcamera::framebuffer::{AsFrameBuffer, FrameMetadataStatus};
use libcamera::request::{Request, RequestStatus};
use scanner::camera_driver::host::{
    CaptureRequest, Configured, Device, DeviceError, DriverArgs, Layout, LiveGate, RawFrame, parse_options,
};
use scanner::camera_driver::protocol::{
    Configure, ErrorKind, ExposedAt, FrameMetadata, Hello, Payload, Planes, Stream,
};
use scanner::clock;
use scanner::model::Controls;
use scanner::units::FramesPerSecond;

use super::acquired::Acquired;
use super::automatic::{Convergence, Seen};
use super::capabilities;
use super::controls::{Lens, has_autofocus, seen};
use super::exposed::Exposed;
use super::failure::failed;
use super::log;
use super::numbering;
use super::streams::HandedOver;
use super::told::Told;

/// What this driver can be told by `[camera.options]`.
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
    told: Told,
    exposed: Exposed,
    capture: Option<CaptureRequest>,
    convergence: Option<(Instant, Convergence)>,
    converged: Option<Result<Controls, DeviceError>>,
    live: Option<LiveGate>,
    /// The newest frame's time by its sensor.
    newest_ns: Option<u64>,
    /// To be handed over next.
    ready: Option<RawFrame>,
    last_buffer: u64,
    _manager: CameraManager,
}

/// Finds the camera that `args` name, without taking it from anybody.
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
    numbering::check(&camera)?;
    let hello = capabilities::hello(&camera, &ids[index], options.device.into_iter().collect());
    Ok(LibcameraDevice {
        acquired: None,
        camera,
        hello,
        told: Told::new(Controls::default(), None),
        exposed: Exposed::default(),
        capture: None,
        convergence: None,
        converged: None,
        live: None,
        newest_ns: None,
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
    /// Gives the camera requests, the first one with settings if some are to go out.
    fn feed(&mut self) -> Result<(), DeviceError> {
        let Some(acquired) = &mut self.acquired else { return Ok(()) };
        let (told, camera) = (&mut self.told, &self.camera);
        acquired.feed(|list, cookie| told.write_pending(camera, list, cookie))
    }

    /// Whether a good still, described by `raw` but for its memory, is the one that is waited for.
    fn is_wanted(&mut self, raw: &RawFrame, seen: &Seen) -> Result<bool, DeviceError> {
        let Some(capture) = self.capture.filter(|capture| capture.is_answered_by(raw)) else {
            return Ok(false);
        };
        // Frames may take longer than anybody has said.
        if raw.metadata.exposure_us.is_none() && !self.exposed.began_by(capture.not_before_ns) {
            return Ok(false);
        }
        self.told.is_obeyed(seen)
    }

    /// What there is to hand over of a completed request, which is idle or lent afterwards.
    fn frame(&mut self, request: Request) -> Result<Option<RawFrame>, DeviceError> {
        let completed_ns = clock::now_ns();
        self.told.came_back(request.cookie());
        let seen = seen(request.metadata());
        let described = self.describe(&request, &seen, completed_ns).filter(|raw| raw.valid);
        let Some(mut raw) = described else {
            self.idle(request);
            return Ok(None);
        };
        self.exposed.came(raw.metadata.exposed.at_ns());
        if self.told.is_in_effect()
            && let Some((began, convergence)) = &mut self.convergence
            && let Some(converged) = convergence.frame(seen, began.elapsed())
        {
            self.hold(converged);
        }
        // A viewer must not cost a still.
        if let Err(error) = self.show(&request, &raw) {
            tracing::warn!("a live frame: {error}");
        }
        let wanted = self.is_wanted(&raw, &seen);
        let number = self.last_buffer + 1;
        let streams = self.acquired.as_mut().and_then(Acquired::streams);
        let (Some(streams), Ok(true)) = (streams, &wanted) else {
            self.idle(request);
            return wanted.map(|_| None);
        };
        raw.metadata.buffer = number;
        // What is copied of a still that is not handed over after all is free again.
        let beside = match streams.raw.as_mut().map(|raw| raw.hand_over(&request, number)).transpose() {
            Ok(beside) => beside,
            Err(error) => {
                self.idle(request);
                return Err(error);
            }
        };
        if let (Some(of_raw), Some(handed_over)) = (&streams.raw, beside) {
            let Some((memory, offset)) = handed_over else {
                self.idle(request);
                return Ok(None);
            };
            raw.metadata.raw =
                Some(super::raw::plane(request.metadata(), &of_raw.bayer, of_raw.stride, offset));
            raw.raw = Some(memory);
        }
        let handed_over = streams.still.hand_over(&request, number);
        let offsets = streams.still.layout.offsets.clone();
        match handed_over {
            Ok(HandedOver::Lent) => {
                streams.lent.insert(number, request);
                self.last_buffer = number;
                Ok(Some(raw))
            }
            Ok(HandedOver::Copied(memory)) => {
                self.idle(request);
                self.last_buffer = number;
                if let Payload::Pixels(planes) = &mut raw.metadata.payload {
                    planes.offsets = offsets;
                }
                if memory.is_none() {
                    self.forget(number);
                }
                Ok(memory.map(|memory| RawFrame { memory, ..raw }))
            }
            Err(error) => {
                self.idle(request);
                self.forget(number);
                Err(error)
            }
        }
    }

    /// Copies of the frame `number` are not handed over.
    fn forget(&mut self, number: u64) {
        if let Some(streams) = self.acquired.as_mut().and_then(Acquired::streams) {
            streams.given_back(number);
        }
    }

    /// The request may go to the camera again.
    fn idle(&mut self, request: Request) {
        if let Some(streams) = self.acquired.as_mut().and_then(Acquired::streams) {
            streams.idle.push(request);
        }
    }

    /// The still of a completed request, in the camera's own memory.
    fn describe(&mut self, request: &Request, seen: &Seen, completed_ns: u64) -> Option<RawFrame> {
        let still = &self.acquired.as_mut()?.streams()?.still;
        let (buffer, memory, offsets) = still.of(request)?;
        let info = buffer.metadata()?;
        let timestamp = request.metadata().get::<controls::SensorTimestamp>();
        let timestamp = timestamp.map_or(info.timestamp(), |time| time.0 as u64);
        let skew = request.metadata().get::<controls::SensorRollingShutterSkew>();
        let Layout { format, size, strides, .. } = still.layout.clone();
        let metadata = FrameMetadata {
            stream: Stream::Still,
            payload: Payload::Pixels(Planes { format, size, strides, offsets: offsets.to_vec() }),
            exposed: ExposedAt::Sensor { sensor_timestamp_ns: monotonic(timestamp) },
            // What the camera does not say is not known, whatever it was told.
            exposure_us: seen.exposure.map(|time| (time.get() * 1e6).round() as u64),
            readout_us: skew.map_or(0, |skew| skew.0.max(0) as u64 / 1000),
            gain: seen.gain,
            white_balance: seen.white_balance,
            focus: seen.focus,
            raw: None,
            completed_ns,
            clock_uncertainty_us: None,
            sequence: u64::from(info.sequence()),
            buffer: 0,
        };
        // A request is complete with a frame that was cut off, or from before the sensor was ready, too.
        let valid =
            request.status() == RequestStatus::Complete && info.status() == FrameMetadataStatus::Success;
        Some(RawFrame { metadata, memory: Arc::clone(memory), raw: None, valid, tamper: None })
    }

    /// Copies the live frame of a completed request, whose still is `raw`, if it is time for one.
    fn show(&mut self, request: &Request, raw: &RawFrame) -> Result<(), DeviceError> {
        let streams = self.acquired.as_mut().and_then(Acquired::streams);
        let Some(live) = streams.and_then(|streams| streams.live.as_mut()) else { return Ok(()) };
        let due = self.live.as_mut().is_some_and(|gate| gate.admits(raw.metadata.exposed.at_ns()));
        if !due || self.ready.is_some() {
            return Ok(());
        }
        let Some(memory) = live.copy(request, self.last_buffer + 1)? else { return Ok(()) };
        self.last_buffer += 1;
        let Layout { format, size, strides, offsets, bytes: _ } = live.pool.layout().clone();
        let metadata = FrameMetadata {
            stream: Stream::Live,
            payload: Payload::Pixels(Planes { format, size, strides, offsets }),
            buffer: self.last_buffer,
            ..raw.metadata.clone()
        };
        self.ready = Some(RawFrame { metadata, memory, raw: None, valid: raw.valid, tamper: raw.tamper });
        Ok(())
    }

    /// The camera has found its settings, or cannot.
    fn hold(&mut self, converged: Result<Controls, DeviceError>) {
        self.convergence = None;
        let converged = converged.map(|found| {
            // What was fixed already stays as it is.
            let found = self.told.fixed().over(found.within(&self.hello.controls));
            self.told.set(&found);
            Controls { metering: None, focus_window: None, noise_reduction: None, crop: None, ..found }
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
        let mut acquired = Acquired::new(&self.camera, wanted)?;
        let live = acquired.streams().and_then(|streams| streams.live_size());
        let bayer = acquired.streams().and_then(|streams| streams.raw.as_ref()).map(|raw| raw.bayer.clone());
        self.acquired = Some(acquired);
        self.told = Told::new(wanted.controls, wanted.frame_rate);
        // What cannot be set is an error now, before anything moves.
        self.told.write_all(&self.camera, &mut ControlList::new())?;
        // What they take depends on the mode of the sensor.
        self.hello.controls = capabilities::controls(&self.camera);
        Ok(Configured {
            frame_duration: self.told.frame_duration(),
            live,
            controls: Some(self.hello.controls.clone()),
            field_of_view: capabilities::field_of_view(&self.camera, self.hello.sensor),
            bayer,
        })
    }

    fn start(&mut self, epoch: u64) -> Result<(), DeviceError> {
        let Some(acquired) = &mut self.acquired else { return Err(Self::unconfigured()) };
        (self.ready, self.newest_ns, self.exposed) = (None, None, Exposed::default());
        self.told.starts();
        acquired.start(|camera, list| self.told.write_all(camera, list))?;
        tracing::debug!("epoch {epoch}");
        Ok(())
    }

    fn stop(&mut self) -> Result<(), DeviceError> {
        (self.convergence, self.converged) = (None, None);
        if let Some(frame) = self.ready.take() {
            self.release(frame.metadata.buffer);
        }
        self.acquired.as_mut().map_or(Ok(()), Acquired::stop)
    }

    fn set(&mut self, controls: &Controls) -> Result<(), DeviceError> {
        self.told.set(controls);
        Ok(())
    }

    fn converge(&mut self, fixed: &Controls) -> Result<(), DeviceError> {
        let Some(acquired) = &self.acquired else { return Err(Self::unconfigured()) };
        let autofocus = fixed.focus.is_none() && has_autofocus(acquired.camera());
        self.told.free(*fixed, if autofocus { Lens::Starts } else { Lens::Stays });
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
            self.told.forgive();
        }
    }

    fn live(&mut self, rate: Option<FramesPerSecond>) {
        self.live = rate.and_then(LiveGate::new);
    }

    fn newest_frame_ns(&self) -> Option<u64> {
        self.newest_ns.filter(|_| self.acquired.as_ref().is_some_and(Acquired::can_stream))
    }

    fn next_frame(&mut self, timeout: Duration) -> Result<Option<RawFrame>, DeviceError> {
        if let Some(frame) = self.ready.take() {
            return Ok(Some(frame));
        }
        self.feed()?;
        let Some(acquired) = &mut self.acquired else { return Err(Self::unconfigured()) };
        let Some(request) = acquired.next(timeout)? else { return Ok(None) };
        let cancelled = request.status() == RequestStatus::Cancelled;
        if !cancelled {
            let timestamp = request.metadata().get::<controls::SensorTimestamp>();
            self.newest_ns = Some(timestamp.map_or(clock::now_ns(), |time| monotonic(time.0 as u64)));
        }
        let frame = self.frame(request)?;
        if cancelled && self.capture.is_some() {
            return Err(DeviceError::new(
                ErrorKind::Cancelled,
                "the camera gave a request back without a picture",
            ));
        }
        Ok(frame)
    }

    fn release(&mut self, buffer: u64) {
        let Some(streams) = self.acquired.as_mut().and_then(Acquired::streams) else { return };
        streams.given_back(buffer);
        let request = streams.lent.remove(&buffer);
        streams.idle.extend(request);
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
