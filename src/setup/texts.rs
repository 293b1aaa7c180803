//! What is said: the questions, and more about each.

use std::fmt::Write as _;

use super::answers::Answers;
use super::applies::is_there;
use super::choices::{Choice, choices};
use super::facts::Facts;
use super::key::{Function, Key};
use super::pins::{is_optional, purpose, standard};
use crate::config::gpio::Pin;

/// What the distances are.
const DRAWING: &str = "
   camera [#]- - .
            |      ` - .     ___
            |            ` - | |- - - - - - - - look-at height: the point on
   camera   |                |o|  object        the axis in the middle of the
   height   |                | |                image, over the surface
            |                |_|
       . . .v. . . . . . =====:===== . . . . .  surface of the turntable: 0 mm
            |<--distance----->:
                              : axis of the turntable
  All of it with the axes at zero: the lift down, the arm level.
";

/// A question, without what is in brackets behind it.
pub(super) fn ask(key: Key, answers: &Answers, facts: &Facts) -> String {
    let mut text = about(key, answers, facts);
    if !text.is_empty() {
        text.push('\n');
    }
    let numbered = matches!(key, Key::Cameras | Key::Rig | Key::Directory);
    let named = numbered || matches!(key, Key::Backend | Key::Wiring | Key::Page);
    for (index, Choice { answer, about }) in choices(key, facts).iter().enumerate().filter(|_| named) {
        let number = if numbered { format!("{} ", index + 1) } else { String::new() };
        let _ = if key == Key::Cameras {
            writeln!(text, "  {number}{about} ({answer})")
        } else if key == Key::Directory {
            writeln!(text, "  {number}{answer} ({about})")
        } else {
            writeln!(text, "  {number}{answer:<10} {about}")
        };
    }
    if key == Key::Distances {
        text.push_str(DRAWING);
    }
    text + &prompt(key, answers, facts)
}

/// What stands in front of the brackets.
fn prompt(key: Key, answers: &Answers, facts: &Facts) -> String {
    let title = title(key, answers);
    match key {
        Key::Cameras if facts.cameras.is_empty() => {
            "Cameras (simulated, or a driver and an id such as libcamera:0)".into()
        }
        Key::Cameras => "Numbers of those to use, or simulated".into(),
        Key::Rig => format!("{title} Number or word"),
        Key::Directory => format!("{title} Number or folder"),
        Key::Pin(function) => format!("{title} (Broadcom's number{})", pin_hint(function)),
        Key::Names
        | Key::Backend
        | Key::Wiring
        | Key::Board
        | Key::FullSteps
        | Key::Microsteps
        | Key::TurntableGear
        | Key::LiftLead
        | Key::LiftTravel
        | Key::TiltGear
        | Key::TiltTravel
        | Key::LookAt
        | Key::Angles
        | Key::Heights
        | Key::Points
        | Key::Tilts
        | Key::Page => title,
        Key::Distances | Key::CameraHeights | Key::Azimuths => match each(key, answers) {
            Some(each) => format!("{title} ({each})"),
            None => title,
        },
    }
}

/// How one answer is given for several cameras.
pub(super) fn each(key: Key, answers: &Answers) -> Option<&'static str> {
    let of_each = matches!(key, Key::Distances | Key::CameraHeights | Key::Azimuths);
    (of_each && answers.cameras().len() > 1).then_some("one for all cameras, or one for each, with commas")
}

/// A question on one line.
pub(super) fn title(key: Key, answers: &Answers) -> String {
    let several = answers.cameras().len() > 1;
    match key {
        Key::Cameras => "Which cameras?".into(),
        Key::Names if several => "Names of the cameras, with commas".into(),
        Key::Names => "Name of the camera".into(),
        Key::Rig => "Which rig is it?".into(),
        Key::Backend => "Which pins does it have?".into(),
        Key::Wiring => "How is it wired?".into(),
        Key::Pin(function) => format!("Pin of the {}", purpose(function)),
        Key::Board => "Driver boards of the motors: tmc2209, a4988 or drv8825".into(),
        Key::FullSteps => "Full steps of a motor for one turn (200: 1.8 deg a step)".into(),
        Key::Microsteps => "Microsteps of a full step, as set on the board".into(),
        Key::TurntableGear => "How far does the turntable turn by one turn of its motor?".into(),
        Key::LiftLead => "How far does the lift go by one turn of its motor?".into(),
        Key::LiftTravel => "How high does the lift go, from its switch at the lower end?".into(),
        Key::TiltGear => "How far does the arm tilt by one turn of its motor?".into(),
        Key::TiltTravel => "Lowest and highest tilt of the arm".into(),
        Key::Distances => "Distance of the camera from the turntable's axis".into(),
        Key::CameraHeights => "Height of the camera over the turntable's surface".into(),
        Key::Azimuths => "Where the camera stands around the axis, counter-clockwise from above".into(),
        Key::LookAt => "Look-at height: of the point on the axis that is in the middle of the image".into(),
        Key::Angles => "Images around the object, a turn of the table".into(),
        Key::Heights => "Heights of the lift for a turn each, with commas".into(),
        Key::Points => "Points on the sphere around the object".into(),
        Key::Tilts => "From which tilt of the arm to which".into(),
        Key::Directory => "Where do scans go?".into(),
        Key::Page => "From where may the page be opened?".into(),
    }
}

