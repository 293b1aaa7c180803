//! What a person does with a button, from its level alone. Pure.

use std::time::Duration;

/// A button held for longer is stuck.
const STUCK: Duration = Duration::from_secs(20);
/// More changes than this in [`RESTLESS_FOR`] are no person's.
const RESTLESS: u32 = 30;
const RESTLESS_FOR: Duration = Duration::from_secs(1);

/// What was done with a button.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Heard {
    /// Pressed and let go.
    Short,
    /// Pressed for longer than the configured time, and perhaps still.
    Long,
    /// It was pressed before anybody could have pressed it, or for too long.
    Stuck,
    /// Its level changes all the time: it is heard again once it is quiet.
    Restless,
}

/// A button that is looked at from time to time.
#[derive(Debug)]
pub(super) struct Button {
    debounce: Duration,
    long: Duration,
    raw: bool,
    raw_since: Duration,
    /// Changes of the raw level since `counting_since`.
    changes: u32,
    counting_since: Duration,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Released,
    Pressed {
        since: Duration,
    },
    /// Nothing more comes of it until it is released; `stuck` says whether that was said.
    Spent {
        since: Duration,
        stuck: bool,
    },
    /// Not heard until it has been quiet and released.
    Ignored,
}

impl Button {
    /// A button that is `active` when it is looked at for the first time, at `now`; and what there is to be said of
    /// that.
    pub(super) fn new(
        debounce: Duration,
        long: Duration,
        active: bool,
        now: Duration,
    ) -> (Self, Option<Heard>) {
        let state = if active { State::Spent { since: now, stuck: true } } else { State::Released };
        let button =
            Self { debounce, long, raw: active, raw_since: now, changes: 0, counting_since: now, state };
        (button, active.then_some(Heard::Stuck))
    }

    /// Looks at the level at `now`, which never goes back.
    pub(super) fn look(&mut self, active: bool, now: Duration) -> Option<Heard> {
        if now.saturating_sub(self.counting_since) > RESTLESS_FOR {
            (self.changes, self.counting_since) = (0, now);
        }
        if active != self.raw {
            (self.raw, self.raw_since) = (active, now);
            self.changes += 1;
            if self.changes > RESTLESS {
                let known = self.state == State::Ignored;
                self.state = State::Ignored;
                return (!known).then_some(Heard::Restless);
            }
        }
        let steady = now.saturating_sub(self.raw_since);
        if steady < self.debounce {
            return None;
        }
        match (self.state, self.raw) {
            (State::Released, true) => {
                self.state = State::Pressed { since: self.raw_since };
                None
            }
            (State::Pressed { .. }, false) => {
                self.state = State::Released;
                Some(Heard::Short)
            }
            (State::Pressed { since }, true) => (now.saturating_sub(since) >= self.long).then(|| {
                self.state = State::Spent { since, stuck: false };
                Heard::Long
            }),
            (State::Spent { .. }, false) => {
                self.state = State::Released;
                None
            }
            (State::Spent { since, stuck: false }, true) => (now.saturating_sub(since) >= STUCK).then(|| {
                self.state = State::Spent { since, stuck: true };
                Heard::Stuck
            }),
            (State::Released, false) | (State::Spent { stuck: true, .. } | State::Ignored, true) => None,
            (State::Ignored, false) => {
                if steady >= RESTLESS_FOR {
                    self.state = State::Released;
                }
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const DEBOUNCE: Duration = Duration::from_millis(20);
    const LONG: Duration = Duration::from_millis(1500);

    /// What is heard of levels, each of which lasts some milliseconds and is looked at every 5.
    fn heard(levels: &[(bool, u64)]) -> Vec<Heard> {
        let (mut button, first) = Button::new(DEBOUNCE, LONG, levels[0].0, Duration::ZERO);
        let mut all: Vec<Heard> = first.into_iter().collect();
        let mut now = 0;
        for &(active, lasts) in levels {
            let end = now + lasts;
            while now < end {
                all.extend(button.look(active, Duration::from_millis(now)));
                now += 5;
            }
        }
        all
    }

    #[test]
    fn a_press_counts_when_it_ends_and_a_long_one_when_it_is_long() {
        assert_eq!(heard(&[(false, 100), (true, 100), (false, 100)]), [Heard::Short]);
        assert_eq!(heard(&[(false, 100), (true, 100)]), []);
        assert_eq!(heard(&[(false, 100), (true, 1600)]), [Heard::Long]);
        assert_eq!(heard(&[(false, 100), (true, 1600), (false, 100)]), [Heard::Long]);
        assert_eq!(heard(&[(false, 100), (true, 15), (false, 100)]), [], "shorter than the bounce");
    }

    #[test]
    fn bounces_of_a_contact_are_one_press() {
        let bouncing =
            [(true, 5), (false, 5), (true, 10), (false, 5), (true, 200), (false, 5), (true, 5), (false, 200)];
        assert_eq!(heard(&[&[(false, 100)], &bouncing[..]].concat()), [Heard::Short]);
    }

    #[test]
    fn what_is_pressed_from_the_start_or_for_ever_is_stuck_and_said_once() {
        assert_eq!(heard(&[(true, 60_000)]), [Heard::Stuck]);
        assert_eq!(
            heard(&[(true, 60_000), (false, 100), (true, 100), (false, 100)]),
            [Heard::Stuck, Heard::Short]
        );
        assert_eq!(heard(&[(false, 100), (true, 60_000)]), [Heard::Long, Heard::Stuck]);
    }

    #[test]
    fn a_loose_contact_is_said_once_and_heard_when_it_is_quiet() {
        let mut levels = vec![(false, 100)];
        levels.extend((0..400).map(|index| (index % 2 == 0, 25)));
        let loose = heard(&levels);
        assert_eq!(loose.iter().filter(|heard| **heard == Heard::Restless).count(), 1, "{loose:?}");
        assert_eq!(loose.last(), Some(&Heard::Restless), "nothing is heard of it any more: {loose:?}");
        levels.extend([(false, 2500), (true, 100), (false, 100)]);
        assert_eq!(heard(&levels).last(), Some(&Heard::Short));
    }

    proptest! {
        #[test]
        fn there_are_never_more_presses_than_times_it_was_steadily_pressed(
            lasts in proptest::collection::vec(1..2500_u64, 1..60)
        ) {
            let levels: Vec<_> = lasts.iter().enumerate().map(|(index, lasts)| (index % 2 == 1, lasts * 5)).collect();
            let steady = levels.iter().filter(|(active, lasts)| *active && *lasts >= DEBOUNCE.as_millis() as u64).count();
            let presses = heard(&levels).into_iter().filter(|heard| matches!(heard, Heard::Short | Heard::Long)).count();
            prop_assert!(presses <= steady, "{presses} of {steady}: {levels:?}");
        }
    }
}
