//! A table that slips and a camera that is moved in the middle of a scan are found by the ring of marks, and nothing else is.

use std::fs;
use std::path::Path;

use scanner::units::Degrees;
use serde_json::Value;

use crate::support::{Finished, Recipe, TestRig, built};

const SLIP: f64 = 0.3;
const BUMP: [f64; 3] = [2.0, 2.0, -1.0];

/// A rig with the ring on its table, and a camera that sees most of it; pictures that are drawn fast.
pub(super) fn rig() -> TestRig {
    // Beside the program, which finds it there.
    built("scanner-marks");
    let recipe = Recipe {
        angles: 12,
        size: (960, 720),
        options: &["marks = true\nsamples = 2"],
        recovery: "capture_timeout = \"60 s\"",
        ..Recipe::default()
    };
    let rig = TestRig::new(&recipe).without_model();
    change(&rig, "pixel_pitch = \"70 um\"", "pixel_pitch = \"6 um\"");
    change(&rig, "height = \"60 mm\"", "height = \"170 mm\"");
    rig
}

pub(super) fn change(rig: &TestRig, from: &str, to: &str) {
    let text = fs::read_to_string(&rig.config).unwrap();
    assert!(text.contains(from), "{text}");
    fs::write(&rig.config, text.replace(from, to)).unwrap();
}

pub(super) fn run_with(rig: &TestRig, variable: (&str, &str), args: &[&str]) -> Finished {
    Finished::from(rig.command(args).env(variable.0, variable.1).output().unwrap())
}

/// The scan of this id, as JSON; the turntable slips in its fifth move.
fn slipping(rig: &TestRig, id: &str) -> Finished {
    run_with(rig, ("SCANNER_SIM_SLIPS", &format!("5:{SLIP}")), &["scan", "--id", id, "--json"])
}

/// What is known of each image, as `(shot, verdict, offset)`.
fn sightings(rig: &TestRig, id: &str) -> Vec<(u64, String, f64)> {
    let text = fs::read_to_string(rig.scans().join(id).join("marks.jsonl")).unwrap();
    let mut all: Vec<_> = text
        .lines()
        .map(|line| {
            let line: Value = serde_json::from_str(line).unwrap();
            (
                line["shot"].as_u64().unwrap(),
                line["verdict"].as_str().unwrap().to_owned(),
                line["offset_deg"].as_f64().unwrap(),
            )
        })
        .collect();
    all.sort_by_key(|(shot, ..)| *shot);
    all
}

/// What the log says was displaced, in order.
pub(super) fn told(scan: &Finished) -> Vec<&str> {
    scan.stderr.split('\n').filter_map(|line| Some(line.split_once(" displaced at ")?.1)).collect()
}

fn poses(rig: &TestRig, id: &str) -> Vec<Value> {
    let poses = rig.run(&["dataset", "poses", id, "--json"]);
    assert_eq!(poses.code, Some(0), "{}", poses.stderr);
    poses.json().as_array().unwrap().clone()
}

fn centre(view: &Value) -> [f64; 3] {
    std::array::from_fn(|axis| view["centre"][axis].as_f64().unwrap())
}

fn apart(a: [f64; 3], b: [f64; 3]) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt()
}

