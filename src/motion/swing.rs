//! How a load swings on its axis, in closed form: while the axis moves, and after it.
//!
//! The load is where the axis is, plus `x`, for which `x'' + 2 z w x' + w^2 x = -a`, with the acceleration `a` of the axis.
//! That is linear, and `a` is a sum of jumps and ramps ([`Profile::jumps`]), so `x` is the sum of what each of them does: a
//! part that follows the present acceleration at once, and a free swing that dies down.

use std::f64::consts::PI;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Profile;
use super::jump::Jump;
use crate::model::Swing;

/// A load on its spring. Times in seconds, lengths in the axis' unit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Oscillator {
    /// Radians per second: `w`.
    natural: f64,
    /// The damping ratio: `z`.
    damping: f64,
    /// Radians per second, as it swings while it dies down.
    damped: f64,
    /// Of the amplitude, per second.
    decay: f64,
}

/// A free swing at a moment: `cosine cos t + sine sin t` from then on, dying down.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Ringing {
    cosine: f64,
    sine: f64,
}

impl Oscillator {
    /// One that swings as `swing` says.
    pub fn new(swing: &Swing) -> Self {
        Self::at(swing, 1.0)
    }

    /// The same at a frequency that is `factor` times as high.
    pub(super) fn at(swing: &Swing, factor: f64) -> Self {
        let natural = 2.0 * PI * swing.frequency.get() * factor;
        let damping = swing.damping;
        let damped = natural * (1.0 - damping * damping).sqrt();
        Self { natural, damping, damped, decay: damping * natural }
    }

    /// How far the load is from where the axis is, `time` seconds after the start of `profile`, before which it was at rest.
    pub fn displacement(&self, profile: &Profile, time: f64) -> f64 {
        self.follows(profile, time) + self.ringing(profile, time).displacement()
    }

    /// The free swing at `time` seconds after the start of `profile`: all that there is once the axis rests.
    pub fn ringing(&self, profile: &Profile, time: f64) -> Ringing {
        let begun = profile.jumps().filter(|jump| jump.time <= time);
        begun
            .map(|jump| self.later(self.begun_by(jump), time - jump.time))
            .fold(Ringing::default(), Ringing::and)
    }

    /// What is left of `ringing` after `seconds`.
    pub fn later(&self, Ringing { cosine, sine }: Ringing, seconds: f64) -> Ringing {
        let left = (-self.decay * seconds).exp();
        let (sin, cos) = (self.damped * seconds).sin_cos();
        Ringing { cosine: left * (cosine * cos + sine * sin), sine: left * (sine * cos - cosine * sin) }
    }

    /// Seconds until a free swing of `amplitude` is no more than `limit`: forever without damping.
    pub fn calms(&self, amplitude: f64, limit: f64) -> f64 {
        if amplitude <= limit { 0.0 } else { (amplitude / limit).ln() / self.decay }
    }

    /// The part of the displacement that the present acceleration and jerk make.
    fn follows(&self, profile: &Profile, time: f64) -> f64 {
        let (mut acceleration, mut jerk) = (0.0, 0.0);
        if time < profile.seconds() {
            for jump in profile.jumps().filter(|jump| jump.time <= time) {
                acceleration += jump.acceleration + jump.jerk * (time - jump.time);
                jerk += jump.jerk;
            }
        }
        (2.0 * self.damping / self.natural * jerk - acceleration) / (self.natural * self.natural)
    }

    /// The free swing that makes up for what follows a jump at once, so that the load itself does not jump.
    fn begun_by(&self, Jump { acceleration, jerk, .. }: Jump) -> Ringing {
        let Self { natural, damping, damped, .. } = *self;
        let stiffness = natural * natural;
        let cosine = acceleration - 2.0 * damping / natural * jerk;
        let sine = damping * natural * acceleration + (1.0 - 2.0 * damping * damping) * jerk;
        Ringing { cosine: cosine / stiffness, sine: sine / (damped * stiffness) }
    }
}

impl Ringing {
    /// How far the load is from its place now.
    pub const fn displacement(self) -> f64 {
        self.cosine
    }

    /// How far it would get without damping.
    pub fn amplitude(self) -> f64 {
        self.cosine.hypot(self.sine)
    }

    /// Both at once.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self { cosine: self.cosine + other.cosine, sine: self.sine + other.sine }
    }

    /// A part of it.
    #[must_use]
    pub(super) fn times(self, part: f64) -> Self {
        Self { cosine: self.cosine * part, sine: self.sine * part }
    }
}

