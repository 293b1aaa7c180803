//! What this end of the link says.

use std::os::fd::AsFd as _;
use std::sync::Arc;
use std::time::Instant;

use super::device::{DeviceError, RawFrame};
use super::notice::Notice;
use crate::camera_driver::link::{Link, LinkError};
use crate::camera_driver::protocol::{BEAT_INTERVAL, Condition, Frame, FromDriver, Pace};

/// The link, and the signs of life of the thread that speaks.
pub(super) struct Voice {
    link: Arc<Link>,
    /// Rounds of that thread.
    rounds: u64,
    last_beat: Instant,
}

impl Voice {
    /// For whoever speaks at `link`, and has said nothing yet.
    pub(super) fn new(link: Arc<Link>) -> Self {
        Self { link, rounds: 0, last_beat: Instant::now() }
    }

    /// What the device says by itself.
    pub(super) fn notice(&self) -> Notice {
        Notice::new(Arc::clone(&self.link))
    }

    /// Says `message`; waits while the daemon has too much unread.
    pub(super) fn say(&self, message: &FromDriver) -> Result<(), LinkError> {
        self.link.send(message, &[])
    }

    /// Says that something failed: a capture, or nothing in particular.
    pub(super) fn report(&self, error: DeviceError, request: Option<u64>) -> Result<(), LinkError> {
        tracing::warn!("{}: {error}", error.kind);
        self.say(&error_message(error, request))
    }

    /// Sends a still as the answer to `request`.
    pub(super) fn still(&self, frame: RawFrame, epoch: u64, request: u64) -> Result<(), LinkError> {
        let RawFrame { metadata, memory, raw, .. } = frame;
        let message = FromDriver::Frame(Frame { epoch, request: Some(request), metadata });
        let descriptors: Vec<_> = std::iter::once(&memory).chain(&raw).map(|memory| memory.as_fd()).collect();
        self.link.send(&message, &descriptors)
    }

    /// Sends a live frame if the daemon keeps up; says whether it did.
    pub(super) fn live(&self, frame: RawFrame, epoch: u64) -> Result<bool, LinkError> {
        let RawFrame { metadata, memory, .. } = frame;
        let message = FromDriver::Frame(Frame { epoch, request: None, metadata });
        self.link.send_or_drop(&message, &[memory.as_fd()])
    }

    /// Sends bytes that are no message: a simulated fault.
    pub(super) fn garbage(&self) -> Result<(), LinkError> {
        self.link.send_raw(b"\xff\xfe this is no message {")
    }

    /// Shows that the thread is alive, and how camera and stream are, if it is time for that: sooner where a frame is overdue.
    /// Called once a round.
    pub(super) fn beat(
        &mut self,
        pace: Option<Pace>,
        condition: impl FnOnce() -> Option<Condition>,
    ) -> Result<(), LinkError> {
        self.rounds += 1;
        let due = if pace.is_some() { BEAT_INTERVAL / 10 } else { BEAT_INTERVAL / 2 };
        if self.last_beat.elapsed() >= due {
            self.last_beat = Instant::now();
            let beat = FromDriver::Beat { count: self.rounds, condition: condition(), pace };
            self.link.send_or_drop(&beat, &[])?;
        }
        Ok(())
    }
}

/// `error` as the daemon hears of it.
pub(super) fn error_message(error: DeviceError, request: Option<u64>) -> FromDriver {
    let DeviceError { kind, message, code, devices } = error;
    FromDriver::Error { kind, message, request, code, devices }
}
