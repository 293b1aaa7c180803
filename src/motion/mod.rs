//! How an axis moves in time. Pure: no clock, no hardware.
//!
//! A move of the rig starts every axis at once; each follows its own [`Profile`], and the move ends when the
//! last one is at rest ([`travel_time`]).

mod profile;
mod reach;
mod scurve;
mod steps;

use std::time::Duration;

pub use profile::Profile;
pub use reach::{Unreachable, unreachable};
pub use steps::{StepCourse, StepScale};

use crate::model::{Axis, AxisConfig, Pose};

/// The time from the start of a move until every one of `axes` is at rest. Axes that are not listed do not move.
pub fn travel_time(from: &Pose, to: &Pose, axes: &[AxisConfig]) -> Duration {
    axes.iter()
        .map(|axis| Profile::new(distance(axis.axis, from, to), axis.limits).duration())
        .max()
        .unwrap_or_default()
}

/// How far `axis` goes from one pose to another, with its sign, in the axis' unit: the turntable the shortest
/// way round, every other axis straight.
pub fn distance(axis: Axis, from: &Pose, to: &Pose) -> f64 {
    match axis {
        Axis::Turntable => shortest_turn(from.get(axis), to.get(axis)),
        Axis::Lift | Axis::Rail | Axis::Tilt => to.get(axis) - from.get(axis),
    }
}

/// The shortest turn between two angles in degrees, in (-180, 180].
pub fn shortest_turn(from_deg: f64, to_deg: f64) -> f64 {
    let turn = (to_deg - from_deg).rem_euclid(360.0);
    if turn > 180.0 { turn - 360.0 } else { turn }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Limits;
    use crate::units::Degrees;
    use proptest::prelude::*;

    fn axis(axis: Axis, speed: f64, acceleration: f64) -> AxisConfig {
        AxisConfig { axis, limits: Limits { speed, acceleration, jerk: None }, travel: None }
    }

    #[test]
    fn a_half_turn_goes_counter_clockwise_and_no_turn_is_longer() {
        let turns = [(0.0, 180.0), (180.0, 0.0), (350.0, 10.0), (10.0, 350.0), (0.0, 720.0), (-90.0, 180.0)];
        let expected = [180.0, 180.0, 20.0, -20.0, 0.0, -90.0];
        assert_eq!(turns.map(|(from, to)| Degrees::new(shortest_turn(from, to))), expected.map(Degrees::new));
    }

    #[test]
    fn a_move_takes_as_long_as_its_slowest_axis() {
        let axes = [axis(Axis::Turntable, 90.0, 180.0), axis(Axis::Lift, 16.0, 64.0)];
        let there = Pose::default().with(Axis::Turntable, 350.0).with(Axis::Lift, 48.0);
        let lift_alone = Pose::default().with(Axis::Lift, 48.0);
        assert_eq!(travel_time(&Pose::default(), &there, &axes), Duration::from_millis(3250));
        assert_eq!(travel_time(&there, &lift_alone, &axes), Profile::new(10.0, axes[0].limits).duration());
        assert_eq!(travel_time(&there, &Pose::default(), &[]), Duration::ZERO);
    }

    proptest! {
        #[test]
        fn a_turn_arrives_and_is_within_half_a_turn(from in -1e4..1e4_f64, to in -1e4..1e4_f64) {
            let turn = shortest_turn(from, to);
            prop_assert!(turn > -180.0 && turn <= 180.0);
            let off = (from + turn - to) / 360.0;
            prop_assert!((off - off.round()).abs() < 1e-9);
        }
    }
}
