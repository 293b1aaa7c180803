//! How long a plan takes.

use std::time::Duration;

use super::{Plan, Point};
use crate::model::{AxisConfig, Pose};
use crate::motion;

/// Time in motion, from `start` through all points of `plan`.
pub fn travel(plan: &Plan, axes: &[AxisConfig], start: &Pose) -> Duration {
    travel_through(&plan.points, axes, start)
}

/// Time of the whole scan, from `start`: motion, and at each point `settle` and then `capture` for all its
/// cameras.
pub fn estimate(
    plan: &Plan,
    axes: &[AxisConfig],
    start: &Pose,
    settle: Duration,
    capture: Duration,
) -> Duration {
    let at_a_point = settle.saturating_add(capture);
    let points = u32::try_from(plan.points.len()).unwrap_or(u32::MAX);
    travel(plan, axes, start).saturating_add(at_a_point.saturating_mul(points))
}

/// Time in motion, from `start` through `points`.
pub(super) fn travel_through(points: &[Point], axes: &[AxisConfig], start: &Pose) -> Duration {
    let poses = points.iter().map(|point| &point.pose);
    std::iter::once(start)
        .chain(poses.clone())
        .zip(poses)
        .map(|(from, to)| motion::travel_time(from, to, axes))
        .fold(Duration::ZERO, Duration::saturating_add)
}
