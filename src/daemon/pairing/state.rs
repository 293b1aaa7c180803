//! Who waits to be let in, and what became of it. Pure: time is passed in.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use subtle::ConstantTimeEq as _;

use super::asked::Asked;
use crate::daemon::network::network_of;

/// How long a pairing waits for somebody to approve it at the rig.
pub(super) const WINDOW: Duration = Duration::from_secs(120);
/// How long one that was approved waits for its asker, whose phone may have gone to sleep on the way to the rig.
pub(super) const COLLECTION: Duration = Duration::from_secs(120);
/// How long the button approves nobody after one that nobody approved: who comes to the rig late, and holds it all the same,
/// shall not let in whoever came next.
const REST: Duration = Duration::from_secs(30);
/// How long an asker can hear why it is over.
const REMEMBERED: Duration = Duration::from_secs(120);
/// Most that wait at once, and those of one address: more of it take the place of its own.
const MAX_WAITING: usize = 64;
const MAX_OF_ONE: usize = 3;
/// Most that are remembered.
const MAX_OVER: usize = 2 * MAX_WAITING;

/// Who asks to be let in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::daemon) struct Asker {
    /// What it calls itself; fit for a token.
    pub(super) name: String,
    /// The address that it asks from.
    pub(super) address: IpAddr,
    /// What its page shows, by which a person tells it from others.
    pub(super) code: String,
}

/// All pairings, in the order in which they began.
#[derive(Debug, Default)]
pub(super) struct State {
    pairings: Vec<Pairing>,
    asked: Asked,
}

/// As many wait as can, and none of them is to give way: for how long there is no place for certain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Crowded(pub(super) Duration);

/// A pairing, from its beginning until it is forgotten.
#[derive(Debug)]
struct Pairing {
    asker: Asker,
    /// Hash of what the asker proves by that it is the one.
    secret: String,
    stage: Stage,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Nobody at the rig has said anything yet.
    Waiting { until: Instant },
    /// It was approved, and its asker does not know yet.
    Approved { until: Instant },
    /// It has ended; its asker may ask why.
    Over { why: Over, at: Instant },
}

/// Why a pairing is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Over {
    /// Nobody approved it, or its asker did not come back.
    #[error("nobody approved it in time at the rig, or nobody asked for it after that")]
    Expired,
    /// Somebody pressed stop, or refused it by its code.
    #[error("it was refused at the rig")]
    Refused,
    /// The buttons are the scan's now.
    #[error("the rig is in use since: wait for the end of its scan")]
    Busy,
    /// Too many others came after it.
    #[error("it gave way to others, of which fewer ask from one network, or less often")]
    CrowdedOut,
    /// Its asker gave it up.
    #[error("it was given up")]
    GivenUp,
    /// The token was handed over, which is done once.
    #[error("its token was handed over already")]
    HandedOver,
    /// Not one that is known.
    #[error(
        "there is no such pairing or link: it was used, its time is over, or the service was started anew"
    )]
    Unknown,
}

/// What the asker gets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Collected {
    /// Nobody at the rig has decided yet.
    Waiting {
        left: Duration,
        /// Whether the button would approve it.
        button: bool,
    },
    /// The right to a token, once.
    Approved(Asker),
    Over(Over),
}

/// What holding the button comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::daemon) enum LongPress {
    /// Nobody waits: it is for what it is always for.
    Nobody,
    /// It cannot be told who is meant.
    Unclear,
    Approved(Asker),
}

impl State {
    /// Whether this code is somebody's, or was a moment ago.
    pub(super) fn has_code(&self, code: &str) -> bool {
        self.pairings.iter().any(|pairing| pairing.asker.code == code)
    }

