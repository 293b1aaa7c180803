//! A device that fails as told.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::fault::{FaultKind, Script};
use super::pool::sealed_memory;
use crate::camera_driver::host::{CaptureRequest, Configured, Device, DeviceError, RawFrame, Tamper};
use crate::camera_driver::protocol::{Configure, Controls, ErrorKind, Hello, Size};
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
    trouble: Trouble,
    /// What is waited for.
    capture: Option<CaptureRequest>,
    /// The capture that the script was last asked about: epoch and request.
    asked: Option<(u64, u64)>,
    epoch: u64,
    /// The number of the frame last delivered in this epoch.
    delivered: Option<u64>,
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
            trouble: Trouble::None,
            capture: None,
            asked: None,
            epoch: 0,
            delivered: None,
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
            FaultKind::WrongSize
            | FaultKind::WrongStride
            | FaultKind::ShortDescriptor
            | FaultKind::StaleFrame
            | FaultKind::DuplicateSequence
            | FaultKind::LateFrame
            | FaultKind::Garbage
            | FaultKind::Slow => {
                self.trouble = Trouble::Armed(kind, capture);
                let frame = self.device.next_frame(timeout)?;
                match frame {
                    Some(frame) if capture.is_answered_by(&frame) => self.spoil(kind, capture, frame),
                    other => Ok(other),
                }
            }
        }
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
            FaultKind::WrongSize => {
                frame.size = Size { width: frame.size.width + 16, height: frame.size.height };
            }
            FaultKind::WrongStride => {
                for stride in &mut frame.strides {
                    *stride /= 2;
                }
            }
            FaultKind::ShortDescriptor => {
                let bytes = frame.offsets.last().copied().unwrap_or_default() / 2;
                let memory = sealed_memory(bytes);
                frame.memory =
                    Arc::new(memory.map_err(|errno| DeviceError::no_memory("a short frame", errno))?);
            }
            FaultKind::StaleFrame => {
                frame.sensor_timestamp_ns = capture.not_before_ns.saturating_sub(1);
                frame.tamper = Some(Tamper::IgnoreRule);
            }
            FaultKind::DuplicateSequence => frame.sequence = self.delivered.unwrap_or(frame.sequence),
            FaultKind::LateFrame => {
                self.trouble = Trouble::Kept { frame, capture };
                return Ok(None);
            }
            FaultKind::Garbage => frame.tamper = Some(Tamper::Garbage),
            FaultKind::Slow => {
                self.trouble = Trouble::Slow { frame, until: Instant::now() + self.slow };
                return Ok(None);
            }
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
            | FaultKind::Wedge => {}
        }
        self.delivered = Some(frame.sequence);
        Ok(Some(frame))
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
            Trouble::Slow { frame, .. } => self.device.release(frame.buffer),
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
        self.device.converge(fixed)
    }

    fn converged(&mut self) -> Option<Result<Controls, DeviceError>> {
        self.device.converged()
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
            Trouble::Armed(kind, capture) => return self.fail(kind, capture, timeout),
            stalled @ Trouble::Stalled { .. } => {
                self.trouble = stalled;
                std::thread::sleep(timeout);
                return Ok(None);
            }
            Trouble::Slow { frame, until } => {
                let left = until.saturating_duration_since(Instant::now());
                if left.is_zero() {
                    self.delivered = Some(frame.sequence);
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
            self.delivered = Some(frame.sequence);
        }
        Ok(frame)
    }

    fn release(&mut self, buffer: u64) {
        self.device.release(buffer);
    }
}

/// Never returns.
fn hang() -> ! {
    loop {
        std::thread::park();
    }
}
