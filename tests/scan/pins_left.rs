//! What is left of a rig on pins, however the program ends, and what is known of it when it starts again.

use rustix::process::Signal;

use crate::interrupted::{begin, begin_by, end, read_until, signal};
use crate::pins::{ENABLE, LIGHT, STEP, assert_safe, level, pulses, rig_on_pins, tell};
use crate::refused::edit;
use crate::support::Running;

#[test]
fn what_a_kill_leaves_powered_is_made_safe_from_the_configuration_alone() {
    let rig = rig_on_pins(60);
    let (mut service, mut log) = begin(&rig, &["run"], "ready");
    let refused = rig.run(&["safe-state"]);
    assert_eq!(refused.code, Some(7), "a running rig is not touched: {}", refused.stderr);
    assert!(refused.stderr.contains("scanner safe-state --force"), "{}", refused.stderr);
    assert_eq!(rig.run(&["rig", "jog", "turntable", "5 deg"]).code, Some(7));
    tell(&rig, &["start"]);
    read_until(&mut log, "(2/120");
    signal(&service, Signal::KILL);
    service.wait().unwrap();
    assert_eq!([level(&rig, ENABLE), level(&rig, LIGHT)], ['0', '1'], "powered and lit, as SIGKILL left it");
    let said = tell(&rig, &["safe-state"]);
    assert!(said.contains("turntable enable (GPIO6): inactive"), "{said}");
    assert_safe(&rig, "after safe-state");
    // And the scan is not lost. But who knows where the turntable stands by now?
    let id = rig.scan_id().unwrap();
    let steps = pulses(&rig, STEP).len();
    let refused = rig.run(&["resume", &id]);
    assert_eq!(refused.code, Some(1), "{}", refused.stderr);
    for text in ["turn the turntable to 0 deg", "`scanner home turntable`", "--homed"] {
        assert!(refused.stderr.contains(text), "{}", refused.stderr);
    }
    assert!(pulses(&rig, STEP).len() <= steps, "nothing moves");
    let resumed = rig.run(&["resume", &id, "--homed"]);
    assert_eq!(resumed.code, Some(0), "{}", resumed.stderr);
    rig.assert_complete(&id, "after SIGKILL");
}

#[test]
fn a_scan_of_an_earlier_start_goes_on_once_somebody_has_said_where_the_turntable_stands() {
    let rig = rig_on_pins(60);
    let (mut service, mut log) = begin(&rig, &["run"], "ready");
    tell(&rig, &["start"]);
    read_until(&mut log, "(2/120");
    tell(&rig, &["pause"]);
    read_until(&mut log, "the rig is free");
    let first = rig.scan_id().unwrap();
    // The process that has begun it knows.
    tell(&rig, &["start", "--resume", &first]);
    signal(&service, Signal::KILL);
    service.wait().unwrap();

    let (service, log) = begin(&rig, &["run"], "ready");
    let refused = rig.run(&["start", "--resume", &first]);
    assert!(refused.stderr.contains("scanner home turntable"), "{}", refused.stderr);
    tell(&rig, &["home", "turntable"]);
    tell(&rig, &["start", "--resume", &first]);
    signal(&service, Signal::TERM);
    assert_eq!(end(service, log).code, Some(0));
}

#[test]
fn homing_by_the_service_can_be_given_up() {
    let rig = rig_on_pins(3);
    let index = "method = \"index\"\nswitch = \"^!GPIO27\"\nspeed = \"5 deg/s\"\nslow_speed = \"1 deg/s\"";
    edit(&rig, "method = \"by_hand\"", index);
    edit(&rig, "record", "dead = [\"GPIO27\"]\nrecord");
    let (service, log) = begin(&rig, &["run"], "ready");
    for wish in ["pause", "cancel"] {
        let homing = Running::spawn(rig.command(&["home"]).stderr(std::process::Stdio::piped()));
        while level(&rig, ENABLE) != '0' {
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        while rig.run(&[wish]).code != Some(0) {
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        let said = homing.finish().stderr;
        assert!(said.contains("stopped before its end"), "{wish}: {said}");
    }
    signal(&service, Signal::TERM);
    assert_eq!(end(service, log).code, Some(0));
}

#[test]
fn a_process_that_hangs_does_not_keep_the_rig_from_being_made_safe() {
    let rig = rig_on_pins(60);
    let (mut service, mut log) = begin(&rig, &["run"], "ready");
    tell(&rig, &["start"]);
    read_until(&mut log, "(2/120");
    signal(&service, Signal::STOP);
    assert_eq!(rig.run(&["safe-state"]).code, Some(7));
    tell(&rig, &["safe-state", "--force"]);
    assert_safe(&rig, "by force");
    signal(&service, Signal::KILL);
    service.wait().unwrap();
}

#[test]
fn a_terminal_that_goes_away_leaves_the_rig_safe() {
    for hung_up in [Signal::HUP, Signal::QUIT] {
        let rig = rig_on_pins(60);
        // Whoever runs the tests under nohup has taught them to ignore it.
        let listening = rig.command_by(&["env", "--default-signal=HUP,QUIT"], &["scan"]);
        let (scan, log) = begin_by(listening, "(2/120");
        signal(&scan, hung_up);
        assert_eq!(end(scan, log).code, Some(5), "paused");
        assert_safe(&rig, "after a signal");
    }
}

#[test]
fn a_scan_under_nohup_outlives_its_terminal() {
    let rig = rig_on_pins(2);
    let (scan, log) = begin_by(rig.command_by(&["nohup"], &["scan"]), "(1/");
    signal(&scan, Signal::HUP);
    let ended = end(scan, log);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
}

#[test]
fn a_table_that_is_held_lets_its_scan_go_on_by_itself_after_a_kill_at_rest_and_not_after_one_in_a_move() {
    // Slow enough to be met in a move.
    let rig = rig_on_pins(4);
    edit(&rig, "method = \"by_hand\"", "method = \"by_hand\"\ntrust_hold = true");
    edit(&rig, "rotation_distance = \"20 deg\"", "rotation_distance = \"20 deg\"\nhold_when_safe = true");
    edit(&rig, "speed = \"900 deg/s\"", "speed = \"30 deg/s\"");
    let steps = || {
        let pins = std::fs::read(rig.dir.path().join("run/pins")).unwrap();
        i64::from_le_bytes(pins[512..520].try_into().unwrap())
    };
    let (mut service, mut log) = begin(&rig, &["run"], "ready");
    tell(&rig, &["home", "turntable"]);
    tell(&rig, &["start"]);
    read_until(&mut log, "stored");
    // On the way to the second point.
    while steps() < 100 {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    signal(&service, Signal::KILL);
    service.wait().unwrap();
    let id = rig.scan_id().unwrap();
    let (mut service, mut log) = begin(&rig, &["run"], "it is not known where the turntable stands");
    // That is said before anybody can ask.
    read_until(&mut log, "ready");
    let refused = rig.run(&["start", "--resume", &id]);
    assert!(refused.stderr.contains("scanner home turntable"), "{}", refused.stderr);
    // Somebody turns it back, and says so. Then the program is killed while the table rests.
    tell(&rig, &["home", "turntable"]);
    signal(&service, Signal::KILL);
    service.wait().unwrap();
    drop(log);
    let (service, mut log) = begin(&rig, &["run"], "where its motor has held it since the program ended");
    read_until(&mut log, "going on with it");
    read_until(&mut log, "scan complete");
    signal(&service, Signal::TERM);
    assert_eq!(end(service, log).code, Some(0));
    rig.assert_complete(&id, "by itself");
    assert_eq!(level(&rig, ENABLE), '0', "and it is held");
}
