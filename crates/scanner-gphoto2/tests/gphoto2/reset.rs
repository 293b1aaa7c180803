//! A camera that answers nothing, whoever opens it, until its port is reset.

use serde_json::json;

use crate::bench::Bench;
use crate::client::wait_for;

const RECOVERY: &str = "capture_timeout = \"2 s\"\nattempts = 3";

/// Restarted and given a new driver in vain, then reset, after which it is at another port: found by its serial number, it goes on
/// with the same shot.
#[test]
fn a_camera_that_only_a_reset_brings_back_costs_an_attempt_and_no_shot() {
    let mut bench = Bench::new(2, 6, RECOVERY).by_serial();
    bench.set(1, "faults", json!([{ "kind": "gone_until_reset", "at": 2 }]));
    let devices = bench.run(&["devices", "--json"]);
    assert_eq!(devices.json()[1]["hello"]["reset"], "usb:001,002", "{}", devices.stdout);
    let scan = bench.run(&["scan", "--json"]);
    assert_eq!(scan.code, Some(0), "{}", scan.stderr);
    for rung in ["restart", "respawn", "reset"] {
        assert!(scan.stderr.contains(&format!("recovering camera cam1: {rung}")), "{rung}: {}", scan.stderr);
    }
    assert!(scan.stderr.contains("camera cam1 is back: reset took"), "{}", scan.stderr);
    assert!(!scan.stderr.contains("recovering camera cam0"), "{}", scan.stderr);
    assert_eq!(bench.noted(1, "resets-1001").unwrap().len(), 1);
    assert_eq!(bench.noted(0, "resets-1000"), None);
    let id = bench.rig.scan_id().unwrap();
    bench.rig.assert_complete(&id, "after a reset");
    bench.assert_as_on_cards(&id, 6);
    assert_eq!(scan.json()["attempts"], 2 * 6 + 1, "{}", scan.stderr);
    assert_eq!(bench.strays(), Vec::<String>::new());
}

/// Named by a number, another one might be taken for it once it is at another port.
#[test]
fn of_two_cameras_one_without_a_name_of_its_own_is_not_reset() {
    let devices = Bench::new(2, 3, RECOVERY).run(&["devices", "--json"]);
    assert!(devices.json()[1]["hello"]["reset"].is_null(), "{}", devices.stdout);
    let devices = Bench::new(1, 3, RECOVERY).run(&["devices", "--json"]);
    assert_eq!(devices.json()[0]["hello"]["reset"], "usb:001,001", "{}", devices.stdout);
}

/// Between scans, too: whoever wants a photograph next has the port reset.
#[test]
fn a_camera_that_died_between_scans_is_reset_for_the_next_photograph() {
    let mut bench = Bench::new(1, 3, RECOVERY).by_serial();
    bench.set(0, "faults", json!([{ "kind": "gone_until_reset", "at": 1 }]));
    let (daemon, stage) = bench.serve();
    let capture = || daemon.post("/api/v1/capture?wait=30", &json!({})).status;
    assert_eq!(capture(), 200);
    assert_ne!(capture(), 200, "it dies");
    assert_eq!(stage.noted(0, "resets-1000"), None);
    wait_for("a photograph", || (capture() == 200).then_some(()));
    assert_eq!(stage.noted(0, "resets-1000").unwrap().len(), 1);
    let id = daemon.begin();
    daemon.wait_until_idle();
    daemon.rig.assert_complete(&id, "after a reset");
    stage.end(daemon);
}

/// What another program holds, no reset helps.
#[test]
fn a_camera_that_another_program_holds_is_not_reset() {
    let mut bench = Bench::new(1, 3, RECOVERY).by_serial();
    let claimed: Vec<_> = (2..40).map(|at| json!({ "kind": "claimed", "at": at })).collect();
    let faults = [vec![json!({ "kind": "unplug", "at": 1 })], claimed].concat();
    bench.set(0, "faults", json!(faults));
    let scan = bench.run(&["scan", "--json"]);
    assert_ne!(scan.code, Some(0), "{}", scan.stdout);
    assert!(scan.stderr.contains("recovering camera cam0: respawn"), "{}", scan.stderr);
    assert!(!scan.stderr.contains("recovering camera cam0: reset"), "{}", scan.stderr);
    assert_eq!(bench.noted(0, "resets-1000"), None);
    assert_eq!(bench.strays(), Vec::<String>::new());
}
