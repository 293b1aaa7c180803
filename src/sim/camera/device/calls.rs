//! What the host asks of the device.

use std::time::Duration;

use super::memory::Memory;
use super::{LIVE_BUFFERS, Streams, Synthetic};
use crate::camera_driver::host::{CaptureRequest, Configured, Device, DeviceError, LiveGate, RawFrame};
use crate::camera_driver::protocol::{Configure, Hello, Stream, Timestamps};
use crate::clock;
use crate::model::{Controls, PixelFormat};
use crate::sim::camera::mosaic::RawSensor;
use crate::sim::camera::run::Run;
use crate::sim::camera::scene::Scene;
use crate::sim::camera::settings::Settings;
use crate::units::{FramesPerSecond, Seconds};

impl<S: Scene> Device for Synthetic<S> {
    fn hello(&self) -> Hello {
        self.properties.hello()
    }

    fn configure(&mut self, configure: &Configure) -> Result<Configured, DeviceError> {
        let rate = configure.frame_rate.map(FramesPerSecond::get);
        let period = match rate {
            None => self.properties.frame_period,
            Some(rate) if rate > 0.0 => Seconds::new(rate.recip()),
            Some(rate) => {
                return Err(DeviceError::invalid(format!("frame_rate {rate} fps: must be greater than 0")));
            }
        };
        let mosaic = self.properties.mosaic.filter(|_| configure.raw);
        let bayer = mosaic.map(|mosaic| mosaic.bayer(configure.size));
        let seed = self.properties.noise.unwrap_or_default();
        self.raw = bayer.as_ref().map(|bayer| RawSensor::new(bayer, seed)).transpose()?;
        let stills = self.memory_for(configure)?;
        let live = configure
            .live
            .map(|size| Memory::for_pixels(PixelFormat::Yuv420, size, LIVE_BUFFERS))
            .transpose()?;
        self.apply(Settings::new(self.properties.exposure, &configure.controls));
        self.streams = Some(Streams { period, stills, live });
        Ok(Configured {
            frame_duration: self.timing(period).period(),
            live: configure.live,
            controls: None,
            field_of_view: None,
            bayer,
        })
    }

    fn start(&mut self, epoch: u64) -> Result<(), DeviceError> {
        let Some(streams) = &self.streams else { return Err(DeviceError::invalid("start before configure")) };
        let timing = self.timing(streams.period);
        tracing::debug!("epoch {epoch}: a frame every {:?}", timing.period());
        self.run = Some(Run::new(self.begins_ns(timing), timing));
        Ok(())
    }

    fn stop(&mut self) -> Result<(), DeviceError> {
        let Some(mut run) = self.run.take() else { return Ok(()) };
        if run.dropped > 0 {
            tracing::warn!("{} frames dropped because all memory for frames was held", run.dropped);
        }
        for frame in run.ready.drain(..).chain(run.early) {
            self.release(frame.metadata.buffer);
        }
        Ok(())
    }

    fn set(&mut self, controls: &Controls) -> Result<(), DeviceError> {
        self.apply(self.controls.with(controls));
        Ok(())
    }

    fn converge(&mut self, fixed: &Controls) -> Result<(), DeviceError> {
        self.apply(Settings::new(self.properties.exposure, fixed));
        Ok(())
    }

    /// What is automatic has been found at once, and is held where it is now.
    fn converged(&mut self) -> Option<Result<Controls, DeviceError>> {
        let Settings { exposure, gain, white_balance, .. } = self.controls;
        let held = self.scene.lens(&self.controls.framing()).map(|focus| Controls {
            exposure: Some(exposure),
            gain: Some(gain),
            white_balance: self.properties.noise.map(|_| white_balance),
            focus: Some(focus),
            ..Controls::default()
        });
        if let Ok(held) = &held {
            self.controls = self.controls.with(held);
        }
        Some(held)
    }

    fn wanted(&mut self, capture: Option<&CaptureRequest>) {
        if self.capture != capture.copied() {
            self.forget_early();
            self.capture = capture.copied();
        }
    }

    fn live(&mut self, rate: Option<FramesPerSecond>) {
        self.live = rate.and_then(LiveGate::new);
    }

    fn newest_frame_ns(&self) -> Option<u64> {
        self.run.as_ref().and_then(Run::newest_ns)
    }

    fn next_frame(&mut self, timeout: Duration) -> Result<Option<RawFrame>, DeviceError> {
        if self.properties.timestamps == Timestamps::Trigger {
            return self.next_triggered(timeout);
        }
        let Some(run) = &mut self.run else { return Ok(None) };
        if let Some(frame) = run.ready.pop_front() {
            return Ok(Some(frame));
        }
        let now_ns = clock::now_ns();
        let missed = run.catch_up(now_ns);
        let (timing, shutter) = (run.timing(), run.shutter());
        if missed {
            self.forget_early();
        }
        if now_ns < shutter.ready_ns {
            // Files that are there need not be made.
            if let Some(streams) = &self.streams
                && self.scene.file_size().is_none()
            {
                let shot = self.capture.map(|capture| capture.shot);
                self.scene.prepare(streams.stills.layout().size, &self.controls.framing(), shot)?;
            }
            let mut until_ns = shutter.closes_ns;
            if now_ns >= shutter.closes_ns {
                until_ns = shutter.ready_ns;
                let has_room = self.streams.as_ref().is_some_and(|streams| streams.stills.has_room());
                if self.run.as_ref().is_some_and(|run| run.early.is_none()) && has_room {
                    // A camera's picture is there once it is read out; this one takes its time, too.
                    let early = self.make(Stream::Still, &shutter, &timing)?;
                    if let Some(run) = &mut self.run {
                        run.early = early;
                    }
                }
            }
            // Then back to the host before the frame is handed over: it may be wanted by then.
            clock::sleep_until_ns(until_ns.min(now_ns + clock::as_ns(timeout)));
            return Ok(None);
        }
        if let Some(run) = &mut self.run {
            run.advance();
        }
        if let Some(still) = self.still(&shutter, &timing)?
            && let Some(run) = &mut self.run
        {
            run.ready.push_back(still);
        }
        // What is ready is handed over by a later call, should this one fail.
        let live = self.make(Stream::Live, &shutter, &timing)?;
        let Some(run) = &mut self.run else { return Ok(None) };
        run.ready.extend(live);
        Ok(run.ready.pop_front())
    }

    fn release(&mut self, buffer: u64) {
        if let Some(streams) = &mut self.streams {
            streams.stills.release(buffer);
            if let Some(live) = &mut streams.live {
                live.release(buffer);
            }
        }
    }
}
