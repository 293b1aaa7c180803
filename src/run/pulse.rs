//! Proof that a part of the program goes on: it says how long it may now be silent.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::clock;
use crate::config::{Recovery, Rung};
use crate::rig::camera::{attempt_limit, busy_limit, converge_limit, recovery_limit};
use crate::scan::recovery::backoff;

/// What the recovery of a camera and the disk may take beyond the time-outs that are configured.
const SLACK: Duration = Duration::from_secs(60);

/// The deadline of one part, which it puts off as it goes on. Cheap to clone; a clone is the same deadline.
#[derive(Debug, Clone, Default)]
pub struct Pulse(Arc<AtomicU64>);

impl Pulse {
    /// The part goes on, and will show it again within `patience`.
    pub fn beat(&self, patience: Duration) {
        let patience = u64::try_from(patience.as_nanos()).unwrap_or(u64::MAX);
        // Zero means that there is nothing to wait for.
        self.0.store(clock::now_ns().saturating_add(patience).max(1), Ordering::Relaxed);
    }

    /// The part has nothing to do.
    pub fn rest(&self) {
        self.0.store(0, Ordering::Relaxed);
    }

    /// By when it has to show itself, on `CLOCK_MONOTONIC` in nanoseconds; none if it rests.
    pub fn deadline_ns(&self) -> Option<u64> {
        Some(self.0.load(Ordering::Relaxed)).filter(|deadline| *deadline > 0)
    }
}

/// How long the loop of a scan may hear of nothing: one move, the settings found, one attempt (and a second one after a
/// move that took longer than planned), and every rung with its wait, one after the other, and then some. All of it with a
/// driver that is busy for as long as it may be, `longest_call`.
pub fn longest_silence(
    recovery: &Recovery,
    longest_move: Duration,
    settle: Duration,
    longest_frame: Duration,
    longest_call: Duration,
) -> Duration {
    let attempt = attempt_limit(recovery, longest_frame);
    [
        longest_move,
        settle,
        converge_limit(recovery, longest_frame),
        attempt,
        attempt,
        recovery_limit(recovery, Rung::Restart),
        recovery_limit(recovery, Rung::Respawn),
        recovery_limit(recovery, Rung::Reset),
        busy_limit(longest_call),
        backoff(recovery, recovery.attempts),
        SLACK,
    ]
    .into_iter()
    .fold(Duration::ZERO, Duration::saturating_add)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pulse_is_due_after_its_patience_unless_it_rests() {
        let pulse = Pulse::default();
        assert_eq!(pulse.deadline_ns(), None);
        let before = clock::now_ns();
        pulse.beat(Duration::from_secs(5));
        assert!(pulse.clone().deadline_ns().unwrap() >= before + 5_000_000_000);
        pulse.beat(Duration::MAX);
        assert_eq!(pulse.deadline_ns(), Some(u64::MAX));
        pulse.rest();
        assert_eq!(pulse.deadline_ns(), None);
    }

    #[test]
    fn the_silence_of_a_scan_covers_every_time_out() {
        let seconds = Duration::from_secs;
        let mut recovery = Recovery {
            attempts: 3,
            capture_timeout: seconds(600),
            stalled_after_frames: 20,
            restart_pause: seconds(1),
            start_pause: seconds(1),
            restart_timeout: seconds(3),
            kill_timeout: seconds(2),
            start_timeout: seconds(10),
            backoff: seconds(1),
            may_end: Vec::new(),
        };
        let longest = |recovery: &Recovery, longest_move, frame| {
            longest_silence(recovery, longest_move, seconds(1), frame, Duration::ZERO)
        };
        let silence = longest(&recovery, seconds(30), seconds(1));
        // Settings are searched for, and then a frame is waited for, in one order to a camera.
        let one_order = converge_limit(&recovery, seconds(1)) + attempt_limit(&recovery, seconds(1)) * 2;
        assert_eq!(one_order, seconds(3 * 600));
        assert_eq!(silence, seconds(30 + 1 + 8 + 22 + 32 + 4) + one_order + SLACK);
        // An exposure of 200 s: three of them, and 2 s; six of them, and 15 s, where it is searched for.
        let long = longest(&recovery, seconds(30), seconds(200));
        assert_eq!(long, silence + seconds(615 + 2 + 2));
        // A driver that may be busy for 90 s with each of seven things.
        let busy = longest_silence(&recovery, seconds(30), seconds(1), seconds(1), seconds(90));
        assert_eq!(busy, silence + seconds(7 * 90));
        // A wait between attempts never exceeds its own limit, however often it was doubled.
        (recovery.attempts, recovery.backoff) = (20, seconds(60));
        assert!(longest(&recovery, seconds(30), seconds(1)) < silence + seconds(60));
        assert!(longest(&recovery, Duration::MAX, seconds(1)) == Duration::MAX);
    }
}
