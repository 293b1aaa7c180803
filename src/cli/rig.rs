//! `scanner rig`: the rig tried by hand, before the first scan. `scanner safe-state`: every output made safe.

use std::time::Duration;

use tokio::sync::oneshot;
use tracing::warn;

use crate::config::Config;
use crate::config::gpio::{Pull, inputs, safe_outputs};
use crate::daemon::{StartError, Station, open_pins, open_pins_by_force};
use crate::model::{Axis, Lighting};
use crate::rig::axes::{Axes, MotionError};
use crate::rig::gpio::{OutputPin, PinError};

use super::args::RigCommand;
use super::exit::{Exit, Failure};
use super::signals::Signals;
use super::{control, output, run};

/// How often inputs are looked at.
const LOOK: Duration = Duration::from_millis(5);

pub(super) fn rig(config: Config, command: RigCommand) -> Result<Exit, Failure> {
    let runtime = run::runtime()?;
    let outcome = runtime.block_on(async {
        let mut signals = Signals::install_at_terminal()?;
        match command {
            RigCommand::Jog { axis, distance } => jog(config, axis.into(), &distance, &mut signals).await,
            RigCommand::Home { axes } => {
                let axes: Vec<Axis> = axes.into_iter().map(Axis::from).collect();
                let station = Station::open(config)?;
                home(station.axes().as_ref(), &axes, &mut signals).await?;
                print_pose(&station)
            }
            RigCommand::Lights { seconds } => lights(config, seconds, &mut signals).await,
            RigCommand::Watch { seconds } => watch(&config, seconds, &mut signals).await,
            RigCommand::Level { pin, level } => control::level(&config, pin, level.into()),
        }
    });
    run::shut_down(runtime);
    outcome
}

/// Moves `axis` by `distance`, which has to be in its unit.
async fn jog(config: Config, axis: Axis, distance: &str, signals: &mut Signals) -> Result<Exit, Failure> {
    let wrong = |message: String| Failure { exit: Exit::Failed, message };
    let distance = axis.distance(distance).map_err(|error| wrong(error.to_string()))?;
    let station = Station::open(config)?;
    let axes = station.axes();
    let mut moved = axes.jog(axis, distance).map_err(StartError::from)?;
    tokio::select! {
        done = &mut moved.done => ended(done)?,
        heard = signals.next() => {
            warn!("braking ({})", heard.name());
            axes.stop();
            ended(moved.done.await)?
        }
    };
    print_pose(&station)
}

async fn home(axes: &dyn Axes, which: &[Axis], signals: &mut Signals) -> Result<(), Failure> {
    let mut done = axes.home(which);
    tokio::select! {
        done = &mut done => ended(done),
        heard = signals.next() => {
            warn!("braking ({})", heard.name());
            axes.stop();
            ended(done.await)
        }
    }
}

fn ended<T>(done: Result<Result<T, MotionError>, oneshot::error::RecvError>) -> Result<T, Failure> {
    Ok(done.unwrap_or(Err(MotionError::Ended)).map_err(StartError::from)?)
}

fn print_pose(station: &Station) -> Result<Exit, Failure> {
    let pose = station.axes().pose();
    let axes = station.config().motion.axes.iter().map(|config| config.axis);
    let rows = axes.map(|axis| [axis.name().to_owned(), format!("{:.3} {}", pose.get(axis), axis.unit())]);
    output::print(&output::table(["AXIS", "POSITION"], rows))?;
    Ok(Exit::Done)
}

async fn lights(config: Config, seconds: f64, signals: &mut Signals) -> Result<Exit, Failure> {
    let names = |lighting| {
        let lights = config.lights.iter().filter(|light| light.role == lighting);
        lights.map(|light| light.name.clone()).collect::<Vec<_>>().join(", ")
    };
    let turns = [Lighting::Front, Lighting::Backlight].map(|lighting| (lighting, names(lighting)));
    let station = Station::open(config)?;
    // As in a scan: never both.
    for (lighting, names) in turns.into_iter().filter(|(_, names)| !names.is_empty()) {
        station.lights().switch(Some(lighting)).map_err(StartError::from)?;
        output::print(&format!("on for {seconds} s: {names}"))?;
        wait(seconds, signals).await;
    }
    station.lights().switch(None).map_err(StartError::from)?;
    Ok(Exit::Done)
}

/// Prints every change of an input. Takes no output, so nothing can move.
async fn watch(config: &Config, seconds: Option<f64>, signals: &mut Signals) -> Result<Exit, Failure> {
    let Some((pins, _lock)) = open_pins(config)? else { return no_pins() };
    let mut contacts = Vec::new();
    for (pin, purpose) in inputs(config) {
        let input = pins.board.input(pin, &purpose).map_err(StartError::from)?;
        contacts.push((pin, purpose, input, None));
    }
    let watching = async {
        loop {
            for (pin, purpose, input, shown) in &mut contacts {
                let active = input.is_active().map_err(StartError::from)?;
                if *shown != Some(active) {
                    let pulled = match pin.pull {
                        Pull::Off => "",
                        Pull::Up => ", pulled up",
                        Pull::Down => ", pulled down",
                    };
                    let level = if pin.level(active) { "high" } else { "low" };
                    let state = if active { "ACTIVE" } else { "inactive" };
                    output::print(&format!("{purpose} ({pin}{pulled}): {state} (level {level})"))?;
                    *shown = Some(active);
                }
            }
            tokio::time::sleep(LOOK).await;
        }
    };
    tokio::select! {
        failed = watching => failed,
        () = wait(seconds.unwrap_or(f64::MAX), signals) => Ok(Exit::Done),
    }
}

async fn wait(seconds: f64, signals: &mut Signals) {
    let time = Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX);
    tokio::select! {
        () = tokio::time::sleep(time) => {}
        _ = signals.next() => {}
    }
}

/// Needs nothing but the configuration. `force`: not even that nobody else has the rig.
pub(super) fn safe_state(config: &Config, force: bool) -> Result<Exit, Failure> {
    let opened = if force {
        open_pins_by_force(config)?.map(|pins| (pins, None))
    } else {
        let opened = open_pins(config).map_err(|error| {
            let in_use = matches!(error, StartError::RigInUse { .. });
            let mut failure = Failure::from(error);
            if in_use {
                failure.message += "; if it hangs, or cannot be ended: `scanner safe-state --force`";
            }
            failure
        })?;
        opened.map(|(pins, lock)| (pins, Some(lock)))
    };
    let Some((pins, _lock)) = opened else { return no_pins() };
    let mut failed: Option<PinError> = None;
    for output in safe_outputs(config) {
        // One that cannot be had is no reason to leave the others as they are.
        match OutputPin::open(pins.board.as_ref(), &output) {
            Ok(taken) => {
                drop(taken);
                let state = if output.safe { "active" } else { "inactive" };
                output::print(&format!("{} ({}): {state}", output.purpose, output.pin))?;
            }
            Err(error) => {
                output::error(&error.to_string());
                failed.get_or_insert(error);
            }
        }
    }
    match failed {
        None => Ok(Exit::Done),
        Some(_) => Err(Failure { exit: Exit::Failed, message: "not every output is safe".into() }),
    }
}

fn no_pins() -> Result<Exit, Failure> {
    output::print("this rig has no [gpio], and so no pins")?;
    Ok(Exit::Done)
}
