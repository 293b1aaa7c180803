//! The parts of the rig, tried one by one, with a person who presses, looks and measures.

use std::io;
use std::thread;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::{Instant, sleep};

use super::place::Place;
use super::{prompted, read_line};
use crate::cli::exit::{Exit, Failure};
use crate::cli::signals::Signals;
use crate::cli::{output, run};
use crate::config::Config;
use crate::daemon::{StartError, Station, open_pins};
use crate::model::Lighting;
use crate::rig::axes::MotionError;
use crate::rig::panel::Led;
use crate::setup::trial::{Outcome, Part, contacts, pressed, repinned, seen};
use crate::setup::{Answers, Facts, Function, complete};

/// How often inputs are looked at.
const LOOK: Duration = Duration::from_millis(5);
/// How long somebody has to press a contact.
const TO_PRESS: Duration = Duration::from_secs(30);
/// After a contact was let go: it may bounce.
const BOUNCE: Duration = Duration::from_millis(300);

/// What became of the parts, in the order of trying, and the answers as they are right.
pub(super) struct Tried {
    pub(super) answers: Answers,
    parts: Vec<(Part, &'static str)>,
}

impl Tried {
    /// For people.
    pub(super) fn summary(&self) -> String {
        let parts = self.parts.iter().map(|(part, became)| format!("  {:<22} {became}", part.name()));
        parts.collect::<Vec<_>>().join("\n")
    }
}

/// Tries the parts of the rig that the configuration describes, as `answers` made it.
pub(super) fn try_parts(place: &Place, facts: &Facts, answers: &Answers) -> Result<Tried, Failure> {
    let answers = complete(answers, facts);
    let runtime = run::runtime()?;
    let outcome = runtime.block_on(async {
        let signals = Signals::install_at_terminal()?;
        Trial { place, facts, answers, signals }.run().await
    });
    run::shut_down(runtime);
    outcome
}

struct Trial<'p> {
    place: &'p Place,
    facts: &'p Facts,
    answers: Answers,
    signals: Signals,
}

/// How it goes on after a part.
enum Next {
    Part(&'static str),
    Left,
}

impl Trial<'_> {
    async fn run(mut self) -> Result<Tried, Failure> {
        // Whether nobody else has the rig, before anything is asked.
        drop(open_pins(&self.config()?)?);
        output::print(
            "\nNothing moves before you agree. Keep a hand at the emergency stop, or at the motors' supply.\n\
             Enter tries a part, skip leaves it out, quit ends the trial. What turns out to be wired the other way round is put \
             right in the file.",
        )?;
        let mut parts = Vec::new();
        for part in Part::of(&self.answers) {
            match self.part(part).await? {
                Next::Part(became) => parts.push((part, became)),
                Next::Left => break,
            }
        }
        Ok(Tried { answers: self.answers, parts })
    }

    /// Tries a part until it works, or somebody has had enough of it.
    async fn part(&mut self, part: Part) -> Result<Next, Failure> {
        let mut became = "skipped";
        loop {
            let other = if let Part::Contact(_) = part { ", or another pin" } else { "" };
            let question = format!("\n{}. Enter, skip or quit{other}: ", part.before(&self.answers));
            let Some(line) = self.ask(&question).await? else { return Ok(Next::Left) };
            let outcome = match (line.trim(), part) {
                ("" | "yes", _) => match self.once(part).await? {
                    Some(outcome) => outcome,
                    None => return Ok(Next::Left),
                },
                ("skip", _) => return Ok(Next::Part(became)),
                ("quit", _) => return Ok(Next::Left),
                (pin, Part::Contact(function)) => match repinned(function, pin, &self.answers) {
                    Ok(outcome) => outcome,
                    Err(expected) => Outcome::Fails(format!("That does not do: {expected}")),
                },
                (_, Part::Direction(_) | Part::Distance(_) | Part::Home(_) | Part::Lamp(_)) => {
                    Outcome::Fails("That does not do: Enter, skip or quit was expected".into())
                }
            };
            match outcome {
                Outcome::Works => {
                    output::print(&format!("{}: works.", part.name()))?;
                    return Ok(Next::Part("works"));
                }
                Outcome::Changed(answers, changed) => {
                    let text = self.place.text(&answers, self.facts);
                    self.place.load(&text)?;
                    self.place.put(&text)?;
                    self.answers = answers;
                    output::print(&format!(
                        "{changed}; {} says so. Once more:",
                        self.place.file().display()
                    ))?;
                    became = "changed, and not tried again";
                }
                Outcome::Fails(reason) => {
                    output::print(&format!("{reason}."))?;
                    became = "does not work";
                }
            }
        }
    }

