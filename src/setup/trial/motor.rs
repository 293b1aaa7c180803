//! Motors: how far an axis goes.

use super::super::accept::accept;
use super::super::answers::Answers;
use super::super::facts::Facts;
use super::super::write::motion::drive;
use super::Outcome;
use crate::model::Axis;

/// The way by one turn of the motor, put right by what was measured.
pub(super) fn distance(
    axis: Axis,
    way: f64,
    text: &str,
    answers: &Answers,
    facts: &Facts,
) -> Result<Outcome, String> {
    let unit = axis.unit();
    // A number alone has the unit that is shown.
    let measured = match text.parse::<f64>() {
        Ok(number) => number,
        Err(_) => axis.distance(text).map_err(|error| error.to_string())?,
    };
    if !measured.is_finite() || measured <= 0.0 {
        return Err(format!("how far it went was expected, such as {way} {unit}"));
    }
    let key = drive(axis).gear;
    let known = answers.get(key).unwrap_or_default();
    let present = axis.distance(known).map_err(|error| error.to_string())?;
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
