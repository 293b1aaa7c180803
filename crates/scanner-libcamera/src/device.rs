//! A camera of libcamera.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use libcamera::camera::Camera;
use libcamera::camera_manager::CameraManager;
use libcamera::control::ControlList;
use libcamera::controls;
use libcamera::request::RequestStatus;
use scanner::camera_driver::host::{
    CaptureRequest, Configured, Device, DeviceError, DriverArgs, LiveGate, RawFrame, parse_options,
};
use scanner::camera_driver::protocol::{Configure, ErrorKind, Hello};
use scanner::clock;
use scanner::model::Controls;
use scanner::units::FramesPerSecond;

use super::acquired::Acquired;
use super::automatic::Convergence;
use super::capabilities;
use super::controls::{Lens, has_autofocus};
use super::exposed::Exposed;
use super::failure::failed;
use super::log;
use super::numbering;
use super::told::Told;

mod completed;

use completed::monotonic;

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
