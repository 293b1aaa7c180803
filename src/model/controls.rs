//! Settings of a camera, and which of them it has.

use serde::{Deserialize, Serialize};

use super::Region;
use crate::units::{Dioptres, Seconds};

/// Settings of the camera. What is absent is left as it is: automatic, where the camera has automatics.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Controls {
    /// How long the shutter is open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exposure: Option<Seconds>,
    /// Analogue gain, 1 = none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gain: Option<f64>,
    /// Gains of red and blue over green.
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
    /// How much images are smoothed against noise.
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
    /// Amplification of red over green.
    pub red: f64,
    /// Amplification of blue over green.
    pub blue: f64,
}

/// What automatic exposure looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Metering {
    /// The whole image, its middle most.
    Centre,
    /// Only the middle of the image.
    Spot,
    /// The whole image, all of it alike.
    Matrix,
}

/// How much images are smoothed against noise, which takes detail as well.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum NoiseReduction {
    /// No smoothing at all.
    Off,
    /// As much as costs no time.
    Fast,
    /// As much as gives the best image.
    HighQuality,
    /// In the raw image only.
    Minimal,
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

impl Metering {
    /// Every one, in the order in which they are listed to people.
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
    /// Every one, in the order in which they are listed to people.
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

    #[test]
    fn what_is_set_stands_over_what_was() {
        let base = Controls { gain: Some(1.0), focus: Some(Dioptres::new(2.0)), ..Controls::default() };
        let over = Controls { gain: Some(3.0), ..Controls::default() }.over(base);
        assert_eq!((over.gain, over.focus), (Some(3.0), base.focus));
        assert_eq!(over.to_string(), "gain 3.00, focus 2.00 dpt");
    }
}
