//! Pins by their function: which they are by the table in docs/wiring.md, and which are taken.

use super::answers::Answers;
use super::applies::{applies, is_there};
use super::key::{Function, Key};
use super::words::{NONE, TABLE};
use crate::config::gpio::{Gpio, Pin, Pull, SimulatedPins, other_use};

/// How the pin of a function is written in the table of docs/wiring.md; an arm's are those of the lift.
pub(super) const fn standard(function: Function) -> &'static str {
    match function {
        Function::EmergencyStop => "^GPIO26",
        Function::TurntableStep => "GPIO17",
        Function::TurntableDirection => "GPIO27",
        Function::TurntableEnable => "!GPIO22",
        Function::LiftStep | Function::TiltStep => "GPIO23",
        Function::LiftDirection | Function::TiltDirection => "GPIO24",
        Function::LiftEnable | Function::TiltEnable => "!GPIO25",
        Function::LiftSwitch | Function::TiltSwitch => "^!GPIO16",
        Function::Light => "GPIO18",
        Function::Start => "^!GPIO5",
        Function::Stop => "^!GPIO6",
        Function::Led => "GPIO12",
        // Few rigs have one.
        Function::Backlight => NONE,
    }
}

/// What hangs on the pin, for people.
pub(super) const fn purpose(function: Function) -> &'static str {
    match function {
        Function::EmergencyStop => "emergency stop",
        Function::TurntableStep => "turntable step",
        Function::TurntableDirection => "turntable direction",
        Function::TurntableEnable => "turntable enable",
        Function::LiftStep => "lift step",
        Function::LiftDirection => "lift direction",
        Function::LiftEnable => "lift enable",
        Function::LiftSwitch => "lift switch",
        Function::TiltStep => "tilt step",
        Function::TiltDirection => "tilt direction",
        Function::TiltEnable => "tilt enable",
        Function::TiltSwitch => "tilt switch",
        Function::Light => "light",
        Function::Backlight => "backlight",
        Function::Start => "start button",
        Function::Stop => "stop button",
        Function::Led => "status LED",
    }
}

/// Whether a rig can do without it.
pub(super) const fn is_optional(function: Function) -> bool {
    match function {
        Function::EmergencyStop
        | Function::TurntableEnable
        | Function::LiftEnable
        | Function::TiltEnable
        | Function::Light
        | Function::Backlight
        | Function::Start
        | Function::Stop
        | Function::Led => true,
        Function::TurntableStep
        | Function::TurntableDirection
        | Function::LiftStep
        | Function::LiftDirection
        | Function::LiftSwitch
        | Function::TiltStep
        | Function::TiltDirection
        | Function::TiltSwitch => false,
    }
}

/// The pin of a function: the table's, if it is wired so.
pub(super) fn pin(function: Function, answers: &Answers) -> Option<Pin> {
    if function != Function::EmergencyStop && answers.get(Key::Wiring) == Some(TABLE) {
        return Pin::parse(standard(function)).filter(|_| is_there(function, answers));
    }
    let key = Key::Pin(function);
    answers.get(key).filter(|_| applies(key, answers)).and_then(Pin::parse)
}

/// The pin that somebody typed, in the spelling of the configuration; or what was expected.
pub(super) fn accept(function: Function, text: &str, answers: &Answers) -> Result<String, String> {
    if text.eq_ignore_ascii_case(NONE) {
        if is_optional(function) {
            return Ok(NONE.to_owned());
        }
        return Err(format!("the {} needs a pin", purpose(function)));
    }
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    let spelled = if digits { format!("{}GPIO{text}", marks(function)) } else { text.to_uppercase() };
    let Some(pin) = Pin::parse(&spelled) else {
        let none = if is_optional(function) { ", or none" } else { "" };
        return Err(format!("a pin by Broadcom's number was expected, such as {}{none}", example(function)));
    };
    if function == Function::EmergencyStop && (pin.active_low || pin.pull != Pull::Up) {
        return Err(format!(
            "a broken line has to stop the rig, too: wire a contact that is closed until it is pressed between {pin} and \
             ground, and write ^{pin}"
        ));
    }
    if let Some((message, hint)) = backend(answers).objection(pin) {
        return Err(format!("{pin} is a pin {message}: {hint}"));
    }
    match having(pin, |other| other < function, answers) {
        Some(other) => Err(already(pin, other)),
        None => Ok(pin.written()),
    }
}

/// As [`accept`], once all pins are named: those of the functions behind it are taken, too.
pub(super) fn accept_among_all(function: Function, text: &str, answers: &Answers) -> Result<String, String> {
    let written = accept(function, text, answers)?;
    let behind = |other: Function| other > function;
    match Pin::parse(&written).and_then(|pin| Some((pin, having(pin, behind, answers)?))) {
        Some((pin, other)) => Err(already(pin, other)),
        None => Ok(written),
    }
}

fn already(pin: Pin, other: Function) -> String {
    format!("{pin} is the {} already: give each its own pin", purpose(other))
}

/// The function among those that count that has the pin.
fn having(wanted: Pin, counts: impl Fn(Function) -> bool, answers: &Answers) -> Option<Function> {
    let mut others = Function::ALL.into_iter().filter(|other| counts(*other));
    others.find(|other| pin(*other, answers).is_some_and(|pin| pin.number == wanted.number))
}

/// The function that would have the pin of the emergency stop, if the rest is wired by the table.
pub(super) fn clash_with_table(answers: &Answers) -> Option<Function> {
    let stop = pin(Function::EmergencyStop, answers)?;
    let mut others = Function::ALL.into_iter().filter(|other| *other != Function::EmergencyStop);
    others.find(|other| {
        is_there(*other, answers) && Pin::parse(standard(*other)).is_some_and(|pin| pin.number == stop.number)
    })
}

/// A pin for the function: the table's, or the first one that is free.
pub(super) fn free(function: Function, answers: &Answers) -> String {
    let usual = standard(function).to_owned();
    if accept(function, &usual, answers).is_ok() {
        return usual;
    }
    let mut free = (4..=27).filter(|number| other_use(*number).is_none());
    free.find_map(|number| accept(function, &number.to_string(), answers).ok()).unwrap_or(usual)
}

/// How pins are reached, as far as it says which there are.
fn backend(answers: &Answers) -> Gpio {
    match answers.get(Key::Backend) {
        Some("rppal") => Gpio::Rppal,
        Some("gpiocdev") => Gpio::Gpiocdev { chip: "/dev/gpiochip0".into() },
        Some(_) | None => Gpio::Sim(SimulatedPins::default()),
    }
}

/// What stands in front of a number alone.
fn marks(function: Function) -> &'static str {
    let example = example(function);
    &example[..example.len() - example.trim_start_matches(['!', '^', '~']).len()]
}

fn example(function: Function) -> &'static str {
    match standard(function) {
        NONE => "GPIO13",
        pin => pin,
    }
}
