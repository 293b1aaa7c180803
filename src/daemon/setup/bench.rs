//! The parts of a rig that is being set up, tried one by one: with its pins, and without its cameras.

use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tempfile::TempDir;
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep};

use crate::config::Config;
use crate::daemon::error::StartError;
use crate::daemon::folder::{create_folder, io};
use crate::daemon::rig_lock::RigLock;
use crate::daemon::station::Station;
use crate::daemon::wiring::{Moving, wire_motion, wire_panel};
use crate::model::Lighting;
use crate::rig::axes::{Axes, MotionError};
use crate::rig::gpio;
use crate::rig::panel::{Led, Panel};
use crate::setup::trial::{Outcome, Part, contacts, pressed, seen};
use crate::setup::{Answers, Function};

/// How often inputs are looked at.
const LOOK: Duration = Duration::from_millis(5);
/// How long somebody has to press a contact.
const TO_PRESS: Duration = Duration::from_secs(30);
/// After a contact was let go: it may bounce.
const BOUNCE: Duration = Duration::from_millis(300);

/// Where parts are tried: nobody else has the pins meanwhile.
pub struct Bench {
    runtime: PathBuf,
    /// Where it is kept what axes of a service know, which these are none of.
    scratch: Option<TempDir>,
    _lock: Option<RigLock>,
}

/// What came of a try.
pub enum Tried {
    /// It can be told without asking.
    Over(Outcome),
    /// Somebody has to say what happened, and looks at it meanwhile.
    Ask(Showing),
}

/// What somebody looks at; it is made safe when this is dropped.
pub struct Showing {
    moving: Moving,
    panel: Option<Arc<dyn Panel>>,
}

/// Ends a try.
type Stop<'s> = Pin<&'s mut (dyn Future<Output = ()> + Send)>;

impl Bench {
    /// That of a process of its own.
    ///
    /// # Errors
    /// Somebody else has the rig.
    pub fn alone(config: &Config) -> Result<Self, StartError> {
        let runtime = config.storage.runtime_directory.clone();
        create_folder(&runtime)?;
        let lock = RigLock::take(&runtime)?;
        Ok(Self { runtime, scratch: None, _lock: Some(lock) })
    }

    /// That of a service, whose rig has no pins: it holds the lock.
    ///
    /// # Errors
    /// The service has pins.
    pub fn beside(station: &Station) -> Result<Self, StartError> {
        if station.config().gpio.is_some() {
            return Err(StartError::PinsTaken);
        }
        let runtime = station.config().storage.runtime_directory.clone();
        let scratch = tempfile::Builder::new().prefix("setup-").tempdir_in(&runtime);
        let scratch = scratch.map_err(io("write into", &runtime))?;
        Ok(Self { runtime, scratch: Some(scratch), _lock: None })
    }

    /// Tries a part of the rig that `config` describes, as `answers` made it. Of a contact, `now` is told when it may be
    /// pressed. Once `stop` is there, axes brake, and nobody is waited for.
    pub async fn try_part(
        &self,
        part: Part,
        config: &Config,
        answers: &Answers,
        now: impl FnOnce() + Send,
        mut stop: Stop<'_>,
    ) -> Result<Tried, StartError> {
        match part {
            Part::Contact(function) => {
                Ok(Tried::Over(self.press(function, config, answers, now, stop).await?))
            }
            Part::Direction(axis) | Part::Distance(axis) => {
                let showing = self.show(config)?;
                let way = part.way(answers).unwrap_or_default();
                let axes = showing.moving.axes.clone();
                match axes.jog(axis, way) {
                    Ok(moved) => Ok(told(showing, ended(axes.as_ref(), moved.done, &mut stop).await)),
                    Err(error) => Ok(Tried::Over(failed(error))),
                }
            }
            Part::Home(axis) => {
                let showing = self.show(config)?;
                let axes = showing.moving.axes.clone();
                let homed = axes.home(&[axis]);
                Ok(told(showing, ended(axes.as_ref(), homed, &mut stop).await))
            }
            Part::Lamp(function) => {
                let showing = self.show(config)?;
                if let (Function::Led, Some(panel)) = (function, &showing.panel) {
                    panel.show(Led::Ready);
                } else {
                    let backlight = function == Function::Backlight;
                    let lighting = if backlight { Lighting::Backlight } else { Lighting::Front };
                    showing.moving.lights.switch(Some(lighting))?;
                }
                Ok(Tried::Ask(showing))
            }
        }
    }

