//! Another program holds the camera.

use std::process::{Command, Stdio};

use serde_json::json;

use crate::bench::{Bench, SIZE};
use crate::support::Running;

/// As the file manager does: it has the device node open, and the camera is claimed.
fn scan_while_held(may_end: &str, size: Option<(u32, u32)>) -> (String, Option<i32>, bool) {
    let folder = tempfile::tempdir().unwrap();
    let node = folder.path().join("node");
    std::fs::write(&node, "").unwrap();
    let mut holder = Command::new("sh");
    holder.args(["-c", "exec sleep 600 < \"$0\""]).arg(&node);
    let mut holder = Running::spawn(holder.stdout(Stdio::null()).stderr(Stdio::null()));
    // Until it has it; the first opening is to see whether it is the one, the second one to use it.
    let faults = json!([{ "kind": "claimed", "at": 0 }, { "kind": "claimed", "at": 1 }]);
    let bench = Bench::with_options(1, 3, &format!("capture_timeout = \"10 s\"\n{may_end}"), "")
        .simulated(&faults, &node, size);
    let scan = bench.run(&["scan", "--json"]);
    let lives = holder.try_wait().unwrap().is_none();
    if scan.code == Some(0) {
        bench.rig.assert_complete(&bench.rig.scan_id().unwrap(), "once it was free");
    }
    (scan.stderr, scan.code, lives)
}

#[test]
fn who_holds_it_is_named_and_left_alone() {
    let (log, code, lives) = scan_while_held("", Some(SIZE));
    assert_ne!(code, Some(0), "{log}");
    assert!(log.contains("is held by sleep (process "), "{log}");
    assert!(lives, "{log}");
}

#[test]
fn who_may_be_ended_is_ended_and_the_scan_begins() {
    for size in [Some(SIZE), None] {
        let (log, code, lives) = scan_while_held("may_end = [\"sleep\"]", size);
        assert_eq!(code, Some(0), "{log}");
        assert!(log.contains("ending a program that holds the camera"), "{log}");
        assert!(!lives, "{log}");
    }
}

/// The size of its images is asked of it before anything else, which nobody can who does not have it.
#[test]
fn who_holds_a_camera_that_is_to_tell_its_size_is_named() {
    let (log, code, lives) = scan_while_held("", None);
    assert_ne!(code, Some(0), "{log}");
    assert!(log.contains("is held by sleep (process "), "{log}");
    assert!(lives, "{log}");
}
