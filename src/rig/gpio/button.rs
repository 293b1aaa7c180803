//! What a person does with a button, from its level alone. Pure.

use std::collections::VecDeque;
use std::time::Duration;

/// A button held for longer is stuck.
const STUCK: Duration = Duration::from_secs(20);
/// More changes than this in [`RESTLESS_FOR`] are no person's.
const RESTLESS: u32 = 30;
const RESTLESS_FOR: Duration = Duration::from_secs(1);
/// Nor are more presses than this in [`PRESSES_FOR`], however long each lasts.
const PRESSES: usize = 4;
const PRESSES_FOR: Duration = Duration::from_secs(3);
/// Who means a long press lets go within this after it has become one. What leans on a button does not.
const LET_GO: Duration = Duration::from_millis(3500);

/// What was done with a button.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Heard {
    /// Pressed and let go.
    Short,
    /// Pressed for longer than the configured time, and let go not much later.
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
    /// When it was pressed of late.
    presses: VecDeque<Duration>,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Released,
    Pressed {
        since: Duration,
    },
    /// Nothing more comes of it until it is released.
    Stuck,
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
        let state = if active { State::Stuck } else { State::Released };
        let button = Self {
            debounce,
            long,
            raw: active,
            raw_since: now,
            changes: 0,
            counting_since: now,
            presses: VecDeque::new(),
            state,
        };
        (button, active.then_some(Heard::Stuck))
    }

    /// Whether nobody touches it, and nothing is waited for.
    pub(super) fn is_quiet(&self) -> bool {
        !self.raw && self.state == State::Released
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
                self.presses.retain(|press| now.saturating_sub(*press) < PRESSES_FOR);
                self.presses.push_back(now);
                let restless = self.presses.len() > PRESSES;
                self.state = if restless { State::Ignored } else { State::Pressed { since: self.raw_since } };
                restless.then_some(Heard::Restless)
            }
            (State::Pressed { since }, false) => {
                self.state = State::Released;
                let held = self.raw_since.saturating_sub(since);
                if held < self.long {
                    Some(Heard::Short)
                } else {
                    (held < self.long + LET_GO).then_some(Heard::Long)
                }
            }
            (State::Pressed { since }, true) => (now.saturating_sub(since) >= STUCK).then(|| {
                self.state = State::Stuck;
                Heard::Stuck
            }),
            (State::Stuck, false) => {
                self.state = State::Released;
                None
            }
            (State::Released, false) | (State::Stuck | State::Ignored, true) => None,
            (State::Ignored, false) => {
                if steady >= RESTLESS_FOR {
                    self.state = State::Released;
                    self.presses.clear();
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
    fn a_press_counts_when_it_ends_and_a_long_one_if_that_is_soon_enough() {
        assert_eq!(heard(&[(false, 100), (true, 100), (false, 100)]), [Heard::Short]);
        assert_eq!(heard(&[(false, 100), (true, 100)]), []);
        assert_eq!(heard(&[(false, 100), (true, 1600)]), [], "not yet");
        assert_eq!(heard(&[(false, 100), (true, 5100), (false, 100)]), [], "somebody leans on it");
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
        assert_eq!(heard(&[(false, 100), (true, 60_000), (false, 100)]), [Heard::Stuck]);
    }

    #[test]
    fn nobody_presses_five_times_in_three_seconds() {
        let press = [(true, 200), (false, 300)];
        assert_eq!(heard(&[&[(false, 100)], &press.repeat(4)[..]].concat()), [Heard::Short; 4]);
        let nervous = heard(&[&[(false, 100)], &press.repeat(8)[..]].concat());
        assert_eq!(nervous, [[Heard::Short; 4].as_slice(), &[Heard::Restless]].concat());
        let calm = heard(&[&[(false, 100)], &[(true, 200), (false, 700)].repeat(8)[..]].concat());
        assert_eq!(calm, [Heard::Short; 8]);
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
