//! `scanner tune --speed`: how fast an axis can be.

use std::path::Path;

use serde::Serialize;
use serde_json::json;

use crate::api::fit;
use crate::cli::args::SpeedArgs;
use crate::cli::exit::{Exit, Failure};
use crate::cli::{config as changing, output};
use crate::config::Config;
use crate::drop_in::Edit;
use crate::model::{Axis, Limits};
use crate::tune::{self, Bounds, End, Heard, Next, Raised, Search, Trial};

use super::stop::Stop;
use super::trials::{Came, FARTHEST, Trials, Witness};

/// How many times what is configured may be tried.
const MOST: std::ops::RangeInclusive<f64> = 1.1..=20.0;

/// What was tried, and what came of it.
#[derive(Debug, Serialize)]
struct Tried {
    what: &'static str,
    speed: f64,
    acceleration: f64,
    /// How far the axis was, at most, from where it should be; none where it was lost sight of.
    off: Option<f64>,
    held: bool,
}

pub(super) fn speed(path: &Path, config: Config, what: &SpeedArgs) -> Result<Exit, Failure> {
    let axis = Axis::from(what.axis);
    if !MOST.contains(&what.most) {
        let message = format!("--most {} is out of range: {} to {}", what.most, MOST.start(), MOST.end());
        return Err(Failure::new(Exit::Failed, &message));
    }
    let Some(configured) = config.motion.axes.iter().find(|known| known.axis == axis).map(|axis| axis.limits)
    else {
        let message = format!("the rig has no {axis}: add [motion.{axis}], or name another axis");
        return Err(Failure::new(Exit::Config, &message));
    };
    let witness = Witness::of(&config, axis)?;
    let tolerance = config.marks.tolerance.get();
    let mut trials = Trials::new(config, axis, witness, Stop::listen()?)?;
    let bounds = Bounds { configured, most: what.most, farthest: FARTHEST };
    if !what.json {
        output::print(&format!(
            "moving the {axis} to and fro, faster each time: at most {} trials, and {} times what is configured; Ctrl-C stops it",
            Search::most_trials(&bounds),
            what.most
        ))?;
    }
    let mut tried = Vec::new();
    let end = search(&mut trials, bounds, tolerance, &mut tried, &|one| {
        if !what.json {
            output::print(&line(axis, one))?;
        }
        Ok(())
    })?;
    let unit = axis.unit();
    let (found, exit, text) = match end {
        End::Found(found) => (Some(found), Exit::Done, in_words(axis, configured, found)),
        End::Nothing => {
            let message = format!(
                "the {axis} loses steps even as it is configured ({}): look at its load, its belt and its motor's current, or configure \
                 less acceleration and speed",
                limits(axis, configured)
            );
            (None, Exit::Failed, message)
        }
        End::Astray => {
            let message = format!(
                "the {axis} was not found again after it had lost steps: home it, and look at the ring of marks"
            );
            (None, Exit::Failed, message)
        }
        End::Stopped => (None, Exit::Cancelled, "stopped: nothing is written".into()),
    };
    if what.json {
        if let (Some(found), false) = (found, what.dry_run) {
            write(path, axis, found, true)?;
        }
        let found = found.map(|found| json!({ "speed": found.speed, "acceleration": found.acceleration }));
        output::json(&json!({ "axis": axis, "unit": unit, "tried": tried, "found": found, "says": text }))?;
        return Ok(exit);
    }
    if exit != Exit::Done {
        return Err(Failure::new(exit, &text));
    }
    output::print(&text)?;
    if let (Some(found), false) = (found, what.dry_run) {
        write(path, axis, found, false)?;
    }
    Ok(exit)
}

/// Tries until the search has ended.
fn search(
    trials: &mut Trials,
    bounds: Bounds,
    tolerance: f64,
    tried: &mut Vec<Tried>,
    tell: &dyn Fn(&Tried) -> Result<(), Failure>,
) -> Result<End, Failure> {
    let mut search = Search::new(bounds);
    loop {
        let heard = match search.next() {
            Next::End(end) => return Ok(end),
            Next::Try(trial) => match trials.go(trial.limits)? {
                Came::Stopped => Heard::Stopped,
                Came::Seen(off) => {
                    let one = told(trial, off, off.is_some_and(|off| off <= tolerance));
                    tell(&one)?;
                    let heard = if one.held { Heard::Held } else { Heard::Lost };
                    tried.push(one);
                    heard
                }
            },
            // As configured, which has held before.
            Next::FindAgain => match trials.find(bounds.configured) {
                Ok(Came::Stopped) => Heard::Stopped,
                Ok(Came::Seen(_)) => Heard::FoundAgain,
                Err(failure) => {
                    output::error(&failure.message);
                    Heard::Astray
                }
            },
        };
        search.step(heard);
    }
}

fn told(trial: Trial, off: Option<f64>, held: bool) -> Tried {
    let Trial { raised, limits: Limits { speed, acceleration, .. } } = trial;
    let what = match raised {
        Raised::Acceleration => "acceleration",
        Raised::Speed => "speed",
    };
    Tried { what, speed, acceleration, off, held }
}

fn line(axis: Axis, one: &Tried) -> String {
    let Tried { what: _, speed, acceleration, off, held } = one;
    let unit = axis.unit();
    let outcome = if *held { "held" } else { "lost steps" };
    let off = off.map_or_else(|| "lost sight of".to_owned(), |off| format!("{off:.2} {unit} off"));
    format!("{speed:.1} {unit}/s, {acceleration:.1} {unit}/s2: {outcome} ({off})")
}

fn limits(axis: Axis, Limits { speed, acceleration, .. }: Limits) -> String {
    let unit = axis.unit();
    format!("{speed:.1} {unit}/s, {acceleration:.1} {unit}/s2")
}

fn in_words(axis: Axis, configured: Limits, found: Limits) -> String {
    let text = format!(
        "the {axis} may have {}, which leaves a margin; configured are {}",
        limits(axis, found),
        limits(axis, configured)
    );
    if found.acceleration < configured.acceleration {
        return format!("{text}: that was too near to where it loses steps");
    }
    text
}

/// Puts what was found into the drop-in, beside what else is there, and has a service that runs read it.
fn write(path: &Path, axis: Axis, found: Limits, quiet: bool) -> Result<(), Failure> {
    let unit = axis.unit();
    // Rounded down: the margin stays.
    let down = |value: f64| (value * 10.0).floor() / 10.0;
    let set = |key: &str, value: f64, per: &str| Edit::Set {
        key: format!("motion.{axis}.{key}"),
        value: json!(format!("{} {unit}/{per}", down(value))),
    };
    let edits = [set("speed", found.speed, "s"), set("acceleration", found.acceleration, "s2")];
    let change = format!("speed and acceleration of the {axis}");
    changing::change(path, "scanner tune --speed", quiet, |store, by| {
        tune::change(store, &edits, &change, by, &fit)
    })
}
