//! Settings of a camera, and which of them it has.

use serde::{Deserialize, Serialize};

use crate::units::{Dioptres, Seconds};

/// Settings of the camera. What is absent is left as it is: automatic, where the camera has automatics.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Controls {
    /// Exposure time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exposure: Option<Seconds>,
    /// Analogue gain, 1 = none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gain: Option<f64>,
    /// White balance.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<[f64; 2]>)]
    pub white_balance: Option<ColourGains>,
    /// Lens position (manual focus).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub focus: Option<Dioptres>,
    /// What automatic exposure looks at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metering: Option<Metering>,
    /// What autofocus looks at, as a part of the image.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub focus_window: Option<Region>,
    /// Smoothing against noise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub noise_reduction: Option<NoiseReduction>,
    /// The part of the field of view that fills the image (libcamera's `ScalerCrop`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub crop: Option<Region>,
}

/// Amplification of red and blue over green, 1 = none.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(from = "[f64; 2]", into = "[f64; 2]")]
pub struct ColourGains {
    /// Of red.
    pub red: f64,
    /// Of blue.
    pub blue: f64,
}

/// A rectangle, in parts (0 to 1) of the width and height of what it is a part of.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Region {
    /// Left edge.
    pub x: f64,
    /// Top edge.
    pub y: f64,
    /// Width, > 0.
    pub width: f64,
    /// Height, > 0.
    pub height: f64,
}

/// What automatic exposure looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Metering {
    /// The whole image, its middle most.
    Centre,
    /// The middle only.
    Spot,
    /// The whole image.
    Matrix,
}

/// Smoothing against noise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum NoiseReduction {
    /// None.
    Off,
    /// As much as costs no time.
    Fast,
    /// As much as gives the best image.
    HighQuality,
    /// In the raw image only.
    Minimal,
}

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
        /// Lowest value.
        min: f64,
        /// Highest value.
        max: f64,
    },
    /// Some words.
    Choice {
        /// Every word.
        choices: Vec<String>,
    },
    /// A [`Region`].
    Region,
}

/// A setting that a camera cannot take.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Refused {
    /// It has no such control.
    #[error("this camera has no control {name}; it has: {known}")]
    Lacking {
        /// What was wanted.
        name: &'static str,
        /// What it has.
        known: String,
    },
    /// Not a value of it.
    #[error("{name} {value}: this camera takes {takes}")]
    OutOfRange {
        /// Which control.
        name: &'static str,
        /// What was wanted.
        value: String,
        /// What would do.
        takes: String,
    },
}

/// A value of a control.
enum Value {
    Numbers([f64; 2]),
    Word(&'static str),
    Part(Region),
}

impl Controls {
    /// These settings, and those of `base` where there is none.
    #[must_use]
    pub fn over(self, base: Self) -> Self {
        Self {
            exposure: self.exposure.or(base.exposure),
            gain: self.gain.or(base.gain),
            white_balance: self.white_balance.or(base.white_balance),
            focus: self.focus.or(base.focus),
            metering: self.metering.or(base.metering),
            focus_window: self.focus_window.or(base.focus_window),
            noise_reduction: self.noise_reduction.or(base.noise_reduction),
            crop: self.crop.or(base.crop),
        }
    }

    /// As much of these settings as a camera with these `controls` can take.
    #[must_use]
    pub fn within(self, controls: &[Control]) -> Self {
        let domain = |name: &str| controls.iter().find(|control| control.name == name).map(|c| &c.domain);
        let number = |name: &str, value: Option<f64>| match domain(name) {
            Some(Domain::Range { min, max }) => value.map(|value| value.max(*min).min(*max)),
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

    fn values(&self) -> impl Iterator<Item = (&'static str, Value)> + use<> {
        let one = |value: f64| Value::Numbers([value; 2]);
        [
            ("exposure", self.exposure.map(|time| one(time.get()))),
            ("gain", self.gain.map(one)),
            ("white_balance", self.white_balance.map(|gains| Value::Numbers(gains.into()))),
            ("focus", self.focus.map(|position| one(position.get()))),
            ("metering", self.metering.map(|metering| Value::Word(metering.name()))),
            ("focus_window", self.focus_window.map(Value::Part)),
            ("noise_reduction", self.noise_reduction.map(|mode| Value::Word(mode.name()))),
            ("crop", self.crop.map(Value::Part)),
        ]
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)))
    }
}

