//! Which scan goes where next: a state machine without clock and I/O.

#[cfg(test)]
mod tests;

use std::time::Duration;

use crate::dataset::ScanId;

/// The pause after the first failure in a row; each further one is twice as long.
pub(super) const FIRST_PAUSE: Duration = Duration::from_secs(10);
/// The longest pause.
pub const LONGEST_PAUSE: Duration = Duration::from_secs(3600);

/// What is to be brought to each target, in the order in which it is. Times are on any clock that only goes forward.
#[derive(Debug, Clone)]
pub struct Queue {
    lines: Vec<Line>,
    /// The target that was tried last: another one has its turn first.
    last: usize,
    under_way: Option<(usize, ScanId)>,
}

/// What waits for one target.
#[derive(Debug, Clone)]
struct Line {
    waiting: Vec<Waiting>,
    /// Of the target, whatever was brought.
    rest: Rest,
}

#[derive(Debug, Clone)]
struct Waiting {
    scan: ScanId,
    /// Of this scan alone.
    rest: Rest,
}

/// Failures in a row, and until when it is left alone for them.
#[derive(Debug, Clone, Copy, Default)]
struct Rest {
    failures: u32,
    until: Option<Duration>,
}

/// What is to be done now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// Nothing, until something else is wanted or allowed.
    Nothing,
    /// Nothing for so long.
    In(Duration),
    /// This scan is brought to the target of this index, from now on: [`Queue::ended`] is to follow.
    Bring(usize, ScanId),
}

/// What it came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It is there.
    Delivered,
    /// The target does not take it: it would not take another one.
    FailedThere,
    /// Something is wrong with the scan: the target may take another one.
    FailedHere,
    /// It had to make way: nothing is wrong.
    MadeWay,
}

/// What becomes of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It waits no more.
    Gone,
    /// It is tried again after this pause.
    Again(Duration),
}

impl Rest {
    fn left(self, now: Duration) -> Duration {
        self.until.map_or(Duration::ZERO, |until| until.saturating_sub(now))
    }

    fn after_a_failure(&mut self, now: Duration) -> Duration {
        let doubled = 2_u32.checked_pow(self.failures).and_then(|times| FIRST_PAUSE.checked_mul(times));
        let pause = doubled.map_or(LONGEST_PAUSE, |pause| pause.min(LONGEST_PAUSE));
        *self = Self { failures: self.failures.saturating_add(1), until: Some(now + pause) };
        pause
    }
}

impl Queue {
    /// One for so many targets, for which nothing waits.
    pub fn new(targets: usize) -> Self {
        let lines = (0..targets).map(|_| Line { waiting: Vec::new(), rest: Rest::default() }).collect();
        Self { lines, last: targets.saturating_sub(1), under_way: None }
    }

    /// From now on these wait for the target, in this order. Of those that did before, what failed of them is remembered.
    pub fn want(&mut self, target: usize, scans: &[ScanId]) {
        let Some(line) = self.lines.get_mut(target) else { return };
        let rest_of =
            |scan: &ScanId| line.waiting.iter().find(|waiting| waiting.scan == *scan).map(|one| one.rest);
        line.waiting = scans
            .iter()
            .map(|scan| Waiting { scan: scan.clone(), rest: rest_of(scan).unwrap_or_default() })
            .collect();
    }

    /// What is to be done at `now`, for those targets to which scans may go now.
    pub fn next(&mut self, now: Duration, may: impl Fn(usize) -> bool) -> Next {
        if self.under_way.is_some() {
            return Next::Nothing;
        }
        let count = self.lines.len();
        let mut soonest: Option<Duration> = None;
        // Each in its turn, so that none keeps another one from its own.
        for target in (1..=count).map(|step| (self.last + step) % count).filter(|target| may(*target)) {
            let line = &self.lines[target];
            let left = line.waiting.iter().map(|waiting| waiting.rest.left(now).max(line.rest.left(now)));
            // The first one of those that wait the least.
            let Some((index, left)) = left.enumerate().min_by_key(|(_, left)| *left) else { continue };
            if left.is_zero() {
                let scan = line.waiting[index].scan.clone();
                self.last = target;
                self.under_way = Some((target, scan.clone()));
                return Next::Bring(target, scan);
            }
            soonest = Some(soonest.map_or(left, |soonest| soonest.min(left)));
        }
        soonest.map_or(Next::Nothing, Next::In)
    }

    /// Takes note of what the one under way came to; none if there is none.
    pub fn ended(&mut self, outcome: Outcome, now: Duration) -> Option<Fate> {
        let (target, scan) = self.under_way.take()?;
        let line = &mut self.lines[target];
        let index = line.waiting.iter().position(|waiting| waiting.scan == scan);
        match outcome {
            Outcome::Delivered => {
                line.rest = Rest::default();
                if let Some(index) = index {
                    line.waiting.remove(index);
                }
                Some(Fate::Gone)
            }
            Outcome::FailedThere => Some(Fate::Again(line.rest.after_a_failure(now))),
            Outcome::FailedHere => {
                // The target was there.
                line.rest = Rest::default();
                // It may not be wanted any more.
                let waiting = index.and_then(|index| line.waiting.get_mut(index));
                Some(waiting.map_or(Fate::Gone, |waiting| Fate::Again(waiting.rest.after_a_failure(now))))
            }
            Outcome::MadeWay => Some(Fate::Again(Duration::ZERO)),
        }
    }

    /// How many wait for the target, with the one under way.
    pub fn waiting(&self, target: usize) -> usize {
        self.lines.get(target).map_or(0, |line| line.waiting.len())
    }
}
