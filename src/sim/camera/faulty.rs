//! A device that fails as told.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::fault::{FaultKind, Script};
use super::spoil::{self, Spoilt};
use crate::camera_driver::host::{
    CaptureRequest, Configured, Device, DeviceError, Notice, RawFrame, Tamper, sealed_memory,
};
use crate::camera_driver::protocol::{Configure, ErrorKind, FilesInMemory, Hello, Payload, Planes};
use crate::model::Controls;
use crate::units::FramesPerSecond;

/// How late a slow frame is, unscaled.
const SLOW: Duration = Duration::from_secs(3);

/// A device with a [`Script`] of faults.
#[derive(Debug)]
pub struct Faulty<D> {
    device: D,
    script: Script,
    /// How late a slow frame is.
    slow: Duration,
    wedge_file: Option<PathBuf>,
    /// With which it says that it is busy.
    notice: Option<Notice>,
    trouble: Trouble,
    /// Whether what `converge` finds is kept from who asked.
    never_converges: bool,
    /// What is waited for.
    capture: Option<CaptureRequest>,
    /// The capture that the script was last asked about: epoch and request.
    asked: Option<(u64, u64)>,
    epoch: u64,
    /// The number of the frame last delivered in this epoch.
    delivered: Option<u64>,
    /// Its pixels, where they are wanted again.
    before: Option<Vec<u8>>,
}

/// The fault under way.
#[derive(Debug)]
enum Trouble {
    None,
    /// Happens with the next call, or with the frame that answers the capture; to the next capture, if that
    /// one is given up before.
    Armed(FaultKind, CaptureRequest),
    /// No frames until a stop, which may hang.
    Stalled {
        stop_hangs: bool,
    },
    /// A frame on its slow way.
    Slow {
        frame: RawFrame,
        until: Instant,
    },
    /// A frame kept for a later epoch.
    Kept {
        frame: RawFrame,
        capture: CaptureRequest,
    },
}

impl<D: Device> Faulty<D> {
    /// `device`, failing by `script`; `time_scale` (> 0) is how many times faster than real time it runs.
    pub fn new(device: D, script: Script, time_scale: f64, wedge_file: Option<PathBuf>) -> Self {
        Self {
            device,
            script,
            slow: Duration::try_from_secs_f64(SLOW.as_secs_f64() / time_scale).unwrap_or(SLOW),
            wedge_file,
            notice: None,
            trouble: Trouble::None,
            never_converges: false,
            capture: None,
            asked: None,
            epoch: 0,
            delivered: None,
            before: None,
        }
    }

    /// A fault that needs no frame happens.
    fn fail(
        &mut self,
        kind: FaultKind,
        capture: CaptureRequest,
        timeout: Duration,
    ) -> Result<Option<RawFrame>, DeviceError> {
        let shot = capture.shot;
        let error =
            |kind, what: &str| Err(DeviceError::new(kind, format!("simulated at shot {shot}: {what}")));
        self.trouble = Trouble::None;
        match kind {
            FaultKind::Hang => hang(),
            FaultKind::Stall | FaultKind::StopHangs => {
                self.trouble = Trouble::Stalled { stop_hangs: kind == FaultKind::StopHangs };
                Ok(None)
            }
            FaultKind::LongCall => {
                let time = self.device.hello().longest_call() * 3 / 4;
                self.say_busy(time);
                std::thread::sleep(time);
                self.device.next_frame(timeout)
            }
            FaultKind::BusyHang => {
                self.say_busy(Duration::MAX);
                hang()
            }
            FaultKind::BusyAgain => loop {
                self.say_busy(timeout * 2);
                std::thread::sleep(timeout);
            },
            FaultKind::Abort => std::process::abort(),
            FaultKind::Exit => std::process::exit(0),
            FaultKind::Cancelled => error(ErrorKind::Cancelled, "the request came back cancelled"),
            FaultKind::QueueBuffer => {
                error(ErrorKind::QueueBuffer, "Failed to queue buffer 0: Invalid argument")
            }
            FaultKind::InvalidArgument => error(ErrorKind::InvalidArgument, "the exposure time was refused"),
            FaultKind::Busy => {
                let pid = std::process::id();
                error(ErrorKind::Busy, &format!("the camera is held by process {pid} (scanner-sim)"))
            }
            FaultKind::Gone => error(ErrorKind::Gone, "the camera is not there any more: check its cable"),
            FaultKind::NoMemory => error(ErrorKind::NoMemory, "no memory for frames"),
            FaultKind::Wedge => self.wedge(),
            FaultKind::NeverConverges => error(ErrorKind::InvalidArgument, "it is a fault of no shot"),
            FaultKind::WrongSize
            | FaultKind::WrongStride
            | FaultKind::ShortDescriptor
            | FaultKind::StaleFrame
            | FaultKind::DuplicateSequence
            | FaultKind::LateFrame
            | FaultKind::Garbage
            | FaultKind::Slow
            | FaultKind::Blurred
            | FaultKind::MotionBlurred
            | FaultKind::Overexposed
            | FaultKind::Dimmed
            | FaultKind::Duplicate
            | FaultKind::Defocused => {
                self.trouble = Trouble::Armed(kind, capture);
                let frame = self.device.next_frame(timeout)?;
                match frame {
                    Some(frame) if capture.is_answered_by(&frame) => self.spoil(kind, capture, frame),
                    other => Ok(other),
                }
            }
        }
    }