fn find<'a>(name: &'static str, controls: &'a [Control]) -> Result<&'a Control, Refused> {
    controls.iter().find(|control| control.name == name).ok_or_else(|| {
        let known = controls.iter().map(|control| control.name.as_str()).collect::<Vec<_>>();
        let known = if known.is_empty() { "none".into() } else { known.join(", ") };
        Refused::Lacking { name, known }
    })
}

impl Domain {
    fn check(&self, name: &'static str, value: &Value) -> Result<(), Refused> {
        let refused = |value: String| Err(Refused::OutOfRange { name, value, takes: self.to_string() });
        match (self, value) {
            (Self::Range { min, max }, Value::Numbers(numbers)) => {
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
            (Self::Range { .. } | Self::Choice { .. } | Self::Region, _) => refused("as written".into()),
        }
    }
}

impl std::fmt::Display for Domain {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            // As many digits as a single-precision number has.
            Self::Range { min, max } => write!(f, "{} to {}", *min as f32, *max as f32),
            Self::Choice { choices } => f.write_str(&choices.join(", ")),
            Self::Region => {
                f.write_str("a region, x and y from 0, x + width and y + height up to 1, neither empty")
            }
        }
    }
}

impl std::fmt::Display for Controls {
    /// What cameras find by themselves, for people: `exposure 10 ms, gain 1.5`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let parts = [
            self.exposure.map(|time| format!("exposure {:.2} ms", time.get() * 1e3)),
            self.gain.map(|gain| format!("gain {gain:.2}")),
            self.white_balance.map(|gains| format!("white balance {:.2}, {:.2}", gains.red, gains.blue)),
            self.focus.map(|position| format!("focus {position:.2}")),
        ];
        let parts = parts.into_iter().flatten().collect::<Vec<_>>();
        f.write_str(&if parts.is_empty() { "nothing".into() } else { parts.join(", ") })
    }
}

impl From<[f64; 2]> for ColourGains {
    fn from([red, blue]: [f64; 2]) -> Self {
        Self { red, blue }
    }
}

impl From<ColourGains> for [f64; 2] {
    fn from(gains: ColourGains) -> Self {
        [gains.red, gains.blue]
    }
}

impl Region {
    /// All of it.
    pub const WHOLE: Self = Self { x: 0.0, y: 0.0, width: 1.0, height: 1.0 };

    /// Whether it is a part of what it should be a part of, and has one itself.
    pub fn is_within(&self) -> bool {
        // A sum of what was rounded may be above 1 by as little.
        let within = |from: f64, length: f64| from >= 0.0 && length > 0.0 && from + length <= 1.0 + 1e-9;
        within(self.x, self.width) && within(self.y, self.height)
    }
}

impl Metering {
    /// Every one.
    pub const ALL: [Self; 3] = [Self::Centre, Self::Spot, Self::Matrix];

    /// As in the configuration.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Centre => "centre",
            Self::Spot => "spot",
            Self::Matrix => "matrix",
        }
    }
}

impl NoiseReduction {
    /// Every one.
    pub const ALL: [Self; 4] = [Self::Off, Self::Fast, Self::HighQuality, Self::Minimal];

