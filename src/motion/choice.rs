//! Which shaper a move gets: the one with which the move, and what swings after it, are over the soonest.

use super::Profile;
use super::shaper::Impulses;
use super::swing::{Oscillator, Ringing};
use crate::model::{Axis, AxisConfig, Limits, Shaper, ShaperChoice, Swing};

/// What is known of a frequency is at least so uncertain: the object on the table weighs something, too.
const LEAST_SPREAD: f64 = 0.1;
/// Frequencies at which a swing is foreseen, and radians by which the end of a move may differ between two of them.
const FEWEST: u32 = 5;
const MOST: u32 = 33;
const APART: f64 = std::f64::consts::FRAC_PI_4;

/// What a move would be with a shaper.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Foreseen {
    /// Which one.
    pub shaper: Shaper,
    /// How long it would take, in seconds.
    pub seconds: f64,
    /// How far what the axis carries would then swing, in the axis' unit, at the worst frequency that is possible.
    pub amplitude: f64,
    /// For how many seconds more it would swing farther than is still: forever if it is not damped.
    pub calms_after: f64,
}

impl Foreseen {
    /// Until nothing moves any more.
    fn whole(&self) -> f64 {
        self.seconds + self.calms_after
    }
}

/// The swing that counts as still, in the axis' unit: 0.02 degrees or millimetres. At 100 mm from the middle of the table that
/// is 35 um, which is a third of a pixel of a camera of 12 megapixels that is 300 mm away.
pub const fn still(axis: Axis) -> f64 {
    match axis {
        Axis::Turntable | Axis::Lift | Axis::Rail | Axis::Tilt => 0.02,
    }
}

/// The shaper of a move of `axis` over `distance`.
pub fn shaper(axis: &AxisConfig, distance: f64) -> Shaper {
    match (&axis.swing, axis.shaper) {
        (None, _) => Shaper::Off,
        (Some(_), ShaperChoice::Always(shaper)) => shaper,
        (Some(swing), ShaperChoice::Auto) => {
            let foreseen = foresee(distance, axis.limits, swing, still(axis.axis));
            let best = |best: Foreseen, other: Foreseen| {
                let order = other.whole().total_cmp(&best.whole());
                // All of them are infinite without damping.
                let order = order.then(other.amplitude.total_cmp(&best.amplitude));
                if order.is_lt() { other } else { best }
            };
            let [first, others @ ..] = foreseen;
            others.into_iter().fold(first, best).shaper
        }
    }
}

/// What a move over `distance` would be with each of [`Shaper::ALL`], if what it carries swings as `swing` says, and is still
/// once it swings by no more than `still`, in the axis' unit.
pub fn foresee(distance: f64, limits: Limits, swing: &Swing, still: f64) -> [Foreseen; Shaper::ALL.len()] {
    let profile = Profile::new(distance, limits);
    let impulses = Shaper::ALL.map(|shaper| Impulses::of(shaper, swing));
    let mut foreseen =
        Shaper::ALL.map(|shaper| Foreseen { shaper, seconds: 0.0, amplitude: 0.0, calms_after: 0.0 });
    for (foreseen, impulses) in foreseen.iter_mut().zip(&impulses) {
        foreseen.seconds = Profile::shaped(distance, limits, *impulses).seconds();
    }
    for oscillator in possible(swing, profile.seconds()) {
        // What all of them have in common.
        let whole = oscillator.ringing(&profile, profile.seconds());
        for (foreseen, impulses) in foreseen.iter_mut().zip(&impulses) {
            let parts = impulses
                .iter()
                .map(|impulse| oscillator.later(whole, impulses.span() - impulse.after).times(impulse.part));
            let amplitude = parts.fold(Ringing::default(), Ringing::and).amplitude();
            foreseen.amplitude = foreseen.amplitude.max(amplitude);
            foreseen.calms_after = foreseen.calms_after.max(oscillator.calms(amplitude, still));
        }
    }
    foreseen
}

