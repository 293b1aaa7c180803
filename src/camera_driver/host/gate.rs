//! The rate of live frames.

use std::time::Duration;

use crate::clock;
use crate::units::FramesPerSecond;

/// Lets live frames through at a rate: on average exactly, for any rate below the camera's.
#[derive(Debug, Clone, Copy)]
pub struct LiveGate {
    interval_ns: u64,
    due_ns: u64,
}

impl LiveGate {
    /// None for a rate of zero or less.
    pub fn new(rate: FramesPerSecond) -> Option<Self> {
        let interval = Duration::try_from_secs_f64(rate.get().recip()).ok()?;
        Some(Self { interval_ns: clock::as_ns(interval), due_ns: 0 })
    }

    /// Whether the frame with this timestamp is to be sent.
    pub fn admits(&mut self, timestamp_ns: u64) -> bool {
        if timestamp_ns < self.due_ns {
            return false;
        }
        let next = self.due_ns.saturating_add(self.interval_ns);
        // After a gap it starts anew instead of catching up.
        self.due_ns = if next <= timestamp_ns { timestamp_ns.saturating_add(self.interval_ns) } else { next };
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn live_frames_pass_at_the_wanted_rate_on_average() {
        let mut gate = LiveGate::new(FramesPerSecond::new(10.0)).unwrap();
        let start = 5_000_000_000;
        let passed = (0..300_u64).filter(|frame| gate.admits(start + frame * 33_333_333)).count();
        assert!((99..=101).contains(&passed), "{passed} of 300 frames at 30 fps");
        assert!(gate.admits(60_000_000_000));
        assert!(!gate.admits(60_050_000_000));
        assert!(LiveGate::new(FramesPerSecond::ZERO).is_none());
    }
}
