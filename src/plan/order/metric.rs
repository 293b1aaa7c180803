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
    speed: f64,
    acceleration: f64,
    /// The shortest move that reaches full speed.
    ramps: f64,
}

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
        let positions = positions.collect();
        let axes = moving
            .iter()
            .map(|config| MovingAxis {
                circular: config.axis == Axis::Turntable,
                speed: config.limits.speed,
                acceleration: config.limits.acceleration,
                ramps: config.limits.speed * config.limits.speed / config.limits.acceleration,
            })
            .collect();
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
        self.axes[axis].time(self.position(a, axis) - self.position(b, axis))
    }

    /// Seconds of the whole `tour`.
    pub(super) fn length(&self, tour: &[Node]) -> f64 {
        tour.windows(2).map(|pair| self.time(pair[0], pair[1])).sum()
    }
}

impl MovingAxis {
    fn time(&self, distance: f64) -> f64 {
        let mut length = distance.abs();
        if self.circular && length > 180.0 {
            length = 360.0 - length;
        }
        if length > self.ramps {
            length / self.speed + self.speed / self.acceleration
        } else {
            2.0 * (length.max(0.0) / self.acceleration).sqrt()
        }
    }
}
