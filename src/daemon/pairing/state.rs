//! Who waits to be let in, and what became of it. Pure: time is passed in.

use std::net::IpAddr;
use std::time::{Duration, Instant};

use subtle::ConstantTimeEq as _;

/// How long a pairing waits for somebody to approve it at the rig.
pub(super) const WINDOW: Duration = Duration::from_secs(120);
/// How long one that was approved waits for its asker, whose phone may have gone to sleep on the way to the rig.
pub(super) const COLLECTION: Duration = Duration::from_secs(120);

/// How long nobody can begin after one that nobody approved: who comes to the rig late, and holds the button all the same,
/// shall not let in whoever came next.
const REST: Duration = Duration::from_secs(30);

/// Who asks to be let in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Asker {
    /// What it calls itself; fit for a token.
    pub(super) name: String,
    /// From where.
    pub(super) address: IpAddr,
}

/// One pairing at most, for the whole rig: whoever approves approves that one.
#[derive(Debug, Default)]
pub(super) enum State {
    /// There is none.
    #[default]
    Nobody,
    /// Nobody at the rig has said anything yet.
    Waiting(Open),
    /// It was approved, and its asker does not know yet.
    Approved(Open),
    /// It has ended; its asker may ask why.
    Over { secret: String, why: Over, at: Instant },
}

/// A pairing that its asker can still make something of, `until` then.
#[derive(Debug)]
pub(super) struct Open {
    asker: Asker,
    /// Hash of what the asker proves by that it is the one.
    secret: String,
    until: Instant,
}

/// Why a pairing is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Over {
    /// Nobody approved it, or its asker did not come back.
    #[error("nobody approved it in time at the rig, or nobody asked for it after that")]
    Expired,
    /// Somebody pressed stop.
    #[error("it was refused at the rig: the stop button was pressed")]
    Refused,
    /// The buttons are the scan's now.
    #[error("the rig is in use since: wait for the end of its scan")]
    Busy,
    /// Its asker gave it up.
    #[error("it was given up")]
    GivenUp,
    /// The token was handed over, which is done once.
    #[error("its token was handed over already")]
    HandedOver,
    /// Not one that is known.
    #[error("there is no such pairing: it ended, or the service was started anew")]
    Unknown,
}

/// What the asker gets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Collected {
    /// Nothing yet.
    Waiting {
        left: Duration,
    },
    /// The right to a token, once.
    Approved(Asker),
    Over(Over),
}

impl State {
    /// Begins a pairing, if nobody else's is open, nor has just ended; else says for how long that may last. `secret` is a
    /// hash.
    pub(super) fn begin(&mut self, asker: Asker, secret: String, now: Instant) -> Result<(), Duration> {
        self.settle(now);
        match self {
            Self::Waiting(open) | Self::Approved(open) => Err(open.until - now),
            Self::Over { why, at, .. } if now < *at + why.rest() => Err(*at + why.rest() - now),
            Self::Nobody | Self::Over { .. } => {
                *self = Self::Waiting(Open { asker, secret, until: now + WINDOW });
                Ok(())
            }
        }
    }

    /// Somebody at the rig approves; who was let in by that, if anybody waits.
    pub(super) fn approve(&mut self, now: Instant) -> Option<Asker> {
        self.settle(now);
        match std::mem::take(self) {
            Self::Waiting(open) => {
                let asker = open.asker.clone();
                *self = Self::Approved(Open { until: now + COLLECTION, ..open });
                Some(asker)
            }
            other @ (Self::Nobody | Self::Approved(_) | Self::Over { .. }) => {
                *self = other;
                None
            }
        }
    }

    /// Somebody at the rig refuses, also what was approved by mistake and is not handed over yet.
    pub(super) fn refuse(&mut self, now: Instant) -> Option<Asker> {
        self.settle(now);
        self.end_if(Over::Refused, now, |_| true)
    }

    /// A scan needs the buttons for itself.
    pub(super) fn yield_to_scan(&mut self, now: Instant) -> Option<Asker> {
        self.settle(now);
        if matches!(self, Self::Waiting(_)) { self.end_if(Over::Busy, now, |_| true) } else { None }
    }

