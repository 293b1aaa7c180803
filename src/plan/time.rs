//! How long a plan takes.

use std::time::Duration;

use super::{Plan, Point};
use crate::config::Config;
use crate::model::{AxisConfig, Lighting, Pose};
use crate::motion::TravelTimes;
use crate::units::Seconds;

/// Frame wait, exposure and readout of a point, roughly: two frames at 15 frames a second.
const CAPTURE: Duration = Duration::from_millis(130);

/// How long what is done at a point takes, beside the way there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// Wait between the end of a move and the first exposure.
    pub settle: Duration,
    /// One image of each camera.
    pub capture: Duration,
    /// Until the lights that shine on the object are steady, once they are on.
    pub front: Duration,
    /// Until those behind it are.
    pub backlight: Duration,
}

impl Pace {
    /// As far as the configuration of a rig tells.
    pub fn of(config: &Config) -> Self {
        Self {
            settle: config.motion.settle,
            capture: CAPTURE,
            front: config.warm_up(Lighting::Front),
            backlight: config.warm_up(Lighting::Backlight),
        }
    }
}

/// Time in motion, from `start` through all points of `plan`.
pub fn travel(plan: &Plan, axes: &[AxisConfig], start: &Pose) -> Duration {
    travel_through(&plan.points, axes, start)
}

/// Time of the whole scan, from `start` and with the front lights on: the way to each point, during which the lights
/// change where they have to, and what is done there.
pub fn estimate(plan: &Plan, axes: &[AxisConfig], start: &Pose, pace: &Pace) -> Duration {
    let (mut pose, mut lit) = (start, Lighting::Front);
    let mut time = Duration::ZERO;
    let mut travel = TravelTimes::new(axes);
    for point in &plan.points {
        let at_rest = travel.of(pose, &point.pose).saturating_add(pace.settle);
        let warm_up = match point.lighting {
            Lighting::Front => pace.front,
            Lighting::Backlight => pace.backlight,
        };
        let steady = if lit == point.lighting { Duration::ZERO } else { warm_up };
        time = time.saturating_add(at_rest.max(steady)).saturating_add(pace.capture);
        (pose, lit) = (&point.pose, point.lighting);
    }
    time
}

/// Time in motion, from `start` through `points`.
pub(super) fn travel_through(points: &[Point], axes: &[AxisConfig], start: &Pose) -> Duration {
    let poses = points.iter().map(|point| &point.pose);
    let mut travel = TravelTimes::new(axes);
    std::iter::once(start)
        .chain(poses.clone())
        .zip(poses)
        .map(|(from, to)| travel.of(from, to))
        .fold(Duration::ZERO, Duration::saturating_add)
}

/// How much a scan of `plan` from `start` is, for people.
pub fn summary(config: &Config, plan: &Plan, start: &Pose) -> String {
    let axes = &config.motion.axes;
    let silhouettes = match plan.silhouettes() * plan.cameras.len() {
        0 => String::new(),
        count => format!(", {count} of which are silhouettes"),
    };
    format!(
        "{} points, {} shots{silhouettes}; travel {:.1}, about {:.1} in all",
        plan.points.len(),
        plan.shot_count(),
        Seconds::from(travel(plan, axes, start)),
        Seconds::from(estimate(plan, axes, start, &Pace::of(config)))
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::shapes;
    use crate::units::Millimetres;

    #[test]
    fn lights_that_change_are_waited_for_and_others_are_not() {
        let plan = Plan { points: shapes::cylinder(3, &[Millimetres::ZERO]), cameras: Vec::new() };
        let seconds = Duration::from_secs;
        let pace =
            Pace { settle: seconds(1), capture: seconds(10), front: seconds(100), backlight: seconds(3) };
        let estimate = |plan: &Plan| estimate(plan, &[], &Pose::default(), &pace).as_secs();
        assert_eq!(estimate(&plan), 3 * 11);
        // Six images; the backlight comes on three times, and the front lights twice again.
        assert_eq!(estimate(&plan.with_frames(&[], &[], true)), 6 * 10 + 1 + 3 * 3 + 2 * 100);
    }
}
