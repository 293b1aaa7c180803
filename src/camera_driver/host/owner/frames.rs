//! What becomes of the camera's frames: shown, sent as an answer, or given back.

use super::{Owner, ROUND};
use crate::camera_driver::host::captures::Verdict;
use crate::camera_driver::host::device::{Device, RawFrame};
use crate::camera_driver::link::LinkError;
use crate::camera_driver::protocol::{FromDriver, Stream};

impl<D: Device> Owner<D> {
    /// Takes what the camera has next, and says what became of it.
    pub(super) fn next_frame(&mut self) -> Result<(), LinkError> {
        self.device.wanted(self.captures.first());
        let next = self.device.next_frame(ROUND);
        self.look();
        match next {
            Ok(Some(frame)) => self.handle(frame).and_then(|()| self.look_converged()),
            Ok(None) => self.look_converged(),
            Err(error) if self.converging => {
                self.converging = false;
                self.voice.report(error, None)
            }
            Err(error) => match self.captures.take_first() {
                Some(capture) => self.voice.report(error, Some(capture.request)),
                None if self.complained => {
                    // A camera that fails at once, again and again, must not keep this thread busy.
                    std::thread::sleep(ROUND);
                    Ok(())
                }
                None => {
                    self.complained = true;
                    self.voice.report(error, None)
                }
            },
        }
    }

    fn look_converged(&mut self) -> Result<(), LinkError> {
        let Some(converged) = self.converging.then(|| self.device.converged()).flatten() else {
            return Ok(());
        };
        self.converging = false;
        match converged {
            Ok(controls) => {
                self.captures.set_exposure(controls.exposure);
                self.voice.say(&FromDriver::Converged { controls })
            }
            Err(error) => self.voice.report(error, None),
        }
    }

    fn handle(&mut self, frame: RawFrame) -> Result<(), LinkError> {
        self.complained = false;
        let buffer = frame.metadata.buffer;
        let out = match frame.metadata.stream {
            Stream::Live => self.show(frame)?,
            Stream::Still => self.answer(frame)?,
        };
        if out {
            self.held.insert(buffer);
        } else {
            self.device.release(buffer);
        }
        Ok(())
    }

    /// Sends a live frame if it is time for one and the daemon keeps up; says whether it did.
    fn show(&mut self, frame: RawFrame) -> Result<bool, LinkError> {
        let time_ns = frame.metadata.exposed.at_ns();
        let wanted = frame.valid && self.live.as_mut().is_some_and(|gate| gate.admits(time_ns));
        if wanted { self.voice.live(frame, self.epoch) } else { Ok(false) }
    }

    /// Sends a still if it is what is waited for; says whether it did.
    fn answer(&mut self, frame: RawFrame) -> Result<bool, LinkError> {
        match self.captures.answer(&frame) {
            Verdict::Release => Ok(false),
            Verdict::Send { epoch, request } => self.voice.still(frame, epoch, request).map(|()| true),
            Verdict::Garble => self.voice.garbage().map(|()| false),
        }
    }
}
