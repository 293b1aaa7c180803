//! The parts of the rig, tried one by one, with a person who presses, looks and measures.

use std::io;
use std::pin::pin;
use std::thread;

use tokio::sync::oneshot;

use super::{loaded, prompted, put, read_line};
use crate::cli::exit::{Exit, Failure};
use crate::cli::signals::Signals;
use crate::cli::{output, run};
use crate::config::Config;
use crate::daemon::{Bench, Place, Tried as Done};
use crate::setup::trial::{Outcome, Part, repinned};
use crate::setup::{Answers, Facts, complete};

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
        let bench = Bench::alone(&self.config()?)?;
        output::print(
            "\nNothing moves before you agree. Keep a hand at the emergency stop, or at the motors' supply.\n\
             Enter tries a part, skip leaves it out, quit ends the trial. What turns out to be wired the other way round is put \
             right in the file.",
        )?;
        let mut parts = Vec::new();
        for part in Part::of(&self.answers) {
            match self.part(&bench, part).await? {
                Next::Part(became) => parts.push((part, became)),
                Next::Left => break,
            }
        }
        Ok(Tried { answers: self.answers, parts })
    }

    /// Tries a part until it works, or somebody has had enough of it.
    async fn part(&mut self, bench: &Bench, part: Part) -> Result<Next, Failure> {
        let mut became = "skipped";
        loop {
            let other = if let Part::Contact(_) = part { ", or another pin" } else { "" };
            let question = format!("\n{}. Enter, skip or quit{other}: ", part.before(&self.answers));
            let Some(line) = self.ask(&question).await? else { return Ok(Next::Left) };
            let outcome = match (line.trim(), part) {
                ("" | "yes", _) => match self.once(bench, part).await? {
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
                    loaded(self.place, &text)?;
                    put(self.place, &text)?;
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
    async fn once(&mut self, bench: &Bench, part: Part) -> Result<Option<Outcome>, Failure> {
        let config = self.config()?;
        let now = || {
            // Who does not see it is told by what comes of it.
            let _ = output::print("Now, and let it go again.");
        };
        let tried = {
            let stop = pin!(async {
                self.signals.next().await;
            });
            bench.try_part(part, &config, &self.answers, now, stop).await?
        };
        match tried {
            Done::Over(outcome) => Ok(Some(outcome)),
            Done::Ask(_showing) => self.asked(part).await,
        }
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
        loaded(self.place, &self.place.text(&self.answers, self.facts))
    }
}

/// Why the parts could not be tried now, and how they can be later.
pub(super) fn put_off(failure: &Failure) -> String {
    let first = if failure.exit == Exit::InUse { "sudo systemctl stop scanner, and then " } else { "" };
    format!("The parts cannot be tried now: {}\nLater: {first}scanner setup --try", failure.message)
}
