//! What it saves to know how an axis swings.

use serde::Serialize;

use super::record::AxisSwing;
use crate::model::{AxisConfig, Shaper, Swing};
use crate::motion::{Foreseen, foresee, shaper, still};
use crate::units::Hertz;

/// A move of an axis as it is, and as it will be.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Gain {
    /// How far it goes, in the axis' unit.
    pub distance: f64,
    /// Seconds until nothing swings any more if it is not shaped; none if it swings for ever.
    pub unshaped_s: Option<f64>,
    /// The same with the shaper that is chosen.
    pub shaped_s: Option<f64>,
    /// Which that is.
    pub shaper: Shaper,
}

/// What a move of `axis` over `distance` gains once it is known how it swings.
pub fn gain(axis: &AxisConfig, found: &AxisSwing, distance: f64) -> Gain {
    let swing = Swing::from(found);
    let known = AxisConfig { swing: Some(swing), ..*axis };
    let chosen = shaper(&known, distance);
    let foreseen = foresee(distance, axis.limits, &swing, still(axis.axis));
    let seconds = |shaper: Shaper| {
        let found = foreseen.iter().find(|foreseen| foreseen.shaper == shaper);
        found
            .map(|Foreseen { seconds, calms_after, .. }| seconds + calms_after)
            .filter(|whole| whole.is_finite())
    };
    Gain { distance, unshaped_s: seconds(Shaper::Off), shaped_s: seconds(chosen), shaper: chosen }
}

impl From<&AxisSwing> for Swing {
    fn from(&AxisSwing { frequency_hz, damping, spread }: &AxisSwing) -> Self {
        Self { frequency: Hertz::new(frequency_hz), damping, spread }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Axis, Limits};

    #[test]
    fn a_table_that_swings_for_long_gains_by_it_and_one_that_does_not_gains_nothing() {
        let limits = Limits { speed: 90.0, acceleration: 360.0, jerk: None };
        let table = AxisConfig::new(Axis::Turntable, limits, None);
        let swing = |frequency_hz, damping| AxisSwing { frequency_hz, damping, spread: 0.01 };
        let long = gain(&table, &swing(6.0, 0.02), 10.0);
        assert!(long.shaper != Shaper::Off && long.shaped_s < long.unshaped_s, "{long:?}");
        let short = gain(&table, &swing(60.0, 0.1), 10.0);
        assert!(short.shaper == Shaper::Off && short.shaped_s == short.unshaped_s, "{short:?}");
    }
}
