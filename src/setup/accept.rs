//! What may be answered: a text as somebody types it becomes an answer in the configuration's spelling, or is told what was
//! expected.

use std::fmt::Display;
use std::ops::RangeInclusive;
use std::str::FromStr;

use super::answers::{Answers, Rig};
use super::applies::applies;
use super::facts::Facts;
use super::key::Key;
use super::pins;
use super::words::{HERE, NETWORK, OWN, SIMULATED, TABLE};
use crate::file_name;
use crate::units::{Angle, Degrees, Dimension, Length, Millimetres, Quantity};

/// Most cameras of a rig.
const MOST_CAMERAS: usize = 64;
/// Most points of a plan.
pub(super) const MOST_POINTS: usize = 10_000;
/// Farther than any rig.
const FAR: Millimetres = Millimetres::new(100_000.0);

/// The answer to `key` that `text` is.
///
/// # Errors
/// What was expected, for people.
pub fn accept(key: Key, text: &str, answers: &Answers, facts: &Facts) -> Result<String, String> {
    let text = text.trim();
    if text.is_empty() || text.contains(char::is_control) {
        return Err("a line of text was expected".into());
    }
    let each = answers.cameras().len().max(1);
    match key {
        Key::Cameras => cameras(text, facts),
        Key::Names => names(text, each),
        Key::Rig => rig(text, each),
        Key::Backend => word(text, &["rppal", "gpiocdev", "sim"]),
        Key::Wiring => wiring(text, answers),
        Key::Board => word(text, &["tmc2209", "a4988", "drv8825"]),
        Key::FullSteps => whole(text, 4..=1000),
        Key::Microsteps => {
            let steps = whole(text, 1..=256)?;
            let power = steps.parse::<u32>().is_ok_and(u32::is_power_of_two);
            power
                .then_some(steps)
                .ok_or_else(|| "a power of two was expected: 1, 2, 4, 8, 16, 32 ... 256".into())
        }
        Key::TurntableGear | Key::TiltGear => one::<Angle>(text, &(Degrees::new(0.1)..=Degrees::new(3600.0))),
        Key::LiftLead => one::<Length>(text, &(Millimetres::new(0.1)..=Millimetres::new(1000.0))),
        Key::LiftTravel => one::<Length>(text, &(Millimetres::new(10.0)..=Millimetres::new(5000.0))),
        Key::TiltTravel => {
            let (low, high) = span(text, (-90.0, 90.0))?;
            if low > 0.0 || high < 0.0 {
                return Err("0 deg, level, has to be a part of it: -10 deg, 85 deg".into());
            }
            Ok(pair(low, high))
        }
        Key::Distances => list::<Length>(text, &(Millimetres::new(1.0)..=FAR), each),
        Key::CameraHeights => list::<Length>(text, &(-FAR..=FAR), each),
        Key::Azimuths => list::<Angle>(text, &(Degrees::new(-360.0)..=Degrees::new(360.0)), each),
        Key::LookAt => one::<Length>(text, &(-FAR..=FAR)),
        Key::Angles => whole(text, 1..=3600),
        Key::Points => whole(text, 1..=3000),
        Key::Heights => heights(text, answers),
        Key::Tilts => {
            let travel = answers.list(Key::TiltTravel);
            let reach = |at: usize, usual| {
                travel.get(at).and_then(|text| text.parse::<Degrees>().ok()).map_or(usual, Degrees::get)
            };
            let (low, high) = span(text, (reach(0, -90.0), reach(1, 90.0)))?;
            Ok(pair(low, high))
        }
        Key::Directory => directory(text, facts),
        Key::Page => word(text, &[HERE, NETWORK]),
        Key::Pin(function) => pins::accept(function, text, answers),
    }
}

fn word(text: &str, words: &[&str]) -> Result<String, String> {
    let same = words.iter().find(|word| word.eq_ignore_ascii_case(text));
    same.map(|word| (*word).to_owned())
        .ok_or_else(|| format!("one of these was expected: {}", words.join(", ")))
}

fn whole(text: &str, range: RangeInclusive<u32>) -> Result<String, String> {
    let number = text.parse::<u32>().ok().filter(|number| range.contains(number));
    let expected = || format!("a whole number from {} to {} was expected", range.start(), range.end());
    number.map(|number| number.to_string()).ok_or_else(expected)
}

