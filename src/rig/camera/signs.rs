//! Signs of life of the thread that owns a camera: when it was last heard of, and for how long it need not be. No clock.

use std::time::Duration;

use crate::camera_driver::protocol::BEAT_INTERVAL;
use crate::clock::as_ns;

/// Silence of that thread after which it is called stuck: of three beats.
const STUCK_AFTER_NS: u64 = 3 * BEAT_INTERVAL.as_nanos() as u64;

/// What is known of a driver's thread. Times are `CLOCK_MONOTONIC` in nanoseconds.
#[derive(Debug)]
pub(super) struct Signs {
    /// When it was last heard of.
    heard_ns: u64,
    /// For how long it may be busy with one thing; no time if it may not.
    longest_call: Duration,
    state: State,
    /// For how long it was busy before.
    busy_before: Duration,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// It beats, or should.
    Beating,
    /// It is in a call, and has said by when that ends.
    Busy { from_ns: u64, until_ns: u64 },
    /// It was busy for as long as it may be, and is not done. What it says of that counts no longer.
    Overdrawn,
}

impl Signs {
    /// Of a thread that begins.
    pub(super) fn new(now_ns: u64) -> Self {
        Self {
            heard_ns: now_ns,
            longest_call: Duration::ZERO,
            state: State::Beating,
            busy_before: Duration::ZERO,
        }
    }

    /// It may be busy with one thing for so long, as its driver says in `hello`.
    pub(super) fn allow(&mut self, longest_call: Duration) {
        self.longest_call = longest_call;
    }

    /// For how long it may be busy with one thing.
    pub(super) fn longest_call(&self) -> Duration {
        self.longest_call
    }

    /// It goes round: whatever it was in is done.
    pub(super) fn beat(&mut self, now_ns: u64) {
        self.busy_before = self.busy(now_ns);
        (self.state, self.heard_ns) = (State::Beating, now_ns);
    }

    /// It says that it is in a call until `until_ns`: false if it may not say that.
    pub(super) fn note_busy(&mut self, now_ns: u64, until_ns: u64) -> bool {
        if self.longest_call.is_zero() {
            return false;
        }
        self.busy_before = self.busy(now_ns);
        self.heard_ns = now_ns;
        if self.state != State::Overdrawn {
            let until_ns = until_ns.clamp(now_ns, now_ns.saturating_add(as_ns(self.longest_call)));
            self.state = State::Busy { from_ns: now_ns, until_ns };
        }
        true
    }

    /// It has used up the time for which it may be busy.
    pub(super) fn overdraw(&mut self) {
        self.state = State::Overdrawn;
    }

    /// For how long it was busy by now, altogether.
    pub(super) fn busy(&self, now_ns: u64) -> Duration {
        let now = match self.state {
            State::Busy { from_ns, until_ns } => now_ns.min(until_ns).saturating_sub(from_ns),
            State::Beating | State::Overdrawn => 0,
        };
        self.busy_before.saturating_add(Duration::from_nanos(now))
    }

    /// For how long it has been stuck; none if it beats, or is busy.
    pub(super) fn stuck(&self, now_ns: u64) -> Option<Duration> {
        let silent_ns = now_ns.saturating_sub(self.heard_ns);
        let stuck = match self.state {
            State::Beating => silent_ns >= STUCK_AFTER_NS,
            State::Busy { until_ns, .. } => now_ns.saturating_sub(until_ns) >= STUCK_AFTER_NS,
            State::Overdrawn => true,
        };
        stuck.then(|| Duration::from_nanos(silent_ns))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const S: u64 = 1_000_000_000;

    fn signs() -> Signs {
        let mut signs = Signs::new(0);
        signs.allow(Duration::from_secs(60));
        signs
    }

    #[test]
    fn a_thread_that_is_busy_is_stuck_only_once_it_should_be_done() {
        let mut signs = signs();
        assert!(signs.stuck(3 * S - 1).is_none());
        assert_eq!(signs.stuck(3 * S), Some(Duration::from_secs(3)));
        assert!(signs.note_busy(2 * S, 22 * S));
        assert!(signs.stuck(25 * S - 1).is_none());
        assert_eq!(signs.stuck(25 * S), Some(Duration::from_secs(23)));
        signs.beat(26 * S);
        assert!(signs.stuck(28 * S).is_none());
        assert!(signs.stuck(29 * S).is_some(), "the end of a call is the end of the leave");
    }

    #[test]
    fn the_time_in_which_it_is_busy_is_counted_once_and_no_further_than_it_says() {
        let mut signs = signs();
        signs.note_busy(10 * S, 20 * S);
        assert_eq!(signs.busy(15 * S), Duration::from_secs(5));
        // The next call begins before the first one was to be done.
        signs.note_busy(16 * S, 18 * S);
        assert_eq!(signs.busy(40 * S), Duration::from_secs(8));
        signs.beat(50 * S);
        assert_eq!(signs.busy(60 * S), Duration::from_secs(8));
    }

    #[test]
    fn a_liar_gains_no_more_than_it_announced() {
        let mut signs = signs();
        signs.note_busy(0, u64::MAX);
        assert!(signs.stuck(62 * S).is_none());
        assert!(signs.stuck(63 * S).is_some());
        assert_eq!(signs.busy(1000 * S), Duration::from_secs(60));
        signs.overdraw();
        signs.note_busy(1000 * S, u64::MAX);
        assert!(signs.stuck(1000 * S).is_some(), "what it says counts no longer");
        signs.beat(1001 * S);
        assert!(signs.stuck(1002 * S).is_none());
        assert!(!Signs::new(0).note_busy(0, S), "of one that announced nothing");
    }
}
