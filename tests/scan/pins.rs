//! A rig on simulated pins, through the real program: whole scans pulse by pulse, bad wiring, the emergency stop, the
//! panel, and the state in which every way out leaves the outputs.

use rustix::process::Signal;
use scanner::model::Limits;
use scanner::motion::{StepCourse, StepScale};
use std::time::Duration;

use crate::interrupted::{assert_no_process_left, begin, end, read_until, signal};
use crate::panel::wait_for_led;
use crate::refused::edit;
use crate::support::{Recipe, TestRig};

/// Steps a degree, and the limits of the turntable below.
const SCALE: f64 = 10.0;
const LIMITS: Limits = Limits { speed: 900.0, acceleration: 18_000.0, jerk: None };
pub(crate) const STEP: u32 = 4;
pub(crate) const ENABLE: u32 = 6;
pub(crate) const LIGHT: u32 = 20;

/// A turntable, a light that is dark when safe, an emergency stop, and a panel.
pub(crate) fn rig_on_pins(angles: u32) -> TestRig {
    let rig = TestRig::new(&Recipe { cameras: 2, angles, ..Recipe::default() });
    edit(
        &rig,
        "backend = \"sim\"\ntime_scale = 100.0",
        "backend = \"gpio\"\nemergency_stop = \"^GPIO26\"\nmax_late_steps = 1000000\nmax_step_delay = \"60 s\"",
    );
    edit(&rig, "speed = \"60 deg/s\"", "speed = \"900 deg/s\"");
    edit(
        &rig,
        "acceleration = \"120 deg/s2\"",
        r#"acceleration = "18000 deg/s2"
[motion.turntable.stepper]
driver = "a4988"
step = "GPIO4"
direction = "GPIO5"
enable = "!GPIO6"
microsteps = 1
rotation_distance = "20 deg"
[motion.turntable.homing]
method = "by_hand"
[gpio]
backend = "sim"
[gpio.simulation]
record = "pulses.csv"
[[light]]
name = "ring"
pin = "GPIO20"
[panel]
backend = "gpio"
start = "^!GPIO22"
stop = "^!GPIO23"
led = "GPIO24"
long_press = "300 ms""#,
    );
    rig
}

pub(crate) fn level(rig: &TestRig, pin: u32) -> char {
    std::fs::read(rig.dir.path().join("run/pins")).unwrap()[pin as usize].into()
}

/// The motor is released and the light is off.
pub(crate) fn assert_safe(rig: &TestRig, context: &str) {
    let levels = [ENABLE, STEP, LIGHT].map(|pin| level(rig, pin));
    assert_eq!(levels, ['1', '0', '0'], "{context}");
}

/// The pulses of a pin: when each was due, and when it came, in nanoseconds.
pub(crate) fn pulses(rig: &TestRig, pin: u32) -> Vec<(u64, u64)> {
    let record = std::fs::read_to_string(rig.dir.path().join("pulses.csv")).unwrap();
    let fields =
        record.lines().skip(1).map(|line| line.split(',').map(|field| field.parse().unwrap()).collect());
    let rises = fields.filter(|fields: &Vec<u64>| fields[0] == u64::from(pin) && fields[1] == 1);
    rises.map(|fields| (fields[2], fields[3])).collect()
}

pub(crate) fn tell(rig: &TestRig, args: &[&str]) -> String {
    let told = rig.run(args);
    assert_eq!(told.code, Some(0), "{args:?}: {}", told.stderr);
    told.stdout
}

#[test]
fn every_pulse_of_a_whole_scan_follows_its_profile() {
    let rig = rig_on_pins(7);
    let scanned = rig.run(&["scan", "--json"]);
    assert_eq!(scanned.code, Some(0), "{}", scanned.stderr);
    let id = rig.scan_id().unwrap();
    rig.assert_complete(&id, "on pins");
    assert_safe(&rig, "after the scan");

    let plan = std::fs::read_to_string(rig.scans().join(&id).join("plan.json")).unwrap();
    let plan: serde_json::Value = serde_json::from_str(&plan).unwrap();
    let angle = |point: &serde_json::Value| {
        let angle = point["pose"]["turntable"].as_str().unwrap();
        angle.parse::<scanner::units::Degrees>().unwrap().get()
    };
    let pulses = pulses(&rig, STEP);
    let (mut steps, mut next, mut exact, mut spacings) = (0, 0, 0, 0);
    for angle in plan["points"].as_array().unwrap().iter().map(angle) {
        // The turn in which the angle is nearest: that of the shortest way.
        let turns = ((steps as f64 / SCALE - angle) / 360.0).round();
        let target = StepScale::new(SCALE).steps(angle + turns * 360.0);
        let course = StepCourse::new(target - steps, StepScale::new(SCALE).limits(LIMITS));
        let due = |index: u64| course.due(index).unwrap().as_nanos() as u64;
        for index in 1..course.steps() {
            let pair = &pulses[next + index as usize - 1..=next + index as usize];
            let (planned, really) = (due(index) - due(index - 1), pair[1].0 - pair[0].0);
            assert!(really >= planned, "pulse {index} on the way to {angle}: {really} ns, planned {planned}");
            exact += u32::from(really == planned);
            spacings += 1;
        }
        next += course.steps() as usize;
        steps = target;
    }
    assert_eq!(pulses.len(), next, "no step too many");
    assert!(spacings > 1000 && exact > spacings / 2, "{exact} of {spacings} as planned, the rest delayed");
    assert!(pulses.iter().all(|(due, at)| at >= due), "none came early");
}

