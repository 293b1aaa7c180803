//! What a failed attempt leads to. The whole policy is in [`after_failure`].

use std::time::Duration;

use crate::camera_driver::protocol::ErrorKind;
use crate::config::{self, Rung};

/// What to do after a failed try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Wait, bring the camera back, try again.
    Retry {
        /// How to bring it back.
        rung: Rung,
        /// How long to wait before.
        after: Duration,
    },
    /// No more tries: the shot has failed. The camera is brought back for the next one.
    GiveUp,
}

/// The longest wait before a recovery step, however many tries are configured.
const MAX_BACKOFF: Duration = Duration::from_secs(30);

/// What follows the failure of try number `tries` (from 1) of a shot in this pass, of a camera whose port can be reset, or
/// cannot.
pub fn after_failure(policy: &config::Recovery, tries: u32, kind: ErrorKind, can_reset: bool) -> Step {
    if tries >= policy.attempts {
        return Step::GiveUp;
    }
    let is_last = tries + 1 == policy.attempts;
    let rung = match tries {
        1 => first_rung(kind),
        _ if is_last && can_reset && reset_may_help(kind) => Rung::Reset,
        _ => Rung::Respawn,
    };
    Step::Retry { rung, after: backoff(policy, tries) }
}

/// What follows when `rung` has failed itself, before that counts as a try; none if it does.
pub const fn after_failed_rung(rung: Rung, kind: ErrorKind, can_reset: bool) -> Option<Rung> {
    match rung {
        Rung::Restart => Some(Rung::Respawn),
        Rung::Respawn if can_reset && reset_may_help(kind) => Some(Rung::Reset),
        Rung::Respawn | Rung::Reset => None,
    }
}

/// Whether what is wrong may be with the camera itself, or with the port that it is at.
pub const fn reset_may_help(kind: ErrorKind) -> bool {
    match kind {
        ErrorKind::Timeout | ErrorKind::QueueBuffer | ErrorKind::Gone | ErrorKind::Crashed => true,
        // It answers, but otherwise than it should; a program has it; or the fault is this machine's.
        ErrorKind::InvalidArgument
        | ErrorKind::Cancelled
        | ErrorKind::Busy
        | ErrorKind::NoMemory
        | ErrorKind::BadFrame
        | ErrorKind::Protocol => false,
    }
}

/// The wait after try number `tries` (from 1): the configured one, doubled at each further try.
pub fn backoff(policy: &config::Recovery, tries: u32) -> Duration {
    policy
        .backoff
        .saturating_mul(1_u32.checked_shl(tries.saturating_sub(1)).unwrap_or(u32::MAX))
        .min(MAX_BACKOFF)
}

/// A restart is tried first wherever the driver can still be talked to and may cure itself.
const fn first_rung(kind: ErrorKind) -> Rung {
    match kind {
        ErrorKind::Timeout
        | ErrorKind::QueueBuffer
        | ErrorKind::InvalidArgument
        | ErrorKind::Cancelled
        | ErrorKind::BadFrame => Rung::Restart,
        ErrorKind::Busy
        | ErrorKind::Gone
        | ErrorKind::NoMemory
        | ErrorKind::Crashed
        | ErrorKind::Protocol => Rung::Respawn,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(attempts: u32) -> config::Recovery {
        config::Recovery { attempts, ..super::super::tests_support::recovery() }
    }

    #[test]
    fn the_last_allowed_try_is_followed_by_none() {
        for kind in ErrorKind::ALL {
            let after = |attempts, tries| after_failure(&policy(attempts), tries, kind, false);
            assert!(matches!(after(3, 2), Step::Retry { rung: Rung::Respawn, .. }));
            assert_eq!(after(3, 3), Step::GiveUp);
            assert_eq!(after(1, 1), Step::GiveUp);
        }
    }

    #[test]
    fn a_dead_process_is_not_asked_to_restart() {
        for kind in [ErrorKind::Crashed, ErrorKind::Protocol, ErrorKind::Gone] {
            let after = after_failure(&policy(3), 1, kind, false);
            assert!(matches!(after, Step::Retry { rung: Rung::Respawn, .. }));
        }
        assert!(matches!(
            after_failure(&policy(3), 1, ErrorKind::Timeout, false),
            Step::Retry { rung: Rung::Restart, .. }
        ));
    }

    #[test]
    fn a_port_is_reset_before_the_last_try_and_where_a_new_driver_finds_no_camera() {
        let rungs = |kind, can_reset| {
            [1, 2, 3].map(|tries| match after_failure(&policy(4), tries, kind, can_reset) {
                Step::Retry { rung, .. } => rung,
                Step::GiveUp => panic!("too soon"),
            })
        };
        assert_eq!(rungs(ErrorKind::Timeout, true), [Rung::Restart, Rung::Respawn, Rung::Reset]);
        assert_eq!(rungs(ErrorKind::Timeout, false), [Rung::Restart, Rung::Respawn, Rung::Respawn]);
        assert_eq!(rungs(ErrorKind::Busy, true), [Rung::Respawn; 3], "that ends no other program");
        let gone = ErrorKind::Gone;
        assert_eq!(after_failed_rung(Rung::Restart, gone, true), Some(Rung::Respawn));
        assert_eq!(after_failed_rung(Rung::Respawn, gone, true), Some(Rung::Reset));
        assert_eq!(after_failed_rung(Rung::Reset, gone, true), None);
        assert_eq!(after_failed_rung(Rung::Respawn, gone, false), None);
        assert_eq!(after_failed_rung(Rung::Respawn, ErrorKind::InvalidArgument, true), None);
    }

    #[test]
    fn waits_grow_up_to_a_limit() {
        let policy = policy(100);
        assert_eq!(backoff(&policy, 1), policy.backoff);
        assert_eq!(backoff(&policy, 3), policy.backoff * 4);
        assert_eq!(backoff(&policy, 99), MAX_BACKOFF);
    }
}
