//! The nearest nodes of each, and a tour from one to the next.

use super::metric::{Metric, Node};

/// How many neighbours improving looks at.
const NEIGHBOURS: usize = 10;
/// How many pairs of nodes are looked at in all, at most, so that large plans take no minutes.
const ALLOWANCE: usize = 20_000_000;

/// The nodes along the axis whose span takes the longest: what is near in time is near along it.
pub(super) struct Sweep<'a> {
    metric: &'a Metric,
    axis: usize,
    sorted: Vec<Node>,
    /// Index in `sorted`, by node.
    place: Vec<u32>,
    /// Most nodes to look at around one.
    window: usize,
}

impl<'a> Sweep<'a> {
    /// None if no axis has to move.
    pub(super) fn new(metric: &'a Metric) -> Option<Self> {
        let nodes = metric.nodes();
        let span =
            |axis: usize| (1..nodes as Node).map(|node| metric.axis_time(axis, 0, node)).fold(0.0, f64::max);
        let axis = (0..metric.axes()).max_by(|&a, &b| span(a).total_cmp(&span(b)))?;
        let mut sorted: Vec<Node> = (0..nodes as Node).collect();
        sorted.sort_by(|&a, &b| metric.position(a, axis).total_cmp(&metric.position(b, axis)));
        let mut place = vec![0; nodes];
        for (index, &node) in sorted.iter().enumerate() {
            place[node as usize] = index as u32;
        }
        Some(Self { metric, axis, sorted, place, window: (ALLOWANCE / nodes).max(NEIGHBOURS) })
    }

    /// The nearest nodes of each node, the nearest first.
    pub(super) fn nearest(&self) -> Vec<Vec<Node>> {
        (0..self.sorted.len() as Node).map(|node| self.nearest_of(node)).collect()
    }

    fn nearest_of(&self, node: Node) -> Vec<Node> {
        let count = self.sorted.len();
        let place = self.place[node as usize] as usize;
        let mut best: Vec<(f64, Node)> = Vec::with_capacity(NEIGHBOURS + 1);
        for step in 1..=(self.window / 2).max(1).min(count / 2) {
            // Both ways along the axis, as if it were closed to a circle.
            let sides = [self.sorted[(place + step) % count], self.sorted[(place + count - step) % count]];
            let worst = if best.len() < NEIGHBOURS { f64::INFINITY } else { best[NEIGHBOURS - 1].0 };
            if sides.iter().all(|&other| self.metric.axis_time(self.axis, node, other) > worst) {
                break;
            }
            for other in sides {
                let time = self.metric.time(node, other);
                let rank = best.partition_point(|(known, _)| *known <= time);
                if rank < NEIGHBOURS && !best.iter().any(|(_, known)| *known == other) {
                    best.insert(rank, (time, other));
                    best.truncate(NEIGHBOURS);
                }
            }
        }
        best.into_iter().map(|(_, other)| other).collect()
    }

    /// From the start, always to the nearest node that is left.
    pub(super) fn tour(&self) -> Vec<Node> {
        let count = self.sorted.len();
        // What is left, as a ring of indices in `sorted`.
        let mut next: Vec<usize> = (1..=count).map(|index| index % count).collect();
        let mut previous: Vec<usize> = (0..count).map(|index| (index + count - 1) % count).collect();
        let mut here = self.place[0] as usize;
        let mut tour = vec![0];
        while tour.len() < count {
            next[previous[here]] = next[here];
            previous[next[here]] = previous[here];
            here = self.nearest_left(here, &next, &previous, count - tour.len());
            tour.push(self.sorted[here]);
        }
        tour
    }

    /// The nearest to `here` of `left` indices in the ring.
    fn nearest_left(&self, here: usize, next: &[usize], previous: &[usize], left: usize) -> usize {
        let node = self.sorted[here];
        let (mut up, mut down) = (next[here], previous[here]);
        let mut best = (f64::INFINITY, up);
        for _ in 0..=self.window.min(left) / 2 {
            let bound = |index: usize| self.metric.axis_time(self.axis, node, self.sorted[index]);
            if bound(up) > best.0 && bound(down) > best.0 {
                break;
            }
            for index in [up, down] {
                let time = self.metric.time(node, self.sorted[index]);
                if time < best.0 {
                    best = (time, index);
                }
            }
            (up, down) = (next[up], previous[down]);
        }
        best.1
    }
}
