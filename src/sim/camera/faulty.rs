//! A device that fails as told.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::fault::{CallFault, CaptureFault, Delay, FaultKind, FrameFault};
use super::forged::{Forged, forge};
use super::script::Script;
use super::spoil::{self, Spoilt};
use crate::camera_driver::host::{CaptureRequest, Configured, Device, DeviceError, Notice, RawFrame, Tamper};
use crate::camera_driver::protocol::{Condition, Configure, ErrorKind, Hello};
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
    Armed(CaptureFault, CaptureRequest),
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

    /// A fault that is due happens.
    fn happen(
        &mut self,
        fault: CaptureFault,
        capture: CaptureRequest,
        timeout: Duration,
    ) -> Result<Option<RawFrame>, DeviceError> {
        match fault {
            CaptureFault::Call(fault) => {
                self.trouble = Trouble::None;
                self.fail(fault, capture.shot, timeout)
            }
            CaptureFault::Frame(frame_fault) => {
                self.trouble = Trouble::Armed(fault, capture);
                match self.device.next_frame(timeout)? {
                    Some(frame) if capture.is_answered_by(&frame) => self.spoil(frame_fault, capture, frame),
                    other => Ok(other),
                }
            }
        }
    }

    /// A call goes wrong, while `shot` is wanted.
    fn fail(
        &mut self,
        fault: CallFault,
        shot: u32,
        timeout: Duration,
    ) -> Result<Option<RawFrame>, DeviceError> {
        let error =
            |kind, what: &str| Err(DeviceError::new(kind, format!("simulated at shot {shot}: {what}")));
        match fault {
            CallFault::Hang => hang(),
            CallFault::Stall { stop_hangs } => {
                self.trouble = Trouble::Stalled { stop_hangs };
                Ok(None)
            }
            CallFault::LongCall => {
                let time = self.device.hello().longest_call() * 3 / 4;
                self.say_busy(time);
                std::thread::sleep(time);
                self.device.next_frame(timeout)
            }
            CallFault::BusyHang => {
                self.say_busy(Duration::MAX);
                hang()
            }
            CallFault::BusyAgain => loop {
                self.say_busy(timeout * 2);
                std::thread::sleep(timeout);
            },
            CallFault::Abort => std::process::abort(),
            CallFault::Exit => std::process::exit(0),
            CallFault::Fails(kind, what) => error(kind, what),
            CallFault::Busy => {
                let pid = std::process::id();
                error(ErrorKind::Busy, &format!("the camera is held by process {pid} (scanner-sim)"))
            }
            CallFault::Wedge => self.wedge(),
        }
    }

    /// A fault of a frame happens to `frame`, which answers `capture`.
    fn spoil(
        &mut self,
        fault: FrameFault,
        capture: CaptureRequest,
        mut frame: RawFrame,
    ) -> Result<Option<RawFrame>, DeviceError> {
        self.trouble = Trouble::None;
        match fault {
            FrameFault::Forged(forged) => forge(forged, &mut frame, &capture, self.delivered)?,
            FrameFault::Spoilt(spoilt) => spoil::spoil(spoilt, &mut frame, self.before.as_deref())?,
            FrameFault::Delayed(Delay::UntilNextEpoch) => {
                self.trouble = Trouble::Kept { frame, capture };
                return Ok(None);
            }
            FrameFault::Delayed(Delay::Slow) => {
                self.trouble = Trouble::Slow { frame, until: Instant::now() + self.slow };
                return Ok(None);
            }
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

    /// Whether there is no frame yet that `fault` could repeat.
    fn wants_one_before(&self, fault: FrameFault) -> bool {
        match fault {
            FrameFault::Forged(Forged::Sequence) => self.delivered.is_none(),
            FrameFault::Spoilt(Spoilt::Duplicate) => self.before.is_none(),
            FrameFault::Forged(_) | FrameFault::Spoilt(_) | FrameFault::Delayed(_) => false,
        }
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
            Trouble::Armed(fault, _) => self.trouble = Trouble::Armed(fault, capture),
            Trouble::None => {
                if let Some(kind) = self.script.next(capture.shot)
                    && let Some(fault) = kind.of_capture()
                {
                    tracing::warn!("simulating {} at shot {}", kind.name(), capture.shot);
                    self.trouble = Trouble::Armed(fault, capture);
                }
            }
        }
        self.asked = asked;
    }

    fn live(&mut self, rate: Option<FramesPerSecond>) {
        self.device.live(rate);
    }

    fn condition(&self) -> Option<Condition> {
        self.device.condition()
    }

    fn newest_frame_ns(&self) -> Option<u64> {
        self.device.newest_frame_ns()
    }

    fn next_frame(&mut self, timeout: Duration) -> Result<Option<RawFrame>, DeviceError> {
        match std::mem::replace(&mut self.trouble, Trouble::None) {
            Trouble::None => {}
            armed @ Trouble::Armed(CaptureFault::Frame(fault), _) if self.wants_one_before(fault) => {
                self.trouble = armed;
            }
            Trouble::Armed(fault, capture) => return self.happen(fault, capture, timeout),
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
