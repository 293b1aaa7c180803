//! Scans with a panel behind the object: which light is on in which picture, on pins and in what cameras see.

use std::fs;
use std::path::Path;
use std::time::Duration;

use rustix::process::Signal;
use serde_json::Value;

use crate::interrupted::{begin, end, signal};
use crate::pins::{LIGHT, level, rig_on_pins, tell};
use crate::refused::edit;
use crate::support::{Recipe, TestRig};

const PANEL: u32 = 21;

/// Two lights, which take their time to be steady.
const LIGHTS: &str = r#"
[[light]]
name = "ring"
warm_up = "30 ms"
[[light]]
name = "panel"
role = "backlight"
warm_up = "20 ms"
"#;

fn rig(recipe: &Recipe<'_>) -> TestRig {
    let rig = TestRig::new(recipe);
    let text = fs::read_to_string(&rig.config).unwrap();
    let text = text.replace("shape = \"ring\"", "shape = \"ring\"\norder = \"given\"");
    fs::write(&rig.config, text + LIGHTS).unwrap();
    rig
}

/// What the journal has of each stored image of a camera: its label and its facts, in the order of the plan.
fn facts(rig: &TestRig, id: &str, camera: &str) -> Vec<(String, Value)> {
    let dir = rig.scans().join(id);
    let read = |path: &Path| serde_json::from_slice::<Value>(&fs::read(path).unwrap()).unwrap();
    let plan = read(&dir.join("plan.json"));
    let label = |point: &Value| point["label"].as_str().unwrap().to_owned();
    let of = |label: String| {
        let metadata = read(&dir.join(format!("metadata/{camera}/{label}.json")));
        (label, metadata["stored"]["facts"].clone())
    };
    plan["points"].as_array().unwrap().iter().map(label).map(of).collect()
}

/// Each image shows what its light lets it show.
fn assert_lit(rig: &TestRig, id: &str) {
    for (label, facts) in facts(rig, id, "cam0") {
        let tiles = facts["measured"]["luma"].as_str().unwrap();
        let tile = |row: usize, column: usize| {
            let at = 2 * (8 * row + column);
            u8::from_str_radix(&tiles[at..at + 2], 16).unwrap()
        };
        // Beside the owl's head is the panel; its belly is in the middle.
        let (panel, owl) = (tile(1, 2), tile(2, 3).max(tile(2, 4)));
        if label.ends_with("_b") {
            assert!(panel > 190 && owl < 80, "{label}: panel {panel}, owl {owl}");
        } else {
            assert!((100..190).contains(&panel) && owl > 80, "{label}: panel {panel}, owl {owl}");
        }
    }
}

#[test]
fn every_point_has_a_silhouette_and_each_picture_its_light() {
    let rig = rig(&Recipe { cameras: 2, ..Recipe::default() });
    let planned = rig.run(&["plan"]).stdout;
    assert!(planned.contains("6 points, 12 shots, 6 of which are silhouettes"), "{planned}");
    let checked = rig.run(&["check-config"]).stdout;
    assert!(checked.contains("plan ring: 6 points, 12 shots, 6 of which are silhouettes; "), "{checked}");
    let plan = &rig.run(&["check-config", "--json"]).json()["plans"][0];
    assert_eq!(
        (&plan["shots"], &plan["silhouettes"]),
        (&serde_json::json!(12), &serde_json::json!(6)),
        "{plan}"
    );
    let estimated = rig.run(&["plan", "--json"]).json()["estimate_s"].clone();
    assert_eq!(plan["estimate_s"], estimated);
    assert_eq!(rig.run(&["scan"]).code, Some(0));
    let id = rig.scan_id().unwrap();
    rig.assert_complete(&id, "with silhouettes");
    let labels: Vec<_> = facts(&rig, &id, "cam1").into_iter().map(|(label, _)| label).collect();
    assert_eq!(labels, ["r01_a001", "r01_a001_b", "r01_a002", "r01_a002_b", "r01_a003", "r01_a003_b"]);
    assert_lit(&rig, &id);
    let poses = rig.run(&["dataset", "poses", &id, "--json"]).json();
    assert_eq!(poses.as_array().unwrap().len(), 6, "a silhouette is no view: {poses}");
    // Again, as a scan whose only point is a silhouette.
    assert_eq!(rig.run(&["retake", &id, "cam0/r01_a002_b"]).code, Some(0));
    assert_eq!(rig.run(&["resume", &id]).code, Some(0));
    rig.assert_complete(&id, "a silhouette again");
    assert_lit(&rig, &id);
    // They may be left out.
    edit(&rig, "[scan]", "[scan]\nsilhouettes = false");
    assert!(rig.run(&["plan"]).stdout.contains("3 points, 6 shots; "));
}

#[test]
fn a_scan_goes_on_between_a_point_and_its_silhouette() {
    let faults = "faults = [{ kind = \"cancelled\", shot = 3, times = 9 }]";
    let options = [faults];
    let recovery = "capture_timeout = \"2 s\"\nattempts = 1";
    let rig =
        rig(&Recipe { options: &options, scan: "on_failed_shot = \"pause\"", recovery, ..Recipe::default() });
    let paused = rig.run(&["scan"]);
    let id = rig.scan_id().unwrap();
    let shown = rig.run(&["dataset", "show", &id, "--json"]).json();
    assert_eq!(shown["scan"]["state"], "paused", "{}", paused.stderr);
    assert_eq!(shown["scan"]["shots"]["done"], 3, "{shown}");
    edit(&rig, faults, "");
    let resumed = rig.run(&["resume", &id]);
    assert_eq!(resumed.code, Some(0), "{}", resumed.stderr);
    rig.assert_complete(&id, "resumed at a silhouette");
    assert_lit(&rig, &id);
}

