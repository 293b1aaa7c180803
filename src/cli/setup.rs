//! `scanner setup`: asks what the rig is, line by line, and writes it into a drop-in of the configuration.

mod machine;
mod trying;

use std::cell::Cell;
use std::fmt::Write as _;
use std::io::{self, BufRead as _, IsTerminal as _, Read as _};
use std::path::Path;

use crate::config::Config;
use crate::daemon::{Place, PlaceError, notes, own_names};
use crate::logging;
use crate::ownership;
use crate::regular_file::{self, SMALL};
use crate::setup::{
    Answers, DROP_IN, Facts, Heard, Interview, Key, NETWORK, Rig, STEPS, complete, from_file,
};

use super::exit::{Exit, Failure};
use super::output;
use trying::{Tried, put_off, try_parts};

/// What is logged if nobody says.
pub(super) const LOG: &str = "warn,scanner::camera_driver=off";
/// Longest line that is read.
const LONGEST: u64 = 16 << 10;

pub(super) fn setup(path: &Path, file: Option<&Path>, try_alone: bool) -> Result<Exit, Failure> {
    let place = opened(path)?;
    ownership::share_like(&place.config.storage.runtime_directory);
    if try_alone {
        return tried_alone(&place);
    }
    let facts = machine::look(&place)?;
    match file {
        Some(file) => unasked(&place, &facts, file),
        None => Session { place: &place, facts: &facts, forgets: Cell::new(false) }.run(),
    }
}

/// The place of the configuration at `path`; what will be replaced there is told.
fn opened(path: &Path) -> Result<Place, Failure> {
    let place = Place::open(path).map_err(|error| match error {
        PlaceError::Unwritable { .. } => {
            let message = format!("{error}. Say: sudo scanner --config {} setup", path.display());
            Failure { exit: Exit::Failed, message }
        }
        PlaceError::NoFolder { .. } | PlaceError::Config(_) => Failure::new(Exit::Config, &error),
        PlaceError::Unread(error) => error.into(),
    })?;
    if let Some(errors) = &place.replaced {
        output::print(&format!(
            "What {DROP_IN} says now is not in order, and will be replaced:\n{errors}\n"
        ))?;
    }
    Ok(place)
}

/// Puts a drop-in in place.
fn put(place: &Place, text: &str) -> Result<(), Failure> {
    Ok(place.put(text, "scanner setup")?)
}

/// The whole configuration with this drop-in, as `check-config` reads it.
fn loaded(place: &Place, text: &str) -> Result<Config, Failure> {
    place.load(text).map_err(|errors| Failure::new(Exit::Config, &errors))
}

/// With the answers of a file.
fn unasked(place: &Place, facts: &Facts, file: &Path) -> Result<Exit, Failure> {
    let wrong =
        |message: String| Failure { exit: Exit::Config, message: format!("{}: {message}", file.display()) };
    let bytes = regular_file::read(file, SMALL).map_err(|unread| wrong(unread.to_string()))?;
    let given =
        Answers::from_toml(&String::from_utf8_lossy(&bytes)).map_err(|error| wrong(error.to_string()))?;
    let answers = from_file(&given, facts).map_err(|missing| wrong(missing.to_string()))?;
    let text = place.text(&answers, facts);
    output::print(&what_comes_of_it(place, facts, &text)?)?;
    put(place, &text)?;
    output::print(&format!("\n{}", what_next(place, &answers)))?;
    Ok(Exit::Done)
}

/// The parts of a rig that is set up are tried once more.
fn tried_alone(place: &Place) -> Result<Exit, Failure> {
    let facts = machine::at(place, Vec::new());
    let answers = complete(&Answers::default(), &facts);
    if !facts.again() || !answers.rig().is_some_and(Rig::is_real) {
        let message = format!(
            "{} describes no rig with motors: say `scanner setup` first. A rig that is described elsewhere is tried with \
             `scanner rig`",
            place.file().display()
        );
        return Err(Failure { exit: Exit::Config, message });
    }
    let tried = try_parts(place, &facts, &answers)?;
    output::print(&format!("\nTried:\n{}", tried.summary()))?;
    Ok(Exit::Done)
}

/// A person at a terminal, or a script.
struct Session<'s> {
    place: &'s Place,
    facts: &'s Facts,
    /// Whether answers cannot be kept, which was told.
    forgets: Cell<bool>,
}

