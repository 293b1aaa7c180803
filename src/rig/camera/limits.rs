//! How long each thing that is asked of a camera may take. Who waits for a camera and the watchdog, which ends a scan
//! that waits for longer, count with the same functions.

use std::time::Duration;

use crate::config::{Recovery, Rung};

/// An attempt lasts at least this long and [`MIN_FRAMES`], whatever the configuration says.
const MIN_ATTEMPT: Duration = Duration::from_secs(2);
const MIN_FRAMES: u32 = 3;
/// What is automatic may take at least this long and [`SETTLING_FRAMES`] to settle.
const MIN_CONVERGE: Duration = Duration::from_secs(15);
const SETTLING_FRAMES: u32 = 6;
/// As many searches for settings may be in vain, one after the other.
const SEARCHES: u32 = 2;

/// One attempt at a frame that takes as long as `frame`, once its exposure may begin: `recovery.capture_timeout`, or
/// 2 s and three frames if that is longer.
pub fn attempt_limit(recovery: &Recovery, frame: Duration) -> Duration {
    recovery.capture_timeout.max(MIN_ATTEMPT.saturating_add(frame.saturating_mul(MIN_FRAMES)))
}

/// One search for what is automatic: `recovery.capture_timeout`, or 15 s and six frames if that is longer.
pub fn converge_limit(recovery: &Recovery, frame: Duration) -> Duration {
    recovery.capture_timeout.max(MIN_CONVERGE.saturating_add(frame.saturating_mul(SETTLING_FRAMES)))
}

/// All searches that find nothing, until one does: then no further one is worth the time.
pub(super) fn vain_limit(recovery: &Recovery, frame: Duration) -> Duration {
    converge_limit(recovery, frame).saturating_mul(SEARCHES)
}

/// How much longer a wait goes on that was to end after `limit` and has lasted for `waited`, with a driver that was `busy`
/// for some of it: that time does not count, but for what exceeds its `longest_call`. None if the wait is over.
pub(super) fn longer(
    limit: Duration,
    longest_call: Duration,
    waited: Duration,
    busy: Duration,
) -> Option<Duration> {
    let end = limit.saturating_add(busy.min(longest_call));
    end.checked_sub(waited).filter(|left| !left.is_zero())
}

/// What a scan may have to wait beyond all limits for a driver with calls of `longest_call`, from one sign of progress to the
/// next: one for each thing that it is asked (settings, two attempts, stop, start, configure, start).
pub fn busy_limit(longest_call: Duration) -> Duration {
    longest_call.saturating_mul(7)
}

/// One step that brings a camera back, of a driver that is not busy.
pub fn recovery_limit(recovery: &Recovery, rung: Rung) -> Duration {
    match rung {
        Rung::Restart => recovery.restart_timeout * 2 + recovery.restart_pause + recovery.start_pause,
        // The port is reset before the camera is looked for.
        Rung::Reset => recovery_limit(recovery, Rung::Respawn).saturating_add(recovery.start_timeout),
        Rung::Respawn => {
            // The old driver, one of an earlier life, the new one if it starts badly, and each program that may be ended:
            // SIGTERM, SIGKILL.
            let ended = u32::try_from(recovery.may_end.len()).unwrap_or(u32::MAX).saturating_add(3);
            recovery
                .kill_timeout
                .saturating_mul(2)
                .saturating_mul(ended)
                .saturating_add(recovery.start_timeout)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recovery(capture_timeout: Duration) -> Recovery {
        Recovery {
            attempts: 3,
            capture_timeout,
            stalled_after_frames: 20,
            restart_pause: Duration::from_secs(1),
            start_pause: Duration::from_secs(1),
            restart_timeout: Duration::from_secs(3),
            kill_timeout: Duration::from_secs(2),
            start_timeout: Duration::from_secs(10),
            backoff: Duration::from_secs(1),
            may_end: vec!["cheese".into()],
        }
    }

    #[test]
    fn limits_are_as_configured_unless_the_frames_of_the_camera_need_more() {
        let seconds = Duration::from_secs;
        let (short, long) = (recovery(seconds(1)), recovery(seconds(600)));
        assert_eq!(attempt_limit(&short, seconds(1)), seconds(5));
        assert_eq!(converge_limit(&short, seconds(1)), seconds(21));
        assert_eq!(vain_limit(&short, seconds(1)), seconds(42));
        assert_eq!(attempt_limit(&long, seconds(1)), seconds(600));
        assert_eq!(converge_limit(&long, seconds(1)), seconds(600));
        assert_eq!(converge_limit(&long, Duration::MAX), Duration::MAX);
        assert_eq!(recovery_limit(&short, Rung::Restart), seconds(8));
        assert_eq!(recovery_limit(&short, Rung::Respawn), seconds(16 + 10));
        assert_eq!(recovery_limit(&short, Rung::Reset), seconds(16 + 20));
    }

    #[test]
    fn the_time_in_which_a_driver_is_busy_does_not_count_but_for_what_it_did_not_announce() {
        let seconds = Duration::from_secs;
        let longer = |waited, busy| longer(seconds(10), seconds(60), seconds(waited), seconds(busy));
        assert_eq!(longer(10, 0), None);
        assert_eq!(longer(10, 4), Some(seconds(4)));
        assert_eq!(longer(69, 59), None);
        assert_eq!(longer(69, 69), Some(seconds(1)));
        assert_eq!(longer(70, 70), None);
    }
}
