//! Scans that run to their end, with and without faults.

use crate::support::{Recipe, TestRig};

#[test]
fn a_clean_scan_is_complete_and_says_so_everywhere() {
    let rig = TestRig::new(&Recipe { cameras: 2, angles: 12, ..Recipe::default() });
    let scan = rig.run(&["scan", "--json"]);
    assert_eq!(scan.code, Some(0), "{}", scan.stderr);
    let summary = scan.json();
    assert_eq!(summary["end"], "complete");
    assert_eq!((&summary["stored"], &summary["attempts"]), (&24.into(), &24.into()));
    let id = rig.scan_id().unwrap();
    rig.assert_complete(&id, "clean");
    for line in [
        "scan started: 24 shots at 12 points",
        "moving to point 12 of 12",
        "(24/24, ",
        "scan complete: all 24",
    ] {
        assert!(scan.stderr.contains(line), "no {line:?} in:\n{}", scan.stderr);
    }
    let list = rig.run(&["dataset", "list"]);
    assert!(list.stdout.contains(&id) && list.stdout.contains("complete"), "{}", list.stdout);
    let images = std::fs::read_dir(rig.scans().join(&id).join("images/cam1")).unwrap().count();
    assert_eq!(images, 12);
}

#[test]
fn every_kind_of_fault_is_survived() {
    let kinds = [
        "hang",
        "stall",
        "stop_hangs",
        "abort",
        "exit",
        "cancelled",
        "queue_buffer",
        "invalid_argument",
        "busy",
        "gone",
        "no_memory",
        "wrong_size",
        "wrong_stride",
        "short_descriptor",
        "stale_frame",
        "duplicate_sequence",
        "late_frame",
        "garbage",
        "slow",
    ];
    let fault = |(n, kind): (usize, &&str)| format!("{{ kind = \"{kind}\", shot = {} }}", 2 * n);
    let faults = kinds.iter().enumerate().map(fault).collect::<Vec<_>>().join(", ");
    let options = [format!("faults = [{faults}]"), String::new()];
    let options = options.each_ref().map(String::as_str);
    let angles = kinds.len() as u32;
    let rig = TestRig::new(&Recipe { cameras: 2, angles, options: &options, ..Recipe::default() });
    let scan = rig.run(&["scan", "--json"]);
    assert_eq!(scan.code, Some(0), "{}", scan.stderr);
    let summary = scan.json();
    let failures: u64 =
        summary["failures"].as_object().unwrap().values().filter_map(serde_json::Value::as_u64).sum();
    // "duplicate_sequence" and "slow" may be answered in time; every other one costs an attempt.
    assert!(
        failures >= kinds.len() as u64 - 2,
        "only {failures} faults bit: {}\n{}",
        scan.stdout,
        scan.stderr
    );
    assert_eq!(summary["stored"], 2 * kinds.len());
    rig.assert_complete(&rig.scan_id().unwrap(), "after faults");
    for rung in ["restart", "respawn"] {
        assert!(summary["recoveries"][rung].as_u64() > Some(0), "no {rung}: {}", scan.stdout);
    }
}

#[test]
fn a_driver_that_never_answers_converge_pauses_the_scan_instead_of_failing_shot_after_shot() {
    let options = ["faults = [{ kind = \"never_converges\", times = 99 }]"];
    let rig = TestRig::new(&Recipe { angles: 30, options: &options, ..Recipe::default() });
    let scan = rig.run(&["scan", "--json"]);
    assert_eq!(scan.code, Some(5), "{}", scan.stderr);
    let summary = scan.json();
    let reason = summary["reason"].as_str().unwrap();
    for part in ["camera cam0 has searched for its settings", "no answer in", "hold = \"never\"", "resume"] {
        assert!(reason.contains(part), "no {part:?} in {reason}");
    }
    assert_eq!((&summary["attempts"], &summary["failed"]), (&2.into(), &0.into()), "{}", scan.stderr);

    // Its settings found, the scan goes on.
    let text = std::fs::read_to_string(&rig.config).unwrap().replace(options[0], "");
    std::fs::write(&rig.config, text).unwrap();
    let id = rig.scan_id().unwrap();
    let resumed = rig.run(&["resume", &id]);
    assert_eq!(resumed.code, Some(0), "{}", resumed.stderr);
    rig.assert_complete(&id, "after resume");
}

