//! A camera of libcamera.

use std::collections::HashMap;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use libcamera::camera::{ActiveCamera, Camera, CameraConfigurationStatus};
use libcamera::camera_manager::CameraManager;
use libcamera::color_space::ColorSpace;
use libcamera::control::ControlList;
use libcamera::controls;
use libcamera::framebuffer::AsFrameBuffer;
use libcamera::framebuffer_allocator::FrameBufferAllocator;
use libcamera::geometry;
use libcamera::pixel_format;
use libcamera::properties;
use libcamera::request::{Request, RequestStatus, ReuseFlag};
use libcamera::stream::StreamRole;
use scanner::camera_driver::clock;
use scanner::camera_driver::host::{CaptureRequest, Device, DeviceError, DriverArgs, RawFrame};
use scanner::camera_driver::protocol::{
    Configure, ControlRange, Controls, ErrorKind, Hello, PixelFormat, Size, Stream, VERSION,
};
use scanner::camera_driver::synthetic::{Layout, Pool};
use scanner::units::{Dioptres, FramesPerSecond};

use super::controls::{check, ranges, write};
use super::failure::{failed, not_queued};
use super::log;
use super::stills::{Buffers, Way};

/// Buffers that the camera needs for itself, so that it never waits for one.
const STREAMING: usize = 3;
/// The time between frames where the camera does not say.
const USUAL_PERIOD: Duration = Duration::from_millis(100);

/// The device of `scanner-libcamera`. Fields are dropped in this order: libcamera wants requests gone before their
/// memory, that before the camera, and that before the manager.
pub(crate) struct LibcameraDevice {
    streams: Option<Streams>,
    completed: Receiver<Request>,
    camera: ActiveCamera<'static>,
    id: String,
    ranges: Vec<ControlRange>,
    controls: Controls,
    rate: Option<FramesPerSecond>,
    /// Settings for the next request.
    pending: Option<Controls>,
    capture: Option<CaptureRequest>,
    streaming: bool,
    last_buffer: u64,
    _manager: CameraManager,
}

struct Streams {
    stills: Buffers,
    way: Way,
    layout: Layout,
    /// Requests whose frame the daemon has, by the frame's number.
    lent: HashMap<u64, Request>,
    /// Where the frames are, as long as they are lent.
    _allocator: FrameBufferAllocator,
}