    /// Where axes keep what they know.
    fn notes(&self) -> &Path {
        self.scratch.as_ref().map_or(&self.runtime, TempDir::path)
    }

    /// Axes, lights and panel. Moves nothing.
    fn show(&self, config: &Config) -> Result<Showing, StartError> {
        let pins = gpio::open(config, &self.runtime)?;
        let moving = wire_motion(config, pins.as_ref(), self.notes())?;
        let panel = wire_panel(config.panel, pins.as_ref())?;
        Ok(Showing { moving, panel: panel.map(|(panel, _)| panel) })
    }

    /// Looks at every input while somebody presses one. Takes no output, so that nothing can move.
    async fn press(
        &self,
        function: Function,
        config: &Config,
        answers: &Answers,
        now: impl FnOnce(),
        mut stop: Stop<'_>,
    ) -> Result<Outcome, StartError> {
        let contacts = contacts(answers);
        let Some(index) = contacts.iter().position(|(known, _)| *known == function) else {
            return Ok(Outcome::Fails("it has no pin".into()));
        };
        let Some(pins) = gpio::open(config, &self.runtime)? else {
            return Ok(Outcome::Fails("the rig has no [gpio], and so no pins".into()));
        };
        let mut inputs = Vec::new();
        for (function, pin) in &contacts {
            inputs.push(pins.board.input(*pin, function.name())?);
        }
        let mut look = || {
            let states = inputs.iter_mut().map(|input| input.is_active());
            states.collect::<Result<Vec<bool>, _>>()
        };
        let before = look()?;
        now();
        let (mut changes, mut latest) = (Vec::new(), before.clone());
        let mut until = Instant::now() + TO_PRESS;
        while Instant::now() < until {
            tokio::select! {
                () = sleep(LOOK) => {}
                () = &mut stop => break,
            }
            let now = look()?;
            if now == latest {
                continue;
            }
            until = Instant::now() + if now == before { BOUNCE } else { TO_PRESS };
            latest.clone_from(&now);
            changes.push(now);
        }
        Ok(pressed(function, seen(index, &before, &changes, &contacts), answers))
    }
}

/// Waits for the end of a move, and brakes if somebody wants it to end.
async fn ended<T>(
    axes: &dyn Axes,
    mut done: oneshot::Receiver<Result<T, MotionError>>,
    stop: &mut Stop<'_>,
) -> Result<(), MotionError> {
    let ended = tokio::select! {
        done = &mut done => done,
        () = stop => {
            axes.stop();
            done.await
        }
    };
    ended.unwrap_or(Err(MotionError::Ended)).map(drop)
}

fn told(showing: Showing, ended: Result<(), MotionError>) -> Tried {
    match ended {
        Ok(()) => Tried::Ask(showing),
        Err(error) => Tried::Over(failed(error)),
    }
}

/// A move that did not end well. Each try has the axes anew, so a fault needs no `scanner clear` here.
fn failed(error: MotionError) -> Outcome {
    Outcome::Fails(match error {
        MotionError::Fault { cause } => format!("The axes were stopped: {cause}"),
        error @ (MotionError::Moving
        | MotionError::Unreachable(_)
        | MotionError::Stopped
        | MotionError::Unknown { .. }
        | MotionError::Homing { .. }
        | MotionError::Ended
        | MotionError::World { .. }) => error.to_string(),
    })
}
