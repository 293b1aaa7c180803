//! One start of a simulated sensor: the frame it is at, and those that wait to be handed over. No clock.

use std::collections::VecDeque;

use super::sensor::{Shutter, Timing};
use crate::camera_driver::host::RawFrame;

/// A sensor that runs: frame after frame, whoever looks.
#[derive(Debug)]
pub(super) struct Run {
    /// Begin of the first exposure with `timing`.
    start_ns: u64,
    timing: Timing,
    /// Frames of this start that began before `start_ns`.
    before: u64,
    /// Number of the next frame, counted from `start_ns`.
    next: u64,
    /// When the newest frame that is over was read out.
    newest_ns: Option<u64>,
    /// The still of the next frame, made while the sensor is read out.
    pub(super) early: Option<RawFrame>,
    /// Handed over in later calls.
    pub(super) ready: VecDeque<RawFrame>,
    /// Frames that were wanted when all memory was held.
    pub(super) dropped: u64,
}

impl Run {
    /// The first exposure begins at `now_ns`.
    pub(super) fn new(now_ns: u64, timing: Timing) -> Self {
        let (early, ready) = (None, VecDeque::new());
        Self { start_ns: now_ns, timing, before: 0, next: 0, newest_ns: None, early, ready, dropped: 0 }
    }

    /// Exposes with `timing` from now on: if that is new, with a frame that begins at `now_ns`.
    pub(super) fn expose(&mut self, now_ns: u64, timing: Timing) {
        if timing != self.timing {
            self.before += self.next;
            (self.start_ns, self.timing, self.next) = (now_ns, timing, 0);
        }
    }

    /// Goes on to the first frame that is not over and gone by `now_ns`; says whether any was missed.
    pub(super) fn catch_up(&mut self, now_ns: u64) -> bool {
        let next = self.timing.catch_up(self.start_ns, self.next, now_ns);
        next != std::mem::replace(&mut self.next, next)
    }

    /// Goes on to the frame after this one.
    pub(super) fn advance(&mut self) {
        self.newest_ns = Some(self.shutter().closes_ns);
        self.next += 1;
    }

    /// When the newest frame that is over was read out; none before the first one.
    pub(super) fn newest_ns(&self) -> Option<u64> {
        self.newest_ns
    }

    /// How frames are exposed now.
    pub(super) fn timing(&self) -> Timing {
        self.timing
    }

    /// When the next frame is exposed.
    pub(super) fn shutter(&self) -> Shutter {
        self.timing.shutter(self.start_ns, self.next)
    }

    /// The number of the frame at `shutter`, counted from the start of the sensor.
    pub(super) fn sequence(&self, shutter: &Shutter) -> u64 {
        self.before + shutter.index
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Seconds;

    #[test]
    fn frames_are_numbered_from_the_start_whatever_is_set_on_the_way() {
        let timing = |ms: f64| Timing::new(Seconds::new(0.01), Seconds::new(ms / 1e3), Seconds::ZERO, 1.0);
        let mut run = Run::new(0, timing(1.0));
        assert!(!run.catch_up(9_000_000));
        run.advance();
        assert!(run.catch_up(50_000_000), "frames were missed");
        let seen = run.shutter();
        assert_eq!(run.sequence(&seen), seen.index);
        // Set to what it is set to, it goes on.
        run.expose(60_000_000, timing(1.0));
        assert_eq!(run.shutter(), seen);
        run.expose(60_000_000, timing(2.0));
        let after = run.shutter();
        assert_eq!((after.index, after.opens_ns, after.closes_ns), (0, 60_000_000, 62_000_000));
        assert_eq!(run.sequence(&after), seen.index);
    }
}
