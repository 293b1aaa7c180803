//! Which questions a rig has.

use super::answers::{Answers, Rig};
use super::key::{Function, Key};
use super::words::OWN;

/// Whether `key` is asked, after what was answered before it.
pub(super) fn applies(key: Key, answers: &Answers) -> bool {
    let rig = answers.rig();
    let real = rig.is_some_and(Rig::is_real);
    let lift = rig.is_some_and(Rig::has_lift);
    let tilt = rig.is_some_and(Rig::has_tilt);
    let own = real && answers.get(Key::Wiring) == Some(OWN);
    match key {
        Key::Cameras
        | Key::Names
        | Key::Rig
        | Key::Distances
        | Key::CameraHeights
        | Key::LookAt
        | Key::Directory
        | Key::Page => true,
        Key::Backend | Key::Wiring | Key::Board | Key::FullSteps | Key::Microsteps | Key::TurntableGear => {
            real
        }
        Key::Pin(Function::EmergencyStop) => real,
        Key::Pin(function) => own && has(function, lift, tilt),
        Key::LiftLead | Key::LiftTravel => real && lift,
        Key::TiltGear | Key::TiltTravel => real && tilt,
        Key::Azimuths => answers.cameras().len() > 1,
        Key::Angles => !tilt,
        Key::Heights => lift,
        Key::Points | Key::Tilts => tilt,
    }
}

/// Whether a rig with these axes has the function.
const fn has(function: Function, lift: bool, tilt: bool) -> bool {
    match function {
        Function::LiftStep | Function::LiftDirection | Function::LiftEnable | Function::LiftSwitch => lift,
        Function::TiltStep | Function::TiltDirection | Function::TiltEnable | Function::TiltSwitch => tilt,
        Function::EmergencyStop
        | Function::TurntableStep
        | Function::TurntableDirection
        | Function::TurntableEnable
        | Function::Light
        | Function::Backlight
        | Function::Start
        | Function::Stop
        | Function::Led => true,
    }
}

/// Whether the rig has the function, whatever it is wired like.
pub(super) fn is_there(function: Function, answers: &Answers) -> bool {
    answers.rig().is_some_and(|rig| rig.is_real() && has(function, rig.has_lift(), rig.has_tilt()))
}
