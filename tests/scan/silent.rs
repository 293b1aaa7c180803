//! Streams that fall silent in a scan.

use crate::support::{Recipe, TestRig};

const STALL: [&str; 1] = ["faults = [{ kind = \"stall\", shot = 2 }]"];

#[test]
fn a_camera_whose_stream_falls_silent_is_restarted_long_before_its_time_is_over() {
    let recovery = "capture_timeout = \"600 s\"";
    let rig = TestRig::new(&Recipe { time_scale: 4.0, options: &STALL, recovery, ..Recipe::default() });
    let scan = rig.run(&["scan", "--json"]);
    assert_eq!(scan.code, Some(0), "{}", scan.stderr);
    let summary = scan.json();
    assert_eq!(summary["failures"], serde_json::json!({ "timeout": 1 }), "{}", scan.stdout);
    assert_eq!((&summary["attempts"], &summary["recoveries"]["restart"]), (&4.into(), &1.into()));
    let said = "failed: timeout: no frame for ";
    assert!(scan.stderr.contains(said), "no {said:?} in:\n{}", scan.stderr);
    rig.assert_complete(&rig.scan_id().unwrap(), "after a silence");
}

#[test]
fn where_streams_are_not_judged_the_time_is_over_first() {
    let recovery = "capture_timeout = \"300 ms\"\nstalled_after_frames = 0";
    let rig = TestRig::new(&Recipe { time_scale: 4.0, options: &STALL, recovery, ..Recipe::default() });
    let scan = rig.run(&["scan"]);
    assert_eq!(scan.code, Some(0), "{}", scan.stderr);
    assert!(scan.stderr.contains("failed: timeout: no answer in "), "{}", scan.stderr);
    assert!(!scan.stderr.contains("no frame for"), "{}", scan.stderr);
    rig.assert_complete(&rig.scan_id().unwrap(), "after a time-out");
}