#[test]
fn a_shot_that_fails_for_good_leaves_the_scan_incomplete_until_it_is_taken() {
    let options = ["faults = [{ kind = \"cancelled\", shot = 1, times = 6 }]"];
    let rig = TestRig::new(&Recipe { options: &options, ..Recipe::default() });
    let scan = rig.run(&["scan", "--json"]);
    assert_eq!(scan.code, Some(4), "three tries, and three more at the end: {}", scan.stderr);
    assert_eq!((&scan.json()["end"], &scan.json()["failed"]), (&"incomplete".into(), &1.into()));
    let id = rig.scan_id().unwrap();
    let verify = rig.run(&["dataset", "verify", &id, "--json"]);
    assert_eq!((verify.code, &verify.json()["state"]), (Some(0), &"incomplete".into()), "{}", verify.stdout);

    // A new process has new faults, so the camera is given a chance by the configuration.
    let text = std::fs::read_to_string(&rig.config).unwrap().replace(options[0], "");
    std::fs::write(&rig.config, text).unwrap();
    let resumed = rig.run(&["resume", &id, "--json"]);
    assert_eq!((resumed.code, &resumed.json()["attempts"]), (Some(0), &1.into()), "{}", resumed.stderr);
    rig.assert_complete(&id, "after resume");
}

#[test]
fn the_time_of_a_shot_without_an_image_is_recovering_and_the_times_add_up() {
    let options = ["faults = [{ kind = \"cancelled\", shot = 1, times = 9 }]"];
    let rig = TestRig::new(&Recipe { options: &options, ..Recipe::default() });
    let scan = rig.run(&["scan", "--json"]);
    assert_eq!(scan.code, Some(4), "{}", scan.stderr);
    let timing = scan.json()["timing"].clone();
    assert_eq!(timing["points"], 2, "{timing}");
    let of = |phase: &str| timing[phase].as_f64().unwrap();
    assert!(of("recovering") > 0.0, "{timing}");
    let phases = [
        "moving",
        "settling",
        "queueing",
        "frame_wait",
        "exposing",
        "readout",
        "recovering",
        "software",
        "finishing",
    ];
    let sum: f64 = phases.into_iter().map(of).sum();
    assert!((of("wall") - sum).abs() < 1e-6, "{timing}");
}

#[test]
fn one_camera_after_the_other_where_the_configuration_says_so() {
    let recipe = Recipe { cameras: 3, angles: 4, scan: "capture = \"sequential\"", ..Recipe::default() };
    let rig = TestRig::new(&recipe);
    let scan = rig.run(&["scan", "--json"]);
    assert_eq!((scan.code, &scan.json()["stored"]), (Some(0), &12.into()), "{}", scan.stderr);
    rig.assert_complete(&rig.scan_id().unwrap(), "sequential");
}

#[test]
fn the_other_commands_answer_people_and_programs() {
    let rig = TestRig::new(&Recipe { cameras: 2, ..Recipe::default() });
    let plan = rig.run(&["plan", "--json"]).json();
    assert_eq!(plan["shots"], 6);
    let svg = rig.dir.path().join("plan.svg");
    let drawn = rig.run(&["plan", "--svg", svg.to_str().unwrap()]);
    assert_eq!(drawn.code, Some(0), "{}", drawn.stderr);
    assert!(std::fs::read_to_string(&svg).unwrap().contains("<svg"));
    let devices = rig.run(&["devices", "--json"]);
    assert_eq!(devices.code, Some(0), "{}", devices.stderr);
    assert_eq!(devices.json().as_array().map(Vec::len), Some(2));
    assert_eq!(rig.run(&["check-config", "--json"]).json()["ok"], true);
    for shell in ["bash", "zsh", "fish"] {
        let completions = rig.run(&["completions", shell]).stdout;
        assert!(
            completions.contains("SCANNER_COMPLETE") && !completions.contains("target/"),
            "{completions}"
        );
    }
    let man = rig.dir.path().join("man");
    assert_eq!(rig.run(&["man", man.to_str().unwrap()]).code, Some(0));
    assert!(std::fs::read_to_string(man.join("scanner.1")).unwrap().contains("Exit codes"));
}
