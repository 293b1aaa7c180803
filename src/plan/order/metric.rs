//! The time between points, computed fast.

use crate::model::{Axis, AxisConfig, Pose};
use crate::motion;
use crate::plan::Point;

/// A place to go: 0 is the start, then the points in the order given, from 1.
pub(super) type Node = u32;

/// How long each way from node to node takes.
pub(super) struct Metric {
    axes: Vec<MovingAxis>,
    /// By node, then by index in `axes`.
    positions: Vec<[f64; Axis::ALL.len()]>,
}

/// An axis that has to move at all.
struct MovingAxis {
    circular: bool,
    /// The longest way that it has to go.
    farthest: f64,
    /// Seconds for a way of `farthest` times the square of the part that an entry's index is of the last one: times of short ways
    /// change the fastest.
    seconds: Vec<f64>,
}

/// Between so many ways that are timed, the time of others is interpolated: improving an order asks for millions.
const TIMED: usize = 4096;

impl Metric {
    pub(super) fn new(points: &[Point], axes: &[AxisConfig], start: &Pose) -> Self {
        let poses = || std::iter::once(start).chain(points.iter().map(|point| &point.pose));
        let moving: Vec<_> = axes
            .iter()
            .filter(|config| poses().any(|pose| motion::distance(config.axis, start, pose) != 0.0))
            .collect();
        let positions = poses().map(|pose| {
            let mut position = [0.0; Axis::ALL.len()];
            for (slot, config) in position.iter_mut().zip(&moving) {
                *slot = match config.axis {
                    Axis::Turntable => pose.get(config.axis).rem_euclid(360.0),
                    Axis::Lift | Axis::Rail | Axis::Tilt => pose.get(config.axis),
                };
            }
            position
        });
        let positions: Vec<_> = positions.collect();
        let axes = moving.iter().enumerate().map(|(slot, config)| MovingAxis::new(config, &positions, slot));
        let axes = axes.collect();
        Self { axes, positions }
    }

    /// How many nodes there are, the start included.
    pub(super) fn nodes(&self) -> usize {
        self.positions.len()
    }

    /// How many axes have to move at all.
    pub(super) fn axes(&self) -> usize {
        self.axes.len()
    }

    pub(super) fn is_circular(&self, axis: usize) -> bool {
        self.axes[axis].circular
    }

    /// Position of `axis` at `node`; in [0, 360] if circular.
    pub(super) fn position(&self, node: Node, axis: usize) -> f64 {
        self.positions[node as usize][axis]
    }

    /// Seconds from `a` to `b`, and from `b` to `a`.
    pub(super) fn time(&self, a: Node, b: Node) -> f64 {
        (0..self.axes.len()).map(|axis| self.axis_time(axis, a, b)).fold(0.0, f64::max)
    }

    /// Seconds that `axis` alone takes from `a` to `b`.
    pub(super) fn axis_time(&self, axis: usize, a: Node, b: Node) -> f64 {
        self.axis_seconds(axis, self.position(a, axis) - self.position(b, axis))
    }

    /// Seconds that `axis` alone takes for a way of `distance`.
    pub(super) fn axis_seconds(&self, axis: usize, distance: f64) -> f64 {
        self.axes[axis].time(distance)
    }

    /// Seconds of the whole `tour`.
    pub(super) fn length(&self, tour: &[Node]) -> f64 {
        tour.windows(2).map(|pair| self.time(pair[0], pair[1])).sum()
    }
}

impl MovingAxis {
    /// `config`, whose positions are at `slot`.
    fn new(config: &AxisConfig, positions: &[[f64; Axis::ALL.len()]], slot: usize) -> Self {
        let circular = config.axis == Axis::Turntable;
        let bounds = positions.iter().map(|position| position[slot]);
        let (low, high) = bounds.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), position| {
            (low.min(position), high.max(position))
        });
        let farthest = if circular { 180.0 } else { high - low };
        let seconds = |index: usize| {
            // The first stands for the shortest of all ways, not for none.
            let part = (index as f64).max(1e-3) / (TIMED - 1) as f64;
            let to = Pose::default().with(config.axis, farthest * part * part);
            motion::travel_time(&Pose::default(), &to, &[*config]).as_secs_f64()
        };
        Self { circular, farthest, seconds: (0..TIMED).map(seconds).collect() }
    }

    fn time(&self, distance: f64) -> f64 {
        let mut length = distance.abs();
        if self.circular && length > 180.0 {
            length = 360.0 - length;
        }
        if length <= 0.0 {
            return 0.0;
        }
        let place = (length / self.farthest).min(1.0).sqrt() * (TIMED - 1) as f64;
        let below = (place as usize).min(TIMED - 2);
        let (from, to) = (self.seconds[below], self.seconds[below + 1]);
        from + (to - from) * (place - below as f64)
    }
}
