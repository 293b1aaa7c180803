//! The captures that wait for their frames, and which frame answers one. Pure.

use std::collections::VecDeque;
use std::time::Duration;

use super::device::{CaptureRequest, RawFrame, Tamper};
use crate::clock::as_ns;
use crate::units::Seconds;

/// Captures in the order in which they came, which is that in which they are answered.
#[derive(Debug, Default)]
pub(super) struct Captures {
    waiting: VecDeque<CaptureRequest>,
    /// From frame to frame, as configured.
    frame_duration: Duration,
    /// What is set by now, which may take longer.
    exposure: Option<Seconds>,
}

/// What is to be said of a still.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Nobody waits for it.
    Release,
    /// It is the answer to this request.
    Send { epoch: u64, request: u64 },
    /// A simulated fault: bytes that are no message are sent in its place.
    Garble,
}

impl Captures {
    /// The camera was configured: a frame takes so long, and an exposure is set or not.
    pub(super) fn configured(&mut self, frame_duration: Duration, exposure: Option<Seconds>) {
        self.frame_duration = frame_duration;
        self.set_exposure(exposure);
    }

    /// Another exposure is set; none is automatic.
    pub(super) fn set_exposure(&mut self, exposure: Option<Seconds>) {
        self.exposure = exposure;
        let frame_ns = self.frame_ns();
        for capture in &mut self.waiting {
            capture.frame_ns = frame_ns;
        }
    }

    /// How long a frame takes with what is set, in nanoseconds.
    fn frame_ns(&self) -> u64 {
        as_ns(self.frame_duration.max(self.exposure.map_or(Duration::ZERO, Seconds::duration)))
    }

    /// How long is exposed, in nanoseconds: none while the camera chooses that itself.
    pub(super) fn exposure_ns(&self) -> Option<u64> {
        self.exposure.map(|exposure| as_ns(exposure.duration()))
    }

    /// The one that the next still is to answer.
    pub(super) fn first(&self) -> Option<&CaptureRequest> {
        self.waiting.front()
    }

    /// Takes out the one that is first.
    pub(super) fn take_first(&mut self) -> Option<CaptureRequest> {
        self.waiting.pop_front()
    }

    /// Puts one behind the others; false if one with its request already waits.
    pub(super) fn add(&mut self, epoch: u64, request: u64, shot: u32, not_before_ns: u64) -> bool {
        if self.waiting.iter().any(|waiting| waiting.request == request) {
            return false;
        }
        let frame_ns = self.frame_ns();
        self.waiting.push_back(CaptureRequest { epoch, request, shot, not_before_ns, frame_ns });
        true
    }

    /// What is to be said of `frame`, a still. Its capture waits no longer.
    pub(super) fn answer(&mut self, frame: &RawFrame) -> Verdict {
        let (capture, garbled) = match (frame.tamper, self.first()) {
            (Some(Tamper::AnswerTo { epoch, request }), _) => return Verdict::Send { epoch, request },
            (Some(Tamper::IgnoreRule), Some(capture)) => (*capture, false),
            (Some(Tamper::Garbage), Some(capture)) => (*capture, true),
            (None, Some(capture)) if capture.is_answered_by(frame) => (*capture, false),
            (Some(Tamper::IgnoreRule | Tamper::Garbage) | None, None) | (None, Some(_)) => {
                return Verdict::Release;
            }
        };
        self.waiting.pop_front();
        let CaptureRequest { epoch, request, .. } = capture;
        if garbled { Verdict::Garble } else { Verdict::Send { epoch, request } }
    }
}
