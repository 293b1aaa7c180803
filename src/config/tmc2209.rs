//! What the configuration says of a TMC2209 that is reached over its UART.

use std::path::PathBuf;

use crate::units::{Amperes, Ohms};

/// A driver that is set and asked over a UART: `[motion.AXIS.stepper.uart]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Uart {
    /// The serial device, such as `/dev/serial0`.
    pub port: PathBuf,
    /// 0 to 3, by the pins MS1 (1) and MS2 (2).
    pub address: u8,
    /// What its currents are, in its own words.
    pub scale: CurrentScale,
    /// A power of two, 1 to 256.
    pub microsteps: u32,
    /// `StealthChop` (silent) rather than `SpreadCycle`.
    pub stealth: bool,
}

/// Currents as a TMC2209 is told them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CurrentScale {
    /// Whether the sense resistors are read with high sensitivity (`vsense`).
    pub sensitive: bool,
    /// While it moves (`IRUN`), 0 to 31.
    pub run: u8,
    /// While it rests (`IHOLD`), 0 to 31.
    pub hold: u8,
}

impl CurrentScale {
    /// What comes nearest to `run` and `hold`, RMS, with sense resistors of `sense`, and exceeds neither unless it is
    /// less than a step of the scale; none if `run` is more than [`Self::most`].
    pub fn of(run: Amperes, hold: Amperes, sense: Ohms) -> Option<Self> {
        if run > Self::most(sense) {
            return None;
        }
        let sensitive = run <= full_scale(true, sense);
        let step = full_scale(sensitive, sense).get() / STEPS;
        // A rounding error does not take a step away.
        let scaled = |current: Amperes| ((current.get() / step + 1e-9).floor() as u8).clamp(1, 32) - 1;
        Some(Self { sensitive, run: scaled(run), hold: scaled(hold) })
    }

    /// The most that can be had.
    pub fn most(sense: Ohms) -> Amperes {
        full_scale(false, sense)
    }

    /// The current that a motor gets at `scale` (`run` or `hold`), RMS.
    pub fn current(self, scale: u8, sense: Ohms) -> Amperes {
        Amperes::new((f64::from(scale) + 1.0) / STEPS * full_scale(self.sensitive, sense).get())
    }
}

const STEPS: f64 = 32.0;

/// RMS current at the end of the scale. From the data sheet (TMC2209 rev. 1.09, section 9): the voltage at the end of
/// the scale, over the resistor and 20 mohm inside, over the square root of two.
fn full_scale(sensitive: bool, sense: Ohms) -> Amperes {
    let volts = if sensitive { 0.180 } else { 0.325 };
    Amperes::new(volts / (sense.get() + 0.02) / std::f64::consts::SQRT_2)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ampere(value: f64) -> Amperes {
        Amperes::new(value)
    }

    #[test]
    fn the_usual_board_gives_its_usual_currents() {
        // 110 mohm: 1.77 A at most, 0.98 A with high sensitivity.
        let sense = Ohms::new(0.11);
        assert!((CurrentScale::most(sense).get() - 1.768).abs() < 0.001);
        assert_eq!(CurrentScale::of(ampere(1.8), ampere(0.5), sense), None);
        let most = CurrentScale::of(CurrentScale::most(sense), ampere(0.0), sense);
        assert_eq!(most, Some(CurrentScale { sensitive: false, run: 31, hold: 0 }));
        let scale = CurrentScale::of(ampere(0.8), ampere(0.4), sense).unwrap();
        assert_eq!(scale, CurrentScale { sensitive: true, run: 25, hold: 12 });
    }

    proptest::proptest! {
        #[test]
        fn no_current_is_exceeded_and_none_misses_by_a_step(
            run in 0.06..1.4_f64, hold in 0.0..1.0_f64, sense in 0.05..0.14_f64,
        ) {
            let (sense, hold) = (Ohms::new(sense), hold * run);
            let scale = CurrentScale::of(ampere(run), ampere(hold), sense).unwrap();
            let step = scale.current(0, sense).get();
            let [got_run, got_hold] = [scale.run, scale.hold].map(|of| scale.current(of, sense).get());
            proptest::prop_assert!(got_run <= run.max(step) + 1e-6 && run < got_run + step + 1e-6);
            proptest::prop_assert!(got_hold <= hold.max(step) + 1e-6 && hold < got_hold + step + 1e-6);
        }
    }
}
