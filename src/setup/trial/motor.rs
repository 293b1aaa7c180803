//! Motors: the pins and the gear of an axis.

use super::super::accept::accept;
use super::super::answers::{Answers, Rig};
use super::super::facts::Facts;
use super::super::key::{Function, Key};
use super::Outcome;
use crate::model::Axis;
use crate::units::{Degrees, Millimetres, Quantity};

pub(super) const fn axes(rig: Rig) -> &'static [Axis] {
    match rig {
        Rig::Simulated => &[],
        Rig::Turntable | Rig::Several => &[Axis::Turntable],
        Rig::Lift => &[Axis::Turntable, Axis::Lift],
        Rig::Tilt => &[Axis::Turntable, Axis::Tilt],
    }
}

pub(super) const fn direction(axis: Axis) -> Function {
    match axis {
        Axis::Turntable => Function::TurntableDirection,
        Axis::Lift | Axis::Rail => Function::LiftDirection,
        Axis::Tilt => Function::TiltDirection,
    }
}

pub(super) const fn enable(axis: Axis) -> Function {
    match axis {
        Axis::Turntable => Function::TurntableEnable,
        Axis::Lift | Axis::Rail => Function::LiftEnable,
        Axis::Tilt => Function::TiltEnable,
    }
}

pub(super) const fn gear(axis: Axis) -> Key {
    match axis {
        Axis::Turntable => Key::TurntableGear,
        Axis::Lift | Axis::Rail => Key::LiftLead,
        Axis::Tilt => Key::TiltGear,
    }
}

/// The way by one turn of the motor, put right by what was measured.
pub(super) fn distance(
    axis: Axis,
    way: f64,
    text: &str,
    answers: &Answers,
    facts: &Facts,
) -> Result<Outcome, String> {
    let unit = axis.unit();
    let number = text.parse::<f64>().ok();
    let measured = match axis {
        Axis::Turntable | Axis::Tilt => {
            number.map_or_else(|| text.parse::<Degrees>().map(Quantity::get).map_err(|e| e.to_string()), Ok)
        }
        Axis::Lift | Axis::Rail => number
            .map_or_else(|| text.parse::<Millimetres>().map(Quantity::get).map_err(|e| e.to_string()), Ok),
    }?;
    if !measured.is_finite() || measured <= 0.0 {
        return Err(format!("how far it went was expected, such as {way} {unit}"));
    }
    let key = gear(axis);
    let known = answers.get(key).unwrap_or_default();
    let present = match axis {
        Axis::Turntable | Axis::Tilt => known.parse::<Degrees>().map(Quantity::get),
        Axis::Lift | Axis::Rail => known.parse::<Millimetres>().map(Quantity::get),
    };
    let present = present.map_err(|error| error.to_string())?;
    // To a thousandth, which is more than anybody measures.
    let right = (present * measured / way * 1000.0).round() / 1000.0;
    if (right - present).abs() < 1e-9 {
        return Ok(Outcome::Works);
    }
    let right = accept(key, &format!("{right} {unit}"), answers, facts)?;
    let mut put_right = answers.clone();
    let changed = format!("By one turn of its motor the {axis} goes {right} now, no more {known}");
    put_right.set(key, right);
    Ok(Outcome::Changed(put_right, changed))
}
