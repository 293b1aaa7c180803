//! Drivers that begin badly or talk too much: a script stands before the simulated camera, at the same socket.

use std::path::Path;

use crate::refused::edit;
use crate::support::{Recipe, TestRig};

/// A rig whose driver is a shell script that goes on as `scanner-sim`.
fn rig_with(script: &str, recipe: &Recipe<'_>) -> TestRig {
    let rig = TestRig::new(&Recipe { driver: "SCRIPT", ..*recipe });
    // By its name it is known to be a simulated one.
    let driver = rig.dir.path().join("scanner-sim");
    let sim = Path::new(env!("CARGO_BIN_EXE_scanner-sim")).display();
    let starts = rig.dir.path().join("starts").display().to_string();
    let text =
        format!("#!/bin/sh\necho >> {starts}\nstarts=$(wc -l < {starts})\n{script}\nexec {sim} \"$@\"\n");
    std::fs::write(&driver, text).unwrap();
    std::fs::set_permissions(&driver, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    edit(&rig, "SCRIPT", driver.to_str().unwrap());
    rig
}

/// All that a hello has, and nothing in it.
const EMPTY_HELLO: &str = r#"{"type":"hello","protocol":2,"driver":"","camera":"0","model":"","sensor":{"width":0,"height":0},"pixel_pitch_um":0,"formats":[],"controls":[],"live_beside_stills":false,"raw":false}"#;

/// At the beginning, and in the place of one that crashed in the middle.
#[test]
fn a_driver_with_an_empty_hello_does_not_end_a_scan_whose_next_driver_is_fine() {
    for hello in [EMPTY_HELLO, r#"{"type":"hello"}"#, "{}"] {
        let script = format!("case $starts in 1|3) printf '%s' '{hello}' >&3; exec sleep 600;; esac");
        let options = ["faults = [{ kind = \"abort\", shot = 1 }]"];
        let rig = rig_with(&script, &Recipe { options: &options, ..Recipe::default() });
        let scan = rig.run(&["scan"]);
        assert_eq!(scan.code, Some(0), "{hello}: {}", scan.stderr);
        assert!(scan.stderr.contains("trying again"), "{hello}: {}", scan.stderr);
        let starts = std::fs::read_to_string(rig.dir.path().join("starts")).unwrap();
        assert!(starts.lines().count() >= 4, "{hello}: {starts:?}: {}", scan.stderr);
        rig.assert_complete(&rig.scan_id().unwrap(), hello);
    }
}

/// A frame of the low-resolution stream without its memory.
const BAD_LIVE: &str = r#"{"type":"frame","epoch":1,"stream":"live","format":"yuv420","size":{"width":64,"height":48},"strides":[64,32,32],"offsets":[0,3072,3840],"sensor_timestamp_ns":1,"readout_us":0,"sequence":1,"buffer":1}"#;
/// Before the driver says hello, and as many more while the scan goes on.
const FLOOD: u32 = 20_000;

#[test]
fn a_flood_of_bad_live_frames_is_a_few_lines_of_log_and_the_scan_goes_on() {
    let script = format!(
        "flood() {{ n=0; while [ $n -lt {FLOOD} ]; do printf '%s' '{BAD_LIVE}' >&3; n=$((n+1)); done; }}\nflood\nflood &"
    );
    let recovery = "capture_timeout = \"60 s\"\nstart_timeout = \"60 s\"";
    let rig = rig_with(&script, &Recipe { recovery, ..Recipe::default() });
    let scan = rig.run(&["scan"]);
    assert_eq!(scan.code, Some(0), "{}", scan.stderr);
    rig.assert_complete(&rig.scan_id().unwrap(), "with a flood of bad live frames");
    let complaints = scan.stderr.lines().filter(|line| line.contains("a live frame was refused")).count();
    // One in ten seconds, and the rest counted.
    assert!((1..100).contains(&complaints), "{complaints}: {}", scan.stderr);
    assert!(scan.stderr.len() < 200_000, "{} bytes of log", scan.stderr.len());
}
