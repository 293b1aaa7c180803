//! One axis' way from rest to rest in the least time.

use std::time::Duration;

use super::scurve::SCurve;
use crate::model::Limits;

/// From rest at position 0 to rest at the distance, as fast as the limits allow. Without a limit of jerk a
/// trapezoid of speed over time: full acceleration, cruise at full speed, full deceleration; a triangle if
/// the distance is too short to reach full speed. With one an S-curve, in which acceleration does not jump.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Profile {
    /// Signed, in the axis' unit, as all positions here.
    distance: f64,
    limits: Limits,
    shape: Shape,
}

#[derive(Debug, Clone, Copy, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "the thread that makes steps brakes without allocating")]
enum Shape {
    Trapezoid(Trapezoid),
    SCurve(SCurve),
}

/// Lengths and positions are not signed. Times in seconds.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Trapezoid {
    length: f64,
    acceleration: f64,
    /// Acceleration, and as much deceleration.
    ramp: f64,
    /// Seconds between the two ramps, in which it goes at full speed.
    cruise: f64,
}

impl Profile {
    /// The fastest way over `distance` (either sign) within `limits`.
    pub fn new(distance: f64, limits: Limits) -> Self {
        let length = distance.abs();
        let shape = match limits.jerk {
            None => Shape::Trapezoid(Trapezoid::new(length, limits)),
            Some(jerk) => Shape::SCurve(SCurve::new(length, limits, jerk)),
        };
        Self { distance, limits, shape }
    }

    /// The time until the axis is at rest at its end, rounded up to a nanosecond.
    pub fn duration(&self) -> Duration {
        let nanoseconds = (self.seconds() * 1e9).ceil();
        if nanoseconds < u64::MAX as f64 { Duration::from_nanos(nanoseconds as u64) } else { Duration::MAX }
    }

    /// [`Self::duration`] in seconds, not rounded.
    pub fn seconds(&self) -> f64 {
        match &self.shape {
            Shape::Trapezoid(trapezoid) => trapezoid.seconds(),
            Shape::SCurve(curve) => curve.seconds(),
        }
    }

    /// How far it goes, with its sign.
    pub const fn distance(&self) -> f64 {
        self.distance
    }

    /// How far the axis has come at `time` after the start: exactly the distance from [`Self::duration`] on.
    pub fn position(&self, time: Duration) -> f64 {
        if time >= self.duration() {
            return self.distance;
        }
        let position = match &self.shape {
            Shape::Trapezoid(trapezoid) => trapezoid.position(time.as_secs_f64()),
            Shape::SCurve(curve) => curve.position(time.as_secs_f64()),
        };
        position.clamp(0.0, self.distance.abs()).copysign(self.distance)
    }

    /// The speed at `time` after the start, with the sign of the distance, in the axis' unit per second.
    pub fn velocity(&self, time: Duration) -> f64 {
        if time >= self.duration() {
            return 0.0;
        }
        let velocity = match &self.shape {
            Shape::Trapezoid(trapezoid) => trapezoid.velocity(time.as_secs_f64()),
            Shape::SCurve(curve) => curve.velocity(time.as_secs_f64()),
        };
        velocity.copysign(self.distance)
    }

    /// How many seconds after the start the axis has come as far as `length` (not signed, within the distance).
    pub fn time_at(&self, length: f64) -> f64 {
        match &self.shape {
            Shape::Trapezoid(trapezoid) => trapezoid.time_at(length),
            Shape::SCurve(curve) => curve.time_at(length),
        }
    }

