//! What waits for one receiver, and when it is tried: a state machine without clock and I/O.

#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::time::Duration;

use super::outcome::Outcome;

/// Messages that may wait for one receiver. One more takes the place of the oldest.
pub const MOST_WAITING: usize = 64;
/// How often one message is tried, in one run of the program: about a day, with these pauses.
pub const MOST_TRIES: u32 = 100;
/// The pause after the first failure in a row; each further one is twice as long.
const FIRST_PAUSE: Duration = Duration::from_secs(5);
/// The longest pause.
pub const LONGEST_PAUSE: Duration = Duration::from_secs(900);

/// The messages of one receiver, in the order in which they came. Times are on any clock that only goes forward.
#[derive(Debug, Clone)]
pub struct Outbox<T> {
    waiting: VecDeque<Waiting<T>>,
    phase: Phase,
    /// Tries in a row that the receiver has not answered, whatever they were of.
    failures: u32,
    next_number: u64,
}

/// A message that waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting<T> {
    /// Its place in the order of all.
    pub number: u64,
    /// What is to be delivered.
    pub what: T,
    /// How often that was begun.
    pub tries: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// The first one may be tried.
    Ready,
    /// The first one is being tried.
    UnderWay,
    /// It failed, and is left alone until then.
    Resting { until: Duration },
}

/// What is to be done now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next<T> {
    /// Nothing, until something comes.
    Nothing,
    /// Nothing for so long.
    In(Duration),
    /// This one is tried, from now on: [`Outbox::ended`] is to follow.
    Try(Waiting<T>),
}

/// What a try came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate<T> {
    /// It is delivered, and waits no more.
    Delivered(Waiting<T>),
    /// It is tried again after this pause.
    Again {
        /// How long it rests.
        pause: Duration,
        /// Why, for people.
        reason: String,
    },
    /// It is given up.
    GivenUp {
        /// What is not delivered.
        lost: Waiting<T>,
        /// Why, for people.
        reason: String,
    },
}

impl<T: Clone> Outbox<T> {
    /// One with what was left of earlier runs, in its order; the one that comes next has the number `next_number`, which is
    /// higher than all.
    pub fn new(left: Vec<(u64, T)>, next_number: u64) -> Self {
        let waiting = left.into_iter().map(|(number, what)| Waiting { number, what, tries: 0 }).collect();
        Self { waiting, phase: Phase::Ready, failures: 0, next_number }
    }

    /// The number of the one that comes next.
    pub fn next_number(&self) -> u64 {
        self.next_number
    }

    /// Takes one in. What is lost for it is the oldest that is not being tried, if there is no room.
    pub fn push(&mut self, what: T) -> Option<Waiting<T>> {
        let lost = if self.waiting.len() < MOST_WAITING {
            None
        } else {
            self.waiting.remove(usize::from(self.phase == Phase::UnderWay))
        };
        self.waiting.push_back(Waiting { number: self.next_number, what, tries: 0 });
        self.next_number += 1;
        lost
    }

    /// What is to be done at `now`.
    pub fn next(&mut self, now: Duration) -> Next<T> {
        let Some(first) = self.waiting.front_mut() else { return Next::Nothing };
        match self.phase {
            Phase::UnderWay => Next::Nothing,
            Phase::Resting { until } if now < until => Next::In(until.saturating_sub(now)),
            Phase::Ready | Phase::Resting { .. } => {
                first.tries += 1;
                self.phase = Phase::UnderWay;
                Next::Try(first.clone())
            }
        }
    }

    /// Takes note of what the try under way came to; none if there is none.
    pub fn ended(&mut self, outcome: Outcome, now: Duration) -> Option<Fate<T>> {
        if self.phase != Phase::UnderWay {
            return None;
        }
        self.phase = Phase::Ready;
        match outcome {
            Outcome::Delivered => {
                self.failures = 0;
                self.waiting.pop_front().map(Fate::Delivered)
            }
            Outcome::Refused(reason) => {
                self.failures = 0;
                self.waiting.pop_front().map(|lost| Fate::GivenUp { lost, reason })
            }
            Outcome::Failed(reason) => {
                let pause = pause_after(self.failures);
                self.failures = self.failures.saturating_add(1);
                self.phase = Phase::Resting { until: now + pause };
                if self.waiting.front()?.tries < MOST_TRIES {
                    return Some(Fate::Again { pause, reason });
                }
                self.waiting.pop_front().map(|lost| Fate::GivenUp { lost, reason })
            }
        }
    }

    /// How many wait, with the one that is being tried.
    pub fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Whether none waits.
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }
}

/// The pause after a failure that `before` failures came before.
fn pause_after(before: u32) -> Duration {
    let doubled = 2_u32.checked_pow(before).and_then(|times| FIRST_PAUSE.checked_mul(times));
    doubled.map_or(LONGEST_PAUSE, |pause| pause.min(LONGEST_PAUSE))
}