    /// Its asker does not want it any more.
    pub(super) fn give_up(&mut self, secret: &str, now: Instant) -> Option<Asker> {
        self.settle(now);
        self.end_if(Over::GivenUp, now, |open| same(&open.secret, secret))
    }

    /// What there is for who knows the secret (its hash). Approved, it is handed over with that.
    pub(super) fn collect(&mut self, secret: &str, now: Instant) -> Collected {
        self.settle(now);
        match self {
            Self::Waiting(open) if same(&open.secret, secret) => {
                Collected::Waiting { left: open.until - now }
            }
            Self::Approved(open) if same(&open.secret, secret) => {
                let asker = open.asker.clone();
                *self = Self::Over { secret: secret.to_owned(), why: Over::HandedOver, at: now };
                Collected::Approved(asker)
            }
            Self::Over { secret: its, why, .. } if same(its, secret) => Collected::Over(*why),
            Self::Nobody | Self::Waiting(_) | Self::Approved(_) | Self::Over { .. } => {
                Collected::Over(Over::Unknown)
            }
        }
    }

    /// Its token could not be made: it can be asked for again.
    pub(super) fn not_handed_over(&mut self, asker: Asker, secret: &str, now: Instant) {
        if matches!(self, Self::Over { secret: its, why: Over::HandedOver, .. } if same(its, secret)) {
            *self = Self::Approved(Open { asker, secret: secret.to_owned(), until: now + COLLECTION });
        }
    }

    /// Who waits for somebody at the rig, and for how long yet.
    pub(super) fn waiting(&self, now: Instant) -> Option<(&Asker, Duration)> {
        match self {
            Self::Waiting(open) => open
                .until
                .checked_duration_since(now)
                .filter(|left| !left.is_zero())
                .map(|left| (&open.asker, left)),
            Self::Nobody | Self::Approved(_) | Self::Over { .. } => None,
        }
    }

    /// Ends what has lasted too long; whose it was.
    pub(super) fn settle(&mut self, now: Instant) -> Option<Asker> {
        self.end_if(Over::Expired, now, |open| now >= open.until)
    }

    fn end_if(&mut self, why: Over, now: Instant, ends: impl Fn(&Open) -> bool) -> Option<Asker> {
        match std::mem::take(self) {
            Self::Waiting(open) | Self::Approved(open) if ends(&open) => {
                *self = Self::Over { secret: open.secret, why, at: now };
                Some(open.asker)
            }
            other @ (Self::Nobody | Self::Waiting(_) | Self::Approved(_) | Self::Over { .. }) => {
                *self = other;
                None
            }
        }
    }
}

impl Over {
    /// How long nobody can begin another one.
    const fn rest(self) -> Duration {
        match self {
            Self::Expired => REST,
            Self::Refused | Self::GivenUp | Self::Busy | Self::HandedOver | Self::Unknown => Duration::ZERO,
        }
    }
}