    /// Begins a pairing; who gave way to it. `secret` is a hash.
    ///
    /// Where all places are taken, one of the network that has most gives way, and of those, of an address that has asked more
    /// often of late than others. Who has asked as often keeps its place until its time is over: each address gets its turn. So
    /// whoever waits gives way only to a network that has fewer, or to an address that has asked less often; and whoever does
    /// not find a place finds one in its turn, before those that had theirs.
    pub(super) fn begin(
        &mut self,
        asker: Asker,
        secret: String,
        now: Instant,
    ) -> Result<Option<Asker>, Crowded> {
        self.settle(now);
        let crowded_out = self.who_gives_way(asker.address, now)?.and_then(|index| {
            let pairing = self.pairings.get_mut(index)?;
            pairing.stage = Stage::Over { why: Over::CrowdedOut, at: now };
            Some(pairing.asker.clone())
        });
        self.asked.count(asker.address, now);
        self.pairings.push(Pairing { asker, secret, stage: Stage::Waiting { until: now + WINDOW } });
        Ok(crowded_out)
    }

    /// Who gives way to one more of `address`, if anybody has to.
    fn who_gives_way(&self, address: IpAddr, now: Instant) -> Result<Option<usize>, Crowded> {
        let waiting = || self.pairings.iter().enumerate().filter(|(_, pairing)| pairing.waits());
        let mut own = waiting().filter(|(_, pairing)| pairing.asker.address == address);
        let first_own = own.next().map(|(index, _)| index);
        if first_own.is_some() && own.count() + 1 >= MAX_OF_ONE {
            return Ok(first_own);
        }
        if waiting().count() < MAX_WAITING {
            return Ok(None);
        }
        // As it is with the one that comes.
        let of = |pairing: &Pairing| pairing.asker.address;
        let networks =
            count(waiting().map(|(_, pairing)| network_of(of(pairing))).chain([network_of(address)]));
        let most = |other: IpAddr| {
            let times = self.asked.times(other).saturating_add(u32::from(other == address));
            (networks.get(&network_of(other)), times)
        };
        // The first of those that are equal.
        let first = waiting().rev().max_by_key(|(_, pairing)| most(of(pairing)));
        match first.filter(|(_, pairing)| most(of(pairing)) > most(address)) {
            Some((index, _)) => Ok(Some(index)),
            None if first_own.is_some() => Ok(first_own),
            None => {
                let ends = self.waiting(now).map(|(_, left)| left);
                Err(Crowded(ends.min().unwrap_or_default()))
            }
        }
    }

    /// Somebody at the rig holds the button, which names nobody.
    pub(super) fn long_press(&mut self, now: Instant) -> LongPress {
        self.settle(now);
        if !self.pairings.iter().any(Pairing::waits) {
            return LongPress::Nobody;
        }
        let Some(pairing) = self.meant(now) else { return LongPress::Unclear };
        pairing.stage = Stage::Approved { until: now + COLLECTION };
        LongPress::Approved(pairing.asker.clone())
    }

    /// Who is meant by the button: the only one, if nobody else waited a moment ago, or is about to be let in.
    fn meant(&mut self, now: Instant) -> Option<&mut Pairing> {
        let in_doubt = self.pairings.iter().any(|pairing| match pairing.stage {
            Stage::Approved { .. } => true,
            Stage::Over { why: Over::Expired | Over::CrowdedOut, at } => now < at + REST,
            Stage::Waiting { .. } | Stage::Over { .. } => false,
        });
        let mut waiting = self.pairings.iter_mut().filter(|pairing| pairing.waits());
        let one = waiting.next();
        if in_doubt || waiting.next().is_some() { None } else { one }
    }

    /// Somebody at the rig names the one with this code, and approves it.
    pub(super) fn approve(&mut self, code: &str, now: Instant) -> Option<Asker> {
        self.settle(now);
        let pairing =
            self.pairings.iter_mut().find(|pairing| pairing.waits() && pairing.asker.code == code)?;
        pairing.stage = Stage::Approved { until: now + COLLECTION };
        Some(pairing.asker.clone())
    }

    /// Somebody at the rig refuses, also what was approved by mistake and is not handed over yet: the one with this code, or all.
    pub(super) fn refuse(&mut self, code: Option<&str>, now: Instant) -> Vec<Asker> {
        self.settle(now);
        self.end_those(Over::Refused, now, |pairing| code.is_none_or(|code| pairing.asker.code == code))
    }

