//! One axis' way from rest to rest in the least time with limited speed and acceleration.

use super::jump::Jump;
use crate::model::Limits;

/// Full acceleration, cruise at full speed, full deceleration; without the cruise if the way is too short to reach full
/// speed. Lengths and positions are not signed. Times in seconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Trapezoid {
    length: f64,
    acceleration: f64,
    /// Acceleration, and as much deceleration.
    ramp: f64,
    /// Seconds between the two ramps, in which it goes at full speed.
    cruise: f64,
}

impl Trapezoid {
    pub(super) fn new(length: f64, Limits { speed, acceleration, .. }: Limits) -> Self {
        let ramps_length = speed * speed / acceleration;
        let (ramp, cruise) = if length > ramps_length {
            (speed / acceleration, (length - ramps_length) / speed)
        } else {
            ((length / acceleration).sqrt(), 0.0)
        };
        Self { length, acceleration, ramp, cruise }
    }

    pub(super) fn seconds(&self) -> f64 {
        2.0 * self.ramp + self.cruise
    }

    pub(super) fn position(&self, time: f64) -> f64 {
        let left = (self.seconds() - time).max(0.0);
        if time < self.ramp {
            self.acceleration * time * time / 2.0
        } else if left < self.ramp {
            self.length - self.acceleration * left * left / 2.0
        } else {
            self.acceleration * self.ramp * (time - self.ramp / 2.0)
        }
    }

    pub(super) fn velocity(&self, time: f64) -> f64 {
        let left = (self.seconds() - time).max(0.0);
        self.acceleration * time.min(left).min(self.ramp)
    }

    pub(super) fn time_at(&self, position: f64) -> f64 {
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

    pub(super) fn length(&self) -> f64 {
        self.length
    }

    /// How long it is if it is broken off at `time` as fast as the limits allow.
    pub(super) fn length_if_stopped(&self, time: f64) -> f64 {
        let velocity = self.velocity(time);
        self.position(time) + velocity * velocity / (2.0 * self.acceleration)
    }

    /// Where acceleration jumps.
    pub(super) fn jumps(&self) -> [Jump; 4] {
        let jump = |time, acceleration| Jump { time, acceleration, jerk: 0.0 };
        let (full, end) = (self.acceleration, self.seconds());
        [jump(0.0, full), jump(self.ramp, -full), jump(end - self.ramp, -full), jump(end, full)]
    }
}
