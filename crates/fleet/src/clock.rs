//! How the clock of a node stands to that of this machine. Pure.
//!
//! Both are `CLOCK_MONOTONIC`, which begins anew with each boot. A question and its answer bound the difference to half of the
//! time that both were on their way, however uneven that is between there and back (the four timestamps of NTP). What was
//! measured a while ago is less sure by how far two clocks may drift apart.

use std::collections::VecDeque;

/// By how much one clock may be faster than the other: two crystals, and a clock that is slewed by NTP.
pub const DRIFT_PPM: u64 = 500;
/// A difference that no drift explains, by this much: not slewed, but set, or of another boot.
const JUMP_NS: u64 = 20_000_000;
/// How many measurements are kept.
const KEPT: usize = 32;

/// The four times of a question and its answer, in nanoseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exchange {
    /// When the question was sent, by this clock.
    pub sent_ns: u64,
    /// When it came, by the node's clock.
    pub came_ns: u64,
    /// When the answer was sent, by the node's clock.
    pub left_ns: u64,
    /// When that came, by this clock.
    pub back_ns: u64,
}

/// By how much the node's clock is ahead of this one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Offset {
    /// The best guess, in nanoseconds.
    pub ns: i128,
    /// By how much it may be wrong.
    pub uncertainty_ns: u64,
}

impl Offset {
    /// The time of this machine's clock, by the node's.
    pub fn to_node(self, here_ns: u64) -> u64 {
        clamp(i128::from(here_ns) + self.ns)
    }

    /// The time of the node's clock, by this machine's.
    pub fn to_here(self, node_ns: u64) -> u64 {
        clamp(i128::from(node_ns) - self.ns)
    }
}

fn clamp(ns: i128) -> u64 {
    u64::try_from(ns.max(0)).unwrap_or(u64::MAX)
}

/// The node's clock is another one than before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the node's clock has jumped by {} ms", .ns / 1_000_000)]
pub struct Jump {
    /// By how much, in nanoseconds.
    pub ns: i128,
}

#[derive(Debug, Clone, Copy)]
struct Measured {
    offset: Offset,
    at_ns: u64,
}

impl Measured {
    fn at(&self, here_ns: u64) -> Offset {
        let drift_ns = here_ns.abs_diff(self.at_ns).saturating_mul(DRIFT_PPM) / 1_000_000;
        Offset { uncertainty_ns: self.offset.uncertainty_ns.saturating_add(drift_ns), ..self.offset }
    }
}

/// What is known of a node's clock.
#[derive(Debug, Default)]
pub struct NodeClock {
    measured: VecDeque<Measured>,
}

impl NodeClock {
    /// Takes note of an exchange. One whose times cannot be is left out.
    ///
    /// # Errors
    /// The clock is another one than it was: nothing that was measured counts any longer.
    pub fn note(&mut self, exchange: Exchange) -> Result<(), Jump> {
        let Exchange { sent_ns, came_ns, left_ns, back_ns } = exchange;
        let (Some(away), Some(there)) = (back_ns.checked_sub(sent_ns), left_ns.checked_sub(came_ns)) else {
            return Ok(());
        };
        let way_ns = away.saturating_sub(there);
        let ns = (i128::from(came_ns) - i128::from(sent_ns) + i128::from(left_ns) - i128::from(back_ns)) / 2;
        let at_ns = sent_ns + away / 2;
        let offset = Offset { ns, uncertainty_ns: way_ns.div_ceil(2) };
        if let Some(before) = self.at(at_ns) {
            let apart = (ns - before.ns).unsigned_abs();
            let explained = u128::from(before.uncertainty_ns) + u128::from(offset.uncertainty_ns);
            if apart > explained + u128::from(JUMP_NS) {
                self.measured.clear();
                return Err(Jump { ns: ns - before.ns });
            }
            // It drifts faster than any clock should: what was measured before is worth nothing.
            if apart > explained {
                self.measured.clear();
            }
        }
        if self.measured.len() == KEPT {
            self.measured.pop_front();
        }
        self.measured.push_back(Measured { offset, at_ns });
        Ok(())
    }

