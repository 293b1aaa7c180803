//! `[camera.controls]` of a DSLR.

use serde_json::json;

use crate::bench::Bench;

/// Time enough for a loaded machine.
const PATIENT: &str = "capture_timeout = \"10 s\"";
const SET: &str = "exposure = \"33.3 ms\"\ngain = 8.0";

fn bench(controls: &str, faults: &serde_json::Value) -> Bench {
    let mut bench = Bench::with(1, 3, PATIENT, controls);
    bench.set(0, "controls", json!(true));
    bench.set(0, "faults", faults.clone());
    bench
}

/// What is set is what the camera says of each image.
#[test]
fn what_is_set_is_in_every_image() {
    let bench = bench(SET, &json!([]));
    let devices = bench.run(&["devices", "--json"]);
    let controls = devices.json()[0]["hello"]["controls"].to_string();
    for known in ["exposure", "gain", "Daylight"] {
        assert!(controls.contains(known), "{known}: {}", devices.stdout);
    }
    let scan = bench.run(&["scan", "--json"]);
    assert_eq!(scan.code, Some(0), "{}", scan.stderr);
    assert_eq!(scan.json()["attempts"], 3, "{}", scan.stderr);
    let id = bench.rig.scan_id().unwrap();
    bench.rig.assert_complete(&id, "with controls");
    let journal = std::fs::read_to_string(bench.rig.scans().join(&id).join("journal.jsonl")).unwrap();
    let stored: Vec<serde_json::Value> =
        journal.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let stored: Vec<_> = stored.iter().filter(|record| record.to_string().contains("\"exposure\"")).collect();
    println!("{}", stored.last().unwrap());
    assert!(stored.iter().any(|record| record.to_string().contains("0.0333 s")), "{journal}");
}

/// A camera that exposes otherwise than it says is found out by what its images say.
#[test]
fn a_camera_that_lies_is_found_out_and_started_anew() {
    let bench = bench(SET, &json!([{ "kind": "liar", "at": 0 }]));
    let scan = bench.run(&["scan", "--json"]);
    assert_eq!(scan.code, Some(0), "{}", scan.stderr);
    assert!(scan.json()["failures"]["bad_frame"].as_u64().unwrap() > 0, "{}\n{}", scan.stdout, scan.stderr);
    assert!(scan.stderr.contains("exposure is 66.600 ms, asked for was 33.300 ms"), "{}", scan.stderr);
    bench.rig.assert_complete(&bench.rig.scan_id().unwrap(), "after a lie");
}

/// What cannot be set is refused before anything moves, with its name and what there is.
#[test]
fn what_cannot_be_set_is_refused_with_what_there_is() {
    let deaf: Vec<_> = (0..20).map(|at| json!({ "kind": "deaf", "at": at })).collect();
    let none: &[serde_json::Value] = &[];
    for (controls, faults, said) in [
        ("focus = \"3 dpt\"", none, &["focus", "exposure, gain, white_balance"][..]),
        ("white_balance = [1.5, 1.5]", none, &["white_balance", "Automatic, Daylight"]),
        ("exposure = \"50 ms\"", none, &["exposure", "0.0333s, 0.0666s"]),
        ("gain = 3.0", none, &["gain", "100, 200, 400, 800, 1600"]),
        ("exposure = \"5 s\"", none, &["exposure", "0.5000s, 1.0000s"]),
        ("gain = 8.0", &deaf, &["iso", "\"800\"", "\"400\""]),
    ] {
        let bench = bench(controls, &json!(faults));
        let scan = bench.run(&["scan", "--json"]);
        assert_ne!(scan.code, Some(0), "{controls}: {}", scan.stdout);
        for word in said {
            assert!(scan.stderr.contains(word), "{controls} without {word:?}: {}", scan.stderr);
        }
        assert_eq!(bench.strays(), Vec::<String>::new());
    }
}

/// One whose settings nobody may change.
#[test]
fn a_camera_without_settings_says_so() {
    let bench = Bench::with(1, 3, PATIENT, "exposure = \"10 ms\"");
    let scan = bench.run(&["scan", "--json"]);
    assert_ne!(scan.code, Some(0), "{}", scan.stdout);
    assert!(scan.stderr.contains("exposure"), "{}", scan.stderr);
}
