//! What the moves that a simulated rig has forgotten have left swinging.

use serde::{Deserialize, Serialize};

use super::Segment;
use crate::model::{Axis, Swing};
use crate::motion::{Oscillator, Ringing};

/// The free swing of what one axis carries.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Swinging {
    axis: Axis,
    swing: Swing,
    /// `CLOCK_MONOTONIC` in nanoseconds at which it is like this.
    at_ns: u64,
    ringing: Ringing,
    time_scale: f64,
}

impl Swinging {
    /// What swings once `segment` has ended, after which nothing is known of it any more, and of what swung `before`.
    pub(super) fn after(segment: &Segment, before: &[Self]) -> Vec<Self> {
        let at_ns = segment.rest_ns();
        let time_scale = segment.time_scale;
        let swings = segment.ways.iter().filter_map(|way| Some((way.axis, way.swing?)));
        let left = |axis: Axis, load: Oscillator| {
            let earlier = before.iter().filter(|other| other.axis == axis);
            let earlier = earlier.map(|other| load.later(other.ringing, other.seconds_until(at_ns)));
            let of_segment = segment.ringing_at(at_ns).filter(|(other, ..)| *other == axis);
            earlier.chain(of_segment.map(|(_, _, ringing)| ringing)).fold(Ringing::default(), Ringing::and)
        };
        let swinging = swings.map(|(axis, swing)| {
            let ringing = left(axis, Oscillator::new(&swing));
            Self { axis, swing, at_ns, ringing, time_scale }
        });
        swinging.collect()
    }

    /// What it is at `ns`, of which axis; nothing before it was known.
    pub(super) fn ringing_at(&self, ns: u64) -> (Axis, Ringing) {
        let later = || Oscillator::new(&self.swing).later(self.ringing, self.seconds_until(ns));
        (self.axis, if ns < self.at_ns { Ringing::default() } else { later() })
    }

    /// Unscaled.
    fn seconds_until(&self, ns: u64) -> f64 {
        ns.saturating_sub(self.at_ns) as f64 * 1e-9 * self.time_scale
    }
}
