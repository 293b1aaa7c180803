//! `[motion]`: the axes, and their motors on pins.

use std::fmt::Write as _;

use super::super::answers::{Answers, Rig};
use super::super::facts::Facts;
use super::super::key::{Function, Key};
use super::{pin_line, word};
use crate::model::Axis;

/// What is asked of one motor at most, in steps a second: half of what the configuration allows, since two may go at once.
const MOST_STEPS: f64 = 10_000.0;

pub(super) fn motion(text: &mut String, answers: &Answers, facts: &Facts, rig: Rig) {
    let _ = writeln!(text, "\n[motion]\nbackend = \"{}\"", if rig.is_real() { "gpio" } else { "sim" });
    text.push_str(&pin_line("emergency_stop", Function::EmergencyStop, answers));
    let axes = axes(rig);
    let elsewhere = facts.names_at("motion");
    for axis in Axis::ALL.iter().filter(|axis| !axes.contains(axis)) {
        if elsewhere.iter().any(|name| name == axis.name()) {
            let _ = writeln!(text, "# Another file has one.\n{axis} = false");
        }
    }
    for axis in axes {
        self::axis(text, *axis, answers, rig);
    }
}

/// The axes of a rig.
pub(in crate::setup) const fn axes(rig: Rig) -> &'static [Axis] {
    match (rig.has_lift(), rig.has_tilt()) {
        (_, true) => &[Axis::Turntable, Axis::Tilt],
        (true, false) => &[Axis::Turntable, Axis::Lift],
        (false, false) => &[Axis::Turntable],
    }
}

/// How an axis is driven, and which functions its pins have.
pub(in crate::setup) struct Drive {
    /// Speed and acceleration, as far as steps allow.
    speed: f64,
    acceleration: f64,
    /// The question for the way by a turn of the motor.
    pub(in crate::setup) gear: Key,
    step: Function,
    pub(in crate::setup) direction: Function,
    pub(in crate::setup) enable: Function,
    switch: Option<Function>,
}

pub(in crate::setup) const fn drive(axis: Axis) -> Drive {
    match axis {
        Axis::Turntable => Drive {
            speed: 45.0,
            acceleration: 90.0,
            gear: Key::TurntableGear,
            step: Function::TurntableStep,
            direction: Function::TurntableDirection,
            enable: Function::TurntableEnable,
            switch: None,
        },
        Axis::Lift | Axis::Rail => Drive {
            speed: 20.0,
            acceleration: 100.0,
            gear: Key::LiftLead,
            step: Function::LiftStep,
            direction: Function::LiftDirection,
            enable: Function::LiftEnable,
            switch: Some(Function::LiftSwitch),
        },
        Axis::Tilt => Drive {
            speed: 10.0,
            acceleration: 20.0,
            gear: Key::TiltGear,
            step: Function::TiltStep,
            direction: Function::TiltDirection,
            enable: Function::TiltEnable,
            switch: Some(Function::TiltSwitch),
        },
    }
}

fn axis(text: &mut String, axis: Axis, answers: &Answers, rig: Rig) {
    let unit = axis.unit();
    let drive = drive(axis);
    let speed = if rig.is_real() { drive.speed.min(slow_enough(&drive, axis, answers)) } else { drive.speed };
    let _ = writeln!(
        text,
        "\n[motion.{axis}]\nspeed = \"{speed} {unit}/s\"\nacceleration = \"{} {unit}/s2\"",
        drive.acceleration
    );
    match axis {
        Axis::Turntable => {}
        Axis::Lift | Axis::Rail => {
            let usual = "200 mm".to_owned();
            let top =
                if rig.is_real() { answers.get(Key::LiftTravel).map_or(usual, str::to_owned) } else { usual };
            let _ = writeln!(text, "travel = [\"0 mm\", \"{top}\"]");
        }
        Axis::Tilt => {
            let ends = answers.list(Key::TiltTravel);
            let end = |at: usize| ends.get(at).copied().unwrap_or_default();
            let _ = writeln!(text, "travel = [\"{}\", \"{}\"]", end(0), end(1));
        }
    }
    if rig.is_real() {
        stepper(text, axis, &drive, answers);
    }
}

/// The speed at which the motor makes as many steps as are asked of it at most, in round numbers.
fn slow_enough(drive: &Drive, axis: Axis, answers: &Answers) -> f64 {
    let number = |key: Key| answers.get(key).and_then(|text| text.parse::<f64>().ok()).unwrap_or(1.0);
    let gear = answers.get(drive.gear).unwrap_or_default();
    let way = axis.distance(gear);
    let steps = number(Key::FullSteps) * number(Key::Microsteps) / way.unwrap_or(1.0);
    let most = MOST_STEPS / steps;
    if most >= 1.0 { most.floor() } else { (most * 1000.0).floor() / 1000.0 }
}

fn stepper(text: &mut String, axis: Axis, drive: &Drive, answers: &Answers) {
    let enable = pin_line("enable", drive.enable, answers);
    let _ = write!(
        text,
        "\n[motion.{axis}.stepper]\ndriver = {}\n{}{}{enable}microsteps = {}\nfull_steps_per_rotation = {}\n\
         # By one turn of the motor.\nrotation_distance = {}\n",
        word(answers, Key::Board),
        pin_line("step", drive.step, answers),
        pin_line("direction", drive.direction, answers),
        answers.get(Key::Microsteps).unwrap_or_default(),
        answers.get(Key::FullSteps).unwrap_or_default(),
        word(answers, drive.gear)
    );
    match (drive.switch, enable.is_empty()) {
        (_, true) => {}
        (None, false) => text.push_str(
            "# Rest after which the motor is released; never during a scan.\nidle_release = \"10 min\"\n",
        ),
        (Some(_), false) => text.push_str("# What is not held comes down.\nhold_when_safe = true\n"),
    }
    match drive.switch {
        None => {
            let _ = write!(
                text,
                "\n[motion.{axis}.homing]\n# It is turned to 0 deg by hand before the program starts.\nmethod = \"by_hand\"\n"
            );
        }
        Some(switch) => {
            let _ = write!(
                text,
                "\n[motion.{axis}.homing]\n# A switch that closes at the lower end.\nmethod = \"endstop\"\n{}",
                pin_line("switch", switch, answers)
            );
        }
    }
}