/// Numbers of what was found, `simulated`, or drivers with ids.
fn cameras(text: &str, facts: &Facts) -> Result<String, String> {
    let words: Vec<&str> =
        text.split([' ', '\t']).map(|word| word.trim_matches(',')).filter(|word| !word.is_empty()).collect();
    let chosen: Vec<String> = match words.as_slice() {
        ["simulated"] => vec![format!("{SIMULATED}:0")],
        ["simulated", count] => {
            let count: usize = whole(count, 1..=MOST_CAMERAS as u32)?.parse().unwrap_or(1);
            (0..count).map(|index| format!("{SIMULATED}:{index}")).collect()
        }
        words => words.iter().map(|word| camera(word, facts)).collect::<Result<_, _>>()?,
    };
    if chosen.len() > MOST_CAMERAS {
        return Err(format!("at most {MOST_CAMERAS} cameras"));
    }
    match chosen.iter().enumerate().find(|(at, camera)| chosen[..*at].contains(camera)) {
        Some((_, twice)) => Err(format!("{twice} is there twice")),
        None if chosen.is_empty() => Err("a camera was expected".into()),
        None => Ok(chosen.join(" ")),
    }
}

fn camera(word: &str, facts: &Facts) -> Result<String, String> {
    if let Ok(number) = word.parse::<usize>() {
        let found = number.checked_sub(1).and_then(|index| facts.cameras.get(index));
        let count = facts.cameras.len();
        return found
            .map(|camera| format!("{}:{}", camera.driver, camera.id))
            .ok_or_else(|| format!("there is no camera {number}: {count} were found"));
    }
    match word.split_once(':') {
        Some((driver, id))
            if !driver.is_empty() && !id.is_empty() && (driver.starts_with('/') || !driver.contains('/')) =>
        {
            Ok(word.to_owned())
        }
        Some(_) | None => Err(
            "numbers of cameras in the list were expected, such as 1 2; or simulated; or a driver and the \
                               camera's id, such as libcamera:0"
                .into(),
        ),
    }
}

/// As many names as cameras, which every system can have as folders and keep apart.
fn names(text: &str, count: usize) -> Result<String, String> {
    let names: Vec<&str> = text.split([',', ' ']).map(str::trim).filter(|name| !name.is_empty()).collect();
    if names.len() != count {
        return Err(if count == 1 {
            "one name was expected, that of the camera".into()
        } else {
            format!("{count} names were expected, with commas in between: one for each camera")
        });
    }
    for (at, name) in names.iter().enumerate() {
        let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
        if name.len() > 64 || !name.chars().all(fits) {
            return Err(format!("{name:?} cannot be a name: at most 64 letters (a to z), digits, - and _"));
        }
        if let Some(objection) = file_name::objection(name) {
            return Err(format!("{name:?} cannot be a name: it {objection}"));
        }
        if names[..at].iter().any(|other| file_name::folded(other) == file_name::folded(name)) {
            return Err(format!("{name:?} is there twice: give each camera its own name"));
        }
    }
    Ok(names.join(", "))
}

fn rig(text: &str, cameras: usize) -> Result<String, String> {
    let by_number = text.parse::<usize>().ok().and_then(|number| Rig::ALL.get(number.checked_sub(1)?));
    let by_word = || Rig::ALL.iter().find(|(word, _)| word.eq_ignore_ascii_case(text));
    match by_number.or_else(by_word) {
        Some((_, Rig::Several)) if cameras < 2 => {
            Err("one camera was chosen: that is a turntable. For more, say back, and choose several".into())
        }
        Some((word, _)) => Ok((*word).to_owned()),
        None => {
            let words: Vec<&str> = Rig::ALL.iter().map(|(word, _)| *word).collect();
            Err(format!("a number from 1 to {} was expected, or one of {}", words.len(), words.join(", ")))
        }
    }
}

fn wiring(text: &str, answers: &Answers) -> Result<String, String> {
    let wiring = word(text, &[TABLE, OWN])?;
    match pins::clash_with_table(answers).filter(|_| wiring == TABLE) {
        Some(other) => Err(format!(
            "the emergency stop has the pin that the {} has in that table: say own, or back and give it another one",
            pins::purpose(other)
        )),
        None => Ok(wiring),
    }
}