/// What has to be known for an answer; empty where the title says it.
pub(super) fn about(key: Key, answers: &Answers, facts: &Facts) -> String {
    match key {
        Key::Cameras if facts.cameras.is_empty() => {
            "No camera was found by a driver that is installed (libcamera, gphoto2).".into()
        }
        Key::Cameras => "Cameras that were found:".into(),
        Key::Names => "The images of each camera are in a folder of its name.".into(),
        Key::Pin(Function::EmergencyStop) => {
            "First what stops the rig in an emergency: a contact, closed until somebody presses it, between this\npin and \
             ground. A broken wire stops the rig, too. Without it (none), keep a hand at the motors' supply."
                .into()
        }
        Key::Wiring => table(answers),
        Key::TurntableGear => "With a belt from 20 to 90 teeth: 80 deg.".into(),
        Key::LiftLead => "That of a screw is its lead.".into(),
        Key::TiltTravel => "The switch is at the lowest; 0 deg is level.".into(),
        Key::Rig
        | Key::Backend
        | Key::Pin(_)
        | Key::Board
        | Key::FullSteps
        | Key::Microsteps
        | Key::LiftTravel
        | Key::TiltGear
        | Key::Distances
        | Key::CameraHeights
        | Key::Azimuths
        | Key::LookAt
        | Key::Angles
        | Key::Heights
        | Key::Points
        | Key::Tilts
        | Key::Directory
        | Key::Page => String::new(),
    }
}

/// More about a question: what `?` says.
pub(super) const fn more(key: Key) -> &'static str {
    match key {
        Key::Cameras => {
            "A number of the list for each camera, such as: 1 2. `simulated` is a camera that computes images of an object, \
             `simulated 3` three of them.\nA camera that is not in the list is written as its driver and its id, such as \
             libcamera:0 or gphoto2:serial:3012345. docs/cameras.md"
        }
        Key::Names => {
            "Letters (a to z), digits, - and _. They stay with the scans, so choose what says where the camera is."
        }
        Key::Rig => {
            "The axes decide which plans there are: turns of the table; at several heights of the lift; points of a sphere by \
             the arm. Cameras may be real where the axes are simulated, and the other way round."
        }
        Key::Backend => {
            "rppal writes to the registers of a Raspberry Pi and is the usual choice there. gpiocdev is for other boards. With \
             sim, pins are bytes of a file, and nothing can move."
        }
        Key::Wiring => {
            "docs/wiring.md has the table with the pins of the header, and what else has to be wired."
        }
        Key::Pin(Function::EmergencyStop) => {
            "It is looked at before each step. It stops without braking, releases the motors and pauses the scan; `scanner \
             clear` lets the axes move again. ^ pulls the pin up inside the chip, which is needed here."
        }
        Key::Pin(_) => {
            "A number alone gets the marks that such a pin usually has. Written out, as !GPIO22, it is taken as it stands: ! is \
             active when low, ^ pulled up, ~ pulled down. A table that turns clockwise, seen from above, gets a ! before its \
             direction. GPIO numbers are not those of the header: docs/wiring.md has both."
        }
        Key::Board => "The board decides how long a pulse is, and how microsteps are set. docs/wiring.md",
        Key::FullSteps => "As its data sheet has it: 200 for 1.8 deg, 400 for 0.9 deg.",
        Key::Microsteps => {
            "By the jumpers on the board (MS1, MS2, MS3), a power of two. A TMC2209 without jumpers makes 8, an A4988 or a \
             DRV8825 full steps."
        }
        Key::TurntableGear | Key::LiftLead | Key::TiltGear => {
            "Wrong, and the rig turns too far or not far enough: `scanner rig jog turntable \"90 deg\"` shows it, once this is \
             written."
        }
        Key::LiftTravel | Key::TiltTravel => {
            "The program never goes beyond it. Rather a little less than there is."
        }
        Key::Distances | Key::CameraHeights | Key::LookAt => {
            "Measure to the lens, to some millimetres. The poses of the images are computed from this, and put right by the \
             program that reconstructs. Each image has them."
        }
        Key::Azimuths => "0 deg is where the first camera stands. Cameras above each other have the same.",
        Key::Angles => "An image every 5 to 10 deg is usual for reconstructing: 72 or 36.",
        Key::Heights => {
            "0 mm is the lower end of the lift. From lower and higher up, hollows are seen, and the top."
        }
        Key::Points | Key::Tilts => {
            "They are spread evenly between these tilts. 0 deg is level, 90 deg looks straight down."
        }
        Key::Page => {
            "What a browser shows goes over the network as it is, without a certificate (docs/api.md has how to have one), so let \
             the network be your own. `scanner open` prints a link that logs a browser in, and a QR code for a phone."
        }
        Key::Directory => {
            "A number of the list, or another folder. On a disk of its own, below /media, /mnt or /srv: docs/service.md has how \
             it is mounted, and that the service may write there."
        }
    }
}

/// The pins of the functions that this rig has, as the table has them.
fn table(answers: &Answers) -> String {
    let mut text = "The pins of docs/wiring.md:".to_owned();
    let of_rig = Function::ALL.into_iter().filter(|function| is_there(*function, answers));
    for function in of_rig.filter(|function| *function != Function::EmergencyStop) {
        if let Some(pin) = Pin::parse(standard(function)) {
            let _ = write!(text, "\n  {:<20} {pin}", purpose(function));
        }
    }
    text
}

fn pin_hint(function: Function) -> &'static str {
    if is_optional(function) { "; none: there is none" } else { "" }
}
