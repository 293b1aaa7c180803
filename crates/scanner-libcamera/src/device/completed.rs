//! What becomes of a request that the camera has completed: a still that is handed over, a live frame, or nothing.

use std::sync::Arc;

use libcamera::controls;
use libcamera::framebuffer::{AsFrameBuffer, FrameMetadataStatus};
use libcamera::request::{Request, RequestStatus};
use scanner::camera_driver::host::{DeviceError, Layout, RawFrame};
use scanner::camera_driver::protocol::{ExposedAt, FrameMetadata, Payload, Planes, Stream};
use scanner::clock;

use super::LibcameraDevice;
use crate::acquired::Acquired;
use crate::automatic::Seen;
use crate::controls::seen;
use crate::streams::HandedOver;

impl LibcameraDevice {
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
    pub(super) fn frame(&mut self, request: Request) -> Result<Option<RawFrame>, DeviceError> {
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
                Some(crate::raw::plane(request.metadata(), &of_raw.bayer, of_raw.stride, offset));
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
}

/// A sensor's timestamp on `CLOCK_MONOTONIC`. libcamera documents `CLOCK_BOOTTIME`, which is ahead by the time that
/// the machine has slept; kernels' camera drivers use either.
pub(super) fn monotonic(timestamp_ns: u64) -> u64 {
    let now_ns = clock::now_ns();
    let boot = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    let boot_ns = boot.tv_sec as u64 * 1_000_000_000 + boot.tv_nsec as u64;
    let slept_ns = boot_ns.saturating_sub(now_ns);
    if timestamp_ns > now_ns { timestamp_ns.saturating_sub(slept_ns) } else { timestamp_ns }
}