    /// This way, broken off at `time` after its start as fast as the limits allow: a shorter way with the same
    /// start and the same course until then.
    #[must_use]
    pub fn stopped_at(&self, time: Duration) -> Self {
        match &self.shape {
            Shape::Trapezoid(_) => {
                let (position, velocity) = (self.position(time), self.velocity(time));
                let braking = velocity * velocity / (2.0 * self.limits.acceleration);
                let length = (position.abs() + braking).min(self.distance.abs());
                Self::new(length.copysign(self.distance), self.limits)
            }
            Shape::SCurve(curve) => {
                if time >= self.duration() {
                    return *self;
                }
                let curve = curve.stopped_at(time.as_secs_f64());
                let length = curve.length().min(self.distance.abs());
                Self { distance: length.copysign(self.distance), shape: Shape::SCurve(curve), ..*self }
            }
        }
    }
}

impl Trapezoid {
    fn new(length: f64, Limits { speed, acceleration, .. }: Limits) -> Self {
        let ramps_length = speed * speed / acceleration;
        let (ramp, cruise) = if length > ramps_length {
            (speed / acceleration, (length - ramps_length) / speed)
        } else {
            ((length / acceleration).sqrt(), 0.0)
        };
        Self { length, acceleration, ramp, cruise }
    }

    fn seconds(&self) -> f64 {
        2.0 * self.ramp + self.cruise
    }

    fn position(&self, time: f64) -> f64 {
        let left = (self.seconds() - time).max(0.0);
        if time < self.ramp {
            self.acceleration * time * time / 2.0
        } else if left < self.ramp {
            self.length - self.acceleration * left * left / 2.0
        } else {
            self.acceleration * self.ramp * (time - self.ramp / 2.0)
        }
    }

    fn velocity(&self, time: f64) -> f64 {
        let left = (self.seconds() - time).max(0.0);
        self.acceleration * time.min(left).min(self.ramp)
    }

