//! Which controls a camera has, what they take, and whether settings are within that.

use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};

use super::{ColourGains, Controls, Region};
use crate::units::{Dioptres, Seconds};

/// A control that a camera has.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Control {
    /// Field name in [`Controls`].
    pub name: String,
    /// The values that it takes.
    #[serde(flatten)]
    pub domain: Domain,
}

/// The values that a control takes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(tag = "domain", rename_all = "snake_case")]
pub enum Domain {
    /// Numbers in the base unit of the field.
    Range {
        /// The lowest that can be set, in the control's unit.
        min: f64,
        /// The highest that can be set, in the control's unit.
        max: f64,
        /// The only ones between that it takes, from the lowest to the highest; any, if there are none here.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        steps: Vec<f64>,
    },
    /// One of some words.
    Choice {
        /// The words, as a driver is told them.
        choices: Vec<String>,
    },
    /// A part of the image: a [`Region`].
    Region,
}

/// What a camera can be set to, whichever it is: limits for mistakes, in the base unit of the field. One that is open knows
/// its own.
pub mod limits {
    use std::ops::RangeInclusive;

    /// Exposure time in seconds.
    pub const EXPOSURE: RangeInclusive<f64> = 1e-6..=200.0;
    /// Analogue gain, 1 = none.
    pub const GAIN: RangeInclusive<f64> = 1.0..=1000.0;
    /// Gain of red, or of blue.
    pub const COLOUR_GAIN: RangeInclusive<f64> = 0.0..=32.0;
    /// Lens position in dioptres: 0 is infinity.
    pub const FOCUS: RangeInclusive<f64> = 0.0..=100.0;
}

/// A setting that a camera cannot take.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Refused {
    /// It has no such control.
    #[error("this camera has no control {name}; it has: {known}")]
    Lacking {
        /// The setting that it has no control for.
        name: &'static str,
        /// The names of the controls that it has.
        known: String,
    },
    /// Not a value of it.
    #[error("{name} {value}: this camera takes {takes}")]
    OutOfRange {
        /// The setting that was refused.
        name: &'static str,
        /// The value that was wanted, as it would be written.
        value: String,
        /// What the control takes, for people.
        takes: String,
    },
}

/// A value of a control.
enum Value {
    /// Each within what any camera could take.
    Numbers([f64; 2], RangeInclusive<f64>),
    Word(&'static str),
    Part(Region),
}

impl Controls {
    /// As much of these settings as a camera with these `controls` can take, each number at the nearest that it has.
    #[must_use]
    pub fn within(self, controls: &[Control]) -> Self {
        let domain = |name: &str| controls.iter().find(|control| control.name == name).map(|c| &c.domain);
        let number = |name: &str, value: Option<f64>| match domain(name) {
            Some(Domain::Range { min, max, steps }) => value.map(|value| nearest(value, *min, *max, steps)),
            Some(Domain::Choice { .. } | Domain::Region) | None => None,
        };
        let red_blue = self.white_balance.and_then(|ColourGains { red, blue }| {
            Some(ColourGains {
                red: number("white_balance", Some(red))?,
                blue: number("white_balance", Some(blue))?,
            })
        });
        Self {
            exposure: number("exposure", self.exposure.map(Seconds::get)).map(Seconds::new),
            gain: number("gain", self.gain),
            white_balance: red_blue,
            focus: number("focus", self.focus.map(Dioptres::get)).map(Dioptres::new),
            metering: self.metering.filter(|_| domain("metering").is_some()),
            focus_window: self.focus_window.filter(|_| domain("focus_window").is_some()),
            noise_reduction: self.noise_reduction.filter(|_| domain("noise_reduction").is_some()),
            crop: self.crop.filter(|_| domain("crop").is_some()),
        }
    }

    /// What a frame that was taken with `got` differs in from these settings, for people. Sensors count exposure in
    /// rows and gain in steps, so a small difference is none. What the camera does not say is taken to be right.
    pub fn differ_from(&self, got: &Self) -> Option<String> {
        let differs = |name, wanted: Option<f64>, got: Option<f64>, relative, absolute, unit: f64, suffix| {
            let (wanted, got) = (wanted?, got?);
            (!is_near(wanted, got, relative, absolute)).then(|| {
                format!("{name} is {:.3}{suffix}, asked for was {:.3}{suffix}", got * unit, wanted * unit)
            })
        };
        let time = |controls: &Self| controls.exposure.map(Seconds::get);
        let red = |controls: &Self| controls.white_balance.map(|gains| gains.red);
        let blue = |controls: &Self| controls.white_balance.map(|gains| gains.blue);
        let focus = |controls: &Self| controls.focus.map(Dioptres::get);
        // A tenth of a millisecond is more than a row of any sensor takes.
        differs("exposure", time(self), time(got), 0.01, 1e-4, 1e3, " ms")
            // A sixteenth is the widest step of a sensor of Raspberry Pi's (ov5647).
            .or_else(|| differs("gain", self.gain, got.gain, 0.065, 0.07, 1.0, ""))
            .or_else(|| differs("red gain", red(self), red(got), 0.03, 0.02, 1.0, ""))
            .or_else(|| differs("blue gain", blue(self), blue(got), 0.03, 0.02, 1.0, ""))
            .or_else(|| differs("focus", focus(self), focus(got), 0.01, 0.05, 1.0, " dpt"))
    }

