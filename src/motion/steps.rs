//! One axis' way in whole steps of its motor.

use std::time::Duration;

use super::{Impulses, Profile, impulses};
use crate::model::{AxisConfig, Limits};

/// How many steps of the motor (microsteps, if it makes those) move an axis by its unit.
///
/// A position becomes a number of steps by itself, never by adding up moves. So nothing drifts, however many
/// moves there were.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StepScale {
    steps_per_unit: f64,
}

impl StepScale {
    /// `steps_per_unit` (> 0) steps to a degree or a millimetre.
    pub const fn new(steps_per_unit: f64) -> Self {
        Self { steps_per_unit }
    }

    /// Steps to a degree or a millimetre.
    pub const fn steps_per_unit(self) -> f64 {
        self.steps_per_unit
    }

    /// The step that is nearest to `position`.
    pub fn steps(self, position: f64) -> i64 {
        (position * self.steps_per_unit).round() as i64
    }

    /// Where the axis stands at `steps`.
    pub fn position(self, steps: i64) -> f64 {
        steps as f64 / self.steps_per_unit
    }

    /// `limits` of the axis, in steps.
    pub fn limits(self, limits: Limits) -> Limits {
        let Limits { speed, acceleration, jerk } = limits;
        let scaled = |value: f64| value * self.steps_per_unit;
        Limits { speed: scaled(speed), acceleration: scaled(acceleration), jerk: jerk.map(scaled) }
    }
}

/// A way of a whole number of steps, and when each of them falls due.
///
/// The motor's steps follow a [`Profile`] over the whole way: a step is due when the profile is half-way to it. So
/// the motor is never farther from the profile than half a step, stands exactly at its end before the profile
/// does, and the time between two steps is that in which the profile goes the length of one: no limit is exceeded.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StepCourse {
    profile: Profile,
    steps: u64,
}

impl StepCourse {
    /// The fastest way over `steps` (either sign) within `limits`, which are in steps, too: [`StepScale::limits`].
    pub fn new(steps: i64, limits: Limits) -> Self {
        Self::along(steps, limits, Impulses::WHOLE)
    }

    /// The way of `axis` over `steps` of its motor, in parts if what it carries swings.
    pub fn planned(steps: i64, scale: StepScale, axis: &AxisConfig) -> Self {
        Self::along(steps, scale.limits(axis.limits), impulses(axis, scale.position(steps)))
    }

    fn along(steps: i64, limits: Limits, impulses: Impulses) -> Self {
        Self { profile: Profile::shaped(steps as f64, limits, impulses), steps: steps.unsigned_abs() }
    }

    /// How many steps there are.
    pub const fn steps(&self) -> u64 {
        self.steps
    }

    /// Which way they go: 1 or -1.
    pub const fn direction(&self) -> i64 {
        if self.profile.distance() < 0.0 { -1 } else { 1 }
    }

    /// From the start until the profile rests. Later than the last step.
    pub fn duration(&self) -> Duration {
        self.profile.duration()
    }

    /// When the `index`-th step falls due, counted from 0, after the start; none if there are not so many.
    pub fn due(&self, index: u64) -> Option<Duration> {
        (index < self.steps).then(|| {
            let nanoseconds = self.profile.time_at(index as f64 + 0.5) * 1e9;
            Duration::from_nanos(nanoseconds.round() as u64)
        })
    }

