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

/// What follows the failure of try number `tries` (from 1) of a shot in this pass.
pub fn after_failure(policy: &config::Recovery, tries: u32, kind: ErrorKind) -> Step {
    if tries >= policy.attempts {
        return Step::GiveUp;
    }
    let rung = if tries == 1 { first_rung(kind) } else { Rung::Respawn };
    Step::Retry { rung, after: backoff(policy, tries) }
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
            assert!(matches!(after_failure(&policy(3), 2, kind), Step::Retry { rung: Rung::Respawn, .. }));
            assert_eq!(after_failure(&policy(3), 3, kind), Step::GiveUp);
            assert_eq!(after_failure(&policy(1), 1, kind), Step::GiveUp);
        }
    }

    #[test]
    fn a_dead_process_is_not_asked_to_restart() {
        for kind in [ErrorKind::Crashed, ErrorKind::Protocol, ErrorKind::Gone] {
            assert!(matches!(after_failure(&policy(3), 1, kind), Step::Retry { rung: Rung::Respawn, .. }));
        }
        assert!(matches!(
            after_failure(&policy(3), 1, ErrorKind::Timeout),
            Step::Retry { rung: Rung::Restart, .. }
        ));
    }

    #[test]
    fn waits_grow_up_to_a_limit() {
        let policy = policy(100);
        assert_eq!(backoff(&policy, 1), policy.backoff);
        assert_eq!(backoff(&policy, 3), policy.backoff * 4);
        assert_eq!(backoff(&policy, 99), MAX_BACKOFF);
    }
}