/// A quantity; a number alone has the unit that is shown.
fn quantity<D: Dimension>(text: &str, range: &RangeInclusive<Quantity<D>>) -> Result<Quantity<D>, String> {
    let unit = D::UNITS[0].0;
    let number = f64::from_str(text).ok().filter(|number| number.is_finite()).map(Quantity::<D>::new);
    let value = number.map_or_else(|| text.parse::<Quantity<D>>().map_err(|error| error.to_string()), Ok)?;
    if range.contains(&value) {
        // Zero has no sign.
        return Ok(if value.get() == 0.0 { Quantity::ZERO } else { value });
    }
    Err(format!(
        "a value from {} to {} was expected, such as {}",
        range.start(),
        range.end(),
        example(unit, range)
    ))
}

fn example<D: Dimension>(unit: &str, range: &RangeInclusive<Quantity<D>>) -> String {
    format!("{} {unit}", 50.0_f64.clamp(range.start().get(), range.end().get()))
}

fn one<D: Dimension>(text: &str, range: &RangeInclusive<Quantity<D>>) -> Result<String, String> {
    quantity(text, range).map(|value| value.to_string())
}

/// One for all, or one for each.
fn list<D: Dimension>(
    text: &str,
    range: &RangeInclusive<Quantity<D>>,
    each: usize,
) -> Result<String, String> {
    let values = text.split(',').map(|item| quantity(item.trim(), range)).collect::<Result<Vec<_>, _>>()?;
    if values.len() != 1 && values.len() != each {
        return Err(format!(
            "one value for all {each} cameras was expected, or {each} with commas in between"
        ));
    }
    Ok(joined(&values))
}

/// From the lowest to the highest tilt.
fn span(text: &str, (lowest, highest): (f64, f64)) -> Result<(f64, f64), String> {
    let range = Degrees::new(lowest)..=Degrees::new(highest);
    let values = text.split(',').map(|item| quantity(item.trim(), &range)).collect::<Result<Vec<_>, _>>()?;
    match values.as_slice() {
        [low, high] if high.get() - low.get() >= 1.0 => Ok((low.get(), high.get())),
        _ => Err("the lowest and the highest tilt were expected, at least 1 deg apart: 0 deg, 80 deg".into()),
    }
}

fn pair(low: f64, high: f64) -> String {
    joined(&[Degrees::new(low), Degrees::new(high)])
}

fn joined(values: &[impl Display]) -> String {
    values.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

fn heights(text: &str, answers: &Answers) -> Result<String, String> {
    let range = Millimetres::ZERO..=lift_travel(answers);
    let values = text.split(',').map(|item| quantity(item.trim(), &range)).collect::<Result<Vec<_>, _>>()?;
    if let Some((_, twice)) = values.iter().enumerate().find(|(at, value)| values[..*at].contains(value)) {
        return Err(format!("{twice} is there twice"));
    }
    let angles = answers.get(Key::Angles).and_then(|text| text.parse::<usize>().ok()).unwrap_or(1);
    if values.len() * angles > MOST_POINTS {
        return Err(format!(
            "{} heights of {angles} images are more than {MOST_POINTS} points",
            values.len()
        ));
    }
    Ok(joined(&values))
}

/// How high the lift goes; the simulated one always the same.
pub(super) fn lift_travel(answers: &Answers) -> Millimetres {
    let travel = answers.get(Key::LiftTravel).filter(|_| applies(Key::LiftTravel, answers));
    travel.and_then(|text| text.parse().ok()).unwrap_or(Millimetres::new(200.0))
}

fn directory(text: &str, facts: &Facts) -> Result<String, String> {
    if let Ok(number) = text.parse::<usize>() {
        let disk = number.checked_sub(1).and_then(|index| facts.disks.get(index));
        let count = facts.disks.len();
        let expected =
            || format!("a number from 1 to {count} was expected, or a folder such as /media/scans/scans");
        return disk.map(|disk| disk.folder.display().to_string()).ok_or_else(expected);
    }
    if text.starts_with('~') {
        return Err("the whole path was expected: ~ is not expanded".into());
    }
    Ok(text.to_owned())
}