    fn spoil_picture(&self, spoilt: Spoilt, frame: &mut RawFrame) -> Result<(), DeviceError> {
        spoil::spoil(spoilt, frame, self.before.as_deref())
    }

    /// A fault of a frame happens to `frame`, which answers `capture`.
    fn spoil(
        &mut self,
        kind: FaultKind,
        capture: CaptureRequest,
        mut frame: RawFrame,
    ) -> Result<Option<RawFrame>, DeviceError> {
        self.trouble = Trouble::None;
        match kind {
            FaultKind::WrongSize => match &mut frame.metadata.payload {
                Payload::Pixels(Planes { size, .. }) | Payload::Files(FilesInMemory { size, .. }) => {
                    size.width += 16;
                }
            },
            FaultKind::WrongStride => match &mut frame.metadata.payload {
                Payload::Pixels(planes) => planes.strides.iter_mut().for_each(|stride| *stride /= 2),
                Payload::Files(memory) => memory.files.iter_mut().for_each(|file| file.bytes /= 2),
            },
            FaultKind::ShortDescriptor => {
                let last = match &frame.metadata.payload {
                    Payload::Pixels(planes) => planes.offsets.last().copied(),
                    Payload::Files(memory) => memory.files.last().map(|file| file.offset + file.bytes),
                };
                let memory = sealed_memory(last.unwrap_or_default() / 2);
                frame.memory =
                    Arc::new(memory.map_err(|errno| DeviceError::no_memory("a short frame", errno))?);
            }
            FaultKind::StaleFrame => {
                let early_ns = capture.not_before_ns.saturating_sub(1);
                frame.metadata.exposed = frame.metadata.exposed.with(early_ns);
                frame.tamper = Some(Tamper::IgnoreRule);
            }
            FaultKind::DuplicateSequence => {
                frame.metadata.sequence = self.delivered.unwrap_or(frame.metadata.sequence);
            }
            FaultKind::LateFrame => {
                self.trouble = Trouble::Kept { frame, capture };
                return Ok(None);
            }
            FaultKind::Garbage => frame.tamper = Some(Tamper::Garbage),
            FaultKind::Slow => {
                self.trouble = Trouble::Slow { frame, until: Instant::now() + self.slow };
                return Ok(None);
            }
            FaultKind::Blurred => self.spoil_picture(Spoilt::Blurred, &mut frame)?,
            FaultKind::MotionBlurred => self.spoil_picture(Spoilt::MotionBlurred, &mut frame)?,
            FaultKind::Overexposed => self.spoil_picture(Spoilt::Overexposed, &mut frame)?,
            FaultKind::Dimmed => self.spoil_picture(Spoilt::Dimmed, &mut frame)?,
            FaultKind::Duplicate => self.spoil_picture(Spoilt::Duplicate, &mut frame)?,
            FaultKind::Defocused => self.spoil_picture(Spoilt::Defocused, &mut frame)?,
            FaultKind::Hang
            | FaultKind::Stall
            | FaultKind::StopHangs
            | FaultKind::Abort
            | FaultKind::Exit
            | FaultKind::Cancelled
            | FaultKind::QueueBuffer
            | FaultKind::InvalidArgument
            | FaultKind::Busy
            | FaultKind::Gone
            | FaultKind::NoMemory
            | FaultKind::LongCall
            | FaultKind::BusyHang
            | FaultKind::BusyAgain
            | FaultKind::NeverConverges
            | FaultKind::Wedge => {}
        }
        self.delivering(&frame)?;
        Ok(Some(frame))
    }

    /// A frame is about to be handed over.
    fn delivering(&mut self, frame: &RawFrame) -> Result<(), DeviceError> {
        self.delivered = Some(frame.metadata.sequence);
        if self.script.has(FaultKind::Duplicate) {
            self.before = Some(spoil::read(frame)?);
        }
        Ok(())
    }

    fn say_busy(&self, time: Duration) {
        if let Some(notice) = &self.notice {
            notice.busy_for(time);
        }
    }

