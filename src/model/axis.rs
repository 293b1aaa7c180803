//! The axes of a rig, where they can stand, and how fast they may move.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::swing::{ShaperChoice, SimulatedAxis, Swing};
use crate::units::{Degrees, Millimetres, ParseQuantityError, Quantity};

/// One motor of the rig.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Axis {
    /// Turns the object; degrees, unlimited, shortest way round.
    Turntable,
    /// Raises the cameras (or lowers the object); millimetres.
    Lift,
    /// Moves the cameras towards the object; millimetres.
    Rail,
    /// Tilts the cameras around the object's centre, 0 = level, 90 = from above; degrees.
    Tilt,
}

impl Axis {
    /// Every axis that a rig can have.
    pub const ALL: [Self; 4] = [Self::Turntable, Self::Lift, Self::Rail, Self::Tilt];

    /// As written in configuration files.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Turntable => "turntable",
            Self::Lift => "lift",
            Self::Rail => "rail",
            Self::Tilt => "tilt",
        }
    }

    /// The unit of its positions.
    pub const fn unit(self) -> &'static str {
        match self {
            Self::Turntable | Self::Tilt => "deg",
            Self::Lift | Self::Rail => "mm",
        }
    }

    /// The distance that `text` is, which has to be of its kind, in its unit.
    ///
    /// # Errors
    /// It is none, or an angle where a length was expected, or the other way round.
    pub fn distance(self, text: &str) -> Result<f64, ParseQuantityError> {
        match self {
            Self::Turntable | Self::Tilt => text.parse::<Degrees>().map(Quantity::get),
            Self::Lift | Self::Rail => text.parse::<Millimetres>().map(Quantity::get),
        }
    }
}

impl fmt::Display for Axis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Where every axis stands. Axes that a rig lacks stand at zero.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Pose {
    /// Rotation of the object, counter-clockwise seen from above.
    pub turntable: Degrees,
    /// Height of the cameras over their zero.
    pub lift: Millimetres,
    /// Travel of the cameras towards the object.
    pub rail: Millimetres,
    /// Elevation of the cameras.
    pub tilt: Degrees,
}

impl Pose {
    /// The position of `axis` in [`Axis::unit`].
    pub const fn get(&self, axis: Axis) -> f64 {
        match axis {
            Axis::Turntable => self.turntable.get(),
            Axis::Lift => self.lift.get(),
            Axis::Rail => self.rail.get(),
            Axis::Tilt => self.tilt.get(),
        }
    }

    /// This pose with `axis` at `position`, in [`Axis::unit`].
    #[must_use]
    pub const fn with(mut self, axis: Axis, position: f64) -> Self {
        match axis {
            Axis::Turntable => self.turntable = Degrees::new(position),
            Axis::Lift => self.lift = Millimetres::new(position),
            Axis::Rail => self.rail = Millimetres::new(position),
            Axis::Tilt => self.tilt = Degrees::new(position),
        }
        self
    }
}

/// Speed, acceleration and jerk of an axis, in its unit (degrees or millimetres) per second (squared, cubed).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Limits {
    /// Highest speed, > 0.
    pub speed: f64,
    /// Highest acceleration and deceleration, > 0.
    pub acceleration: f64,
    /// Highest change of acceleration per second, > 0; no limit if absent.
    #[serde(default)]
    pub jerk: Option<f64>,
}

/// What one axis of the rig can do.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AxisConfig {
    /// The axis that this is said of.
    pub axis: Axis,
    /// Speed and acceleration, in the axis' unit.
    pub limits: Limits,
    /// Lowest and highest position, in the axis' unit; a turntable has none.
    pub travel: Option<(f64, f64)>,
    /// How what it carries swings, if that is known.
    pub swing: Option<Swing>,
    /// What is done about the swing.
    pub shaper: ShaperChoice,
    /// What it is really like, if it is simulated.
    pub simulated: SimulatedAxis,
}

impl AxisConfig {
    /// An axis of which no swing is known, and, if it is simulated, that has none.
    pub const fn new(axis: Axis, limits: Limits, travel: Option<(f64, f64)>) -> Self {
        let simulated = SimulatedAxis { swing: None, holds: None };
        Self { axis, limits, travel, swing: None, shaper: ShaperChoice::Auto, simulated }
    }
}
