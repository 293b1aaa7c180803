//! Contacts: what was seen of them, and what that says of their pins.

use super::super::answers::Answers;
use super::super::key::{Function, Key};
use super::super::pins::{self, purpose};
use super::super::words::NONE;
use super::{Outcome, turned_round, with_own_wiring};
use crate::config::gpio::Pin;

/// What inputs said while somebody was to press one of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen {
    /// It was inactive, active for a while, and inactive again.
    Pressed,
    /// It was active before, and stayed so.
    Stuck,
    /// It was active before, and inactive while it was pressed.
    Inverted,
    /// It became active, and stayed so.
    Held,
    /// Another one changed, and this one did not.
    Other(Function),
    /// None changed.
    Nothing,
}

/// The inputs of the rig, in the order of asking.
pub fn contacts(answers: &Answers) -> Vec<(Function, Pin)> {
    let wanted = [
        Function::EmergencyStop,
        Function::Start,
        Function::Stop,
        Function::LiftSwitch,
        Function::TiltSwitch,
    ];
    let pinned = wanted.into_iter().filter_map(|function| Some((function, pins::pin(function, answers)?)));
    pinned.collect()
}

/// What was seen of the inputs, where `before` and each of `changes` say which of [`contacts`] were active: of the contact at
/// `index`.
pub fn seen(index: usize, before: &[bool], changes: &[Vec<bool>], contacts: &[(Function, Pin)]) -> Seen {
    let was = |state: &[bool], at: usize| state.get(at).copied().unwrap_or_default();
    let first = was(before, index);
    let own: Vec<bool> = changes.iter().map(|state| was(state, index)).collect();
    let changed = own.iter().any(|active| *active != first);
    match (first, changed, own.last().copied().unwrap_or(first)) {
        (false, true, false) => Seen::Pressed,
        (false, true, true) => Seen::Held,
        (true, true, _) => Seen::Inverted,
        (active, false, _) => {
            let other = (0..contacts.len())
                .find(|at| *at != index && changes.iter().any(|state| was(state, *at) != was(before, *at)));
            match other.and_then(|at| contacts.get(at)) {
                Some((function, _)) => Seen::Other(*function),
                None if active => Seen::Stuck,
                None => Seen::Nothing,
            }
        }
    }
}

/// What that makes of the contact.
pub fn pressed(function: Function, seen: Seen, answers: &Answers) -> Outcome {
    let name = purpose(function);
    let pin = pins::pin(function, answers).map_or_else(|| NONE.to_owned(), Pin::written);
    match seen {
        Seen::Pressed => Outcome::Works,
        // Its line has to stop the rig when it breaks, so that it cannot be read the other way round.
        Seen::Inverted if function == Function::EmergencyStop => Outcome::Fails(format!(
            "The {name} stops the rig while it is not pressed, and lets it go while it is. Its contact has to be one that is \
             closed until it is pressed (NC): use the other two terminals"
        )),
        Seen::Inverted => turned_round(function, answers),
        Seen::Stuck if function == Function::EmergencyStop => Outcome::Fails(format!(
            "The {name} says all the time that it is pressed. Is it released? Is the contact that is closed until it is pressed \
             (NC) between {pin} and ground, and no wire broken?"
        )),
        Seen::Stuck => Outcome::Fails(format!(
            "The {name} says all the time that it is pressed. Is {pin} connected to it, and to nothing else? Does it need a \
             resistor (^ in front of the pin)?"
        )),
        Seen::Held => Outcome::Fails(format!("The {name} was pressed, and never let go")),
        Seen::Other(other) => match swapped(function, other, answers) {
            Some(answers) => {
                let changed =
                    format!("The {} answered instead: the two pins are swapped now", purpose(other));
                Outcome::Changed(answers, changed)
            }
            None => Outcome::Fails(format!("The {} answered instead: swap their wires", purpose(other))),
        },
        Seen::Nothing => Outcome::Fails(format!(
            "Nothing was seen at {pin}. Is the contact between that pin and ground? Pins have two numbers: docs/wiring.md has both"
        )),
    }
}

/// The answers with another pin for the function, as somebody types it.
///
/// # Errors
/// What was expected, for people.
pub fn repinned(function: Function, text: &str, answers: &Answers) -> Result<Outcome, String> {
    let mut own = with_own_wiring(answers);
    let pin = pins::accept_among_all(function, text.trim(), &own)?;
    let changed = format!("The {} is at {pin} now", purpose(function));
    own.set(Key::Pin(function), pin);
    Ok(Outcome::Changed(own, changed))
}

/// The pins of two contacts changed over. None with the emergency stop among them: a person looks at its wires.
fn swapped(one: Function, other: Function, answers: &Answers) -> Option<Answers> {
    if [one, other].contains(&Function::EmergencyStop) {
        return None;
    }
    let mut own = with_own_wiring(answers);
    let (first, second) = (pins::pin(one, &own)?, pins::pin(other, &own)?);
    own.set(Key::Pin(one), second.written());
    own.set(Key::Pin(other), first.written());
    Some(own)
}
