//! What a client does when a live view breaks off, a camera is taken, or an image does not load. Pure.

use std::time::Duration;

/// Attempts to connect again, counted afresh after each success.
pub const ATTEMPTS: u32 = 5;
/// Wait before the first attempt; doubled at each further one.
const FIRST_DELAY: Duration = Duration::from_millis(500);
/// How often it is asked whether a photograph is still being taken, ...
const POLL: Duration = Duration::from_millis(500);
/// ... and for how long it is waited for.
const LONGEST_CAPTURE: Duration = Duration::from_secs(30);
/// Longest wait for a camera that is taken, whatever the service says.
const LONGEST_RETRY: Duration = Duration::from_secs(60);
/// Waits before an image is asked for again.
const IMAGE_DELAYS: [Duration; 3] = [Duration::from_secs(1), Duration::from_secs(2), Duration::from_secs(4)];

/// What to do next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Ask for the capture status, after this time.
    Ask(Duration),
    /// Connect again, after this time.
    Connect(Duration),
    /// Say that it cannot be had.
    GiveUp,
}

/// A live view that is to go on.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reconnect {
    /// Attempts since the last success.
    attempts: u32,
    /// How long a photograph has been waited for.
    waited: Duration,
}

impl Reconnect {
    /// The connection broke off, or could not be made.
    pub fn lost(&mut self) -> Step {
        // A photograph may be the reason, and costs no attempt.
        Step::Ask(Duration::ZERO)
    }

    /// The capture status says whether a photograph is being taken; none if it cannot be had.
    pub fn status(&mut self, capturing: Option<bool>) -> Step {
        if capturing == Some(true) && self.waited < LONGEST_CAPTURE {
            self.waited += POLL;
            return Step::Ask(POLL);
        }
        self.waited = Duration::ZERO;
        if self.attempts == ATTEMPTS {
            return Step::GiveUp;
        }
        self.attempts += 1;
        Step::Connect(FIRST_DELAY * (1 << (self.attempts - 1)))
    }

    /// It shows frames again.
    pub fn succeeded(&mut self) {
        *self = Self::default();
    }
}

/// How long to wait before a request is made again that was refused since the camera is taken: once, after the time
/// that the service says. None if it was made again already.
pub fn after_refusal(retry_after: Option<Duration>, tries: u32) -> Option<Duration> {
    (tries < 2).then(|| retry_after.unwrap_or(POLL).min(LONGEST_RETRY))
}

/// How long to wait before an image is asked for again that did not load; none when it is time to say so.
pub fn after_image_failed(tries: u32) -> Option<Duration> {
    IMAGE_DELAYS.get(tries.checked_sub(1)? as usize).copied()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What happens to a client: a status is asked for, or a connection is tried.
    #[derive(Debug, Clone, Copy)]
    enum World {
        Capturing(bool),
        Unreachable,
    }

    fn world() -> impl Strategy<Value = World> {
        prop_oneof![3 => any::<bool>().prop_map(World::Capturing), 1 => Just(World::Unreachable)]
    }

    #[test]
    fn a_photograph_is_waited_for_thirty_seconds_without_an_attempt() {
        let mut policy = Reconnect::default();
        assert_eq!(policy.lost(), Step::Ask(Duration::ZERO));
        for _ in 0..60 {
            assert_eq!(policy.status(Some(true)), Step::Ask(POLL));
        }
        assert_eq!(policy.status(Some(true)), Step::Connect(FIRST_DELAY));
    }

    #[test]
    fn after_five_attempts_it_is_given_up_and_a_success_counts_afresh() {
        let mut policy = Reconnect::default();
        let mut delays = Vec::new();
        while let Step::Connect(delay) = policy.status(Some(false)) {
            delays.push(delay);
        }
        assert_eq!(delays, [500, 1000, 2000, 4000, 8000].map(Duration::from_millis));
        assert_eq!(policy.status(None), Step::GiveUp);
        policy.succeeded();
        assert_eq!(policy.status(None), Step::Connect(FIRST_DELAY));
    }

    #[test]
    fn a_refused_request_is_made_once_more_and_an_image_three_times() {
        assert_eq!(after_refusal(Some(Duration::from_secs(3)), 1), Some(Duration::from_secs(3)));
        assert_eq!(after_refusal(Some(Duration::from_secs(3600)), 1), Some(LONGEST_RETRY));
        assert_eq!(after_refusal(None, 2), None);
        let delays: Vec<_> = (1..).map_while(after_image_failed).collect();
        assert_eq!(delays, [1, 2, 4].map(Duration::from_secs));
    }

    proptest! {
        /// Whatever is answered, it ends: with at most five attempts, between any two of which a photograph is waited
        /// for at most thirty seconds; delays grow.
        #[test]
        fn it_never_goes_on_for_ever(answers in prop::collection::vec(world(), 1..600)) {
            let mut policy = Reconnect::default();
            let (mut attempts, mut asked, mut last) = (0, Duration::ZERO, Duration::ZERO);
            let mut step = policy.lost();
            for answer in answers.into_iter().cycle().take(10_000) {
                step = match step {
                    Step::Ask(wait) => {
                        asked += wait;
                        prop_assert!(asked <= LONGEST_CAPTURE, "{asked:?}");
                        let capturing = match answer {
                            World::Capturing(capturing) => Some(capturing),
                            World::Unreachable => None,
                        };
                        policy.status(capturing)
                    }
                    Step::Connect(delay) => {
                        prop_assert!(delay > last);
                        (attempts, asked, last) = (attempts + 1, Duration::ZERO, delay);
                        policy.lost()
                    }
                    Step::GiveUp => break,
                };
            }
            prop_assert_eq!(step, Step::GiveUp);
            prop_assert_eq!(attempts, ATTEMPTS);
        }
    }
}
