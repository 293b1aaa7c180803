//! The parts of a rig, tried one by one once its pins are named: what is asked, and what an answer changes.
//!
//! Whoever has the rig moves it and looks at its inputs; here is decided what comes of it.

mod contact;
mod motor;

pub use self::contact::{Seen, contacts, pressed, repinned, seen};
use self::motor::distance;
use super::accept::lift_travel;
use super::answers::Answers;
use super::applies::is_there;
use super::facts::Facts;
use super::key::{Function, Key};
use super::pins::{self, purpose};
use super::words::{NONE, OWN};
use super::write::motion::{axes, drive};
use crate::config::gpio::Pin;
use crate::model::Axis;
use crate::units::{Degrees, Quantity};

/// What is tried at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// A contact, by pressing it.
    Contact(Function),
    /// Which way an axis goes.
    Direction(Axis),
    /// How far it goes.
    Distance(Axis),
    /// Whether it finds its switch.
    Home(Axis),
    /// A light or an LED, by looking at it.
    Lamp(Function),
}

/// What an answer makes of the rig's description.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It works.
    Works,
    /// It was described wrong: the answers as they are right, and what changed, for people. It is worth another try.
    Changed(Answers, String),
    /// It does not work; what may be the reason.
    Fails(String),
}

impl Part {
    /// Those of the rig, what stops it first, and each axis' direction before its distance.
    pub fn of(answers: &Answers) -> Vec<Self> {
        let mut parts: Vec<Self> =
            contacts(answers).into_iter().map(|(function, _)| Self::Contact(function)).collect();
        let real = answers.rig().filter(|rig| rig.is_real());
        for axis in real.into_iter().flat_map(axes).copied() {
            parts.extend([Self::Direction(axis), Self::Distance(axis)]);
            if axis != Axis::Turntable {
                parts.push(Self::Home(axis));
            }
        }
        let lamps = [Function::Light, Function::Backlight, Function::Led];
        parts.extend(lamps.into_iter().filter(|lamp| pins::pin(*lamp, answers).is_some()).map(Self::Lamp));
        parts
    }

    /// Its name, for people.
    pub fn name(self) -> String {
        match self {
            Self::Contact(function) | Self::Lamp(function) => purpose(function).to_owned(),
            Self::Direction(axis) => format!("{axis}: which way"),
            Self::Distance(axis) => format!("{axis}: how far"),
            Self::Home(axis) => format!("{axis}: its switch"),
        }
    }

    /// Its name, for programs.
    pub fn id(self) -> String {
        match self {
            Self::Contact(function) | Self::Lamp(function) => function.name().to_owned(),
            Self::Direction(axis) => format!("{axis}_way"),
            Self::Distance(axis) => format!("{axis}_distance"),
            Self::Home(axis) => format!("{axis}_home"),
        }
    }

