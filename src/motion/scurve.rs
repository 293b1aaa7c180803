//! One axis' way from rest to rest in the least time with limited jerk.

use super::jump::Jump;
use super::passing::Passing;
use crate::model::Limits;

/// Most phases that a course has: the seven of a whole one, the last of them cut, and three to brake.
const MOST_PHASES: usize = 10;

/// An S-curve: constant jerk in each of up to seven phases, so that acceleration never jumps. From rest at
/// position 0 to rest. Lengths are not signed here. Times in seconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct SCurve {
    phases: [Phase; MOST_PHASES],
    count: usize,
    limits: Limits,
    jerk: f64,
}

/// A stretch of constant jerk.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
struct Phase {
    start: f64,
    duration: f64,
    jerk: f64,
    /// Position, speed and acceleration at its start.
    at: Motion,
}

/// How an axis moves at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
struct Motion {
    position: f64,
    velocity: f64,
    acceleration: f64,
}

impl Motion {
    /// `time` later, under `jerk`.
    fn after(self, time: f64, jerk: f64) -> Self {
        let Self { position, velocity, acceleration } = self;
        Self {
            position: position + time * (velocity + time * (acceleration / 2.0 + time * jerk / 6.0)),
            velocity: velocity + time * (acceleration + time * jerk / 2.0),
            acceleration: acceleration + time * jerk,
        }
    }
}

impl SCurve {
    /// The fastest way over `length` (>= 0) within `limits` and `jerk` (> 0).
    pub(super) fn new(length: f64, limits: Limits, jerk: f64) -> Self {
        let Limits { speed, acceleration, .. } = limits;
        // From rest to full speed: the acceleration grows, holds (if full speed lets it get that far), shrinks.
        let (grow, hold) = if speed * jerk >= acceleration * acceleration {
            (acceleration / jerk, speed / acceleration - acceleration / jerk)
        } else {
            ((speed / jerk).sqrt(), 0.0)
        };
        let ramps_length = speed * (2.0 * grow + hold);
        let (grow, hold, cruise) = if length >= ramps_length {
            (grow, hold, (length - ramps_length) / speed)
        } else if length >= 2.0 * acceleration.powi(3) / (jerk * jerk) {
            // Full acceleration, but not full speed.
            let grow = acceleration / jerk;
            let ramp = f64::midpoint(grow, (grow * grow + 4.0 * length / acceleration).sqrt());
            (grow, (ramp - 2.0 * grow).max(0.0), 0.0)
        } else {
            ((length / (2.0 * jerk)).cbrt(), 0.0, 0.0)
        };
        let mut curve = Self { phases: [Phase::default(); MOST_PHASES], count: 0, limits, jerk };
        let speeding_up = [(grow, jerk), (hold, 0.0), (grow, -jerk)];
        let slowing_down = [(grow, -jerk), (hold, 0.0), (grow, jerk)];
        for (duration, jerk) in speeding_up.into_iter().chain([(cruise, 0.0)]).chain(slowing_down) {
            curve.push(duration, jerk);
        }
        curve
    }

    /// Until it is at rest.
    pub(super) fn seconds(&self) -> f64 {
        self.last().start + self.last().duration
    }

    /// Where it comes to rest.
    pub(super) fn length(&self) -> f64 {
        self.end().position
    }

    pub(super) fn position_and_velocity(&self, time: f64) -> (f64, f64) {
        let Motion { position, velocity, .. } = self.at(time);
        (position, velocity.max(0.0))
    }

    /// When `position` is passed, found until another step changes it by less than `precision` seconds.
    pub(super) fn time_at(&self, position: f64, precision: f64) -> f64 {
        let phases = &self.phases[..self.count];
        let index = phases.partition_point(|phase| phase.at.position <= position).saturating_sub(1);
        let Phase { start, duration, jerk, at } = phases[index];
        let bounds = (0.0, duration);
        let acceleration = self.limits.acceleration;
        let passing = Passing { bounds, near: duration / 2.0, precision, acceleration };
        let after = passing.find(|time| {
            let there = at.after(time, jerk);
            (there.position - position, there.velocity)
        });
        start + after
    }

    /// The same course until `time`, then to rest as fast as the limits allow.
    pub(super) fn stopped_at(&self, time: f64) -> Self {
        if time >= self.seconds() {
            return *self;
        }
        let phases = &self.phases[..self.count];
        let index = phases.partition_point(|phase| phase.start <= time).saturating_sub(1);
        let mut stopped = Self { count: index, ..*self };
        let Phase { start, jerk, .. } = self.phases[index];
        stopped.push_from(self.phases[index].at, start, (time - start).max(0.0), jerk);
        let Motion { velocity, acceleration, .. } = stopped.end();
        // From the present acceleration down to the strongest braking, and back to none, at which it rests.
        let most = self.limits.acceleration;
        let needed = (self.jerk * velocity.max(0.0) + acceleration * acceleration / 2.0).sqrt();
        let braking = needed.min(most).max(-acceleration);
        let hold = if needed > most {
            (velocity + (acceleration * acceleration / 2.0 - most * most) / self.jerk) / most
        } else {
            0.0
        };
        stopped.push((acceleration + braking).max(0.0) / self.jerk, -self.jerk);
        stopped.push(hold.max(0.0), 0.0);
        stopped.push(braking / self.jerk, self.jerk);
        stopped
    }