    fn time_at(&self, position: f64) -> f64 {
        let ramp_length = self.acceleration * self.ramp * self.ramp / 2.0;
        let left = self.length - position;
        if position < ramp_length {
            (2.0 * position / self.acceleration).sqrt()
        } else if left < ramp_length {
            self.seconds() - (2.0 * left.max(0.0) / self.acceleration).sqrt()
        } else {
            self.ramp + (position - ramp_length) / (self.acceleration * self.ramp)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn limits() -> impl Strategy<Value = Limits> {
        let jerk = proptest::option::of(1.0..50_000.0);
        (0.1..500.0, 0.1..2000.0, jerk).prop_map(|(speed, acceleration, jerk)| Limits {
            speed,
            acceleration,
            jerk,
        })
    }

    fn profiles() -> impl Strategy<Value = Profile> {
        (-1000.0..1000.0_f64, limits()).prop_map(|(distance, limits)| Profile::new(distance, limits))
    }

    /// `count` + 1 evenly spaced times from the start to the end.
    fn times(profile: &Profile, count: u32) -> impl Iterator<Item = Duration> + use<> {
        let duration = profile.duration();
        (0..=count).map(move |i| duration.mul_f64(f64::from(i) / f64::from(count)))
    }

    #[test]
    fn short_moves_are_triangles_and_long_ones_trapezoids() {
        let limits = Limits { speed: 90.0, acceleration: 180.0, jerk: None };
        // Full speed is reached and left again within exactly 45 degrees.
        assert_eq!(Profile::new(45.0, limits).duration(), Duration::from_secs(1));
        assert_eq!(Profile::new(90.0, limits).duration(), Duration::from_millis(1500));
        assert_eq!(Profile::new(-11.25, limits).duration(), Duration::from_millis(500));
        assert_eq!(Profile::new(0.0, limits).duration(), Duration::ZERO);
    }

    proptest! {
        #[test]
        fn limits_hold_at_every_moment(profile in profiles()) {
            let moments: Vec<_> = times(&profile, 500).collect();
            for pair in moments.windows(2) {
                let dt = pair[1].saturating_sub(pair[0]).as_secs_f64();
                if dt < 1e-6 {
                    continue; // Rounding to nanoseconds would show.
                }
                let speed = (profile.position(pair[1]) - profile.position(pair[0])).abs() / dt;
                let change = (profile.velocity(pair[1]) - profile.velocity(pair[0])).abs() / dt;
                prop_assert!(speed <= profile.limits.speed * (1.0 + 1e-3), "speed {speed}");
                prop_assert!(change <= profile.limits.acceleration * (1.0 + 1e-2), "acceleration {change}");
            }
        }

        #[test]
        fn velocity_is_the_slope_of_position(profile in profiles(), at in 0.01..0.99_f64) {
            let (time, step) = (profile.duration().mul_f64(at), Duration::from_micros(10));
            prop_assume!(time > step && profile.duration() > 3 * step);
            let slope = (profile.position(time + step) - profile.position(time.saturating_sub(step))) / (2.0 * step.as_secs_f64());
            let tolerance = profile.limits.acceleration * step.as_secs_f64() + 1e-6;
            prop_assert!((slope - profile.velocity(time)).abs() <= tolerance);
        }

        #[test]
        fn it_never_turns_back(profile in profiles()) {
            let positions: Vec<_> = times(&profile, 500).map(|time| profile.position(time).abs()).collect();
            prop_assert!(positions.windows(2).all(|pair| pair[1] >= pair[0] - 1e-9));
        }

        #[test]
        fn it_ends_exactly(profile in profiles(), later in 0..1_000_000_000_u64) {
            for time in [profile.duration(), profile.duration() + Duration::from_nanos(later)] {
                prop_assert_eq!(profile.position(time).to_bits(), profile.distance.to_bits());
                prop_assert_eq!(profile.velocity(time).to_bits(), 0.0_f64.to_bits());
            }
        }

        #[test]
        fn the_second_half_mirrors_the_first(profile in profiles(), at in 0.0..1.0_f64) {
            let time = profile.duration().mul_f64(at);
            let mirrored = profile.distance - profile.position(profile.duration().saturating_sub(time));
            prop_assert!((profile.position(time) - mirrored).abs() < 1e-5 * (1.0 + profile.limits.speed));
        }

        #[test]
        fn no_way_is_faster(length in 0.0..1000.0_f64, limits in limits()) {
            // The area under the highest speed that is reachable from rest at both ends, integrated over the
            // profile's time, is the distance: none of that time can be saved.
            // Of S-curves, see there.
            let limits = Limits { jerk: None, ..limits };
            let profile = Profile::new(length, limits);
            let (end, steps) = (profile.seconds(), 10_000);
            let area: f64 = (0..steps)
                .map(|i| end * (f64::from(i) + 0.5) / f64::from(steps))
                .map(|t| (limits.acceleration * t.min(end - t)).min(limits.speed) * end / f64::from(steps))
                .sum();
            prop_assert!((area - length).abs() <= 1e-4 * (1.0 + length), "{area} for {length}");
        }

        #[test]
        fn a_stop_keeps_to_the_course_and_ends_sooner(profile in profiles(), at in 0.0..1.2_f64, before in 0.0..1.0_f64) {
            let stop = profile.duration().mul_f64(at);
            let stopped = profile.stopped_at(stop);
            let earlier = stop.mul_f64(before);
            prop_assert!((stopped.position(earlier) - profile.position(earlier)).abs() < 1e-6 * (1.0 + profile.limits.speed));
            prop_assert!(stopped.duration() <= profile.duration() + Duration::from_nanos(10));
            prop_assert!(stopped.distance.abs() <= profile.distance.abs());
            if profile.limits.jerk.is_none() {
                let braking = Duration::from_secs_f64(profile.velocity(stop).abs() / profile.limits.acceleration);
                prop_assert!(stopped.duration() <= stop + braking + Duration::from_micros(1));
            }
        }

        #[test]
        fn time_at_is_the_inverse_of_position(profile in profiles(), part in 0.0..1.0_f64) {
            let length = profile.distance.abs() * part;
            let time = Duration::from_secs_f64(profile.time_at(length));
            let off = (profile.position(time).abs() - length).abs();
            prop_assert!(off < 1e-6 * (1.0 + profile.limits.speed), "{off}");
        }
    }
}
