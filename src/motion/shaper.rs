//! Input shaping: a move is parted, and the parts begin one after the other, so that the swing that each of them
//! begins is undone by the others.
//!
//! A move that is the sum of delayed parts of itself arrives at the same place, a little later, and keeps every limit
//! that the whole one keeps. The shapers are those of the literature, scaled for damping as usual (N. C. Singer and W. P.
//! Seering, 1990; W. Singhose and others, 1994 and 1997; Klipper's documentation for MZV).

use std::f64::consts::{FRAC_1_SQRT_2, PI, SQRT_2};

use serde::{Deserialize, Serialize};

use crate::model::{Shaper, Swing};

/// Most parts of a move.
const MOST: usize = 3;
/// What EI leaves of the swing at the frequency it is made for, so that it leaves no more for a while around it.
const TOLERATED: f64 = 0.05;

/// A part of a move, and when it begins.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Impulse {
    /// Of the whole, > 0; all together are 1.
    pub part: f64,
    /// Seconds after the first one.
    pub after: f64,
}

/// The parts of a move, in their order; no more than three, so that nothing has to be allocated for them.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Impulses {
    all: [Impulse; MOST],
    count: usize,
}

impl Impulses {
    /// A move that is not parted.
    pub const WHOLE: Self = {
        let none = Impulse { part: 0.0, after: 0.0 };
        Self { all: [Impulse { part: 1.0, after: 0.0 }, none, none], count: 1 }
    };

    /// Those of `shaper` for a load that swings as `swing` says.
    pub fn of(shaper: Shaper, swing: &Swing) -> Self {
        let damped = (1.0 - swing.damping * swing.damping).sqrt();
        // One swing, and what is left of it after a part of one.
        let period = 1.0 / (swing.frequency.get() * damped);
        let left = |swings: f64| (-2.0 * PI * swing.damping * swings / damped).exp();
        let spaced = |parts: &[f64], swings: f64| {
            let mut impulses = Self { all: [Impulse::default(); MOST], count: parts.len() };
            for (index, (impulse, part)) in impulses.all.iter_mut().zip(parts).enumerate() {
                let swings = swings * index as f64;
                *impulse = Impulse { part: part * left(swings), after: swings * period };
            }
            let whole: f64 = impulses.all.iter().map(|impulse| impulse.part).sum();
            impulses.all.iter_mut().for_each(|impulse| impulse.part /= whole);
            impulses
        };
        match shaper {
            Shaper::Off => Self::WHOLE,
            Shaper::Zv => spaced(&[1.0, 1.0], 0.5),
            Shaper::Mzv => spaced(&[1.0 - FRAC_1_SQRT_2, SQRT_2 - 1.0, 1.0 - FRAC_1_SQRT_2], 0.375),
            Shaper::Zvd => spaced(&[1.0, 2.0, 1.0], 0.5),
            Shaper::Ei => {
                let outer = (1.0 + TOLERATED) / 4.0;
                spaced(&[outer, (1.0 - TOLERATED) / 2.0, outer], 0.5)
            }
        }
    }

    /// Each in turn.
    pub fn iter(&self) -> impl Iterator<Item = &Impulse> + Clone {
        self.all.iter().take(self.count)
    }

    /// Seconds from the first to the last one: by so much the move is longer.
    pub fn span(&self) -> f64 {
        self.iter().last().map_or(0.0, |impulse| impulse.after)
    }