    fn wedge(&self) -> Result<Option<RawFrame>, DeviceError> {
        let Some(path) = &self.wedge_file else {
            return Err(DeviceError::invalid("option wedge_file: the fault \"wedge\" needs a file to read"));
        };
        tracing::warn!("reading {}", path.display());
        match std::fs::read(path) {
            Ok(_) => Err(DeviceError::invalid(format!("{} was read: nothing is wedged", path.display()))),
            Err(error) => Err(DeviceError::invalid(format!("{}: {error}", path.display()))),
        }
    }
}

impl<D: Device> Device for Faulty<D> {
    fn hello(&self) -> Hello {
        self.device.hello()
    }

    fn attach(&mut self, notice: Notice) {
        self.notice = Some(notice.clone());
        self.device.attach(notice);
    }

    fn configure(&mut self, configure: &Configure) -> Result<Configured, DeviceError> {
        self.device.configure(configure)
    }

    fn start(&mut self, epoch: u64) -> Result<(), DeviceError> {
        self.epoch = epoch;
        self.delivered = None;
        self.device.start(epoch)
    }

    fn stop(&mut self) -> Result<(), DeviceError> {
        match std::mem::replace(&mut self.trouble, Trouble::None) {
            Trouble::Stalled { stop_hangs: true } => hang(),
            Trouble::Slow { frame, .. } => self.device.release(frame.metadata.buffer),
            kept @ Trouble::Kept { .. } => self.trouble = kept,
            armed @ Trouble::Armed(..) => self.trouble = armed,
            Trouble::None | Trouble::Stalled { stop_hangs: false } => {}
        }
        self.device.stop()
    }

    fn set(&mut self, controls: &Controls) -> Result<(), DeviceError> {
        self.device.set(controls)
    }

    fn converge(&mut self, fixed: &Controls) -> Result<(), DeviceError> {
        self.never_converges = self.script.leaves_converge_unanswered();
        if self.never_converges {
            tracing::warn!("simulating never_converges");
        }
        self.device.converge(fixed)
    }

    fn converged(&mut self) -> Option<Result<Controls, DeviceError>> {
        if self.never_converges { None } else { self.device.converged() }
    }

    fn wanted(&mut self, capture: Option<&CaptureRequest>) {
        self.device.wanted(capture);
        self.capture = capture.copied();
        let Some(&capture) = capture else { return };
        let asked = Some((capture.epoch, capture.request));
        if self.asked == asked {
            return;
        }
        match self.trouble {
            Trouble::Stalled { .. } | Trouble::Slow { .. } | Trouble::Kept { .. } => return,
            Trouble::Armed(kind, _) => self.trouble = Trouble::Armed(kind, capture),
            Trouble::None => {
                if let Some(kind) = self.script.next(capture.shot) {
                    tracing::warn!("simulating {} at shot {}", kind.name(), capture.shot);
                    self.trouble = Trouble::Armed(kind, capture);
                }
            }
        }
        self.asked = asked;
    }

    fn live(&mut self, rate: Option<FramesPerSecond>) {
        self.device.live(rate);
    }

    fn next_frame(&mut self, timeout: Duration) -> Result<Option<RawFrame>, DeviceError> {
        match std::mem::replace(&mut self.trouble, Trouble::None) {
            Trouble::None => {}
            armed @ Trouble::Armed(FaultKind::DuplicateSequence, _) if self.delivered.is_none() => {
                self.trouble = armed;
            }
            armed @ Trouble::Armed(FaultKind::Duplicate, _) if self.before.is_none() => self.trouble = armed,
            Trouble::Armed(kind, capture) => return self.fail(kind, capture, timeout),
            stalled @ Trouble::Stalled { .. } => {
                self.trouble = stalled;
                std::thread::sleep(timeout);
                return Ok(None);
            }
            Trouble::Slow { frame, until } => {
                let left = until.saturating_duration_since(Instant::now());
                if left.is_zero() {
                    self.delivered = Some(frame.metadata.sequence);
                    return Ok(Some(frame));
                }
                self.trouble = Trouble::Slow { frame, until };
                std::thread::sleep(left.min(timeout));
                return Ok(None);
            }
            Trouble::Kept { frame, capture } if capture.epoch < self.epoch => {
                let CaptureRequest { epoch, request, .. } = capture;
                return Ok(Some(RawFrame { tamper: Some(Tamper::AnswerTo { epoch, request }), ..frame }));
            }
            kept @ Trouble::Kept { .. } => {
                self.trouble = kept;
                std::thread::sleep(timeout);
                return Ok(None);
            }
        }
        let frame = self.device.next_frame(timeout)?;
        if let (Some(frame), Some(capture)) = (&frame, &self.capture)
            && capture.is_answered_by(frame)
        {
            self.delivering(frame)?;
        }
        Ok(frame)
    }

    fn release(&mut self, buffer: u64) {
        self.device.release(buffer);
    }
}

/// Sleeps for ever, as a native call that hangs.
fn hang() -> ! {
    loop {
        std::thread::park();
    }
}
