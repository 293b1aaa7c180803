//! How fast a motor can be is found with the ring of marks as the witness, and without a witness nothing is tried.

use std::fs;
use std::path::PathBuf;
use std::process::Stdio;
use std::thread;
use std::time::Duration;

use super::marks::{change, rig, run_with, told};
use crate::support::TestRig;

/// Above this the simulated motor loses steps, in deg/s2.
const HOLDS: f64 = 600.0;

/// The rig with the ring; configured is less than half of what its motor holds.
fn strong() -> TestRig {
    let rig = rig();
    let limits =
        format!("acceleration = \"250 deg/s2\"\n[motion.turntable.simulated]\nholds = \"{HOLDS} deg/s2\"");
    change(&rig, "acceleration = \"120 deg/s2\"", &limits);
    rig
}

fn drop_in(rig: &TestRig) -> PathBuf {
    rig.dir
        .path()
        .join(format!("{}.d", rig.config.file_name().unwrap().to_str().unwrap()))
        .join("70-tuned.toml")
}

/// What is left of trials.
fn left_over(rig: &TestRig) -> usize {
    let entries = fs::read_dir(rig.scans()).unwrap();
    entries.filter(|entry| entry.as_ref().unwrap().file_name().to_str().unwrap().starts_with(".tune")).count()
}

#[test]
fn without_a_witness_nothing_moves() {
    let rig = strong();
    let asked = rig.run(&["tune", "--speed"]);
    assert_eq!(asked.code, Some(10), "{}", asked.stderr);
    assert!(asked.stderr.contains("nothing is tried: the rig has not been calibrated"), "{}", asked.stderr);
    assert!(asked.stderr.contains("scanner board --ring"), "{}", asked.stderr);
    // Where the simulated rig stands is written once it is wired up.
    assert!(!rig.dir.path().join("run/world.json").exists());
    let asked = rig.run(&["tune", "--speed", "lift"]);
    assert_eq!(asked.code, Some(3), "{}", asked.stderr);
    assert!(!drop_in(&rig).exists());
}

#[test]
fn a_motor_gets_the_margin_of_what_it_holds_and_its_scans_stay_as_they_should() {
    let rig = strong();
    let calibrated = run_with(&rig, ("SCANNER_SIM_BOARD", "1"), &["calibrate", "--json"]);
    assert_eq!(calibrated.code, Some(0), "{}", calibrated.stderr);
    fs::create_dir_all(drop_in(&rig).parent().unwrap()).unwrap();
    fs::write(drop_in(&rig), "# By hand.\n[motion]\nsettle = \"2 ms\"\n").unwrap();

    // Told to end, it ends, and nothing is written.
    let mut tuning =
        rig.command(&["tune", "--speed"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    while rig.run(&["cancel"]).code != Some(0) {
        assert!(tuning.try_wait().unwrap().is_none(), "it has ended by itself");
        thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(tuning.wait().unwrap().code(), Some(6));
    assert!(!fs::read_to_string(drop_in(&rig)).unwrap().contains("acceleration"));

    let tuned = rig.run(&["tune", "--speed", "turntable", "--most", "3", "--json"]);
    assert_eq!(tuned.code, Some(0), "{}", tuned.stderr);
    let tuned = tuned.json();
    let tried = tuned["tried"].as_array().unwrap();
    for one in tried {
        let held = one["held"].as_bool().unwrap();
        assert_eq!(held, one["acceleration"].as_f64().unwrap() <= HOLDS, "{one}");
    }
    assert_eq!(tried.iter().filter(|one| one["held"] == false).count(), 1, "{tuned}");
    let acceleration = tuned["found"]["acceleration"].as_f64().unwrap();
    assert!((0.6 * HOLDS..=0.7 * HOLDS).contains(&acceleration), "{tuned}");
    assert!(tuned["found"]["speed"].as_f64().unwrap() > 60.0, "{tuned}");
    assert_eq!(left_over(&rig), 0);

    // What else is there stays, and can be had back.
    let text = fs::read_to_string(drop_in(&rig)).unwrap();
    assert!(text.contains("# By hand.") && text.contains("settle = \"2 ms\""), "{text}");
    assert!(text.contains("[motion.turntable]") && text.contains("acceleration = "), "{text}");
    let versions = rig.run(&["config", "versions"]);
    assert!(versions.stdout.contains("speed and acceleration of the turntable"), "{}", versions.stdout);

    let scan = rig.run(&["scan", "--id", "fast", "--json"]);
    assert_eq!(scan.code, Some(0), "{}", scan.stderr);
    assert_eq!(told(&scan), [""; 0]);
    let seen = fs::read_to_string(rig.scans().join("fast/marks.jsonl")).unwrap();
    assert_eq!(seen.matches("as_commanded").count(), 12, "{seen}");
}
