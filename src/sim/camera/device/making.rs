//! Frames: seen, processed, and put into memory.

use std::rc::Rc;

use scanner_pixels::picture::Picture;

use super::super::mosaic::RawSensor;
use super::super::scene::Scene;
use super::super::sensor::{Shutter, Timing};
use super::Synthetic;
use crate::camera_driver::host::{Device as _, DeviceError, Layout, RawFrame};
use crate::camera_driver::protocol::{ExposedAt, FrameMetadata, Stream};
use crate::clock;

impl<S: Scene> Synthetic<S> {
    /// The frame of `stream` exposed at `shutter`; none if it is not wanted, or there is no memory for it.
    pub(super) fn make(
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
                self.leave(&picture, shot)?;
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
            sequence,
            buffer: self.last_buffer,
        };
        Ok(Some(RawFrame { metadata, memory, raw: raw_memory, valid, tamper: None }))
    }

    /// Leaves what the sensor saw for `shot` where that is wanted.
    fn leave(&self, picture: &Picture, shot: u32) -> Result<(), DeviceError> {
        let Some(folder) = &self.properties.seen else { return Ok(()) };
        let path = folder.join(format!("{shot}.ppm"));
        std::fs::write(&path, picture.pixmap())
            .map_err(|error| DeviceError::invalid(format!("option seen: {}: {error}", path.display())))
    }

    /// Has what the sensor sees in `scratch`, processed, and says what it was before.
    fn see(
        &mut self,
        layout: &Layout,
        shutter: &Shutter,
        shot: Option<u32>,
        sequence: u64,
    ) -> Result<Rc<Picture>, DeviceError> {
        let picture = if sequence >= self.properties.startup_frames {
            self.scene.picture(layout.size, &self.controls.framing(), shutter, shot)?
        } else {
            Rc::new(Picture::plain(layout.size.into(), 24, 110, 105))
        };
        let tint = self.controls.tint();
        let tinted = self.properties.noise.and_then(|_| picture.tinted(tint.red, tint.blue));
        self.response.begin(sequence);
        layout.write(tinted.as_ref().unwrap_or(&picture), &self.response, &mut self.scratch);
        Ok(picture)
    }

    /// The still of the frame that has been read out by now.
    pub(super) fn still(
        &mut self,
        shutter: &Shutter,
        timing: &Timing,
    ) -> Result<Option<RawFrame>, DeviceError> {
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
}