    /// Where jerk jumps; at its end, what rounding has left of the acceleration does, too.
    pub(super) fn jumps(&self) -> impl Iterator<Item = Jump> + use<'_> {
        let phases = &self.phases[..self.count];
        let before = std::iter::once(0.0).chain(phases.iter().map(|phase| phase.jerk));
        let begin = phases.iter().zip(before).map(|(phase, before)| Jump {
            time: phase.start,
            acceleration: 0.0,
            jerk: phase.jerk - before,
        });
        let end =
            Jump { time: self.seconds(), acceleration: -self.end().acceleration, jerk: -self.last().jerk };
        begin.chain(std::iter::once(end))
    }

    fn push(&mut self, duration: f64, jerk: f64) {
        let (at, start) =
            if self.count == 0 { (Motion::default(), 0.0) } else { (self.end(), self.seconds()) };
        self.push_from(at, start, duration, jerk);
    }

    fn push_from(&mut self, at: Motion, start: f64, duration: f64, jerk: f64) {
        self.phases[self.count] = Phase { start, duration, jerk, at };
        self.count += 1;
    }

    fn at(&self, time: f64) -> Motion {
        let phases = &self.phases[..self.count];
        let index = phases.partition_point(|phase| phase.start <= time).saturating_sub(1);
        let Phase { start, duration, jerk, at } = phases[index];
        at.after((time - start).clamp(0.0, duration), jerk)
    }

    fn end(&self) -> Motion {
        let Phase { duration, jerk, at, .. } = *self.last();
        at.after(duration, jerk)
    }

    fn last(&self) -> &Phase {
        &self.phases[self.count - 1]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn curves() -> impl Strategy<Value = SCurve> {
        (0.0..1000.0_f64, 0.1..500.0_f64, 0.1..2000.0_f64, 1.0..50_000.0_f64).prop_map(
            |(length, speed, acceleration, jerk)| {
                SCurve::new(length, Limits { speed, acceleration, jerk: Some(jerk) }, jerk)
            },
        )
    }

    /// Whether the three limits hold at every end of a phase, and so in between: within one, acceleration is
    /// linear, and speed turns only where acceleration is zero, which is an end.
    fn within_limits(curve: &SCurve) -> bool {
        let slack = 1.0 + 1e-6;
        curve.phases[..curve.count].iter().all(|phase| {
            let end = phase.at.after(phase.duration, phase.jerk);
            phase.jerk.abs() <= curve.jerk
                && [phase.at, end].iter().all(|at| {
                    at.acceleration.abs() <= curve.limits.acceleration * slack
                        && at.velocity <= curve.limits.speed * slack
                        && at.velocity >= -1e-6 * curve.limits.speed
                })
        })
    }

    proptest! {
        #[test]
        fn it_goes_the_whole_way_within_the_limits_and_rests(
            length in 0.0..1000.0_f64, speed in 0.1..500.0_f64, acceleration in 0.1..2000.0_f64, jerk in 1.0..50_000.0_f64,
        ) {
            let curve = SCurve::new(length, Limits { speed, acceleration, jerk: Some(jerk) }, jerk);
            prop_assert!((curve.length() - length).abs() < 1e-7 * (1.0 + length), "{} for {length}", curve.length());
            prop_assert!(curve.end().velocity.abs() < 1e-6 * (1.0 + speed));
            prop_assert!(within_limits(&curve));
        }

        #[test]
        fn no_time_can_be_saved(curve in curves()) {
            // What is time-optimal is always at a limit: of jerk, of acceleration, or of speed.
            for phase in &curve.phases[..curve.count] {
                let full = |value: f64, limit: f64| (value.abs() - limit).abs() < 1e-6 * limit;
                prop_assert!(
                    phase.duration < 1e-9
                        || full(phase.jerk, curve.jerk)
                        || full(phase.at.acceleration, curve.limits.acceleration)
                        || full(phase.at.velocity, curve.limits.speed),
                    "{phase:?}"
                );
            }
        }

        #[test]
        fn time_at_is_the_inverse_of_position(curve in curves(), part in 0.001..0.999_f64) {
            let position = curve.length() * part;
            let off = (curve.at(curve.time_at(position, 1e-11)).position - position).abs();
            prop_assert!(off <= 1e-9 * (1.0 + curve.length() + curve.limits.speed), "{off}");
        }

        #[test]
        fn a_stop_rests_within_the_limits_and_the_way(curve in curves(), part in 0.0..1.1_f64) {
            let time = curve.seconds() * part;
            let stopped = curve.stopped_at(time);
            prop_assert!(within_limits(&stopped));
            let end = stopped.end();
            prop_assert!(end.velocity.abs() <= 1e-4 * curve.limits.speed, "{end:?}");
            prop_assert!(stopped.length() <= curve.length() * (1.0 + 1e-6) + 1e-6);
            prop_assert!((stopped.at(time).position - curve.at(time).position).abs() < 1e-9 * (1.0 + curve.length()));
        }
    }
}
