//! How an axis moves in time. Pure: no clock, no hardware.
//!
//! A move of the rig starts every axis at once; each follows its own [`Profile`], and the move ends when the
//! last one is at rest ([`travel_time`]). What an axis carries may swing then; where that is configured, a move is made so that
//! it does not ([`Impulses`]).

mod choice;
mod jump;
mod passing;
mod profile;
mod reach;
mod scurve;
mod shaper;
mod steps;
mod swing;
mod times;
mod trapezoid;

use std::time::Duration;

pub use choice::{Foreseen, foresee, shaper, still};
pub use jump::Jump;
pub use profile::Profile;
pub use reach::{Unreachable, unreachable};
pub use shaper::{Impulse, Impulses};
pub use steps::{StepCourse, StepScale};
pub use swing::{Oscillator, Ringing, swing_at};
pub use times::TravelTimes;

use crate::model::{Axis, AxisConfig, Pose, Shaper, ShaperChoice};

/// The time from the start of a move until every one of `axes` is at rest. Axes that are not listed do not move.
pub fn travel_time(from: &Pose, to: &Pose, axes: &[AxisConfig]) -> Duration {
    TravelTimes::new(axes).of(from, to)
}

/// The way of `axis` over `distance`, in parts if what it carries swings.
pub fn profile(axis: &AxisConfig, distance: f64) -> Profile {
    Profile::shaped(distance, axis.limits, impulses(axis, distance))
}

/// `axes` whose moves are in one part, whatever swings.
pub fn unshaped(axes: &[AxisConfig]) -> Vec<AxisConfig> {
    axes.iter().map(|axis| AxisConfig { shaper: ShaperChoice::Always(Shaper::Off), ..*axis }).collect()
}

/// The parts of a move of `axis` over `distance`.
pub fn impulses(axis: &AxisConfig, distance: f64) -> Impulses {
    let shaper = shaper(axis, distance);
    axis.swing.as_ref().map_or(Impulses::WHOLE, |swing| Impulses::of(shaper, swing))
}

/// By how much a move of `axes` may be longer because it is in parts.
pub fn longest_span(axes: &[AxisConfig]) -> Duration {
    let swings = axes.iter().filter_map(|axis| axis.swing.as_ref());
    let spans = swings.flat_map(|swing| Shaper::ALL.map(|shaper| Impulses::of(shaper, swing).span()));
    Duration::try_from_secs_f64(spans.fold(0.0, f64::max)).unwrap_or(Duration::MAX)
}

/// How long what the axes carry may swing after a move, from its end on, as far as their swings are known.
pub fn calms_after(from: &Pose, to: &Pose, axes: &[AxisConfig]) -> Duration {
    let rest = travel_time(from, to, axes).as_secs_f64();
    let calm = |axis: &AxisConfig| {
        let distance = distance(axis.axis, from, to);
        let shaper = shaper(axis, distance);
        let foreseen = foresee(distance, axis.limits, axis.swing.as_ref()?, still(axis.axis));
        let found = foreseen.iter().find(|foreseen| foreseen.shaper == shaper)?;
        Some(found.seconds + found.calms_after - rest)
    };
    let seconds = axes.iter().filter_map(calm).fold(0.0, f64::max);
    Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX)
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
        AxisConfig::new(axis, Limits { speed, acceleration, jerk: None }, None)
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
