//! How what an axis carries swings, and what is done about it.

use serde::{Deserialize, Serialize};

use crate::units::Hertz;

/// A load that swings on its axis, as a weight on a spring does.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Swing {
    /// How often it swings, > 0: the natural frequency, from which the one that is seen differs by less than 1 % if the
    /// damping is below 0.1.
    pub frequency: Hertz,
    /// The damping ratio: 0 never comes to rest, 1 does not swing at all; 0 to below 1.
    pub damping: f64,
    /// How far the frequency may be off, as a part of it: it is another one at the other end of a lift.
    #[serde(default)]
    pub spread: f64,
}

/// How the motion of an axis is spread over time so that what it carries does not swing afterwards.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Shaper {
    /// Not at all.
    Off,
    /// Zero vibration: two parts, half a swing apart.
    Zv,
    /// Modified zero vibration: three parts, three eighths of a swing apart.
    Mzv,
    /// Zero vibration and derivative: three parts, half a swing apart; forgives a frequency that is somewhat off.
    Zvd,
    /// Extra insensitive: as long as `Zvd`; forgives more, and leaves a twentieth of the swing.
    Ei,
}

impl Shaper {
    /// Every one, the shortest first.
    pub const ALL: [Self; 5] = [Self::Off, Self::Zv, Self::Mzv, Self::Zvd, Self::Ei];

    /// As written in configuration files.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Zv => "zv",
            Self::Mzv => "mzv",
            Self::Zvd => "zvd",
            Self::Ei => "ei",
        }
    }
}

/// Which shaper a move has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ShaperChoice {
    /// The one with which this move, and what is left of the swing after it, are over the soonest.
    #[default]
    Auto,
    /// This one, whatever the move.
    Always(Shaper),
}

/// What a simulated axis is really like, whatever is configured of it.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct SimulatedAxis {
    /// How its load swings; not at all if absent.
    pub swing: Option<Swing>,
    /// The acceleration, in the axis' unit per second squared, above which its motor loses steps; never if absent.
    pub holds: Option<f64>,
}
