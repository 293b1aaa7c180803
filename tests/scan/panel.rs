//! The panel: buttons that are pressed, and what the LED shows.

use crate::interrupted::{assert_no_process_left, begin, end, read_until, signal, slow_rig};
use crate::refused::edit;
use crate::support::{SELDOM, TestRig};

fn with_panel(rig: &TestRig) {
    edit(rig, "[scan]", "[panel]\nbackend = \"sim\"\n[scan]");
}

fn press(rig: &TestRig, button: &str) {
    let pressed = rig.run(&["press", button]);
    assert_eq!(pressed.code, Some(0), "{}", pressed.stderr);
}

/// Asks for the status until the LED shows `pattern`.
pub(crate) fn wait_for_led(rig: &TestRig, pattern: &str) -> serde_json::Value {
    let mut status = serde_json::Value::Null;
    for _ in 0..500 {
        status = rig.run(&["status", "--json"]).json();
        if status["led"] == pattern {
            return status;
        }
        std::thread::sleep(SELDOM);
    }
    panic!("the LED never showed {pattern}: {status}");
}

#[test]
fn start_stop_and_start_again_make_a_complete_scan() {
    let rig = slow_rig(16);
    with_panel(&rig);
    let (service, mut log) = begin(&rig, &["run"], "ready");
    let mut read_until = |text: &str| read_until(&mut log, text);
    let status = rig.run(&["status"]);
    assert!(status.stdout.contains("LED: ready"), "{}", status.stdout);
    press(&rig, "stop");
    read_until("stop button: nothing is done: no scan is under way");

    press(&rig, "start");
    read_until("beginning a new scan with the plan \"ring\"");
    read_until("(2/32");
    let status = wait_for_led(&rig, "scanning");
    let id = status["scan"]["scan"].as_str().unwrap().to_owned();
    press(&rig, "start");
    read_until(&format!("start button: nothing is done: scan {id} is under way"));
    press(&rig, "stop");
    read_until("scan paused");
    let status = wait_for_led(&rig, "attention");
    assert_eq!(status["last"]["end"], "paused", "{status}");
    assert_eq!(rig.scan_id().as_ref(), Some(&id), "there is one scan and no other");

    press(&rig, "start");
    read_until(&format!("going on with scan {id}"));
    read_until("scan complete");
    let status = wait_for_led(&rig, "ready");
    assert_eq!(status["scan"]["scan"], id.as_str(), "{status}");
    rig.assert_complete(&id, "by button");
    // The last scan has ended: start means a new one.
    press(&rig, "start");
    read_until("beginning a new scan");
    signal(&service, rustix::process::Signal::TERM);
    assert_eq!(end(service, log).code, Some(0));
    assert_no_process_left(&rig);
}

#[test]
fn the_led_shows_a_recovery_and_a_start_that_failed() {
    let rig = slow_rig(16);
    with_panel(&rig);
    edit(&rig, "[camera.options]", "[camera.options]\nfaults = [{ kind = \"hang\", shot = 3 }]");
    edit(&rig, "restart_pause = \"10 ms\"", "restart_pause = \"1500 ms\"");
    let (service, log) = begin(&rig, &["run"], "ready");
    press(&rig, "start");
    wait_for_led(&rig, "recovering");
    wait_for_led(&rig, "scanning");
    press(&rig, "stop");
    wait_for_led(&rig, "attention");
    let id = rig.scan_id().unwrap();
    // The scan cannot go on: its plan is damaged.
    std::fs::write(rig.scans().join(&id).join("plan.json"), "{}").unwrap();
    assert_eq!(rig.run(&["start"]).code, Some(0), "a damaged scan is in nobody's way");
    press(&rig, "stop");
    wait_for_led(&rig, "attention");
    signal(&service, rustix::process::Signal::TERM);
    assert_eq!(end(service, log).code, Some(0));

    edit(&rig, "driver = \"scanner-sim\"", "driver = \"no-such-driver\"");
    let (service, log) = begin(&rig, &["run"], "ready");
    press(&rig, "start");
    wait_for_led(&rig, "attention");
    let status = rig.run(&["status"]);
    assert!(
        status.stdout.contains("The last start failed") && status.stdout.contains("no-such-driver"),
        "{}",
        status.stdout
    );
    signal(&service, rustix::process::Signal::TERM);
    assert_eq!(end(service, log).code, Some(0));
}

#[test]
fn without_a_panel_there_is_nothing_to_press() {
    let rig = slow_rig(3);
    let (service, log) = begin(&rig, &["run"], "ready");
    let refused = rig.run(&["press", "start"]);
    assert_eq!(refused.code, Some(1));
    assert!(refused.stderr.contains("[panel] backend"), "{}", refused.stderr);
    let status = rig.run(&["status", "--json"]).json();
    assert_eq!(status["led"], serde_json::Value::Null, "{status}");
    assert_eq!(rig.run(&["press", "reboot"]).code, Some(2));
    signal(&service, rustix::process::Signal::TERM);
    assert_eq!(end(service, log).code, Some(0));
}
