//! A device whose frames are made up.

mod calls;
mod files;
mod memory;
mod sight;
mod trigger;

use scanner_pixels::picture::Response;

use super::mosaic::RawSensor;
use super::properties::Properties;
use super::run::Run;
use super::scene::Scene;
use super::sensor::{Shutter, Timing};
use super::settings::Settings;
use crate::camera_driver::host::{CaptureRequest, Device, DeviceError, LiveGate, RawFrame};
use crate::camera_driver::protocol::{Configure, ExposedAt, FrameMetadata, Stream};
use crate::clock;
use crate::model::Controls;
use crate::units::Seconds;
pub(in crate::sim) use files::make as make_files;
use memory::Memory;
use trigger::Trigger;

/// Live frames that the daemon may hold at once.
const LIVE_BUFFERS: u32 = 3;

/// A camera that sees a [`Scene`].
#[derive(Debug)]
pub struct Synthetic<S> {
    scene: S,
    properties: Properties,
    response: Response,
    controls: Settings,
    streams: Option<Streams>,
    run: Option<Run>,
    capture: Option<CaptureRequest>,
    live: Option<LiveGate>,
    trigger: Trigger,
    last_buffer: u64,
    scratch: Vec<u8>,
    /// Makes raw images beside stills, if they are configured.
    raw: Option<RawSensor>,
    raw_scratch: Vec<u8>,
}

#[derive(Debug)]
struct Streams {
    period: Seconds,
    stills: Memory,
    live: Option<Memory>,
}

impl<S: Scene> Synthetic<S> {
    /// A camera with `properties` that sees `scene`.
    pub fn new(properties: Properties, scene: S) -> Self {
        Self {
            scene,
            response: properties.noise.map_or_else(Response::default, Response::noisy),
            controls: Settings::new(properties.exposure, &Controls::default()),
            properties,
            streams: None,
            run: None,
            capture: None,
            live: None,
            trigger: Trigger::default(),
            last_buffer: 0,
            scratch: Vec::new(),
            raw: None,
            raw_scratch: Vec::new(),
        }
    }

    fn timing(&self, period: Seconds) -> Timing {
        let Properties { readout, time_scale, .. } = self.properties;
        Timing::new(period, self.controls.exposure, readout, time_scale)
    }

    /// When the first frame begins that is exposed with `timing` from now on.
    fn begins_ns(&self, timing: Timing) -> u64 {
        timing.start(clock::now_ns(), self.properties.synced.map(|delay| clock::as_ns(delay.duration())))
    }

    /// The frame of `stream` exposed at `shutter`; none if it is not wanted, or there is no memory for it.
    fn make(
        &mut self,
        stream: Stream,
        shutter: &Shutter,
        timing: &Timing,
    ) -> Result<Option<RawFrame>, DeviceError> {
        // A picture that was begun too early cannot answer, so it need not be made.
        let shot = self.capture.filter(|capture| shutter.opens_ns >= capture.not_before_ns).map(|c| c.shot);
        let wanted = match stream {
            Stream::Still => shot.is_some(),
            Stream::Live => self.live.as_mut().is_some_and(|gate| gate.admits(shutter.closes_ns)),
        };
        let streams = self.streams.as_mut();
        let memory = streams.and_then(|streams| streams.memory(stream));
        let (true, Some(memory), Some(run)) = (wanted, memory, &mut self.run) else { return Ok(None) };
        if !memory.has_room() {
            run.dropped += 1;
            return Ok(None);
        }
        let sequence = run.sequence(shutter);
        let valid = sequence >= self.properties.startup_frames;
        let (layout, makes_files) = (memory.layout().clone(), memory.makes_files());
        let has_raw = memory.has_raw();
        let ready = match shot.filter(|_| makes_files) {
            Some(shot) => self.scene.files(shot)?,
            None => None,
        };
        let focus = self.scene.lens(&self.controls.framing())?;
        if ready.is_none() {
            let picture = self.see(&layout, shutter, shot, sequence)?;
            if let (true, Some(raw)) = (has_raw, &mut self.raw) {
                raw.see(&picture, sequence, &mut self.raw_scratch);
            }
            if let (Stream::Still, Some(shot)) = (stream, shot) {
                self.leave(&picture, shutter, layout.size, shot)?;
            }
        }
        self.last_buffer += 1;
        let memory = self.streams.as_mut().and_then(|streams| streams.memory(stream));
        let put = memory.map(|memory| memory.put(self.last_buffer, &self.scratch, ready)).transpose()?;
        let Some((payload, memory)) = put.flatten() else { return Ok(None) };
        let raw_memory = match self.streams.as_mut().and_then(|streams| streams.memory(stream)) {
            Some(of_stream) if has_raw => of_stream.put_raw(self.last_buffer, &self.raw_scratch)?,
            Some(_) | None => None,
        };
        let metadata = FrameMetadata {
            stream,
            payload,
            exposed: ExposedAt::Sensor { sensor_timestamp_ns: shutter.closes_ns },
            exposure_us: Some(timing.exposure_ns / 1000),
            readout_us: timing.readout_ns / 1000,
            gain: Some(self.controls.gain),
            white_balance: self.properties.noise.map(|_| self.controls.white_balance),
            focus: Some(focus),
            raw: self.raw.as_ref().filter(|_| raw_memory.is_some()).map(RawSensor::plane),
            completed_ns: clock::now_ns(),
            clock_uncertainty_us: None,
            sequence,
            buffer: self.last_buffer,
        };
        Ok(Some(RawFrame { metadata, memory, raw: raw_memory, valid, tamper: None }))
    }