#[test]
fn a_table_that_slips_and_a_camera_that_is_moved_are_found_and_nothing_else_is() {
    let rig = rig();
    let there = |id: &str| Path::exists(&rig.scans().join(id).join("marks.jsonl"));

    // Of a rig that was not calibrated, nothing is known.
    let scan = slipping(&rig, "unknown");
    assert_eq!((scan.code, told(&scan).len(), there("unknown")), (Some(0), 0, false), "{}", scan.stderr);
    let asked = rig.run(&["dataset", "marks", "unknown"]);
    assert_eq!(asked.code, Some(10), "{}", asked.stderr);

    let calibrated = run_with(&rig, ("SCANNER_SIM_BOARD", "1"), &["calibrate", "--json"]);
    assert_eq!(calibrated.code, Some(0), "{}", calibrated.stderr);
    assert_eq!(told(&calibrated), [""; 0]);

    let scan = rig.run(&["scan", "--id", "clean", "--json"]);
    assert_eq!(scan.code, Some(0), "{}", scan.stderr);
    assert_eq!(told(&scan), [""; 0], "a false alarm");
    let seen = sightings(&rig, "clean");
    assert_eq!(seen.len(), 12, "{seen:?}");
    assert!(
        seen.iter().all(|(_, verdict, offset)| verdict == "as_commanded" && offset.abs() < 0.05),
        "{seen:?}"
    );
    rig.assert_complete("clean", "with what was seen of the marks");

    // Flagged, at the shot where it happened, once.
    let scan = slipping(&rig, "slips");
    assert_eq!(scan.code, Some(0), "{}", scan.stderr);
    let seen = sightings(&rig, "slips");
    let first = seen.iter().position(|(_, verdict, _)| verdict != "as_commanded").unwrap();
    assert_eq!(first, 4, "{seen:?}");
    for (_, verdict, offset) in &seen[first..] {
        assert!(verdict == "table_elsewhere" && (offset - SLIP).abs() < 0.05, "{seen:?}");
    }
    let lines = told(&scan);
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(lines[0].starts_with("cam0/r01_a005: the table stands +0.30° from"), "{lines:?}");
    rig.assert_complete("slips", "with a table that slipped");

    // Exports have the angles that were measured.
    let (clean, slipped) = (poses(&rig, "clean"), poses(&rig, "slips"));
    for (index, (clean, slipped)) in clean.iter().zip(&slipped).enumerate() {
        let angle =
            |view: &Value| view["axes"]["turntable"].as_str().unwrap().parse::<Degrees>().unwrap().get();
        let off = angle(slipped) - angle(clean);
        let wanted = if index < first { 0.0 } else { SLIP };
        assert!((off - wanted).abs() < 0.05, "{index}: {off}");
    }
    let export = rig.run(&["dataset", "export", "slips", "--to", "colmap", "--no-masks"]);
    assert!(export.stdout.contains("note: in 8 of 12 images the table stood elsewhere"), "{}", export.stdout);

    // It can be made again, and what is left of it is not looked at again.
    let file = rig.scans().join("slips/marks.jsonl");
    let text = fs::read_to_string(&file).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    fs::write(&file, format!("{}\n{}", lines[0], &lines[1][..40])).unwrap();
    let asked = rig.run(&["dataset", "marks", "slips"]);
    assert_eq!(asked.code, Some(0), "{}", asked.stderr);
    let wanted = "8 of 12 images show the table or their camera elsewhere; 0 show too few marks; 11 were looked at now";
    assert!(asked.stdout.contains(wanted), "{}", asked.stdout);
    let again = rig.run(&["dataset", "marks", "slips", "--json"]).json();
    let again: Vec<f64> =
        again.as_array().unwrap().iter().map(|line| line["offset_deg"].as_f64().unwrap()).collect();
    assert_eq!(again, seen.iter().map(|(.., offset)| *offset).collect::<Vec<_>>());

    // Somebody knocks against the camera.
    let bump = format!("[camera.options.built]\nbumped_from = 6\nbump = {BUMP:?}\n[export]");
    change(&rig, "[export]", &bump);
    let scan = rig.run(&["scan", "--id", "bumped", "--json"]);
    assert_eq!(scan.code, Some(0), "{}", scan.stderr);
    let lines = told(&scan);
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(lines[0].starts_with("cam0/r01_a007: the camera is not where it was (3.0 mm off"), "{lines:?}");
    for (index, (clean, bumped)) in clean.iter().zip(poses(&rig, "bumped")).enumerate() {
        let off = apart(centre(clean), centre(&bumped));
        let wanted = if index < 6 { 0.0 } else { 3.0 };
        assert!((off - wanted).abs() < 0.2, "{index}: {off}");
    }
    change(&rig, &bump, "[export]");

    // It pauses, and says why; who goes on with it is not stopped by what was seen before.
    change(&rig, "[export]", "[marks]\npolicy = \"pause\"\n[export]");
    let scan = slipping(&rig, "paused");
    assert_eq!(scan.code, Some(5), "{}", scan.stderr);
    let summary = scan.json().to_string();
    assert!(summary.contains("in the image cam0/r01_a005, the table stands +0.30° from"), "{summary}");
    let resumed = rig.run(&["resume", "paused", "--json"]);
    assert_eq!(resumed.code, Some(0), "{}", resumed.stderr);
    assert_eq!(told(&resumed), [""; 0]);
    assert_eq!(sightings(&rig, "paused").len(), 12);
    rig.assert_complete("paused", "with a pause");

    // Nobody is to look.
    change(&rig, "policy = \"pause\"", "policy = \"off\"");
    let scan = slipping(&rig, "off");
    assert_eq!((scan.code, told(&scan).len(), there("off")), (Some(0), 0, false), "{}", scan.stderr);
}