    /// The words that answer what is asked afterwards, and what they mean; none where a distance is wanted, or nothing.
    pub const fn words(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Direction(Axis::Turntable) => {
                &[("ccw", "Counter-clockwise"), ("cw", "Clockwise"), ("none", "It did not move")]
            }
            Self::Direction(Axis::Lift | Axis::Rail | Axis::Tilt) => {
                &[("up", "Up"), ("down", "Down"), ("none", "It did not move")]
            }
            Self::Home(_) => &[("yes", "Yes"), ("no", "No")],
            Self::Lamp(_) => &[("yes", "It is on"), ("wrong", "It went off"), ("no", "It stayed dark")],
            Self::Contact(_) | Self::Distance(_) => &[],
        }
    }

    /// How far an axis goes for it, in its unit; none if it is no move by hand.
    pub fn way(self, answers: &Answers) -> Option<f64> {
        match self {
            Self::Direction(Axis::Turntable) => Some(45.0),
            Self::Direction(Axis::Tilt | Axis::Lift | Axis::Rail) => Some(5.0),
            Self::Distance(Axis::Turntable) => Some(360.0),
            Self::Distance(Axis::Tilt) => {
                let ends: Vec<f64> = answers
                    .list(Key::TiltTravel)
                    .iter()
                    .filter_map(|text| text.parse::<Degrees>().ok())
                    .map(Quantity::get)
                    .collect();
                let span = ends.last().zip(ends.first()).map_or(30.0, |(high, low)| high - low);
                Some((span / 2.0).min(30.0))
            }
            Self::Distance(Axis::Lift | Axis::Rail) => Some((lift_travel(answers).get() / 2.0).min(50.0)),
            Self::Contact(_) | Self::Home(_) | Self::Lamp(_) => None,
        }
    }

    /// What a person has to know, and to agree to, before anything happens.
    pub fn before(self, answers: &Answers) -> String {
        let way = self.way(answers).unwrap_or_default();
        match self {
            Self::Contact(Function::EmergencyStop) => {
                "Press the emergency stop when you are told to, and release it again".into()
            }
            Self::Contact(function) => {
                format!("Press the {} when you are told to, and let it go again", purpose(function))
            }
            Self::Direction(Axis::Turntable) => format!(
                "With the motors' supply on, the table is to turn by {way} deg, counter-clockwise seen from above"
            ),
            Self::Direction(Axis::Tilt) => format!(
                "Put the arm about in the middle of its way by hand. With the motors' supply on, it is to go up by {way} deg"
            ),
            Self::Direction(Axis::Lift | Axis::Rail) => format!(
                "Put the lift about in the middle of its way by hand. With the motors' supply on, it is to go up by {way} mm"
            ),
            Self::Distance(Axis::Turntable) => {
                "Put a mark at the table's edge, beside a fixed point. The table is to make one whole turn"
                    .into()
            }
            Self::Distance(Axis::Tilt) => {
                format!(
                    "Note at which angle the arm stands. It is to go up by {way} deg: is there room for that?"
                )
            }
            Self::Distance(Axis::Lift | Axis::Rail) => {
                format!(
                    "Note at which height the lift stands. It is to go up by {way} mm: is there room for that?"
                )
            }
            Self::Home(axis) => format!("The {axis} is to go down until it meets its switch"),
            Self::Lamp(function) => format!("The {} is to go on", purpose(function)),
        }
    }

    /// What is asked when it has happened, and what Enter takes; none if nobody has to be asked.
    pub fn after(self, answers: &Answers) -> Option<(String, String)> {
        let way = self.way(answers).unwrap_or_default();
        Some(match self {
            Self::Contact(_) => return None,
            Self::Direction(Axis::Turntable) => (
                "Which way did it turn, seen from above? ccw (counter-clockwise), cw (clockwise) or none"
                    .into(),
                "ccw".into(),
            ),
            Self::Direction(axis) => (format!("Which way did the {axis} go? up, down or none"), "up".into()),
            Self::Distance(Axis::Turntable) => (
                "How far did it turn in all? 360 deg if once, and the mark is where it was".into(),
                "360 deg".into(),
            ),
            Self::Distance(axis) => {
                (format!("How far did the {axis} go, measured?"), format!("{way} {}", axis.unit()))
            }
            Self::Home(axis) => {
                (format!("Is the {axis} at its lower end, and at rest? yes or no"), "yes".into())
            }
            Self::Lamp(function) => (
                format!(
                    "Is the {} on? yes, no, or wrong if it was on before and went off",
                    purpose(function)
                ),
                "yes".into(),
            ),
        })
    }

    /// What an answer to [`Self::after`] makes of it.
    ///
    /// # Errors
    /// What was expected, for people.
    pub fn answered(self, text: &str, answers: &Answers, facts: &Facts) -> Result<Outcome, String> {
        let text = text.trim();
        match (self, text) {
            (Self::Direction(Axis::Turntable), "ccw")
            | (Self::Direction(_), "up")
            | (Self::Home(_) | Self::Lamp(_), "yes") => Ok(Outcome::Works),
            (Self::Direction(axis @ Axis::Turntable), "cw") | (Self::Direction(axis), "down") => {
                Ok(turned_round(drive(axis).direction, answers))
            }
            (Self::Direction(axis), "none") => Ok(Outcome::Fails(format!(
                "The {axis} did not move. Is the motors' supply on, and its ground that of the Pi? Is its board enabled: {}? Are \
                 both coils of the motor connected?",
                pins::pin(drive(axis).enable, answers).map_or_else(
                    || "no pin enables it".to_owned(),
                    |pin| format!("{} enables it", pin.written())
                )
            ))),
            (Self::Distance(axis), _) => {
                distance(axis, self.way(answers).unwrap_or_default(), text, answers, facts)
            }
            (Self::Home(axis), "no") => Ok(Outcome::Fails(format!(
                "Something else than the switch at the lower end stopped the {axis}. Press the switch by hand, under `scanner \
                 rig watch`"
            ))),
            (Self::Lamp(function), "wrong") => Ok(turned_round(function, answers)),
            (Self::Lamp(function), "no") => Ok(Outcome::Fails(format!(
                "The {} stays dark. Is its supply on? Does it hang on {}, at the right one of its two sides? docs/wiring.md",
                purpose(function),
                pins::pin(function, answers).map_or_else(|| NONE.to_owned(), Pin::written)
            ))),
            (Self::Direction(Axis::Turntable), _) => Err("ccw, cw or none was expected".into()),
            (Self::Direction(_), _) => Err("up, down or none was expected".into()),
            (Self::Home(_), _) => Err("yes or no was expected".into()),
            (Self::Lamp(_), _) => Err("yes, no or wrong was expected".into()),
            (Self::Contact(_), _) => Err("nothing was asked".into()),
        }
    }
}

/// The same wiring, each pin with an answer of its own.
fn with_own_wiring(answers: &Answers) -> Answers {
    let mut own = answers.clone();
    for function in Function::ALL.into_iter().filter(|function| is_there(*function, answers)) {
        let pin = pins::pin(function, answers).map_or_else(|| NONE.to_owned(), Pin::written);
        own.set(Key::Pin(function), pin);
    }
    own.set(Key::Wiring, OWN);
    own
}

/// Its pin, active at the other level.
fn turned_round(function: Function, answers: &Answers) -> Outcome {
    let mut own = with_own_wiring(answers);
    let Some(pin) = pins::pin(function, &own) else {
        return Outcome::Fails(format!("The {} has no pin", purpose(function)));
    };
    let turned = Pin { active_low: !pin.active_low, ..pin }.written();
    let changed = format!("The {} is {turned} now, no more {}", purpose(function), pin.written());
    own.set(Key::Pin(function), turned);
    Outcome::Changed(own, changed)
}
