//! One axis' way from rest to rest.

use std::time::Duration;

use super::jump::Jump;
use super::passing::Passing;
use super::scurve::SCurve;
use super::shaper::Impulses;
use super::trapezoid::Trapezoid;
use crate::model::Limits;

/// From rest at position 0 to rest at the distance, as fast as the limits allow. Without a limit of jerk a
/// trapezoid of speed over time: full acceleration, cruise at full speed, full deceleration; a triangle if
/// the distance is too short to reach full speed. With one an S-curve, in which acceleration does not jump.
///
/// It may be parted into delayed parts of itself, so that less swings after it ([`Impulses`]).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Profile {
    /// Signed, in the axis' unit, as all positions here.
    distance: f64,
    limits: Limits,
    shape: Shape,
    impulses: Impulses,
}

/// The way of each part. Lengths and positions are not signed. Times in seconds.
#[derive(Debug, Clone, Copy, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "the thread that makes steps brakes without allocating")]
enum Shape {
    Trapezoid(Trapezoid),
    SCurve(SCurve),
}

/// Seconds: a hundredth of a nanosecond, and what is near enough to begin with.
const EXACT: f64 = 1e-11;
const ROUGH: f64 = 1e-3;

impl Profile {
    /// The fastest way over `distance` (either sign) within `limits`.
    pub fn new(distance: f64, limits: Limits) -> Self {
        Self::shaped(distance, limits, Impulses::WHOLE)
    }

    /// The same in parts: longer by their [span](Impulses::span), and within the same limits.
    pub fn shaped(distance: f64, limits: Limits, impulses: Impulses) -> Self {
        let length = distance.abs();
        let shape = match limits.jerk {
            None => Shape::Trapezoid(Trapezoid::new(length, limits)),
            Some(jerk) => Shape::SCurve(SCurve::new(length, limits, jerk)),
        };
        Self { distance, limits, shape, impulses: parts_of(distance, impulses) }
    }

    /// The time until the axis is at rest at its end, rounded up to a nanosecond.
    pub fn duration(&self) -> Duration {
        let nanoseconds = (self.seconds() * 1e9).ceil();
        if nanoseconds < u64::MAX as f64 { Duration::from_nanos(nanoseconds as u64) } else { Duration::MAX }
    }

    /// [`Self::duration`] in seconds, not rounded.
    pub fn seconds(&self) -> f64 {
        self.shape.seconds() + self.impulses.span()
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
        let (position, _) = self.at(time.as_secs_f64());
        position.clamp(0.0, self.distance.abs()).copysign(self.distance)
    }

    /// The speed at `time` after the start, with the sign of the distance, in the axis' unit per second.
    pub fn velocity(&self, time: Duration) -> f64 {
        if time >= self.duration() {
            return 0.0;
        }
        self.at(time.as_secs_f64()).1.copysign(self.distance)
    }

    /// How many seconds after the start the axis has come as far as `length` (not signed, within the distance).
    pub fn time_at(&self, length: f64) -> f64 {
        let span = self.impulses.span();
        if span == 0.0 {
            return self.shape.time_at(length, EXACT);
        }
        // While the speed does not change, this is right.
        let near = self.shape.time_at(length, ROUGH) + self.impulses.delay();
        let acceleration = self.limits.acceleration;
        let passing = Passing { bounds: (0.0, self.seconds()), near, precision: EXACT, acceleration };
        passing.find(|time| {
            let (position, velocity) = self.at(time);
            (position - length, velocity)
        })
    }

    /// This way, broken off at `time` after its start as fast as the limits allow: a shorter way with the same
    /// start and the same course until then. In parts, it still swings as little; each part is broken off, and so it takes
    /// their [span](Impulses::span) longer.
    #[must_use]
    pub fn stopped_at(&self, time: Duration) -> Self {
        let Self { limits, impulses, .. } = *self;
        let seconds = time.as_secs_f64();
        let shape = match &self.shape {
            Shape::Trapezoid(trapezoid) => {
                let length = trapezoid.length_if_stopped(seconds).min(self.distance.abs());
                Shape::Trapezoid(Trapezoid::new(length, limits))
            }
            Shape::SCurve(_) if time >= self.duration() => return *self,
            Shape::SCurve(curve) => Shape::SCurve(curve.stopped_at(seconds)),
        };
        let distance = shape.length().min(self.distance.abs()).copysign(self.distance);
        Self { distance, limits, shape, impulses: parts_of(distance, impulses) }
    }

    /// Every jump of acceleration and jerk, with the sign of the distance; in order for each part of the way.
    pub fn jumps(&self) -> impl Iterator<Item = Jump> {
        let sign = 1.0_f64.copysign(self.distance);
        let (trapezoid, curve) = match &self.shape {
            Shape::Trapezoid(trapezoid) => (Some(trapezoid.jumps()), None),
            Shape::SCurve(curve) => (None, Some(curve.jumps())),
        };
        let jumps = trapezoid.into_iter().flatten().chain(curve.into_iter().flatten());
        jumps.flat_map(move |jump| {
            self.impulses.iter().map(move |impulse| jump.of_part(sign * impulse.part, impulse.after))
        })
    }

    /// The highest acceleration or deceleration of all, in the axis' unit per second squared. Allocates.
    pub fn peak_acceleration(&self) -> f64 {
        let mut jumps: Vec<Jump> = self.jumps().collect();
        jumps.sort_by(|a, b| a.time.total_cmp(&b.time));
        let (mut acceleration, mut jerk, mut peak, mut time) = (0.0, 0.0, 0.0_f64, 0.0);
        for jump in jumps {
            // What jumps at once, but for rounding, is one jump.
            if jump.time > time + 1e-9 {
                peak = peak.max(f64::abs(acceleration));
                acceleration += jerk * (jump.time - time);
                peak = peak.max(f64::abs(acceleration));
                time = jump.time;
            }
            acceleration += jump.acceleration;
            jerk += jump.jerk;
        }
        peak
    }

    /// Position and speed at `time`, not signed: the sum of all parts that have begun.
    fn at(&self, time: f64) -> (f64, f64) {
        let begun = self.impulses.iter().filter(|impulse| time >= impulse.after);
        begun.fold((0.0, 0.0), |sum, impulse| {
            let (position, velocity) = self.shape.at(time - impulse.after);
            (sum.0 + impulse.part * position, sum.1 + impulse.part * velocity)
        })
    }
}

/// Where there is no way, there are no parts.
fn parts_of(distance: f64, impulses: Impulses) -> Impulses {
    if distance == 0.0 { Impulses::WHOLE } else { impulses }
}

impl Shape {
    fn seconds(&self) -> f64 {
        match self {
            Self::Trapezoid(trapezoid) => trapezoid.seconds(),
            Self::SCurve(curve) => curve.seconds(),
        }
    }

    fn length(&self) -> f64 {
        match self {
            Self::Trapezoid(trapezoid) => trapezoid.length(),
            Self::SCurve(curve) => curve.length(),
        }
    }

    fn at(&self, time: f64) -> (f64, f64) {
        match self {
            Self::Trapezoid(trapezoid) => (trapezoid.position(time), trapezoid.velocity(time)),
            Self::SCurve(curve) => curve.position_and_velocity(time),
        }
    }

    fn time_at(&self, length: f64, precision: f64) -> f64 {
        match self {
            Self::Trapezoid(trapezoid) => trapezoid.time_at(length),
            Self::SCurve(curve) => curve.time_at(length, precision),
        }
    }
}

#[cfg(test)]
mod tests;