    /// As in the configuration.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Fast => "fast",
            Self::HighQuality => "high_quality",
            Self::Minimal => "minimal",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn camera() -> Vec<Control> {
        let control = |name: &str, domain| Control { name: name.into(), domain };
        vec![
            control("exposure", Domain::Range { min: 1e-4, max: 1.0 }),
            control("white_balance", Domain::Range { min: 0.0, max: 8.0 }),
            control("metering", Domain::Choice { choices: vec!["centre".into(), "spot".into()] }),
            control("crop", Domain::Region),
        ]
    }

    #[test]
    fn what_a_camera_has_and_within_its_range_is_taken() {
        let crop = Region { x: 0.0, y: 0.0, width: 0.5, height: 0.5 };
        let wanted = Controls {
            exposure: Some(Seconds::new(1e-4)),
            white_balance: Some([8.0, 0.0].into()),
            metering: Some(Metering::Spot),
            crop: Some(crop),
            ..Controls::default()
        };
        wanted.check(&camera()).unwrap();
        Controls::default().check(&[]).unwrap();
    }

    #[test]
    fn what_it_lacks_or_does_not_reach_is_named() {
        let refused = |wanted: Controls| wanted.check(&camera()).unwrap_err().to_string();
        let none = Controls::default();
        let said = refused(Controls { gain: Some(1.0), ..none });
        assert!(Controls { gain: Some(1.0), ..none }.check_present(&camera()).is_err());
        Controls { exposure: Some(Seconds::new(2.0)), ..none }.check_present(&camera()).unwrap();
        assert!(said.contains("no control gain") && said.contains("has: exposure, white_balance"), "{said}");
        let said = refused(Controls { exposure: Some(Seconds::new(2.0)), ..none });
        assert_eq!(said, "exposure 2: this camera takes 0.0001 to 1");
        let said = refused(Controls { white_balance: Some([1.0, 8.1].into()), ..none });
        assert_eq!(said, "white_balance 8.1: this camera takes 0 to 8");
        let said = refused(Controls { metering: Some(Metering::Matrix), ..none });
        assert_eq!(said, "metering matrix: this camera takes centre, spot");
    }

    #[test]
    fn a_region_lies_within_and_is_not_empty() {
        let check = |x, y, width, height| {
            let crop = Some(Region { x, y, width, height });
            Controls { crop, ..Controls::default() }.check(&camera())
        };
        check(0.0, 0.0, 1.0, 1.0).unwrap();
        check(0.9, 0.7, 0.1, 0.3).unwrap();
        for (x, y, width, height) in [
            (0.5, 0.0, 0.6, 1.0),
            (0.0, 0.5, 1.0, 0.6),
            (-0.1, 0.0, 0.5, 0.5),
            (0.0, -0.1, 0.5, 0.5),
            (0.0, 0.0, 0.0, 0.5),
            (0.0, 0.0, 0.5, -0.5),
            (f64::NAN, 0.0, 0.5, 0.5),
        ] {
            assert!(check(x, y, width, height).is_err(), "{x} {y} {width} {height}");
        }
        let said = check(0.5, 0.0, 0.6, 1.0).unwrap_err().to_string();
        assert!(said.starts_with("crop 0.6 x 1 at 0.5, 0: this camera takes a region"), "{said}");
    }

    #[test]
    fn what_another_camera_had_is_taken_as_far_as_this_one_goes() {
        let other = Controls { exposure: Some(Seconds::new(9.0)), gain: Some(2.0), ..Controls::default() };
        let taken = other.within(&camera());
        assert_eq!(taken, Controls { exposure: Some(Seconds::new(1.0)), ..Controls::default() });
        taken.check(&camera()).unwrap();
    }

    #[test]
    fn what_is_set_stands_over_what_was() {
        let base = Controls { gain: Some(1.0), focus: Some(Dioptres::new(2.0)), ..Controls::default() };
        let over = Controls { gain: Some(3.0), ..Controls::default() }.over(base);
        assert_eq!((over.gain, over.focus), (Some(3.0), base.focus));
        assert_eq!(over.to_string(), "gain 3.00, focus 2.00 dpt");
    }
}