    /// How the clocks stand at `here_ns`, of this clock; none before the first exchange.
    pub fn at(&self, here_ns: u64) -> Option<Offset> {
        self.measured.iter().map(|measured| measured.at(here_ns)).min_by_key(|offset| offset.uncertainty_ns)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: u64 = 1_000_000;

    /// An exchange at `at_ns` with a clock that is `ahead` and drifts by `ppm`, with these ways there and back.
    fn exchange(at_ns: u64, ahead: i128, ppm: i128, there: u64, back: u64) -> Exchange {
        let node = |here: u64| clamp(i128::from(here) + ahead + i128::from(here) * ppm / 1_000_000);
        let came = at_ns + there;
        let left = came + MS / 10;
        Exchange { sent_ns: at_ns, came_ns: node(came), left_ns: node(left), back_ns: left + back }
    }

    fn truth(at_ns: u64, ahead: i128, ppm: i128) -> i128 {
        ahead + i128::from(at_ns) * ppm / 1_000_000
    }

    #[test]
    fn the_truth_is_within_the_uncertainty_however_uneven_the_ways_are() {
        // No chance: a fixed sequence of ways, from 0.1 to 25 ms.
        let mut seed = 1_u64;
        let mut way = || {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            MS / 10 + (seed >> 40) % (25 * MS)
        };
        for (ahead, ppm) in
            [(0, 0), (5_000_000_000, 80), (-900_000_000, -450), (i128::from(u32::MAX) * 1000, 499)]
        {
            let mut clock = NodeClock::default();
            for step in 0..400 {
                let at_ns = 10_000 * MS + step * 100 * MS;
                clock.note(exchange(at_ns, ahead, ppm, way(), way())).unwrap();
                for later in [0, 30 * MS, 90 * MS] {
                    let now = at_ns + later;
                    let offset = clock.at(now).unwrap();
                    let off = (offset.ns - truth(now, ahead, ppm)).unsigned_abs();
                    assert!(off <= u128::from(offset.uncertainty_ns) + 1, "{off} ns, said {offset:?}");
                }
            }
        }
    }

    #[test]
    fn the_quickest_exchange_counts_until_drift_has_made_it_worth_less() {
        let mut clock = NodeClock::default();
        clock.note(exchange(1000 * MS, 7, 0, MS, MS)).unwrap();
        clock.note(exchange(1100 * MS, 7, 0, 20 * MS, 0)).unwrap();
        assert!(clock.at(1100 * MS).unwrap().uncertainty_ns < 2 * MS);
        assert!(clock.at(60_000 * MS).unwrap().uncertainty_ns > 10 * MS);
    }

    #[test]
    fn a_clock_that_is_set_is_told_from_one_that_drifts() {
        let mut clock = NodeClock::default();
        for step in 0..20 {
            clock.note(exchange(step * 100 * MS, 0, 400, MS, MS)).unwrap();
        }
        let jumped = clock.note(exchange(2000 * MS, 500_000_000, 400, MS, MS)).unwrap_err();
        assert!((jumped.ns - 500_000_000).unsigned_abs() < u128::from(3 * MS), "{jumped:?}");
        assert_eq!(clock.at(2000 * MS), None);
        // A slewed one is measured anew.
        for step in 0..20 {
            clock.note(exchange(3000 * MS + step * 100 * MS, 0, 20_000, MS / 10, MS / 10)).unwrap();
        }
        let now = 4900 * MS;
        let off = (clock.at(now).unwrap().ns - truth(now, 0, 20_000)).unsigned_abs();
        assert!(off < u128::from(3 * MS), "{off}");
    }

    #[test]
    fn times_go_there_and_back_and_never_below_zero() {
        let offset = Offset { ns: -3_000, uncertainty_ns: 0 };
        assert_eq!(offset.to_here(offset.to_node(10_000)), 10_000);
        assert_eq!(offset.to_node(1_000), 0);
        assert_eq!(offset.to_here(u64::MAX), u64::MAX);
    }
}