    /// This way, broken off at `time` after its start as fast as the limits allow. The steps until then are the
    /// same.
    #[must_use]
    pub fn stopped_at(&self, time: Duration) -> Self {
        let profile = self.profile.stopped_at(time);
        // The steps that the shorter profile is at least half-way to.
        let steps = (profile.distance().abs() + 0.5).floor() as u64;
        Self { profile, steps: steps.min(self.steps) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Axis, Shaper, ShaperChoice, Swing};
    use crate::units::Hertz;
    use proptest::prelude::*;

    fn limits() -> impl Strategy<Value = Limits> {
        (50.0..40_000.0, 500.0..500_000.0, proptest::option::of(20_000.0..50_000_000.0))
            .prop_map(|(speed, acceleration, jerk)| Limits { speed, acceleration, jerk })
    }

    /// None, or those of a swing.
    fn parts() -> impl Strategy<Value = Impulses> {
        (0.5..50.0_f64, 0.0..0.5_f64, proptest::sample::select(&Shaper::ALL[..])).prop_map(
            |(frequency, damping, shaper)| {
                Impulses::of(shaper, &Swing { frequency: Hertz::new(frequency), damping, spread: 0.0 })
            },
        )
    }

    fn due_ns(course: &StepCourse) -> Vec<f64> {
        (0..course.steps()).map(|index| course.due(index).unwrap().as_nanos() as f64).collect()
    }

    #[test]
    fn the_144th_position_is_where_arithmetic_says() {
        // 200 steps of 1/16 on a belt of 90 to 20 teeth: 40 steps a degree; and one whose steps fit no degree.
        for steps_per_turn in [14_400.0, 200.0 * 16.0 * 73.0 / 17.0] {
            let scale = StepScale::new(steps_per_turn / 360.0);
            let mut steps = 0;
            for point in 1..=10_000_u32 {
                let target = scale.steps(f64::from(point) * 2.5);
                let course =
                    StepCourse::new(target - steps, Limits { speed: 4e3, acceleration: 4e4, jerk: None });
                steps += course.direction() * course.steps() as i64;
                let exact = f64::from(point) * 2.5 * steps_per_turn / 360.0;
                assert!((steps as f64 - exact).abs() <= 0.5, "point {point}");
                if point % 144 == 0 {
                    let turns = f64::from(point) / 144.0;
                    assert_eq!(steps, (turns * steps_per_turn).round() as i64, "point {point}");
                }
            }
        }
    }

    #[test]
    fn one_step_and_none() {
        let limits = Limits { speed: 100.0, acceleration: 100.0, jerk: None };
        assert_eq!(StepCourse::new(0, limits).due(0), None);
        let one = StepCourse::new(-1, limits);
        assert_eq!((one.steps(), one.direction()), (1, -1));
        // A triangle over one step rests after 0.2 s, and is half-way after 0.1 s.
        assert_eq!((one.due(0), one.due(1)), (Some(Duration::from_millis(100)), None));
        assert_eq!(one.duration(), Duration::from_millis(200));
    }

    #[test]
    fn the_motor_takes_the_time_of_its_axis() {
        let limits = Limits { speed: 90.0, acceleration: 360.0, jerk: None };
        let swing = Some(Swing { frequency: Hertz::new(8.0), damping: 0.05, spread: 0.0 });
        let shaper = ShaperChoice::Auto;
        let axis = AxisConfig { swing, shaper, ..AxisConfig::new(Axis::Turntable, limits, None) };
        let scale = StepScale::new(40.0);
        for angle in [0.0, 0.5, -2.5, 10.0, 180.0] {
            let course = StepCourse::planned(scale.steps(angle), scale, &axis);
            let profile = crate::motion::profile(&axis, angle);
            let off = course.duration().abs_diff(profile.duration());
            assert!(off <= Duration::from_nanos(100), "{angle}: {off:?}");
        }
    }

    proptest! {
        #[test]
        fn steps_come_one_after_the_other_and_before_the_end(
            steps in -3000..3000_i64, limits in limits(), parts in parts(),
        ) {
            let course = StepCourse::along(steps, limits, parts);
            let due = due_ns(&course);
            prop_assert_eq!(due.len() as u64, steps.unsigned_abs());
            prop_assert!(due.windows(2).all(|pair| pair[0] < pair[1]));
            prop_assert!(due.last().is_none_or(|last| *last < course.duration().as_nanos() as f64));
            prop_assert_eq!(course.direction(), if steps < 0 { -1 } else { 1 });
        }

        #[test]
        fn speed_and_acceleration_are_never_exceeded(
            steps in 0..3000_i64, limits in limits(), parts in parts(),
        ) {
            let due = due_ns(&StepCourse::along(steps, limits, parts));
            let speeds: Vec<(f64, f64)> = due
                .windows(2)
                .map(|pair| (f64::midpoint(pair[0], pair[1]) / 1e9, 1e9 / (pair[1] - pair[0])))
                .collect();
            // Each time is rounded to a nanosecond (and found to a hundredth of one): as much is a speed uncertain.
            let error = |speed: f64| speed * speed * 1.02e-9;
            for &(_, speed) in &speeds {
                prop_assert!(speed <= limits.speed + error(speed) + 1e-6 * limits.speed, "{speed} steps/s");
            }
            for pair in speeds.windows(2) {
                let ((t0, v0), (t1, v1)) = (pair[0], pair[1]);
                let error = (error(v0) + error(v1)) / (t1 - t0);
                let acceleration = (v1 - v0).abs() / (t1 - t0);
                prop_assert!(
                    acceleration <= limits.acceleration * (1.0 + 1e-6) + error,
                    "{acceleration} of {}, {v0} steps/s at {t0} s, {v1} at {t1}", limits.acceleration
                );
            }
        }

        #[test]
        fn the_time_is_that_of_the_best_way_for_so_many_steps(steps in 1..3000_i64, limits in limits()) {
            // Half a step is lost neither at the start nor at the end.
            let course = StepCourse::new(steps, limits);
            prop_assert_eq!(course.duration(), Profile::new(steps as f64, limits).duration());
            let last = course.due(course.steps() - 1).unwrap();
            let half = Profile::new(steps as f64, limits).time_at(steps as f64 - 0.5);
            prop_assert!((last.as_secs_f64() - half).abs() < 2e-9);
            // And the plan's estimate, which knows no steps, is off by less than a step's time.
            let longer = Profile::new(steps as f64 + 0.5, limits).duration();
            let shorter = Profile::new(steps as f64 - 0.5, limits).duration();
            prop_assert!(shorter <= course.duration() && course.duration() <= longer);
        }

        #[test]
        fn a_stop_keeps_the_steps_until_then_and_ends_within_the_way(
            steps in -3000..3000_i64, limits in limits(), parts in parts(), part in 0.0..1.1_f64,
        ) {
            let course = StepCourse::along(steps, limits, parts);
            let time = course.duration().mul_f64(part);
            let stopped = course.stopped_at(time);
            prop_assert!(stopped.steps() <= course.steps());
            let (before, after) = (due_ns(&course), due_ns(&stopped));
            let stop_ns = time.as_nanos() as f64;
            for (index, due) in before.iter().enumerate().filter(|(_, due)| **due + 2.0 < stop_ns) {
                prop_assert!((after[index] - due).abs() <= 2.0, "step {index}: {} for {due}", after[index]);
            }
            prop_assert!(after.windows(2).all(|pair| pair[0] < pair[1]));
        }
    }
}