/// The load at frequencies all over what is possible; so many that a move of `seconds` cannot end well at each of them by
/// chance alone.
fn possible(swing: &Swing, seconds: f64) -> impl Iterator<Item = Oscillator> + use<'_> {
    let spread = swing.spread.max(LEAST_SPREAD);
    let turned = 2.0 * spread * std::f64::consts::TAU * swing.frequency.get() * seconds;
    let count = ((turned / APART).ceil().min(f64::from(MOST)) as u32).max(FEWEST);
    (0..count).map(move |index| {
        let place = 2.0 * f64::from(index) / f64::from(count - 1) - 1.0;
        Oscillator::at(swing, 1.0 + spread * place)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Hertz;
    use proptest::prelude::*;

    const LIMITS: Limits = Limits { speed: 90.0, acceleration: 360.0, jerk: None };

    fn table(frequency: f64, damping: f64) -> AxisConfig {
        let swing = Swing { frequency: Hertz::new(frequency), damping, spread: 0.0 };
        AxisConfig { swing: Some(swing), ..AxisConfig::new(Axis::Turntable, LIMITS, None) }
    }

    #[test]
    fn without_a_swing_or_need_nothing_is_shaped() {
        assert_eq!(shaper(&AxisConfig::new(Axis::Turntable, LIMITS, None), 10.0), Shaper::Off);
        // It swings by 0.002 degrees.
        assert_eq!(shaper(&table(60.0, 0.05), 10.0), Shaper::Off);
        // It has died down sooner than a shaped move would end.
        assert_eq!(shaper(&table(12.0, 0.6), 10.0), Shaper::Off);
        let always = AxisConfig { shaper: ShaperChoice::Always(Shaper::Ei), ..table(60.0, 0.05) };
        assert_eq!(shaper(&always, 10.0), Shaper::Ei);
    }

    #[test]
    fn a_load_that_swings_for_long_is_shaped() {
        for (frequency, damping) in [(12.4, 0.04), (5.0, 0.02), (3.0, 0.0)] {
            let chosen = shaper(&table(frequency, damping), 10.0);
            assert_ne!(chosen, Shaper::Off, "{frequency} Hz, {damping}");
        }
    }

    proptest! {
        #[test]
        fn no_other_shaper_is_over_sooner(
            distance in 0.1..180.0_f64, frequency in 2.0..40.0_f64, damping in 0.005..0.5_f64, spread in 0.0..0.3_f64,
        ) {
            let swing = Swing { frequency: Hertz::new(frequency), damping, spread };
            let axis = AxisConfig { swing: Some(swing), ..AxisConfig::new(Axis::Turntable, LIMITS, None) };
            let foreseen = foresee(distance, LIMITS, &swing, still(Axis::Turntable));
            let chosen = shaper(&axis, distance);
            let of = |shaper| foreseen.iter().find(|foreseen| foreseen.shaper == shaper).unwrap();
            prop_assert!(foreseen.iter().all(|other| of(chosen).whole() <= other.whole()));
        }

        #[test]
        fn what_is_foreseen_comes_true_at_each_possible_frequency(
            distance in 0.1..60.0_f64, frequency in 2.0..20.0_f64, damping in 0.005..0.3_f64, place in 0..5_u32,
        ) {
            let swing = Swing { frequency: Hertz::new(frequency), damping, spread: 0.0 };
            for Foreseen { shaper, seconds, amplitude, calms_after } in foresee(distance, LIMITS, &swing, 0.02) {
                let profile = Profile::shaped(distance, LIMITS, Impulses::of(shaper, &swing));
                prop_assert!((profile.seconds() - seconds).abs() < 1e-12);
                let all: Vec<Oscillator> = possible(&swing, Profile::new(distance, LIMITS).seconds()).collect();
                let load = all[place as usize * (all.len() - 1) / 4];
                prop_assert!(load.ringing(&profile, seconds).amplitude() <= amplitude * (1.0 + 1e-9) + 1e-12);
                let later = load.ringing(&profile, seconds + calms_after).amplitude();
                prop_assert!(later <= 0.02 * (1.0 + 1e-9), "{later}");
            }
        }
    }
}
