//! A rig that finds out by its own camera how its axes swing.

use std::fs;
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use crate::refused::edit;
use crate::support::{Recipe, Running, TestRig};

/// What the simulated axes truly do.
const TURNTABLE: (f64, f64) = (9.0, 0.05);
const LIFT: (f64, f64) = (23.0, 0.03);

/// A rig whose axes swing; its camera sees the object from nearby.
fn rig() -> TestRig {
    // Each frame is drawn anew while the rig swings: larger ones come too slowly on a busy machine.
    let recipe = Recipe { size: (240, 180), time_scale: 1.0, ..Recipe::default() };
    let rig = TestRig::new(&recipe).without_model();
    edit(&rig, "pixel_pitch = \"70 um\"", "pixel_pitch = \"14 um\"");
    edit(&rig, "speed = \"60 deg/s\"", "speed = \"180 deg/s\"");
    let swing = |(frequency, damping): (f64, f64)| {
        format!("swing = {{ frequency = \"{frequency} Hz\", damping = {damping} }}")
    };
    let axes = format!(
        "acceleration = \"900 deg/s2\"\n[motion.turntable.simulated]\n{}\n[motion.lift]\nspeed = \"300 mm/s\"\n\
         acceleration = \"1400 mm/s2\"\ntravel = [\"0 mm\", \"60 mm\"]\n[motion.lift.simulated]\n{}",
        swing(TURNTABLE),
        swing(LIFT)
    );
    edit(&rig, "acceleration = \"120 deg/s2\"", &axes);
    rig
}

fn assert_near(swing: &Value, (frequency, damping): (f64, f64), context: &str) {
    let part = |key: &str, of: f64| swing[key].as_f64().unwrap() / of - 1.0;
    assert!(part("frequency_hz", frequency).abs() < 0.03, "{context}: {swing}");
    assert!(part("damping", damping).abs() < 0.2, "{context}: {swing}");
}

#[test]
fn a_rig_finds_out_how_its_axes_swing_and_has_it_in_force() {
    let rig = rig();
    let dry = rig.run(&["tune", "--axis", "turntable", "--dry-run", "--json"]);
    assert_eq!(dry.code, Some(0), "{}", dry.stderr);
    let axes = dry.json()["axes"].as_array().unwrap().clone();
    assert_eq!((axes.len(), axes[0]["places"].as_array().unwrap().len()), (1, 1), "{}", dry.stdout);
    assert_near(&axes[0]["swing"], TURNTABLE, &dry.stderr);
    let written = rig.dir.path().join("scanner.toml.d/70-tuned.toml");
    assert!(!written.exists(), "nothing changes");

    let tuned = rig.run(&["tune", "--axis", "lift"]);
    assert_eq!(tuned.code, Some(0), "{}", tuned.stderr);
    for told in [
        "lift at 1.2 mm: it swings at ",
        "lift at 58.8 mm: it swings at ",
        "lift: after a move over ",
        "no service is running",
    ] {
        assert!(tuned.stdout.contains(told), "{}", tuned.stdout);
    }
    let found = fs::read_to_string(&written).unwrap().parse::<toml::Table>().unwrap();
    let swing = &found["motion"]["lift"]["swing"];
    let hertz: f64 = swing["frequency"].as_str().unwrap().trim_end_matches(" Hz").parse().unwrap();
    let damping = swing["damping"].as_float().unwrap();
    assert_near(&json!({ "frequency_hz": hertz, "damping": damping }), LIFT, &tuned.stdout);
    let drawn = tuned.stdout.lines().find_map(|line| line.split_once("drawn in ")).unwrap().1;
    assert!(fs::read_to_string(drawn).unwrap().contains("lift at 1.2 mm: it swings at "), "{drawn}");
    let doctor = rig.run(&["doctor", "--json"]).json();
    let said = doctor.as_array().unwrap().iter().find(|finding| finding["check"] == "tuning").unwrap();
    assert!(said["found"].as_str().unwrap().contains("lift 2"), "{said}");

    // As it was before.
    let back = rig.run(&["config", "take-back", "1"]);
    assert_eq!(back.code, Some(0), "{}", back.stderr);
    assert!(!written.exists(), "{}", back.stdout);
}

#[test]
fn what_is_given_up_changes_nothing() {
    let rig = rig();
    let tuning = Running::spawn(&mut rig.command(&["tune"]));
    let cancelled = (0..600).any(|_| {
        thread::sleep(Duration::from_millis(50));
        rig.run(&["cancel"]).code == Some(0)
    });
    assert!(cancelled, "nothing could be cancelled");
    let ended = tuning.finish();
    assert_eq!(ended.code, Some(6), "{}{}", ended.stdout, ended.stderr);
    assert!(ended.stderr.contains("given up: nothing has changed"), "{}", ended.stderr);
    assert!(!rig.dir.path().join("scanner.toml.d").exists());
    let unknown = rig.run(&["tune", "--axis", "tilt"]);
    assert_eq!(unknown.code, Some(3), "{}", unknown.stderr);
    assert!(unknown.stderr.contains("this rig has no tilt"), "{}", unknown.stderr);
}
