//! What may be chosen from, where a question has a list.

use super::facts::{Disk, Facts};
use super::key::Key;
use super::pins::is_optional;
use super::words::{HERE, NETWORK, NONE, OWN, TABLE};

/// What may be chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// The answer.
    pub answer: String,
    /// What it means, for people.
    pub about: String,
}

/// How the choices of a question are answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// One of the choices.
    One,
    /// Any number of them, with blanks in between.
    Several,
    /// One of them, or another text.
    Open,
}

impl Key {
    /// How it is answered.
    pub const fn form(self) -> Form {
        match self {
            Self::Cameras => Form::Several,
            Self::Rig | Self::Backend | Self::Wiring | Self::Board | Self::Page => Form::One,
            Self::Names
            | Self::Pin(_)
            | Self::FullSteps
            | Self::Microsteps
            | Self::TurntableGear
            | Self::LiftLead
            | Self::LiftTravel
            | Self::TiltGear
            | Self::TiltTravel
            | Self::Distances
            | Self::CameraHeights
            | Self::Azimuths
            | Self::LookAt
            | Self::Angles
            | Self::Heights
            | Self::Points
            | Self::Tilts
            | Self::Directory => Form::Open,
        }
    }
}

/// The choices of a question; none where a text is wanted.
pub(super) fn choices(key: Key, facts: &Facts) -> Vec<Choice> {
    let of = |choices: &[(&str, &str)]| {
        let choice =
            |(answer, about): &(&str, &str)| Choice { answer: (*answer).into(), about: (*about).into() };
        choices.iter().map(choice).collect()
    };
    match key {
        Key::Cameras => {
            let found = facts.cameras.iter().map(|camera| Choice {
                answer: format!("{}:{}", camera.driver, camera.id),
                about: camera.model.clone(),
            });
            found.collect()
        }
        Key::Rig => of(&[
            ("simulated", "nothing moves: the program computes turntable and lift"),
            ("turntable", "a camera on a stand"),
            ("lift", "the camera goes up and down on a lift"),
            ("tilt", "the camera is on an arm that tilts over the table"),
            ("cameras", "several cameras on stands or a pole"),
        ]),
        Key::Backend => of(&[
            ("rppal", "those of a Raspberry Pi"),
            ("gpiocdev", "those of any board, by the kernel"),
            ("sim", "simulated ones, to try"),
        ]),
        Key::Wiring => of(&[(TABLE, "wired so"), (OWN, "you name each pin")]),
        Key::Board => of(&[("tmc2209", ""), ("a4988", ""), ("drv8825", "")]),
        Key::Page => of(&[
            (HERE, "from this machine alone"),
            (NETWORK, "from phones and computers in the network, too, each of which has to log in"),
        ]),
        Key::Pin(function) if is_optional(function) => of(&[(NONE, "there is none")]),
        Key::Directory => facts.disks.iter().map(disk).collect(),
        Key::Names
        | Key::Pin(_)
        | Key::FullSteps
        | Key::Microsteps
        | Key::TurntableGear
        | Key::LiftLead
        | Key::LiftTravel
        | Key::TiltGear
        | Key::TiltTravel
        | Key::Distances
        | Key::CameraHeights
        | Key::Azimuths
        | Key::LookAt
        | Key::Angles
        | Key::Heights
        | Key::Points
        | Key::Tilts => Vec::new(),
    }
}

/// A folder, how much room is there, and how fast its disk is.
fn disk(disk: &Disk) -> Choice {
    let mega = |bytes: f64| bytes / 1e6;
    let speed = match disk.writes_per_s {
        Some(speed) => format!(", writes {:.0} MB/s", mega(speed.get())),
        None => String::new(),
    };
    Choice {
        answer: disk.folder.display().to_string(),
        about: format!("{:.1} GB free{speed}", mega(disk.free.get()) / 1e3),
    }
}
