//! Scans without faults.

use serde_json::json;

use crate::bench::Bench;

/// Time enough for a loaded machine.
const PATIENT: &str = "capture_timeout = \"10 s\"";

#[test]
fn a_scan_has_what_the_camera_made_byte_for_byte() {
    let bench = Bench::new(1, 4, PATIENT);
    let devices = bench.run(&["devices", "--json"]);
    assert_eq!(devices.code, Some(0), "{}\n{}", devices.stdout, devices.stderr);
    assert!(devices.stdout.contains("USB PTP Class Camera"), "{}", devices.stdout);
    let scan = bench.run(&["scan", "--json"]);
    assert_eq!(scan.code, Some(0), "{}", scan.stderr);
    assert_eq!(scan.json()["attempts"], 4, "{}", scan.stderr);
    let id = bench.rig.scan_id().unwrap();
    bench.rig.assert_complete(&id, "of a DSLR");
    bench.assert_as_on_cards(&id, 4);
    assert_eq!(bench.strays(), Vec::<String>::new());
}

#[test]
fn two_cameras_take_turns_with_nobody_and_are_not_mistaken_for_each_other() {
    let mut bench = Bench::new(2, 6, PATIENT);
    // One of them gives whole files only.
    bench.set(1, "partial", json!(false));
    let scan = bench.run(&["scan", "--json"]);
    assert_eq!(scan.code, Some(0), "{}", scan.stderr);
    let id = bench.rig.scan_id().unwrap();
    bench.rig.assert_complete(&id, "of two DSLRs");
    bench.assert_as_on_cards(&id, 6);
    assert_eq!(bench.strays(), Vec::<String>::new());
}
