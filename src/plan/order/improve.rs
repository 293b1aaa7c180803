//! Shortening a tour step by step: turning a part of it round (2-opt), moving up to three nodes elsewhere
//! (Or-opt). The first node stays first; the tour is open at its end.

use std::collections::VecDeque;
use std::ops::RangeInclusive;

use super::metric::{Metric, Node};

/// Smaller gains, in seconds, are rounding.
const LEAST_GAIN: f64 = 1e-9;
/// Steps of work in looking at one node.
const LOOK: u64 = 100;
/// Most nodes that are moved together.
const LONGEST_RUN: usize = 3;

/// A shorter tour, or `tour` if there is none near it. Spends at most about `allowance` steps of work.
pub(super) fn improve(metric: &Metric, nearest: &[Vec<Node>], tour: Vec<Node>, allowance: u64) -> Vec<Node> {
    let mut work = Improvement::new(metric, nearest, tour, allowance);
    while let Some(node) = work.waiting.pop_front() {
        work.is_waiting[node as usize] = false;
        while work.allowance > 0 && (work.turn_round(node) || work.move_run(node)) {}
        work.allowance = work.allowance.saturating_sub(LOOK);
        if work.allowance == 0 {
            break;
        }
    }
    work.tour
}

struct Improvement<'a> {
    metric: &'a Metric,
    nearest: &'a [Vec<Node>],
    tour: Vec<Node>,
    /// Index in `tour`, by node.
    place: Vec<usize>,
    /// Nodes whose surroundings have changed since they were last looked at.
    waiting: VecDeque<Node>,
    is_waiting: Vec<bool>,
    allowance: u64,
}

impl<'a> Improvement<'a> {
    fn new(metric: &'a Metric, nearest: &'a [Vec<Node>], tour: Vec<Node>, allowance: u64) -> Self {
        let mut place = vec![0; tour.len()];
        for (index, &node) in tour.iter().enumerate() {
            place[node as usize] = index;
        }
        let waiting = tour.iter().copied().collect();
        let is_waiting = vec![true; tour.len()];
        Self { metric, nearest, tour, place, waiting, is_waiting, allowance }
    }

    /// Turns round the part between `node` and a near one, so that they become neighbours, if that is a gain.
    fn turn_round(&mut self, node: Node) -> bool {
        let at = self.place[node as usize];
        // Joined to its new neighbour at its end: ... node [next ... near] ...
        let after = self.way(Some(node), self.after(at));
        for &near in &self.nearest[node as usize] {
            let (near_at, joined) = (self.place[near as usize], self.metric.time(node, near));
            if after.is_some_and(|after| joined >= after) {
                break;
            }
            let removed = after.unwrap_or(0.0) + self.way(Some(near), self.after(near_at)).unwrap_or(0.0);
            let added = joined + self.way(self.after(at), self.after(near_at)).unwrap_or(0.0);
            if removed - added > LEAST_GAIN {
                self.reverse(at.min(near_at) + 1..=at.max(near_at));
                return true;
            }
        }
        // Or at its front: ... [node ... previous] near ...
        let Some(before) = self.way(self.before(at), Some(node)) else { return false };
        for &near in &self.nearest[node as usize] {
            let (near_at, joined) = (self.place[near as usize], self.metric.time(node, near));
            if joined >= before {
                break;
            }
            let Some(near_before) = self.way(self.before(near_at), Some(near)) else { continue };
            let added = joined + self.way(self.before(at), self.before(near_at)).unwrap_or(0.0);
            if before + near_before - added > LEAST_GAIN {
                self.reverse(at.min(near_at)..=at.max(near_at) - 1);
                return true;
            }
        }
        false
    }

    /// Moves a run of nodes that begins or ends with `node` beside a near one, if that is a gain.
    fn move_run(&mut self, node: Node) -> bool {
        let at = self.place[node as usize];
        (0..LONGEST_RUN).any(|more| {
            let ends_here = at.checked_sub(more).map(|first| (first, at));
            [Some((at, at + more)), ends_here].into_iter().flatten().any(|(first, last)| {
                first > 0 && last < self.tour.len() && self.move_this_run(node, first, last)
            })
        })
    }

