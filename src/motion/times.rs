//! Travel times of many moves.

use std::collections::HashMap;
use std::time::Duration;

use super::{distance, profile};
use crate::model::{AxisConfig, Pose};

/// [`travel_time`](super::travel_time) for many moves of the same axes: moves of a plan are alike, and to choose a shaper for
/// one takes longer than to remember it.
#[derive(Debug)]
pub struct TravelTimes<'a> {
    axes: &'a [AxisConfig],
    /// By index in `axes` and the bits of a distance.
    known: HashMap<(usize, u64), Duration>,
}

impl<'a> TravelTimes<'a> {
    /// Those of `axes`. Axes that are not listed do not move.
    pub fn new(axes: &'a [AxisConfig]) -> Self {
        Self { axes, known: HashMap::new() }
    }

    /// The time from the start of a move until every axis is at rest.
    pub fn of(&mut self, from: &Pose, to: &Pose) -> Duration {
        let Self { axes, known } = self;
        let time = |(index, axis): (usize, &AxisConfig)| {
            let way = distance(axis.axis, from, to);
            let time = || profile(axis, way).duration();
            // Without a swing there is nothing to choose.
            if axis.swing.is_none() {
                time()
            } else {
                *known.entry((index, way.to_bits())).or_insert_with(time)
            }
        };
        axes.iter().enumerate().map(time).max().unwrap_or_default()
    }
}