fn same(one: &str, other: &str) -> bool {
    one.as_bytes().ct_eq(other.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOMENT: Duration = Duration::from_nanos(1);

    /// The last moment before `time` has passed.
    fn almost(time: Duration) -> Duration {
        time.checked_sub(MOMENT).unwrap()
    }

    fn asker(name: &str) -> Asker {
        Asker { name: name.into(), address: "192.168.1.20".parse().unwrap() }
    }

    fn begun() -> (State, Instant) {
        let (mut state, now) = (State::default(), Instant::now());
        state.begin(asker("phone"), "secret".into(), now).unwrap();
        (state, now)
    }

    #[test]
    fn one_waits_and_a_second_one_is_told_for_how_long() {
        let (mut state, now) = begun();
        let later = now + Duration::from_secs(20);
        assert_eq!(state.begin(asker("laptop"), "other".into(), later), Err(Duration::from_secs(100)));
        assert_eq!(state.waiting(later), Some((&asker("phone"), Duration::from_secs(100))));
        assert_eq!(state.collect("other", later), Collected::Over(Over::Unknown));
        assert_eq!(state.collect("", later), Collected::Over(Over::Unknown));
        // The one that was approved is the one that waited.
        assert_eq!(state.approve(later), Some(asker("phone")));
        assert_eq!(state.collect("other", later), Collected::Over(Over::Unknown));
        assert_eq!(state.collect("secret", later), Collected::Approved(asker("phone")));
    }

    #[test]
    fn it_can_be_approved_until_just_before_its_end_and_not_from_then_on() {
        let (mut state, now) = begun();
        let last = now + almost(WINDOW);
        assert_eq!(state.waiting(last), Some((&asker("phone"), MOMENT)));
        assert_eq!(state.approve(last), Some(asker("phone")));

        let (mut state, now) = begun();
        let end = now + WINDOW;
        assert_eq!(state.waiting(end), None);
        assert_eq!(state.approve(end), None);
        assert_eq!(state.collect("secret", end), Collected::Over(Over::Expired));
        let refused = state.begin(asker("laptop"), "other".into(), end + almost(REST));
        assert_eq!(refused, Err(MOMENT), "who holds the button too late shall not let in the next one");
        state.begin(asker("laptop"), "other".into(), end + REST).unwrap();
    }

    #[test]
    fn what_was_approved_is_handed_over_once_and_not_for_ever() {
        let (mut state, now) = begun();
        let approved = now + almost(WINDOW);
        state.approve(approved).unwrap();
        assert_eq!(state.approve(approved), None, "there is nothing more to approve");
        assert!(state.begin(asker("laptop"), "other".into(), approved).is_err());
        let last = approved + almost(COLLECTION);
        assert_eq!(state.collect("secret", last), Collected::Approved(asker("phone")));
        assert_eq!(state.collect("secret", last), Collected::Over(Over::HandedOver));
        // Unless the disk was full: then it is still there.
        state.not_handed_over(asker("phone"), "other", last);
        assert_eq!(state.collect("secret", last), Collected::Over(Over::HandedOver));
        state.not_handed_over(asker("phone"), "secret", last);
        assert_eq!(state.collect("secret", last), Collected::Approved(asker("phone")));

        let (mut state, now) = begun();
        state.approve(now).unwrap();
        assert_eq!(state.collect("secret", now + COLLECTION), Collected::Over(Over::Expired));
    }

    #[test]
    fn without_a_pairing_buttons_are_for_what_they_are_always_for() {
        let (mut state, now) = (State::default(), Instant::now());
        assert_eq!(state.approve(now), None);
        assert_eq!(state.refuse(now), None);
        assert_eq!(state.yield_to_scan(now), None);
        let (mut state, now) = begun();
        state.give_up("secret", now).unwrap();
        assert_eq!(state.approve(now), None);
        assert_eq!(state.refuse(now), None);
    }

    #[test]
    fn it_ends_by_stop_by_a_scan_and_by_its_asker_alone() {
        let (mut state, now) = begun();
        assert_eq!(state.give_up("other", now), None);
        assert_eq!(state.refuse(now), Some(asker("phone")));
        assert_eq!(state.collect("secret", now), Collected::Over(Over::Refused));

        let (mut state, now) = begun();
        assert_eq!(state.yield_to_scan(now), Some(asker("phone")));
        assert_eq!(state.collect("secret", now), Collected::Over(Over::Busy));

        // What was approved is not taken back by a scan, but by the stop button.
        let (mut state, now) = begun();
        state.approve(now).unwrap();
        assert_eq!(state.yield_to_scan(now), None);
        assert_eq!(state.refuse(now), Some(asker("phone")));
        assert_eq!(state.collect("secret", now), Collected::Over(Over::Refused));

        let (mut state, now) = begun();
        assert_eq!(state.give_up("secret", now), Some(asker("phone")));
        assert_eq!(state.collect("secret", now), Collected::Over(Over::GivenUp));
        state.begin(asker("laptop"), "other".into(), now).unwrap();
    }
}
