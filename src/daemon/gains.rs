//! What it saves a scan to know how an axis swings.

use super::fit::plans_of;
use crate::config::Config;
use crate::motion::distance;
use crate::tune::{Gain, TunedAxis, gain};

/// How far an axis moves that no plan moves, in its unit.
const USUAL: f64 = 10.0;

/// What the first plan's usual move of an axis gains, if it swings.
pub fn gain_of(config: &Config, found: &TunedAxis) -> Option<Gain> {
    let axis = config.motion.axes.iter().find(|config| config.axis == found.axis)?;
    let swing = found.swing()?;
    let plans = plans_of(config).ok()?;
    let points = plans.first().map_or(&[][..], |(_, plan)| &plan.points);
    let mut ways: Vec<f64> =
        points.windows(2).map(|pair| distance(axis.axis, &pair[0].pose, &pair[1].pose).abs()).collect();
    ways.retain(|way| *way > 0.0);
    ways.sort_by(f64::total_cmp);
    let way = ways.get(ways.len() / 2).copied().unwrap_or(USUAL);
    Some(gain(axis, &swing, way))
}