    /// The still of the frame that has been read out by now.
    fn still(&mut self, shutter: &Shutter, timing: &Timing) -> Result<Option<RawFrame>, DeviceError> {
        if let Some(early) = self.run.as_mut().and_then(|run| run.early.take()) {
            match self.scene.held_still(shutter) {
                Ok(true) => return Ok(Some(early)),
                Ok(false) => self.release(early.metadata.buffer),
                Err(error) => {
                    self.release(early.metadata.buffer);
                    return Err(error);
                }
            }
        }
        self.make(Stream::Still, shutter, timing)
    }

    /// Memory for stills: one to be filled and one on its way, beside those that the daemon holds.
    fn memory_for(&self, configure: &Configure) -> Result<Memory, DeviceError> {
        let (size, buffers) = (configure.size, configure.buffers.saturating_add(2));
        if let Some(format) = configure.format {
            return match &self.raw {
                Some(raw) => Memory::with_raw(format, size, buffers, raw.bytes() as u64),
                None => Memory::for_pixels(format, size, buffers),
            };
        }
        match self.scene.file_size() {
            Some(only) if only != size => Err(DeviceError::invalid(format!(
                "size {}x{}: the files that are played have {}x{}, so configure that",
                size.width, size.height, only.width, only.height
            ))),
            Some(_) | None => Ok(Memory::for_files(&self.properties.files, size, buffers)),
        }
    }

    /// Sees with these settings from now on.
    fn apply(&mut self, settings: Settings) {
        self.controls = settings;
        if self.properties.noise.is_some() {
            let light = self.controls.exposure.get() / self.properties.exposure.get();
            self.response.expose(light * self.controls.gain);
            if let Some(raw) = &mut self.raw {
                raw.expose(light, self.controls.gain);
            }
        }
        self.forget_early();
        // A new exposure time takes effect with a frame that begins now.
        if let (Some(streams), Some(mut run)) = (&self.streams, self.run.take()) {
            let timing = self.timing(streams.period);
            run.expose(self.begins_ns(timing), timing);
            self.run = Some(run);
        }
    }

    /// Forgets a still that will not be handed over.
    fn forget_early(&mut self) {
        if let Some(early) = self.run.as_mut().and_then(|run| run.early.take()) {
            self.release(early.metadata.buffer);
        }
    }
}

impl Streams {
    fn memory(&mut self, stream: Stream) -> Option<&mut Memory> {
        match stream {
            Stream::Still => Some(&mut self.stills),
            Stream::Live => self.live.as_mut(),
        }
    }
}