#[test]
fn a_stack_has_one_silhouette_with_the_lens_in_its_middle() {
    let rig = rig(&Recipe { angles: 2, ..Recipe::default() });
    edit(&rig, "shape = \"ring\"", "shape = \"ring\"\nfocus = [\"2 dpt\", \"3 dpt\", \"4 dpt\"]");
    assert_eq!(rig.run(&["scan"]).code, Some(0));
    let id = rig.scan_id().unwrap();
    rig.assert_complete(&id, "a stack with silhouettes");
    let lenses: Vec<_> = facts(&rig, &id, "cam0")
        .into_iter()
        .map(|(label, facts)| (label, facts["focus"].as_str().unwrap().to_owned()))
        .collect();
    let lens = |label: &str, focus: &str| (label.to_owned(), format!("{focus} dpt"));
    assert_eq!(
        lenses,
        [
            lens("r01_a001_f1", "2"),
            lens("r01_a001_f2", "3"),
            lens("r01_a001_f3", "4"),
            lens("r01_a001_b", "3"),
            lens("r01_a002_f3", "4"),
            lens("r01_a002_f2", "3"),
            lens("r01_a002_f1", "2"),
            lens("r01_a002_b", "3"),
        ]
    );
    assert_lit(&rig, &id);
}

#[test]
fn a_panel_that_was_dim_once_is_found_and_nothing_else_of_silhouettes() {
    let faults = ["faults = [{ kind = \"dimmed\", shot = 9 }]"];
    let rig = rig(&Recipe { angles: 8, options: &faults, ..Recipe::default() });
    let scan = rig.run(&["scan", "--json"]);
    assert_eq!((scan.code, &scan.json()["flagged"]), (Some(0), &1.into()), "{}", scan.stderr);
    assert!(scan.stderr.contains(" flagged cam0/r01_a005_b: darker than its neighbours"), "{}", scan.stderr);
}

/// A turntable, a ring light and a panel on pins.
fn lights_on_pins(angles: u32) -> TestRig {
    let rig = rig_on_pins(angles);
    edit(
        &rig,
        "pin = \"GPIO20\"",
        "pin = \"GPIO20\"\nwarm_up = \"60 ms\"\n[[light]]\nname = \"panel\"\nrole = \"backlight\"\npin = \"GPIO21\"\nwarm_up = \"40 ms\"",
    );
    rig
}

#[test]
fn on_pins_the_lights_take_turns_and_every_exposure_is_in_its_steady_light() {
    let rig = lights_on_pins(3);
    let scanned = rig.run(&["scan"]);
    assert_eq!(scanned.code, Some(0), "{}", scanned.stderr);
    let id = rig.scan_id().unwrap();
    rig.assert_complete(&id, "with lights on pins");
    let record = fs::read_to_string(rig.dir.path().join("pulses.csv")).unwrap();
    let change = |line: &str| {
        let fields: Vec<u64> = line.split(',').map(|field| field.parse().unwrap()).collect();
        (fields[0] as u32, fields[1] == 1, fields[3])
    };
    let changes: Vec<_> =
        record.lines().skip(1).map(change).filter(|(pin, ..)| [LIGHT, PANEL].contains(pin)).collect();
    // Times during which each was on.
    let mut spans = Vec::new();
    let mut lit = None;
    for (pin, high, at_ns) in changes {
        match (high, lit) {
            (true, None) => lit = Some((pin, at_ns)),
            (true, Some((other, _))) => assert_eq!(other, pin, "both are on"),
            (false, Some((on, since_ns))) if on == pin => {
                spans.push((pin, since_ns, at_ns));
                lit = None;
            }
            (false, _) => {}
        }
    }
    assert_eq!(lit, None, "all are off at the end");
    assert_eq!(spans.iter().map(|span| span.0).collect::<Vec<_>>(), [LIGHT, PANEL].repeat(3));
    for camera in ["cam0", "cam1"] {
        for (index, (label, facts)) in facts(&rig, &id, camera).into_iter().enumerate() {
            let (pin, since_ns, until_ns) = spans[index];
            assert_eq!(pin == PANEL, label.ends_with("_b"));
            let ended_ns = facts["sensor_timestamp_ns"].as_u64().unwrap();
            let exposure: scanner::units::Seconds = facts["exposure"].as_str().unwrap().parse().unwrap();
            let began_ns = ended_ns - (exposure.get() * 1e9) as u64;
            let warm_up = Duration::from_millis(if pin == PANEL { 40 } else { 60 });
            assert!(began_ns >= since_ns + warm_up.as_nanos() as u64, "{camera}/{label} began too early");
            assert!(ended_ns <= until_ns, "{camera}/{label} ended in other light");
        }
    }
}

#[test]
fn whatever_ends_a_scan_leaves_both_lights_off() {
    for by in [Some(Signal::INT), Some(Signal::TERM), None] {
        let rig = lights_on_pins(40);
        let (scan, log) = begin(&rig, &["scan"], "_b");
        match by {
            Some(by) => signal(&scan, by),
            // The emergency stop.
            None => drop(tell(&rig, &["rig", "level", "26", "high"])),
        }
        let ended = end(scan, log);
        assert_ne!(ended.code, Some(0), "{by:?}: {}", ended.stderr);
        assert_eq!([LIGHT, PANEL].map(|pin| level(&rig, pin)), ['0', '0'], "{by:?}");
    }
}