#[test]
fn bad_wiring_is_told_and_leaves_the_rig_safe() {
    let cases = [
        ("[gpio.simulation]", "[gpio.simulation]\nfault = \"missing\"", &["there is no /dev/gpiochip0"][..]),
        ("[gpio.simulation]", "[gpio.simulation]\nfault = \"denied\"", &["group gpio", "usermod"]),
        (
            "[gpio.simulation]",
            "[gpio.simulation]\nbusy = [\"GPIO5\"]",
            &["GPIO5 (turntable direction) is held by"],
        ),
        (
            "method = \"by_hand\"",
            "method = \"index\"\nswitch = \"^!GPIO27\"\nspeed = \"300 deg/s\"\nslow_speed = \"100 deg/s\"",
            &["turntable is not home", "GPIO27", "check the switch"],
        ),
    ];
    for (mark, bad, wanted) in cases {
        let rig = rig_on_pins(3);
        edit(&rig, mark, bad);
        edit(&rig, "record", "dead = [\"GPIO27\"]\nrecord");
        let refused = rig.run(&["scan"]);
        assert_eq!(refused.code, Some(1), "{bad}: {}", refused.stderr);
        for text in wanted {
            assert!(refused.stderr.contains(text), "{bad}: {}", refused.stderr);
        }
        assert_eq!(rig.scan_id(), None, "{bad}: a scan that cannot begin leaves nothing behind");
        if rig.dir.path().join("run/pins").exists() {
            assert_ne!(level(&rig, ENABLE), '0', "{bad}: the motor is not powered");
            assert_ne!(level(&rig, LIGHT), '1', "{bad}: the light is off");
        }
        assert_no_process_left(&rig);
    }
}

#[test]
fn an_emergency_stop_pauses_the_scan_latches_and_lets_it_go_on_when_all_is_well() {
    let rig = rig_on_pins(24);
    let (service, mut log) = begin(&rig, &["run"], "ready");
    let mut read_until = |text: &str| read_until(&mut log, text);
    tell(&rig, &["start"]);
    read_until("(4/48");
    tell(&rig, &["rig", "level", "26", "high"]);
    read_until("the axes are stopped and released: the emergency stop");
    read_until("scan paused");
    read_until("the rig is free");
    let status = wait_for_led(&rig, "stopped");
    assert!(status["fault"].as_str().unwrap().contains("emergency stop"), "{status}");
    assert_eq!(level(&rig, ENABLE), '1', "released");

    let id = rig.scan_id().unwrap();
    let refused = rig.run(&["clear"]);
    assert!(refused.code == Some(1) && refused.stderr.contains("emergency stop"), "{}", refused.stderr);
    tell(&rig, &["rig", "level", "26", "low"]);
    let refused = rig.run(&["start", "--resume", &id]);
    assert!(refused.stderr.contains("scanner clear"), "it latches: {}", refused.stderr);
    // Cleared at the panel this time: stop held.
    tell(&rig, &["press", "clear"]);
    read_until("stop button held: cleared");
    wait_for_led(&rig, "attention");
    let refused = rig.run(&["start"]);
    assert!(refused.stderr.contains("`scanner home turntable`"), "{}", refused.stderr);
    assert_eq!(rig.scan_ids().len(), 1, "nothing was begun");
    assert!(tell(&rig, &["home", "turntable"]).contains("the turntable is at home"));
    tell(&rig, &["start", "--resume", &id]);
    read_until("scan complete");
    wait_for_led(&rig, "ready");
    signal(&service, Signal::TERM);
    assert_eq!(end(service, log).code, Some(0));
    rig.assert_complete(&id, "after an emergency stop");
    assert_safe(&rig, "after SIGTERM");
}

#[test]
fn the_buttons_on_pins_start_are_refused_while_busy_and_cancel() {
    let rig = rig_on_pins(60);
    let (service, mut log) = begin(&rig, &["run"], "ready");
    let mut read_until = |text: &str| read_until(&mut log, text);
    tell(&rig, &["press", "start"]);
    read_until("beginning a new scan with the plan \"ring\"");
    read_until("(2/120");
    tell(&rig, &["press", "start"]);
    read_until("start button: nothing is done");
    tell(&rig, &["press", "cancel"]);
    read_until("start button held: cancelling");
    read_until("scan cancelled");
    signal(&service, Signal::TERM);
    assert_eq!(end(service, log).code, Some(0));
    assert!(rig.scan_id().is_some());
    assert_eq!(rig.scan_ids().len(), 1, "never a second scan");
}

