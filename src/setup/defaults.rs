//! What is in brackets: the answer of before, what the configuration says now, or what most rigs have.

use std::net::SocketAddr;

use toml::Value;

use super::accept::{MOST_POINTS, accept, lift_travel};
use super::answers::{Answers, Rig, words};
use super::applies::{applies, is_there};
use super::facts::Facts;
use super::key::{Function, Key};
use super::pins::{free, standard};
use super::words::{HERE, NETWORK, NONE, OWN, SIMULATED, TABLE};
use crate::units::Millimetres;

/// The plan that the setup writes.
pub const PLAN: &str = "setup";

/// What Enter takes; always something that is accepted, but for a rig without a pin to spare.
pub fn default(key: Key, answers: &Answers, facts: &Facts) -> String {
    let given = answers.get(key).map(str::to_owned);
    let usual = usual(key, answers, facts);
    let mut known = given.into_iter().chain(present(key, answers, facts)).chain([usual.clone()]);
    known.find_map(|text| accept(key, &text, answers, facts).ok()).unwrap_or(usual)
}

/// The answers with all that is missing, or does not fit any more, as Enter would take it.
pub fn complete(answers: &Answers, facts: &Facts) -> Answers {
    let mut all = Answers::default();
    for &key in Key::ALL {
        if applies(key, &all) {
            let mut known = all.clone();
            if let Some(given) = answers.get(key) {
                known.set(key, given);
            }
            all.set(key, default(key, &known, facts));
        }
    }
    all
}

/// What the configuration says, whoever wrote it.
fn present(key: Key, answers: &Answers, facts: &Facts) -> Option<String> {
    let at = |path: &str| facts.present(path).and_then(|value| words(&value, key));
    let stepper = "motion.turntable.stepper";
    let plan = format!("plan.{PLAN}");
    match key {
        // Those that were found are more likely meant than those of a configuration that was installed.
        Key::Cameras => {
            let present = cameras(facts)?;
            let real = present.split(' ').any(|camera| !camera.starts_with(SIMULATED));
            (facts.again() || facts.cameras.is_empty() || real).then_some(present)
        }
        Key::Names => each(facts, "name"),
        Key::Rig => rig(facts, answers),
        Key::Backend => at("gpio.backend"),
        Key::Wiring => {
            is_real(facts).then(|| if as_the_table(answers, facts) { TABLE } else { OWN }.to_owned())
        }
        Key::Pin(function) => {
            let pin = present_pin(function, facts);
            // Who has been asked before and has none wants none.
            pin.or_else(|| (facts.again() && is_real(facts)).then(|| NONE.to_owned()))
        }
        Key::Board => at(&format!("{stepper}.driver")),
        Key::FullSteps => at(&format!("{stepper}.full_steps_per_rotation")),
        Key::Microsteps => at(&format!("{stepper}.microsteps")),
        Key::TurntableGear => at(&format!("{stepper}.rotation_distance")),
        Key::LiftLead => at("motion.lift.stepper.rotation_distance"),
        Key::LiftTravel => at("motion.lift.travel.1"),
        Key::TiltGear => at("motion.tilt.stepper.rotation_distance"),
        Key::TiltTravel => at("motion.tilt.travel"),
        Key::Distances => each(facts, "mount.distance"),
        Key::CameraHeights => each(facts, "mount.height"),
        Key::Azimuths => each(facts, "mount.azimuth"),
        Key::LookAt => at("camera.0.mount.look_at_height"),
        Key::Angles => at(&format!("{plan}.angles")),
        Key::Heights => at(&format!("{plan}.heights")),
        Key::Points => at(&format!("{plan}.points")),
        Key::Tilts => {
            Some(format!("{}, {}", at(&format!("{plan}.min_tilt"))?, at(&format!("{plan}.max_tilt"))?))
        }
        Key::Directory => at("storage.directory"),
        // The one that was installed asks nobody in.
        Key::Page => (facts.again() || !facts.is_raspberry_pi())
            .then(|| listens(facts).map(|address| if address.ip().is_loopback() { HERE } else { NETWORK }))
            .flatten()
            .map(str::to_owned),
    }
}

/// What most rigs have.
fn usual(key: Key, answers: &Answers, facts: &Facts) -> String {
    let cameras = answers.cameras().len().max(1);
    let text = match key {
        Key::Cameras if facts.cameras.is_empty() => "simulated",
        Key::Cameras => {
            return (1..=facts.cameras.len()).map(|n| n.to_string()).collect::<Vec<_>>().join(" ");
        }
        Key::Names => return (0..cameras).map(|n| format!("cam{n}")).collect::<Vec<_>>().join(", "),
        Key::Rig if !facts.is_raspberry_pi() => "simulated",
        Key::Rig if cameras > 1 => "cameras",
        Key::Rig => "turntable",
        Key::Backend if facts.is_raspberry_pi() => "rppal",
        Key::Backend => "gpiocdev",
        Key::Wiring if accept(key, TABLE, answers, facts).is_ok() => TABLE,
        Key::Wiring => OWN,
        Key::Pin(function) => return free(function, answers),
        Key::Board => "tmc2209",
        Key::FullSteps | Key::Points => "200",
        Key::Microsteps => "16",
        Key::TurntableGear => "80 deg",
        Key::LiftLead => "8 mm",
        Key::LiftTravel => "200 mm",
        Key::TiltGear => "4 deg",
        Key::TiltTravel => "-10 deg, 85 deg",
        Key::Distances => "300 mm",
        Key::CameraHeights => return heights_on_a_pole(cameras),
        Key::Azimuths => "0 deg",
        Key::LookAt => "35 mm",
        Key::Angles if answers.rig().is_some_and(Rig::has_lift) => "36",
        Key::Angles => "72",
        Key::Heights => return heights(answers),
        Key::Tilts => return tilts(answers),
        Key::Directory => "/var/lib/scanner/scans",
        Key::Page if facts.is_raspberry_pi() => NETWORK,
        Key::Page => HERE,
    };
    text.to_owned()
}