/// Finds and acquires the camera.
pub(crate) fn build(args: &DriverArgs) -> Result<LibcameraDevice, DeviceError> {
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
    let ranges = ranges(&camera);
    let mut camera = camera.acquire().map_err(|error| failed("acquiring the camera", &error))?;
    let completed = camera.subscribe_request_completed();
    Ok(LibcameraDevice {
        streams: None,
        completed,
        camera,
        id: ids[index].clone(),
        ranges,
        controls: Controls::default(),
        rate: None,
        pending: None,
        capture: None,
        streaming: false,
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
    /// Gives a request that is not lent to the camera.
    fn queue(&mut self, mut request: Request) -> Result<(), DeviceError> {
        if request.status() != RequestStatus::Pending {
            request.reuse(ReuseFlag::REUSE_BUFFERS);
        }
        if let Some(controls) = self.pending.take() {
            write(request.controls_mut(), &controls, None)?;
        }
        self.camera.queue_request(request).map_err(|(request, error)| {
            if let Some(streams) = &mut self.streams {
                streams.stills.idle.push(request);
            }
            not_queued(&error)
        })
    }

    /// The frame of a completed request that is a good one; its request, if it is free again.
    fn frame(&mut self, request: Request) -> Result<(Option<RawFrame>, Option<Request>), DeviceError> {
        let Some(streams) = &mut self.streams else { return Ok((None, Some(request))) };
        let Some(buffer) = streams.stills.of(&request) else { return Ok((None, Some(request))) };
        let Some(info) = buffer.metadata() else { return Ok((None, Some(request))) };
        let metadata = request.metadata();
        let exposure_us = match metadata.get::<controls::ExposureTime>() {
            Ok(time) => u64::try_from(time.0).unwrap_or_default(),
            Err(_) => self.controls.exposure.map_or(0, |time| (time.get() * 1e6) as u64),
        };
        let timestamp =
            metadata.get::<controls::SensorTimestamp>().map_or(info.timestamp(), |time| time.0 as u64);
        let gain = metadata.get::<controls::AnalogueGain>().map_or(1.0, |gain| f64::from(gain.0));
        let focus = metadata.get::<controls::LensPosition>().ok();
        let mut frame = RawFrame {
            stream: Stream::Still,
            memory: match streams.stills.memory(&request) {
                Some((memory, _)) => memory.clone(),
                None => return Ok((None, Some(request))),
            },
            format: streams.layout.format,
            size: streams.layout.size,
            strides: streams.layout.strides.clone(),
            offsets: streams.stills.memory(&request).map(|(_, offsets)| offsets.clone()).unwrap_or_default(),
            sensor_timestamp_ns: monotonic(timestamp),
            exposure_us,
            readout_us: 0,
            gain,
            focus: focus.map(|position| Dioptres::new(f64::from(position.0))),
            sequence: u64::from(info.sequence()),
            buffer: 0,
            valid: request.status() == RequestStatus::Complete,
            tamper: None,
        };
        // What nobody waits for goes straight back to the camera.
        if !self.capture.is_some_and(|capture| capture.is_answered_by(&frame)) {
            return Ok((None, Some(request)));
        }
        self.last_buffer += 1;
        frame.buffer = self.last_buffer;
        match &mut streams.way {
            Way::Lend => {
                streams.lent.insert(frame.buffer, request);
                Ok((Some(frame), None))
            }
            Way::Copy(pool) => {
                let mut bytes = Vec::with_capacity(streams.layout.bytes as usize);
                for (plane, offset) in buffer.data().iter().zip(&streams.layout.offsets) {
                    bytes.resize(*offset as usize, 0);
                    bytes.extend_from_slice(plane);
                }
                bytes.resize(streams.layout.bytes as usize, 0);
                let copy = pool.put(frame.buffer, &bytes)?;
                frame.offsets.clone_from(&streams.layout.offsets);
                let frame = copy.map(|memory| RawFrame { memory, ..frame });
                Ok((frame, Some(request)))
            }
        }
    }
}

impl Device for LibcameraDevice {
    fn hello(&self) -> Hello {
        let properties = self.camera.properties();
        let model = properties.get::<properties::Model>().map_or_else(|_| "unknown".into(), |model| model.0);
        let formats = still_formats(&self.camera);
        let largest = formats
            .iter()
            .map(|(_, size)| *size)
            .max_by_key(|size| u64::from(size.width) * u64::from(size.height));
        let sensor = match properties.get::<properties::PixelArraySize>() {
            Ok(size) => Size { width: size.0.width, height: size.0.height },
            Err(_) => largest.unwrap_or(Size { width: 0, height: 0 }),
        };
        Hello {
            protocol: VERSION,
            driver: concat!("scanner-libcamera ", env!("CARGO_PKG_VERSION")).into(),
            camera: self.id.clone(),
            model,
            sensor,
            // Nanometres.
            pixel_pitch_um: properties
                .get::<properties::UnitCellSize>()
                .map_or(0.0, |size| f64::from(size.0.width) / 1000.0),
            formats: formats.into_iter().map(|(format, _)| format).collect(),
            controls: self.ranges.clone(),
            live_beside_stills: false,
            raw: false,
        }
    }

    fn configure(&mut self, wanted: &Configure) -> Result<Duration, DeviceError> {
        check(&self.ranges, &wanted.controls)?;
        self.streams = None;
        let Some(mut config) = self.camera.generate_configuration(&[StreamRole::StillCapture]) else {
            return Err(DeviceError::invalid("this camera has no still stream"));
        };
        let size = wanted.size;
        let buffers = wanted.buffers as usize + STREAMING;
        {
            let Some(mut still) = config.get_mut(0) else {
                return Err(DeviceError::invalid("libcamera gave a configuration without streams"));
            };
            still.set_pixel_format(fourcc(wanted.format));
            still.set_size(geometry::Size::new(size.width, size.height));
            still.set_color_space(Some(ColorSpace::sycc()));
            still.set_buffer_count(u32::try_from(buffers).unwrap_or(u32::MAX));
        }
        let status = config.validate();
        let Some(still) = config.get(0) else { return Err(DeviceError::invalid("no still stream is left")) };
        let (got, format) = (still.get_size(), still.get_pixel_format());
        if matches!(status, CameraConfigurationStatus::Invalid)
            || (got.width, got.height) != (size.width, size.height)
            || format != fourcc(wanted.format)
        {
            return Err(DeviceError::invalid(format!(
                "this camera does not make {:?} of {}x{}; the nearest that it makes is {format:?} of {}x{}",
                wanted.format, size.width, size.height, got.width, got.height
            )));
        }
        let stride = still.get_stride();
        self.camera.configure(&mut config).map_err(|error| failed("configuring the camera", &error))?;
        let stream = config.get(0).and_then(|still| still.stream());
        let Some(stream) = stream else {
            return Err(DeviceError::invalid("the still stream was not configured"));
        };
        let mut allocator = FrameBufferAllocator::new(&self.camera);
        let stills = Buffers::new(&mut self.camera, &mut allocator, stream)?;
        let layout = layout(wanted.format, size, stride);
        let way = if stills.count() >= buffers {
            Way::Lend
        } else {
            tracing::warn!(
                "the camera has {} buffers of the {buffers} wanted: frames are copied instead of lent",
                stills.count()
            );
            Way::Copy(Pool::new(layout.clone(), wanted.buffers)?)
        };
        self.streams = Some(Streams { stills, way, layout, lent: HashMap::new(), _allocator: allocator });
        (self.controls, self.rate) = (wanted.controls, wanted.frame_rate);
        Ok(self.rate.map_or(USUAL_PERIOD, |rate| Duration::from_secs_f64(rate.get().recip())))
    }

    fn start(&mut self, epoch: u64) -> Result<(), DeviceError> {
        let mut list = ControlList::new();
        write(&mut list, &self.controls, self.rate)?;
        self.camera.start(Some(&list)).map_err(|error| failed("starting the camera", &error))?;
        self.streaming = true;
        tracing::debug!("epoch {epoch}");
        let idle = self.streams.as_mut().map(|streams| std::mem::take(&mut streams.stills.idle));
        for request in idle.unwrap_or_default() {
            self.queue(request)?;
        }
        Ok(())
    }

    fn stop(&mut self) -> Result<(), DeviceError> {
        self.camera.stop().map_err(|error| failed("stopping the camera", &error))?;
        self.streaming = false;
        // libcamera has given every request back by now.
        if let Some(streams) = &mut self.streams {
            streams.stills.idle.extend(self.completed.try_iter());
        }
        Ok(())
    }

    fn set(&mut self, controls: &Controls) -> Result<(), DeviceError> {
        check(&self.ranges, controls)?;
        self.controls = Controls {
            exposure: controls.exposure.or(self.controls.exposure),
            gain: controls.gain.or(self.controls.gain),
            focus: controls.focus.or(self.controls.focus),
        };
        self.pending = Some(self.controls);
        Ok(())
    }

    fn wanted(&mut self, capture: Option<&CaptureRequest>) {
        self.capture = capture.copied();
    }

    fn next_frame(&mut self, timeout: Duration) -> Result<Option<RawFrame>, DeviceError> {
        let request = match self.completed.recv_timeout(timeout) {
            Ok(request) => request,
            Err(RecvTimeoutError::Timeout) => return Ok(None),
            Err(RecvTimeoutError::Disconnected) => {
                return Err(DeviceError::new(ErrorKind::Gone, "libcamera has let the camera go"));
            }
        };
        let cancelled = request.status() == RequestStatus::Cancelled;
        let (frame, free) = self.frame(request)?;
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
        let Some(streams) = &mut self.streams else { return };
        if let Way::Copy(pool) = &mut streams.way {
            pool.release(buffer);
        }
        let Some(request) = streams.lent.remove(&buffer) else { return };
        if !self.streaming {
            streams.stills.idle.push(request);
        } else if let Err(error) = self.queue(request) {
            tracing::warn!("{error}");
        }
    }
}

/// Formats of stills that the daemon knows, each with its largest size.
fn still_formats(camera: &Camera<'_>) -> Vec<(PixelFormat, Size)> {
    let Some(config) = camera.generate_configuration(&[StreamRole::StillCapture]) else { return Vec::new() };
    let Some(still) = config.get(0) else { return Vec::new() };
    let formats = still.formats();
    let known = [PixelFormat::Yuv420, PixelFormat::Nv12]
        .into_iter()
        .filter(|&format| formats.pixel_formats().into_iter().any(|offered| offered == fourcc(format)));
    known
        .map(|format| {
            let largest = formats.range(fourcc(format)).max;
            (format, Size { width: largest.width, height: largest.height })
        })
        .collect()
}

fn fourcc(format: PixelFormat) -> pixel_format::PixelFormat {
    let code = match format {
        PixelFormat::Yuv420 => b"YU12",
        PixelFormat::Nv12 => b"NV12",
    };
    pixel_format::PixelFormat::new(u32::from_le_bytes(*code), 0)
}

/// Planes one after the other, with libcamera's stride; chroma of three planes has half of it.
fn layout(format: PixelFormat, size: Size, stride: u32) -> Layout {
    let mut layout = Layout { format, size, strides: Vec::new(), offsets: Vec::new(), bytes: 0 };
    for plane in 0..format.planes() {
        let stride = if format == PixelFormat::Yuv420 && plane > 0 { stride / 2 } else { stride };
        let (_, rows) = format.plane_size(plane, size);
        layout.strides.push(stride);
        layout.offsets.push(layout.bytes);
        layout.bytes += u64::from(stride) * u64::from(rows);
    }
    layout
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
