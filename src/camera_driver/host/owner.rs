//! The thread that owns the camera: the only one that calls device code.

mod frames;

use std::collections::HashSet;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, TryRecvError};
use std::time::Duration;

use super::cadence::{Cadence, Look};
use super::captures::Captures;
use super::device::{Configured, Device, DeviceError};
use super::gate::LiveGate;
use super::voice::Voice;
use crate::camera_driver::link::{Link, LinkError};
use crate::camera_driver::protocol::{Configure, ErrorKind, FromDriver, Hello, Pace, Timestamps, ToDriver};
use crate::clock::{now_ns, suspended_ns};
use crate::model::Controls;

/// Longest wait for a command or a frame: with it, how late the other one may be noticed.
const ROUND: Duration = Duration::from_millis(100);

/// The camera, and what the daemon wants of it.
pub(super) struct Owner<D> {
    device: D,
    hello: Hello,
    voice: Voice,
    commands: Receiver<ToDriver>,
    phase: Phase,
    /// The latest epoch, running or over; 0 before the first.
    epoch: u64,
    captures: Captures,
    cadence: Cadence,
    live: Option<LiveGate>,
    /// Whether `converged` is still to be said.
    converging: bool,
    /// Buffers that the daemon holds.
    held: HashSet<u64>,
    /// An error that belongs to no capture was reported, and nothing has worked since.
    complained: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Unconfigured,
    Stopped,
    Streaming,
}

impl<D: Device> Owner<D> {
    /// Takes the device, and says `hello` for it.
    pub(super) fn new(
        mut device: D,
        link: Arc<Link>,
        commands: Receiver<ToDriver>,
    ) -> Result<Self, LinkError> {
        let hello = device.hello();
        let voice = Voice::new(link);
        voice.say(&FromDriver::Hello(hello.clone()))?;
        device.attach(voice.notice());
        Ok(Self {
            device,
            hello,
            voice,
            commands,
            phase: Phase::Unconfigured,
            epoch: 0,
            captures: Captures::default(),
            cadence: Cadence::default(),
            live: None,
            converging: false,
            held: HashSet::new(),
            complained: false,
        })
    }

    /// Serves until the commands end, then stops the camera.
    pub(super) fn run(mut self) -> Result<(), LinkError> {
        let served = self.serve();
        if self.phase == Phase::Streaming
            && let Err(error) = self.device.stop()
        {
            tracing::warn!("stopping at the end: {error}");
        }
        served
    }

    fn serve(&mut self) -> Result<(), LinkError> {
        loop {
            match self.next_command() {
                ControlFlow::Continue(Some(command)) => self.obey(command)?,
                ControlFlow::Continue(None) if self.phase == Phase::Streaming => self.next_frame()?,
                ControlFlow::Continue(None) => {}
                ControlFlow::Break(()) => return Ok(()),
            }
            self.voice.beat(self.pace(), || self.device.condition())?;
        }
    }

    /// Looks whether a frame has come.
    fn look(&mut self) {
        self.cadence.look(Look {
            now_ns: now_ns(),
            suspended_ns: suspended_ns(),
            newest_ns: self.device.newest_frame_ns(),
            exposure_ns: self.captures.exposure_ns(),
        });
    }

    /// How the stream goes, if a frame is overdue that should have come by itself.
    fn pace(&self) -> Option<Pace> {
        let by_itself = self.hello.timestamps() == Timestamps::Sensor && self.hello.files().is_empty();
        by_itself.then(|| self.cadence.pace()).flatten()
    }

    /// Waits only if no frames are due. Breaks off once there will be no more commands.
    fn next_command(&self) -> ControlFlow<(), Option<ToDriver>> {
        if self.phase == Phase::Streaming {
            match self.commands.try_recv() {
                Ok(command) => ControlFlow::Continue(Some(command)),
                Err(TryRecvError::Empty) => ControlFlow::Continue(None),
                Err(TryRecvError::Disconnected) => ControlFlow::Break(()),
            }
        } else {
            match self.commands.recv_timeout(ROUND) {
                Ok(command) => ControlFlow::Continue(Some(command)),
                Err(RecvTimeoutError::Timeout) => ControlFlow::Continue(None),
                Err(RecvTimeoutError::Disconnected) => ControlFlow::Break(()),
            }
        }
    }

    fn obey(&mut self, command: ToDriver) -> Result<(), LinkError> {
        match command {
            ToDriver::Configure(configure) => match self.configure(&configure) {
                Ok(Configured { frame_duration, live, controls, field_of_view, bayer }) => {
                    let frame_duration_us = u64::try_from(frame_duration.as_micros()).unwrap_or(u64::MAX);
                    self.voice.say(&FromDriver::Configured {
                        frame_duration_us,
                        live,
                        controls,
                        field_of_view,
                        bayer,
                    })
                }
                Err(error) => self.voice.report(error, None),
            },
            ToDriver::Start { epoch } => match self.start(epoch) {
                Ok(()) => self.voice.say(&FromDriver::Started { epoch }),
                Err(error) => self.voice.report(error, None),
            },
            ToDriver::Stop => self.stop(),
            ToDriver::Set { controls } => {
                let checked = controls.check(&self.hello.controls).map_err(DeviceError::from);
                match checked.and_then(|()| self.device.set(&controls)) {
                    Ok(()) => {
                        if controls.exposure.is_some() {
                            self.captures.set_exposure(controls.exposure);
                        }
                        Ok(())
                    }
                    Err(error) => self.voice.report(error, None),
                }
            }
            ToDriver::Converge { controls } => match self.converge(&controls) {
                Ok(()) => Ok(()),
                Err(error) => self.voice.report(error, None),
            },
            ToDriver::Capture { epoch, request, shot, not_before_ns } => {
                self.capture(epoch, request, shot, not_before_ns)
            }
            ToDriver::Live { rate } => {
                self.device.live(rate);
                self.live = rate.and_then(LiveGate::new);
                Ok(())
            }
            ToDriver::Release { buffer } => {
                if self.held.remove(&buffer) {
                    self.device.release(buffer);
                } else {
                    tracing::warn!("release of buffer {buffer}, which is not out");
                }
                Ok(())
            }
            // The main thread ends the commands instead of passing this one on.
            ToDriver::Quit => Ok(()),
        }
    }