    /// A scan needs the buttons for itself.
    pub(super) fn yield_to_scan(&mut self, now: Instant) -> Vec<Asker> {
        self.settle(now);
        self.end_those(Over::Busy, now, Pairing::waits)
    }

    /// Its asker does not want it any more.
    pub(super) fn give_up(&mut self, secret: &str, now: Instant) -> Option<Asker> {
        self.settle(now);
        self.end_those(Over::GivenUp, now, |pairing| same(&pairing.secret, secret)).pop()
    }

    /// What there is for who knows the secret (its hash). Approved, it is handed over with that.
    pub(super) fn collect(&mut self, secret: &str, now: Instant) -> Collected {
        self.settle(now);
        let button = self.meant(now).is_some_and(|pairing| same(&pairing.secret, secret));
        let Some(pairing) = self.pairings.iter_mut().find(|pairing| same(&pairing.secret, secret)) else {
            return Collected::Over(Over::Unknown);
        };
        match pairing.stage {
            Stage::Waiting { until } => Collected::Waiting { left: until - now, button },
            Stage::Approved { .. } => {
                pairing.stage = Stage::Over { why: Over::HandedOver, at: now };
                Collected::Approved(pairing.asker.clone())
            }
            Stage::Over { why, .. } => Collected::Over(why),
        }
    }

    /// Its token could not be made: it can be asked for again.
    pub(super) fn not_handed_over(&mut self, secret: &str, now: Instant) {
        let is_it = |pairing: &&mut Pairing| {
            same(&pairing.secret, secret)
                && matches!(pairing.stage, Stage::Over { why: Over::HandedOver, .. })
        };
        if let Some(pairing) = self.pairings.iter_mut().find(is_it) {
            pairing.stage = Stage::Approved { until: now + COLLECTION };
        }
    }

    /// Who waits for somebody at the rig, and for how long yet.
    pub(super) fn waiting(&self, now: Instant) -> impl Iterator<Item = (&Asker, Duration)> {
        self.pairings.iter().filter_map(move |pairing| match pairing.stage {
            Stage::Waiting { until } if now < until => Some((&pairing.asker, until - now)),
            Stage::Waiting { .. } | Stage::Approved { .. } | Stage::Over { .. } => None,
        })
    }

    /// Ends what has lasted too long; whose it was.
    pub(super) fn settle(&mut self, now: Instant) -> Vec<Asker> {
        self.asked.forget(now);
        let expired = self.end_those(Over::Expired, now, |pairing| match pairing.stage {
            Stage::Waiting { until } | Stage::Approved { until } => now >= until,
            Stage::Over { .. } => false,
        });
        let mut over =
            self.pairings.iter().filter(|pairing| matches!(pairing.stage, Stage::Over { .. })).count();
        self.pairings.retain(|pairing| {
            let Stage::Over { at, .. } = pairing.stage else { return true };
            let forgotten = over > MAX_OVER || now >= at + REMEMBERED;
            over -= usize::from(forgotten);
            !forgotten
        });
        expired
    }

    fn end_those(&mut self, why: Over, now: Instant, ends: impl Fn(&Pairing) -> bool) -> Vec<Asker> {
        let open = self.pairings.iter_mut().filter(|pairing| !matches!(pairing.stage, Stage::Over { .. }));
        let ending = open.filter(|pairing| ends(pairing)).map(|pairing| {
            pairing.stage = Stage::Over { why, at: now };
            pairing.asker.clone()
        });
        ending.collect()
    }
}

impl Pairing {
    const fn waits(&self) -> bool {
        matches!(self.stage, Stage::Waiting { .. })
    }
}

fn count<T: Eq + Hash>(items: impl Iterator<Item = T>) -> HashMap<T, usize> {
    items.fold(HashMap::new(), |mut counts, item| {
        *counts.entry(item).or_default() += 1;
        counts
    })
}

fn same(one: &str, other: &str) -> bool {
    one.as_bytes().ct_eq(other.as_bytes()).into()
}

#[cfg(test)]
mod tests;