/// Four of them, as far as the lift goes and a plan has room.
fn heights(answers: &Answers) -> String {
    let angles = answers.get(Key::Angles).and_then(|text| text.parse().ok()).unwrap_or(1_usize);
    let usual = [0.0, 20.0, 40.0, 60.0].map(Millimetres::new);
    let heights = usual.into_iter().filter(|height| *height <= lift_travel(answers));
    let heights = heights.take((MOST_POINTS / angles.max(1)).max(1)).map(|height| height.to_string());
    heights.collect::<Vec<_>>().join(", ")
}

/// From level to nearly above, as far as the arm goes.
fn tilts(answers: &Answers) -> String {
    let travel = answers.list(Key::TiltTravel);
    let reach = |at: usize| travel.get(at).and_then(|text| text.split(' ').next()?.parse::<f64>().ok());
    let (low, high) = (reach(0).unwrap_or(0.0), reach(1).unwrap_or(80.0));
    let low = if high >= 1.0 { low.max(0.0) } else { low };
    format!("{low} deg, {} deg", high.min(80.0))
}

fn heights_on_a_pole(cameras: usize) -> String {
    let heights = (0..cameras).map(|at| format!("{} mm", 60 + 80 * at));
    heights.collect::<Vec<_>>().join(", ")
}

/// Where the page is, if the configuration says so.
fn listens(facts: &Facts) -> Option<SocketAddr> {
    facts.present("api.listen")?.as_str()?.parse().ok()
}

fn is_real(facts: &Facts) -> bool {
    facts.present("motion.backend").is_some_and(|backend| backend.as_str() == Some("gpio"))
}

fn rig(facts: &Facts, answers: &Answers) -> Option<String> {
    if !is_real(facts) {
        return facts.again().then(|| "simulated".to_owned());
    }
    let has = |axis: &str| facts.present(&format!("motion.{axis}")).is_some_and(|value| value.is_table());
    let word = match (has("tilt"), has("lift")) {
        (true, _) => "tilt",
        (false, true) => "lift",
        (false, false) if answers.cameras().len() > 1 => "cameras",
        (false, false) => "turntable",
    };
    Some(word.to_owned())
}

/// The pin that the configuration gives the function.
fn present_pin(function: Function, facts: &Facts) -> Option<String> {
    let at = |path: &str| Some(facts.present(path)?.as_str()?.to_owned());
    let light = |role: &str| {
        let lights = facts.present("light")?;
        let of_role = |light: &&Value| light.get("role").and_then(Value::as_str).unwrap_or("front") == role;
        Some(lights.as_array()?.iter().find(of_role)?.get("pin")?.as_str()?.to_owned())
    };
    match function {
        Function::EmergencyStop => at("motion.emergency_stop"),
        Function::TurntableStep => at("motion.turntable.stepper.step"),
        Function::TurntableDirection => at("motion.turntable.stepper.direction"),
        Function::TurntableEnable => at("motion.turntable.stepper.enable"),
        Function::LiftStep => at("motion.lift.stepper.step"),
        Function::LiftDirection => at("motion.lift.stepper.direction"),
        Function::LiftEnable => at("motion.lift.stepper.enable"),
        Function::LiftSwitch => at("motion.lift.homing.switch"),
        Function::TiltStep => at("motion.tilt.stepper.step"),
        Function::TiltDirection => at("motion.tilt.stepper.direction"),
        Function::TiltEnable => at("motion.tilt.stepper.enable"),
        Function::TiltSwitch => at("motion.tilt.homing.switch"),
        Function::Light => light("front"),
        Function::Backlight => light("backlight"),
        Function::Start => at("panel.start"),
        Function::Stop => at("panel.stop"),
        Function::Led => at("panel.led"),
    }
}

/// Whether the pins of the configuration are those of the table.
fn as_the_table(answers: &Answers, facts: &Facts) -> bool {
    let asked = Function::ALL.into_iter().filter(|function| *function != Function::EmergencyStop);
    let mut asked = asked.filter(|function| is_there(*function, answers));
    asked.all(|function| present_pin(function, facts).as_deref().unwrap_or(NONE) == standard(function))
}

fn cameras(facts: &Facts) -> Option<String> {
    let cameras = facts.present("camera")?;
    let camera = |(index, camera): (usize, &Value)| {
        let id = camera.get("id").and_then(Value::as_str).map_or_else(|| index.to_string(), str::to_owned);
        Some(format!("{}:{id}", camera.get("driver")?.as_str()?))
    };
    let cameras = cameras.as_array()?.iter().enumerate().map(camera).collect::<Option<Vec<_>>>()?;
    Some(cameras.join(" "))
}

/// What every camera has at `path`: once if it is the same for all.
fn each(facts: &Facts, path: &str) -> Option<String> {
    let count = facts.present("camera")?.as_array()?.len();
    let of = |index: usize| facts.present(&format!("camera.{index}.{path}"))?.as_str().map(str::to_owned);
    let mut values = (0..count).map(of).collect::<Option<Vec<_>>>()?;
    if values.windows(2).all(|two| two[0] == two[1]) {
        values.truncate(1);
    }
    Some(values.join(", "))
}