#[test]
fn the_rig_can_be_tried_by_hand() {
    let rig = rig_on_pins(3);
    let said = tell(&rig, &["rig", "jog", "turntable", "-15 deg"]);
    assert!(said.contains("345.000 deg"), "{said}");
    assert_eq!(pulses(&rig, STEP).len(), 150);
    assert!(tell(&rig, &["rig", "home", "turntable"]).contains("0.000 deg"));
    assert!(tell(&rig, &["rig", "lights", "--seconds", "0.01"]).contains("ring"));
    assert_eq!(pulses(&rig, LIGHT).len(), 1);
    let watched = tell(&rig, &["rig", "watch", "--seconds", "0.2"]);
    for text in [
        "emergency stop (GPIO26, pulled up): inactive (level low)",
        "start button (GPIO22, pulled up): inactive",
    ] {
        assert!(watched.contains(text), "{watched}");
    }
    assert_safe(&rig, "after all that");
    let wrong = rig.run(&["rig", "jog", "turntable", "15 mm"]);
    assert!(wrong.code == Some(1) && wrong.stderr.contains("is no angle"), "{}", wrong.stderr);
    assert!(rig.run(&["rig", "jog", "lift", "15 mm"]).stderr.contains("the rig has no lift"));
    assert!(tell(&rig, &["check-config"]).contains("ok"));
}

#[test]
fn an_emergency_stop_that_is_open_at_the_start_begins_nothing() {
    let rig = rig_on_pins(3);
    std::fs::create_dir_all(rig.dir.path().join("run")).unwrap();
    let mut pins = vec![b'-'; 512];
    pins[26] = b'1';
    std::fs::write(rig.dir.path().join("run/pins"), pins).unwrap();
    let refused = rig.run(&["scan"]);
    assert_eq!(refused.code, Some(1), "{}", refused.stderr);
    assert!(
        refused.stderr.contains("the emergency stop is pressed, or its line is broken"),
        "{}",
        refused.stderr
    );
    assert!(pulses(&rig, STEP).is_empty());
    assert_eq!(rig.scan_id(), None);
    assert_safe(&rig, "with the emergency stop open");
}

#[test]
fn what_is_shot_after_an_emergency_stop_at_rest_is_not_stored() {
    let rig = rig_on_pins(24);
    edit(
        &rig,
        "look_at_height = \"50 mm\"\n[camera.options]",
        "look_at_height = \"50 mm\"\n[camera.options]\nfaults = [{ kind = \"hang\", shot = 2, times = 1 }]",
    );
    edit(&rig, "capture_timeout = \"300 ms\"", "capture_timeout = \"2 s\"");
    let (service, mut log) = begin(&rig, &["run"], "ready");
    let mut read_until = |text: &str| read_until(&mut log, text);
    tell(&rig, &["start"]);
    read_until("simulating hang at shot 2");
    // The other camera's shot at this point: the axes have arrived.
    read_until("(3/48");
    tell(&rig, &["rig", "level", "26", "high"]);
    read_until("the axes are stopped and released");
    // Cleared before the second attempt: nothing but the count tells that the table was let go.
    tell(&rig, &["rig", "level", "26", "low"]);
    tell(&rig, &["clear"]);
    let paused = read_until("scan paused");
    assert!(paused.contains("the axes were disturbed at rest"), "{paused}");
    read_until("the rig is free");
    let status = rig.run(&["status", "--json"]).json();
    assert_eq!(status["scan"]["stored"], 3, "the shot that hung is not taken again: {status}");
    signal(&service, Signal::TERM);
    assert_eq!(end(service, log).code, Some(0));
}

#[test]
fn a_move_that_takes_longer_than_planned_is_no_fault_of_the_camera() {
    let rig = rig_on_pins(8);
    // 45 degrees take 0.7 s: time to hold the program up within a move, while the cameras take their photos as planned.
    edit(&rig, "speed = \"900 deg/s\"", "speed = \"90 deg/s\"");
    edit(&rig, "acceleration = \"18000 deg/s2\"", "acceleration = \"400 deg/s2\"");
    let (scan, mut log) = begin(&rig, &["scan", "--log", "debug"], "(4/16");
    let steps = || std::fs::read(rig.dir.path().join("run/pins")).unwrap()[512..520].to_vec();
    let before = steps();
    // Within a move, whichever it is.
    while steps() == before {
        std::thread::sleep(Duration::from_millis(1));
    }
    signal(&scan, Signal::STOP);
    std::thread::sleep(Duration::from_secs(1));
    signal(&scan, Signal::CONT);
    read_until(&mut log, "a frame is dropped: the axes came to rest");
    assert_eq!(end(scan, log).code, Some(0));
    let id = rig.scan_id().unwrap();
    rig.assert_complete(&id, "after a move that was held up");
    let journal = std::fs::read_to_string(rig.scans().join(&id).join("journal.jsonl")).unwrap();
    assert!(!journal.contains("attempt_failed"), "{journal}");
}