impl Session<'_> {
    fn run(&self) -> Result<Exit, Failure> {
        let kept = self.place.answers();
        output::print(&self.introduction(!kept.is_empty()))?;
        let mut interview = Interview::new(self.facts, kept);
        loop {
            match self.ask(&mut interview)? {
                Some(exit) => return Ok(exit),
                None => {
                    if let Some(exit) = self.conclude(&mut interview)? {
                        return Ok(exit);
                    }
                }
            }
        }
    }

    fn introduction(&self, goes_on: bool) -> String {
        let on =
            if goes_on { "It goes on where it was left: back leads to what was answered.\n" } else { "" };
        format!(
            "This describes the rig, and writes {}. Nothing moves before you agree.\n\
             Enter takes what is in brackets; ? says more, back goes one back, quit leaves everything as it was and keeps the\n\
             answers for the next time.\n{on}\n-- 1 of {STEPS}: this machine --\n{}",
            self.place.file().display(),
            machine::describe(self.facts)
        )
    }

    /// Asks until all is answered; or how it ended before that.
    fn ask(&self, interview: &mut Interview<'_>) -> Result<Option<Exit>, Failure> {
        let mut step = 0;
        while let (Some(key), Some(question)) = (interview.key(), interview.ask()) {
            if key.step().number != step {
                step = key.step().number;
                output::print(&format!("\n-- {step} of {STEPS}: {} --", key.step().title))?;
            }
            let Some(line) = prompt(&question)? else { return Self::left(Exit::Failed).map(Some) };
            match interview.hear(&line) {
                Heard::Answered(key) => {
                    // A session may end in any way, so that answers are kept at once.
                    if let Err(error) = self.place.keep(interview.answers())
                        && !self.forgets.replace(true)
                    {
                        output::print(&format!("Answers cannot be kept for the next time: {error}."))?;
                    }
                    self.estimate(key, interview.answers())?;
                }
                Heard::Back => {}
                Heard::More(text) => output::print(text)?,
                Heard::Wrong(expected) => output::print(&format!("That does not do: {expected}."))?,
                Heard::Quit => return Self::left(Exit::Done).map(Some),
            }
        }
        Ok(None)
    }

    fn left(exit: Exit) -> Result<Exit, Failure> {
        output::print(
            "\nNothing was written; the configuration is as it was. `scanner setup` goes on here.",
        )?;
        Ok(exit)
    }

    /// How much the plan is, once that is known.
    fn estimate(&self, answered: Key, answers: &Answers) -> Result<(), Failure> {
        let of_plan = matches!(answered, Key::Heights | Key::Tilts)
            || (answered == Key::Angles && !answers.rig().is_some_and(Rig::has_lift));
        if !of_plan {
            return Ok(());
        }
        let text = self.place.text(&complete(answers, self.facts), self.facts);
        match loaded(self.place, &text).and_then(|config| told(&config)) {
            Ok(told) => output::print(&told),
            // The file as a whole says it better, at the end.
            Err(_) => Ok(()),
        }
    }

    /// Shows what all the answers make, and writes it if that is wanted; none if there is more to ask.
    fn conclude(&self, interview: &mut Interview<'_>) -> Result<Option<Exit>, Failure> {
        let answers = interview.answers().clone();
        let text = self.place.text(&complete(&answers, self.facts), self.facts);
        let shown = what_comes_of_it(self.place, self.facts, &text).map_err(|failure| Failure {
            exit: failure.exit,
            message: format!(
                "{}\n\nThe configuration would not load with these answers, so nothing was written. They are kept: put the file \
                 that is named right, or say `scanner setup` again, and back.",
                failure.message
            ),
        })?;
        output::print(&format!("\n-- {STEPS} of {STEPS}: the file --\n{shown}"))?;
        loop {
            let Some(line) = prompt("Write it? yes, back or quit [yes]: ")? else {
                return Self::left(Exit::Failed).map(Some);
            };
            match line.trim() {
                "" | "yes" | "y" => break,
                "back" => {
                    interview.back();
                    return Ok(None);
                }
                "quit" | "no" => return Self::left(Exit::Done).map(Some),
                "?" => output::print(
                    "The file is put in place in one piece. The service reads it when it is told to.",
                )?,
                _ => output::print("That does not do: yes, back or quit was expected.")?,
            }
        }
        put(self.place, &text)?;
        self.place.forget();
        let tried = self.tried(&answers)?;
        if let Some(tried) = &tried {
            output::print(&format!("\nTried:\n{}", tried.summary()))?;
        }
        let answers = tried.map_or(answers, |tried| tried.answers);
        output::print(&format!("\n{}", what_next(self.place, &answers)))?;
        Ok(Some(Exit::Done))
    }

    /// Tries the parts of a real rig, if that is wanted. The configuration is written, whatever comes of it.
    fn tried(&self, answers: &Answers) -> Result<Option<Tried>, Failure> {
        if !answers.rig().is_some_and(Rig::is_real) {
            return Ok(None);
        }
        // A script is not at the rig.
        let usual = if io::stdin().is_terminal() { "yes" } else { "no" };
        loop {
            let question =
                "\nTry the parts of the rig one by one now? Nothing moves before you agree. yes or no";
            let Some(line) = prompt(&format!("{question} [{usual}]: "))? else { return Ok(None) };
            let text = line.trim();
            match if text.is_empty() { usual } else { text } {
                "yes" | "y" => break,
                "no" | "n" | "quit" => return Ok(None),
                "?" => output::print(
                    "Each button is pressed once, each axis turned a little, and measured, each light looked at. What is wired \
                     the other way round is put right in the file. Later: scanner setup --try",
                )?,
                _ => output::print("That does not do: yes or no was expected.")?,
            }
        }
        match try_parts(self.place, self.facts, answers) {
            Ok(tried) => Ok(Some(tried)),
            Err(failure) => {
                output::print(&put_off(&failure))?;
                Ok(None)
            }
        }
    }
}