    /// Checks that a camera has every control that is set, whatever it takes.
    pub fn check_present(&self, controls: &[Control]) -> Result<(), Refused> {
        self.values().try_for_each(|(name, _)| find(name, controls).map(drop))
    }

    /// Checks that a camera with these `controls` can take every setting.
    pub fn check(&self, controls: &[Control]) -> Result<(), Refused> {
        for (name, value) in self.values() {
            find(name, controls)?.domain.check(name, &value)?;
        }
        Ok(())
    }

    /// As [`Self::check`], of a camera of which nothing is known yet: that it may have every control is taken for granted.
    pub fn check_unseen(&self) -> Result<(), Refused> {
        for (name, value) in self.values() {
            match &value {
                Value::Numbers(_, any) => {
                    Domain::range(*any.start(), *any.end()).check(name, &value)?;
                }
                // Words are checked where they are read.
                Value::Word(_) => {}
                Value::Part(_) => Domain::Region.check(name, &value)?,
            }
        }
        Ok(())
    }

    fn values(&self) -> impl Iterator<Item = (&'static str, Value)> + use<> {
        let one = |value: f64, any| Value::Numbers([value; 2], any);
        [
            ("exposure", self.exposure.map(|time| one(time.get(), limits::EXPOSURE))),
            ("gain", self.gain.map(|gain| one(gain, limits::GAIN))),
            (
                "white_balance",
                self.white_balance.map(|gains| Value::Numbers(gains.into(), limits::COLOUR_GAIN)),
            ),
            ("focus", self.focus.map(|position| one(position.get(), limits::FOCUS))),
            ("metering", self.metering.map(|metering| Value::Word(metering.name()))),
            ("focus_window", self.focus_window.map(Value::Part)),
            ("noise_reduction", self.noise_reduction.map(|mode| Value::Word(mode.name()))),
            ("crop", self.crop.map(Value::Part)),
        ]
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)))
    }
}

/// Whether two values are alike, but for `relative` of the larger one, or `absolute`. What is infinite, or no number, is
/// like nothing.
pub fn is_near(a: f64, b: f64, relative: f64, absolute: f64) -> bool {
    a.is_finite() && b.is_finite() && (a - b).abs() <= (a.abs().max(b.abs()) * relative).max(absolute)
}

/// The number from `min` to `max` that is nearest to `value`, and one of `steps` if there are any: by how many times it is more
/// or less, where all are greater than 0.
fn nearest(value: f64, min: f64, max: f64, steps: &[f64]) -> f64 {
    let within = value.max(min).min(max);
    let far = |step: f64| if min > 0.0 { (step / within).ln().abs() } else { (step - within).abs() };
    let near = steps.iter().copied().min_by(|a, b| far(*a).total_cmp(&far(*b)));
    near.unwrap_or(within)
}

fn find<'a>(name: &'static str, controls: &'a [Control]) -> Result<&'a Control, Refused> {
    controls.iter().find(|control| control.name == name).ok_or_else(|| {
        let known = controls.iter().map(|control| control.name.as_str()).collect::<Vec<_>>();
        let known = if known.is_empty() { "none".into() } else { known.join(", ") };
        Refused::Lacking { name, known }
    })
}

impl Domain {
    /// Every number from `min` to `max`.
    pub const fn range(min: f64, max: f64) -> Self {
        Self::Range { min, max, steps: Vec::new() }
    }

    /// These numbers alone, in any order; none if there are none.
    pub fn steps(mut steps: Vec<f64>) -> Option<Self> {
        steps.sort_by(f64::total_cmp);
        Some(Self::Range { min: *steps.first()?, max: *steps.last()?, steps })
    }

    fn check(&self, name: &'static str, value: &Value) -> Result<(), Refused> {
        let refused = |value: String| Err(Refused::OutOfRange { name, value, takes: self.to_string() });
        match (self, value) {
            (Self::Range { min, max, steps: _ }, Value::Numbers(numbers, _)) => {
                match numbers.iter().find(|number| !(min..=max).contains(number)) {
                    Some(number) => refused(number.to_string()),
                    None => Ok(()),
                }
            }
            (Self::Choice { choices }, Value::Word(word)) => {
                if choices.iter().any(|choice| choice == word) {
                    Ok(())
                } else {
                    refused((*word).to_owned())
                }
            }
            (Self::Region, Value::Part(region)) => {
                if region.is_within() {
                    Ok(())
                } else {
                    let Region { x, y, width, height } = region;
                    refused(format!("{width} x {height} at {x}, {y}"))
                }
            }
            (
                Self::Range { .. } | Self::Choice { .. } | Self::Region,
                Value::Numbers(..) | Value::Word(_) | Value::Part(_),
            ) => refused("as written".into()),
        }
    }
}

impl std::fmt::Display for Domain {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            // As many digits as a single-precision number has.
            Self::Range { min, max, steps } if steps.is_empty() => {
                write!(f, "{} to {}", *min as f32, *max as f32)
            }
            Self::Range { steps, .. } => {
                let steps: Vec<_> = steps.iter().map(|step| (*step as f32).to_string()).collect();
                f.write_str(&steps.join(", "))
            }
            Self::Choice { choices } => f.write_str(&choices.join(", ")),
            Self::Region => {
                f.write_str("a region, x and y from 0, x + width and y + height up to 1, neither empty")
            }
        }
    }
}

#[cfg(test)]
mod tests;
