//! `[camera.controls]` of a DSLR.

use serde_json::json;

use crate::bench::Bench;
use crate::client::wait_for;

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

fn with_options(options: &str, faults: &serde_json::Value) -> Bench {
    let mut bench = Bench::with_options(1, 6, PATIENT, options);
    bench.set(0, "controls", json!(true));
    bench.set(0, "faults", faults.clone());
    bench
}

const BESIDES: &str = "white_balance = \"daylight\"\naperture = 8.0\nfocus_mode = \"manual\"";

/// Each is set in the camera's own words, read again, and stays so.
#[test]
fn white_balance_aperture_and_focus_mode_are_set() {
    let bench = with_options(BESIDES, &json!([]));
    let scan = bench.run(&["scan", "--json"]);
    assert_eq!(scan.code, Some(0), "{}", scan.stderr);
    assert_eq!(scan.json()["attempts"], 6, "{}", scan.stderr);
    for said in [
        "whitebalance is at \"Automatic\", and is set to \"Daylight\"",
        "set to \"f/8\"",
        "set to \"Manual\"",
    ] {
        assert_eq!(scan.stderr.matches(said).count(), 1, "{said}: {}", scan.stderr);
    }
}

/// Somebody turns the dial while it scans: the image that was taken with that is not stored, and the next one is as it should be.
#[test]
fn a_dial_that_is_turned_is_found_out_by_the_image_and_set_again() {
    let bench = with_options(BESIDES, &json!([{ "kind": "turned", "at": 2 }]));
    let scan = bench.run(&["scan", "--json"]);
    assert_eq!(scan.code, Some(0), "{}", scan.stderr);
    assert!(scan.stderr.contains("its image was taken at f/2.8, set is f/8"), "{}", scan.stderr);
    assert_eq!(scan.stderr.matches("and is set to \"f/8\"").count(), 2, "{}", scan.stderr);
    assert_eq!(scan.json()["failures"]["bad_frame"], 1, "{}", scan.stdout);
    bench.rig.assert_complete(&bench.rig.scan_id().unwrap(), "after a dial was turned");
}

#[test]
fn what_is_not_among_its_settings_is_refused_with_what_is() {
    for (options, said) in [
        ("white_balance = \"Candle\"", &["white_balance", "Automatic, Daylight, Fluorescent, Tungsten"][..]),
        ("white_balance = \"5600 K\"", &["white_balance", "Automatic, Daylight"]),
        ("aperture = 6.3", &["aperture", "f/2.8, f/4, f/5.6, f/8, f/11"]),
        ("focus_mode = \"AF-C\"", &["focus_mode", "Manual, Automatic"]),
        (
            "[camera.options.settings]\nmanualfocusdrive = \"10\"",
            &["manualfocusdrive", "moves the lens", "by hand"],
        ),
        ("[camera.options.settings]\nnothing = \"10\"", &["nothing"]),
    ] {
        let bench = with_options(options, &json!([]));
        let scan = bench.run(&["scan", "--json"]);
        assert_ne!(scan.code, Some(0), "{options}: {}", scan.stdout);
        for word in said {
            assert!(scan.stderr.contains(word), "{options} without {word:?}: {}", scan.stderr);
        }
        assert_eq!(bench.strays(), Vec::<String>::new());
    }
}

/// It says which steps it has, and what is set between them, by the page or by a program, is set to the nearest.
#[test]
fn what_is_set_between_its_steps_is_set_to_the_nearest() {
    let mut bench = Bench::new(1, 3, PATIENT);
    bench.set(0, "controls", json!(true));
    let (daemon, stage) = bench.serve();
    assert_eq!(daemon.post("/api/v1/capture?wait=30", &json!({})).status, 200);
    let cameras = daemon.get("/api/v1/cameras").json();
    let gain = &cameras["cameras"][0]["controls"][1];
    assert_eq!(
        gain,
        &json!({ "name": "gain", "domain": "range", "min": 1.0, "max": 16.0, "steps": [1.0, 2.0, 4.0, 8.0, 16.0] })
    );
    let bearer = format!("Bearer {}", daemon.token);
    let headers = [("Authorization", bearer.as_str()), ("Content-Type", "application/json")];
    let between = json!({ "gain": 6.9, "exposure": "50 ms" }).to_string();
    let set = daemon.anonymous("PUT", "/api/v1/cameras/cam0/controls", &headers, &between);
    assert_eq!(set.status, 200, "{}", set.json());
    let chosen = set.json()["chosen"].clone();
    assert_eq!((&chosen["gain"], &chosen["exposure"]), (&json!(8.0), &json!("0.0666 s")), "{chosen}");
    let image = wait_for("a photograph", || {
        let taken = daemon.get("/api/v1/preview.jpg?wait=30");
        (taken.status == 200).then_some(taken.body)
    });
    let exif = exif::Reader::new().read_from_container(&mut std::io::Cursor::new(image)).unwrap();
    let iso = exif.get_field(exif::Tag::PhotographicSensitivity, exif::In::PRIMARY).unwrap();
    assert_eq!(iso.value.get_uint(0), Some(800), "it was set");
    stage.end(daemon);
}
