//! How a camera was set: what makes an image look otherwise than that of the empty rig.

use crate::model::{ColourGains, Controls};
use crate::plan::Point;
use crate::scan::FrameFacts;
use crate::units::{Dioptres, Stops};

/// Light may be this many times as much as that of the reference before it is worth a word.
const SAME_LIGHT: f64 = 1.05;
/// The lens may be so many dioptres from where it was.
const SAME_FOCUS: f64 = 0.1;

/// What is known of it; what is automatic, or was not said, is unknown.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Look {
    /// Exposure in seconds, times gain.
    light: Option<f64>,
    white_balance: Option<ColourGains>,
    focus: Option<Dioptres>,
}

impl Look {
    /// Of an image that was taken.
    pub(super) fn taken(facts: &FrameFacts) -> Self {
        let light = facts.exposure.get() * facts.gain;
        Self { light: (light > 0.0).then_some(light), white_balance: facts.white_balance, focus: facts.focus }
    }

    /// Of images to come at `point` of a plan.
    pub(super) fn planned(controls: &Controls, point: &Point) -> Self {
        let times = point.bracket.map_or(1.0, Stops::factor);
        let light =
            controls.exposure.zip(controls.gain).map(|(exposure, gain)| exposure.get() * gain * times);
        Self { light, white_balance: controls.white_balance, focus: point.focus.or(controls.focus) }
    }

    /// How images of `camera` that look like this differ from those of the empty rig, which looked like `empty`, for people.
    pub(super) fn differences(&self, camera: &str, empty: &Self) -> Vec<String> {
        let mut notes = Vec::new();
        if let (Some(before), Some(now)) = (empty.light, self.light) {
            let times = now / before;
            if times.is_finite() && times > 0.0 && times.max(1.0 / times) > SAME_LIGHT {
                notes.push(format!(
                    "{camera} is exposed {times:.2} times as much as for the empty rig: this is made up for, but fixed controls are better"
                ));
            }
        }
        if let (Some(before), Some(now)) = (empty.white_balance, self.white_balance)
            && before != now
        {
            notes.push(format!(
                "{camera} has another white balance than for the empty rig: this is made up for, but fixed controls are better"
            ));
        }
        if let (Some(before), Some(now)) = (empty.focus, self.focus)
            && (before.get() - now.get()).abs() > SAME_FOCUS
        {
            notes.push(format!(
                "{camera} is focused at {now}, and was at {before} for the empty rig, whose images are blurred otherwise: set its focus, \
                 and scan the empty rig again"
            ));
        }
        notes
    }
}