/// How far a load that swings as `swing` says is from where its axis is, `time` after the start of `profile`.
pub fn swing_at(swing: &Swing, profile: &Profile, time: Duration) -> f64 {
    Oscillator::new(swing).displacement(profile, time.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Limits, Shaper};
    use crate::motion::Impulses;
    use crate::units::Hertz;
    use proptest::prelude::*;

    fn swings() -> impl Strategy<Value = Swing> {
        (2.0..30.0_f64, 0.0..0.3_f64).prop_map(|(frequency, damping)| Swing {
            frequency: Hertz::new(frequency),
            damping,
            spread: 0.0,
        })
    }

    fn limits() -> impl Strategy<Value = Limits> {
        (5.0..120.0, 20.0..400.0, proptest::option::of(200.0..20_000.0))
            .prop_map(|(speed, acceleration, jerk)| Limits { speed, acceleration, jerk })
    }

    fn shapers() -> impl Strategy<Value = Shaper> {
        proptest::sample::select(&Shaper::ALL[..])
    }

    /// The acceleration at `time`, from the jumps.
    fn acceleration(jumps: &[Jump], time: f64) -> f64 {
        let begun = jumps.iter().filter(|jump| jump.time <= time);
        begun.map(|jump| jump.acceleration + jump.jerk * (time - jump.time)).sum()
    }

    /// By Runge and Kutta, in steps that end where something jumps.
    fn integrated(swing: &Swing, profile: &Profile, until: f64) -> f64 {
        let jumps: Vec<Jump> = profile.jumps().collect();
        let natural = 2.0 * PI * swing.frequency.get();
        let mut ends: Vec<f64> =
            jumps.iter().map(|jump| jump.time).filter(|time| *time < until).chain([until]).collect();
        ends.sort_by(f64::total_cmp);
        let (mut time, mut x, mut v) = (0.0, 0.0, 0.0);
        for end in ends {
            let steps = ((end - time) * natural * 20.0).ceil().max(1.0);
            let step = (end - time) / steps;
            // Constant jerk in between, so the acceleration is that of two moments within.
            let within = (time + step * 1e-6, end - step * 1e-6);
            let at = (acceleration(&jumps, within.0), acceleration(&jumps, within.1));
            let force = |moment: f64| match within.1 - within.0 {
                length if length > 0.0 => at.0 + (at.1 - at.0) * (moment - within.0) / length,
                _ => at.0,
            };
            let change = |moment: f64, x: f64, v: f64| {
                (v, -force(moment) - 2.0 * swing.damping * natural * v - natural * natural * x)
            };
            for index in 0..steps as u32 {
                let moment = time + step * f64::from(index);
                let half = step / 2.0;
                let k1 = change(moment, x, v);
                let k2 = change(moment + half, x + half * k1.0, v + half * k1.1);
                let k3 = change(moment + half, x + half * k2.0, v + half * k2.1);
                let k4 = change(moment + step, x + step * k3.0, v + step * k3.1);
                x += step / 6.0 * (k1.0 + 2.0 * k2.0 + 2.0 * k3.0 + k4.0);
                v += step / 6.0 * (k1.1 + 2.0 * k2.1 + 2.0 * k3.1 + k4.1);
            }
            time = end;
        }
        x
    }

    proptest! {
        #[test]
        fn it_is_what_an_integration_step_by_step_finds(
            swing in swings(), limits in limits(), distance in -90.0..90.0_f64, shaper in shapers(),
            stop in proptest::option::of(0.0..1.0_f64), part in 0.0..1.5_f64,
        ) {
            let mut profile = Profile::shaped(distance, limits, Impulses::of(shaper, &swing));
            if let Some(stop) = stop {
                profile = profile.stopped_at(profile.duration().mul_f64(stop));
            }
            let time = profile.seconds() * part;
            let found = Oscillator::new(&swing).displacement(&profile, time);
            let expected = integrated(&swing, &profile, time);
            // What the whole acceleration would make at once.
            let scale = limits.acceleration / (2.0 * PI * swing.frequency.get()).powi(2);
            prop_assert!((found - expected).abs() < 1e-3 * scale, "{found} for {expected}, {scale}");
        }

        #[test]
        fn a_shaped_move_leaves_next_to_nothing(
            swing in swings(), limits in limits(), distance in 0.1..90.0_f64, stop in proptest::option::of(0.0..1.0_f64),
        ) {
            let oscillator = Oscillator::new(&swing);
            let scale = limits.acceleration / (2.0 * PI * swing.frequency.get()).powi(2);
            let left = |shaper| {
                let profile = Profile::shaped(distance, limits, Impulses::of(shaper, &swing));
                let profile = stop.map_or(profile, |stop| profile.stopped_at(profile.duration().mul_f64(stop)));
                oscillator.ringing(&profile, profile.seconds()).amplitude()
            };
            for shaper in [Shaper::Zv, Shaper::Mzv, Shaper::Zvd] {
                prop_assert!(left(shaper) < 1e-6 * scale, "{shaper:?}: {} of {scale}", left(shaper));
            }
        }

        #[test]
        fn a_free_swing_dies_down_as_it_should(swing in swings(), cosine in -1.0..1.0_f64, sine in -1.0..1.0_f64) {
            let (oscillator, ringing) = (Oscillator::new(&swing), Ringing { cosine, sine });
            let parts = oscillator.later(oscillator.later(ringing, 0.03), 0.04);
            let whole = oscillator.later(ringing, 0.07);
            prop_assert!((parts.cosine - whole.cosine).abs() < 1e-12 && (parts.sine - whole.sine).abs() < 1e-12);
            prop_assert!(whole.amplitude() <= ringing.amplitude() + 1e-12);
            let calm = oscillator.calms(ringing.amplitude(), 0.1);
            if calm.is_finite() {
                prop_assert!(oscillator.later(ringing, calm).amplitude() <= 0.1 + 1e-9);
            }
        }
    }
}