    /// Does it, and asks what came of it; none if somebody left.
    async fn once(&mut self, part: Part) -> Result<Option<Outcome>, Failure> {
        match part {
            Part::Contact(function) => self.press(function).await.map(Some),
            Part::Direction(axis) | Part::Distance(axis) => {
                let station = Station::open(self.config()?)?;
                let way = part.way(&self.answers).unwrap_or_default();
                match station.axes().jog(axis, way) {
                    Ok(moved) => match self.moved(&station, moved.done).await {
                        Ok(_) => self.asked(part).await,
                        Err(error) => Ok(Some(failed(error))),
                    },
                    Err(error) => Ok(Some(failed(error))),
                }
            }
            Part::Home(axis) => {
                let station = Station::open(self.config()?)?;
                match self.moved(&station, station.axes().home(&[axis])).await {
                    Ok(()) => self.asked(part).await,
                    Err(error) => Ok(Some(failed(error))),
                }
            }
            Part::Lamp(function) => {
                let station = Station::open(self.config()?)?;
                let panel = station.panel();
                if let (Function::Led, Some(panel)) = (function, &panel) {
                    panel.show(Led::Ready);
                } else {
                    let backlight = function == Function::Backlight;
                    let lighting = if backlight { Lighting::Backlight } else { Lighting::Front };
                    station.lights().switch(Some(lighting)).map_err(StartError::from)?;
                }
                self.asked(part).await
            }
        }
    }

    /// Waits for the end of a move, and brakes if somebody wants it to end.
    async fn moved<T>(
        &mut self,
        station: &Station,
        mut done: oneshot::Receiver<Result<T, MotionError>>,
    ) -> Result<T, MotionError> {
        let ended = tokio::select! {
            done = &mut done => done,
            _ = self.signals.next() => {
                station.axes().stop();
                done.await
            }
        };
        ended.unwrap_or(Err(MotionError::Ended))
    }

    /// Looks at every input while somebody presses one. Takes no output, so that nothing can move.
    async fn press(&mut self, function: Function) -> Result<Outcome, Failure> {
        let contacts = contacts(&self.answers);
        let Some(index) = contacts.iter().position(|(known, _)| *known == function) else {
            return Ok(Outcome::Fails("it has no pin".into()));
        };
        let Some((pins, _lock)) = open_pins(&self.config()?)? else {
            return Ok(Outcome::Fails("the rig has no [gpio], and so no pins".into()));
        };
        let mut inputs = Vec::new();
        for (function, pin) in &contacts {
            inputs.push(pins.board.input(*pin, function.name()).map_err(StartError::from)?);
        }
        let mut look = || {
            let states = inputs.iter_mut().map(|input| input.is_active());
            states.collect::<Result<Vec<bool>, _>>().map_err(StartError::from)
        };
        let before = look()?;
        output::print("Now, and let it go again.")?;
        let (mut changes, mut latest) = (Vec::new(), before.clone());
        let mut until = Instant::now() + TO_PRESS;
        while Instant::now() < until {
            tokio::select! {
                () = sleep(LOOK) => {}
                _ = self.signals.next() => break,
            }
            let now = look()?;
            if now == latest {
                continue;
            }
            until = Instant::now() + if now == before { BOUNCE } else { TO_PRESS };
            latest.clone_from(&now);
            changes.push(now);
        }
        Ok(pressed(function, seen(index, &before, &changes, &contacts), &self.answers))
    }

    /// Asks what came of it, until that is an answer; none if somebody left.
    async fn asked(&mut self, part: Part) -> Result<Option<Outcome>, Failure> {
        let Some((question, usual)) = part.after(&self.answers) else { return Ok(Some(Outcome::Works)) };
        loop {
            let Some(line) = self.ask(&format!("{question} [{usual}]: ")).await? else { return Ok(None) };
            let text = if line.trim().is_empty() { usual.as_str() } else { line.trim() };
            if text == "quit" {
                return Ok(None);
            }
            match part.answered(text, &self.answers, self.facts) {
                Ok(outcome) => return Ok(Some(outcome)),
                Err(expected) => output::print(&format!("That does not do: {expected}."))?,
            }
        }
    }

    /// Asks, and waits for a line; none at the end of the input, or if a signal says that it is enough.
    async fn ask(&mut self, question: &str) -> Result<Option<String>, Failure> {
        prompted(question)?;
        let (sender, line) = oneshot::channel::<io::Result<Option<String>>>();
        // Nothing ends a read of a terminal; it ends with the process.
        thread::Builder::new().name("answer".into()).spawn(move || {
            let _ = sender.send(read_line());
        })?;
        tokio::select! {
            line = line => Ok(line.map_err(io::Error::other)??),
            _ = self.signals.next() => Ok(None),
        }
    }

    /// The configuration with the answers so far.
    fn config(&self) -> Result<Config, Failure> {
        self.place.load(&self.place.text(&self.answers, self.facts))
    }
}

/// A move that did not end well. Each try has the axes anew, so a fault needs no `scanner clear` here.
fn failed(error: MotionError) -> Outcome {
    if let MotionError::Fault { cause } = error {
        return Outcome::Fails(format!("The axes were stopped: {cause}"));
    }
    Outcome::Fails(error.to_string())
}

/// Why the parts could not be tried now, and how they can be later.
pub(super) fn put_off(failure: &Failure) -> String {
    let first = if failure.exit == Exit::InUse { "sudo systemctl stop scanner, and then " } else { "" };
    format!("The parts cannot be tried now: {}\nLater: {first}scanner setup --try", failure.message)
}