    fn move_this_run(&mut self, node: Node, first: usize, last: usize) -> bool {
        let (before, after) = (self.before(first), self.after(last));
        let (front, back) = (self.tour[first], self.tour[last]);
        let far = if node == front { back } else { front };
        let removed = self.way(before, Some(front)).unwrap_or(0.0)
            + self.way(Some(back), after).unwrap_or(0.0)
            - self.way(before, after).unwrap_or(0.0);
        for &near in &self.nearest[node as usize] {
            let (near_at, joined) = (self.place[near as usize], self.metric.time(node, near));
            if joined >= removed - LEAST_GAIN {
                break;
            }
            if (first..=last).contains(&near_at) {
                continue;
            }
            // Near, then the run from `node` on; or the run up to `node`, then near.
            if near_at + 1 != first {
                let next = self.after(near_at);
                let added = joined + self.way(Some(far), next).unwrap_or(0.0)
                    - self.way(Some(near), next).unwrap_or(0.0);
                if removed - added > LEAST_GAIN {
                    self.relocate(first..=last, near_at, node != front);
                    return true;
                }
            }
            if near_at > 0 && near_at != last + 1 {
                let previous = self.before(near_at);
                let added = joined + self.way(previous, Some(far)).unwrap_or(0.0)
                    - self.way(previous, Some(near)).unwrap_or(0.0);
                if removed - added > LEAST_GAIN {
                    self.relocate(first..=last, near_at - 1, node != back);
                    return true;
                }
            }
        }
        false
    }

    /// Turns `range` of the tour round.
    fn reverse(&mut self, range: RangeInclusive<usize>) {
        self.tour[range.clone()].reverse();
        self.changed(range);
    }

    /// Moves `run` to follow what is at `target`, outside of it, and turns it round if `turned`.
    fn relocate(&mut self, run: RangeInclusive<usize>, target: usize, turned: bool) {
        let (first, last) = (*run.start(), *run.end());
        let length = last - first + 1;
        // The nodes on either side of the gap have new neighbours, too.
        self.wait(first - 1);
        self.wait((last + 1).min(self.tour.len() - 1));
        let (range, start) = if target > last {
            self.tour[first..=target].rotate_left(length);
            (first..=target, target + 1 - length)
        } else {
            self.tour[target + 1..=last].rotate_right(length);
            (target + 1..=last, target + 1)
        };
        if turned {
            self.tour[start..start + length].reverse();
        }
        self.changed(range);
        self.wait(start);
        self.wait((start + length - 1).min(self.tour.len() - 1));
        self.wait(start.saturating_sub(1));
        self.wait((start + length).min(self.tour.len() - 1));
    }

    /// Notes the places of the nodes in `range`, and that those at its ends have new neighbours.
    fn changed(&mut self, range: RangeInclusive<usize>) {
        let (first, last) = (*range.start(), *range.end());
        for index in range {
            self.place[self.tour[index] as usize] = index;
        }
        self.allowance = self.allowance.saturating_sub((last - first) as u64 + LOOK);
        for index in [first.saturating_sub(1), first, last, (last + 1).min(self.tour.len() - 1)] {
            self.wait(index);
        }
    }

    /// Looks at the node at `index` again later.
    fn wait(&mut self, index: usize) {
        let node = self.tour[index];
        if !std::mem::replace(&mut self.is_waiting[node as usize], true) {
            self.waiting.push_back(node);
        }
    }

    fn before(&self, index: usize) -> Option<Node> {
        index.checked_sub(1).map(|index| self.tour[index])
    }

    fn after(&self, index: usize) -> Option<Node> {
        self.tour.get(index + 1).copied()
    }

    /// Seconds between two nodes of which the tour may lack one, at its ends.
    fn way(&self, a: Option<Node>, b: Option<Node>) -> Option<f64> {
        Some(self.metric.time(a?, b?))
    }
}