/// Asks, and reads a line; none at the end of the input.
fn prompt(question: &str) -> Result<Option<String>, Failure> {
    prompted(question)?;
    Ok(read_line()?)
}

fn prompted(question: &str) -> Result<(), Failure> {
    // What comes from no terminal is not echoed with its end of line.
    let end = if io::stdin().is_terminal() { "" } else { "\n" };
    match logging::print(format!("{question}{end}"), None) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.into()),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// A line of the input; none at its end.
fn read_line() -> io::Result<Option<String>> {
    let mut line = Vec::new();
    let read = io::stdin().lock().take(LONGEST).read_until(b'\n', &mut line)?;
    // A line without an end was not sent.
    Ok((read > 0 && line.ends_with(b"\n")).then(|| String::from_utf8_lossy(&line).into_owned()))
}

/// The file, what is odd about it, and how much a scan is. An error if the configuration would not load with it.
fn what_comes_of_it(place: &Place, facts: &Facts, text: &str) -> Result<String, Failure> {
    let config = loaded(place, text)?;
    let mut shown = format!("{}:\n\n{text}\n", place.file().display());
    for note in notes(text, facts, &config) {
        let _ = writeln!(shown, "{note}");
    }
    Ok(shown + &told(&config)?)
}

/// How much a scan of the plan is.
fn told(config: &Config) -> Result<String, Failure> {
    Ok(Place::told(config)?.unwrap_or_default())
}

fn what_next(place: &Place, answers: &Answers) -> String {
    let mut next = format!("{} is written. What to do next:\n", place.file().display());
    let rig = answers.rig();
    if rig.is_some_and(Rig::is_real) {
        next += "  With the motors' supply off, then on, and the service stopped (sudo systemctl stop scanner):\n  \
                 scanner setup --try                  the parts one by one, as far as you have not just tried them\n  \
                 scanner rig watch                    press the emergency stop and each button: ACTIVE means pressed\n  \
                 scanner rig jog turntable \"5 deg\"    counter-clockwise, seen from above? else a ! before its direction\n";
        for (axis, there) in
            [("lift", rig.is_some_and(Rig::has_lift)), ("tilt", rig.is_some_and(Rig::has_tilt))]
        {
            if there {
                let _ = writeln!(
                    next,
                    "  scanner rig home {axis:<19} to its switch; a hand on the emergency stop"
                );
            }
        }
        next += "  scanner rig lights                   the lights\n  \
                 scanner tune                         how the axes swing, by the cameras, with an object on the table\n";
    }
    next += "  sudo systemctl restart scanner       the service reads it\n  \
             scanner doctor                       what may be in the way\n  \
             scanner open                         the page, in a browser or on a phone\n  \
             scanner start                        a scan; or press the start button\n\
             After the first scan, the rig can find out how its axes swing and measure its cameras: in the page (System, Calibration),\n\
             or while no service runs by scanner tune and scanner calibrate.";
    if answers.get(Key::Page) == Some(NETWORK) {
        let names = own_names();
        let name = names
            .iter()
            .find(|name| name.strip_suffix(".local").is_some())
            .map_or("scanner.local", String::as_str);
        let _ = write!(
            next,
            "\nWith port 80, the page is http://{name}, and found by whoever looks for one in the network: four lines in\n  \
             /usr/share/doc/scanner/docs/service.md, \"Found by its name\""
        );
    }
    next
}