    fn configure(&mut self, configure: &Configure) -> Result<Configured, DeviceError> {
        let size = configure.size;
        if self.phase == Phase::Streaming {
            return Err(DeviceError::new(ErrorKind::Protocol, "configure while streaming: stop first"));
        }
        if size.width == 0
            || size.height == 0
            || size.width > self.hello.sensor.width
            || size.height > self.hello.sensor.height
        {
            return Err(DeviceError::invalid(format!(
                "size {}x{}: this camera makes 1x1 to {}x{}",
                size.width, size.height, self.hello.sensor.width, self.hello.sensor.height
            )));
        }
        let makes_files = !self.hello.files.is_empty();
        if configure.format.map_or(!makes_files, |format| !self.hello.formats.contains(&format)) {
            let (wanted, formats) = (configure.format, &self.hello.formats);
            return Err(DeviceError::invalid(match wanted {
                Some(format) if makes_files => format!("format {format:?}: this camera makes files"),
                Some(format) => format!("format {format:?}: this camera makes {formats:?}"),
                None => format!("no format: this camera makes {formats:?}"),
            }));
        }
        if configure.live.is_some() && !self.hello.live_beside_stills {
            return Err(DeviceError::invalid("live: this camera has no live frames beside stills"));
        }
        if configure.live.is_some_and(|live| live.width == 0 || live.height == 0) {
            return Err(DeviceError::invalid("live: a frame without pixels"));
        }
        if configure.raw && self.hello.bayer.is_none() {
            return Err(DeviceError::invalid("raw: this camera delivers no raw images beside its stills"));
        }
        if configure.buffers == 0 {
            return Err(DeviceError::invalid("buffers: at least 1 is needed to hand over a frame"));
        }
        configure.controls.check_present(&self.hello.controls)?;
        // A camera that was configured before is not any more, should this fail.
        self.phase = Phase::Unconfigured;
        let configured = self.device.configure(configure)?;
        if let Some(controls) = &configured.controls {
            self.hello.controls.clone_from(controls);
        }
        configure.controls.check(&self.hello.controls)?;
        self.captures.configured(configured.frame_duration, configure.controls.exposure);
        self.phase = Phase::Stopped;
        Ok(configured)
    }

    fn converge(&mut self, fixed: &Controls) -> Result<(), DeviceError> {
        if self.phase != Phase::Streaming {
            return Err(DeviceError::new(ErrorKind::Protocol, "converge while not streaming: start first"));
        }
        fixed.check(&self.hello.controls)?;
        self.device.converge(fixed)?;
        self.captures.set_exposure(fixed.exposure);
        self.complained = false;
        self.converging = true;
        Ok(())
    }

    fn start(&mut self, epoch: u64) -> Result<(), DeviceError> {
        let refuse = |why: String| Err(DeviceError::new(ErrorKind::Protocol, why));
        match self.phase {
            Phase::Unconfigured => refuse("start before configure".into()),
            Phase::Streaming => refuse(format!("start while epoch {} is running: stop first", self.epoch)),
            Phase::Stopped if epoch <= self.epoch => {
                refuse(format!("start of epoch {epoch} after epoch {}: epochs must grow", self.epoch))
            }
            Phase::Stopped => {
                self.device.start(epoch)?;
                self.epoch = epoch;
                self.cadence = Cadence::default();
                self.phase = Phase::Streaming;
                self.complained = false;
                Ok(())
            }
        }
    }

    fn stop(&mut self) -> Result<(), LinkError> {
        self.converging = false;
        self.cadence = Cadence::default();
        if self.phase != Phase::Streaming {
            return self.voice.say(&FromDriver::Stopped { epoch: 0 });
        }
        while let Some(capture) = self.captures.take_first() {
            let error =
                DeviceError::new(ErrorKind::Cancelled, "the camera was stopped before its frame came");
            self.voice.report(error, Some(capture.request))?;
        }
        match self.device.stop() {
            Ok(()) => {
                self.phase = Phase::Stopped;
                self.voice.say(&FromDriver::Stopped { epoch: self.epoch })
            }
            Err(error) => self.voice.report(error, None),
        }
    }

    fn capture(&mut self, epoch: u64, request: u64, shot: u32, not_before_ns: u64) -> Result<(), LinkError> {
        let refuse = |why: String| DeviceError::new(ErrorKind::Protocol, why);
        if epoch < self.epoch {
            // Sent before the daemon knew of the newer epoch; it does not wait for an answer any more.
            tracing::info!("request {request} of epoch {epoch} dropped: epoch {} is the latest", self.epoch);
            Ok(())
        } else if self.phase != Phase::Streaming || epoch > self.epoch {
            let why = format!("request {request}: epoch {epoch} is not running");
            self.voice.report(refuse(why), Some(request))
        } else if self.captures.add(epoch, request, shot, not_before_ns) {
            Ok(())
        } else {
            // Without the request, which the first one still is to answer.
            self.voice.report(refuse(format!("request {request} is already waited for")), None)
        }
    }
}