    /// Seconds by which the move is late on its way, while its speed does not change.
    pub(super) fn delay(&self) -> f64 {
        self.iter().map(|impulse| impulse.part * impulse.after).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Hertz;
    use proptest::prelude::*;

    /// The part of its swing that a load of `frequency` and the damping of `swing` has left, by the formula of the
    /// literature: the swing after the last impulse over the one that a single impulse begins.
    fn left(shaper: Shaper, swing: &Swing, frequency: f64) -> f64 {
        let impulses = Impulses::of(shaper, swing);
        let omega = 2.0 * PI * frequency;
        let damped = omega * (1.0 - swing.damping * swing.damping).sqrt();
        let sum = |wave: fn(f64) -> f64| -> f64 {
            let grown = |impulse: &Impulse| impulse.part * (swing.damping * omega * impulse.after).exp();
            impulses.iter().map(|impulse| grown(impulse) * wave(damped * impulse.after)).sum()
        };
        (-swing.damping * omega * impulses.span()).exp() * sum(f64::cos).hypot(sum(f64::sin))
    }

    fn swings() -> impl Strategy<Value = Swing> {
        (0.5..100.0_f64, 0.0..0.5_f64).prop_map(|(frequency, damping)| Swing {
            frequency: Hertz::new(frequency),
            damping,
            spread: 0.0,
        })
    }

    #[test]
    fn times_and_parts_are_those_of_the_literature() {
        let swing = Swing { frequency: Hertz::new(10.0), damping: 0.0, spread: 0.0 };
        let of = |shaper| Impulses::of(shaper, &swing).iter().map(|i| (i.part, i.after)).collect::<Vec<_>>();
        let known: [(Shaper, &[(f64, f64)]); 5] = [
            (Shaper::Off, &[(1.0, 0.0)]),
            (Shaper::Zv, &[(0.5, 0.0), (0.5, 0.05)]),
            (Shaper::Mzv, &[(0.292_893, 0.0), (0.414_214, 0.0375), (0.292_893, 0.075)]),
            (Shaper::Zvd, &[(0.25, 0.0), (0.5, 0.05), (0.25, 0.1)]),
            (Shaper::Ei, &[(0.2625, 0.0), (0.475, 0.05), (0.2625, 0.1)]),
        ];
        for (shaper, known) in known {
            let found = of(shaper);
            assert_eq!(found.len(), known.len());
            for (found, known) in found.iter().zip(known) {
                let near = (found.0 - known.0).abs() < 1e-6 && (found.1 - known.1).abs() < 1e-9;
                assert!(near, "{shaper:?}: {found:?} for {known:?}");
            }
        }
    }

    proptest! {
        #[test]
        fn the_parts_are_the_whole_and_in_order(swing in swings()) {
            for shaper in Shaper::ALL {
                let impulses = Impulses::of(shaper, &swing);
                let whole: f64 = impulses.iter().map(|impulse| impulse.part).sum();
                prop_assert!((whole - 1.0).abs() < 1e-12);
                prop_assert!(impulses.iter().all(|impulse| impulse.part > 0.0));
                let after: Vec<f64> = impulses.iter().map(|impulse| impulse.after).collect();
                prop_assert!(after[0] == 0.0 && after.windows(2).all(|pair| pair[0] < pair[1]));
                prop_assert!(impulses.span() <= 1.0 / swing.frequency.get() / (1.0 - swing.damping.powi(2)).sqrt() + 1e-12);
            }
        }

        #[test]
        fn nothing_is_left_at_the_right_frequency_and_a_twentieth_of_ei(swing in swings()) {
            let at = |shaper| left(shaper, &swing, swing.frequency.get());
            for shaper in [Shaper::Zv, Shaper::Mzv, Shaper::Zvd] {
                prop_assert!(at(shaper) < 1e-9, "{shaper:?}: {}", at(shaper));
            }
            prop_assert!(at(Shaper::Ei) <= TOLERATED + 1e-9);
        }
    }

    #[test]
    fn a_tenth_off_is_within_what_is_published() {
        // Exact without damping, which takes away some of it.
        let quarter = (0.1 * PI / 2.0).sin();
        let mzv = 2.0 * (1.0 - FRAC_1_SQRT_2) * (0.75 * PI * 0.9).cos() + SQRT_2 - 1.0;
        let most = [
            (Shaper::Zv, quarter),
            (Shaper::Mzv, mzv.abs()),
            (Shaper::Zvd, quarter * quarter),
            (Shaper::Ei, TOLERATED),
        ];
        for (shaper, most) in most {
            for damping in [0.0, 0.01, 0.05, 0.1, 0.2] {
                let swing = Swing { frequency: Hertz::new(8.0), damping, spread: 0.0 };
                for off in -10..=10 {
                    let left = left(shaper, &swing, 8.0 * (1.0 + f64::from(off) / 100.0));
                    assert!(left <= most + 1e-9, "{shaper:?}, {damping}, {off} %: {left}");
                }
            }
        }
    }
}
