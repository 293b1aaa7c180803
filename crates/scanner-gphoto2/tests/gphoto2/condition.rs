//! Battery, card and lens.

use serde_json::json;

use crate::bench::Bench;
use crate::client::wait_for;

const PATIENT: &str = "capture_timeout = \"10 s\"";

#[test]
fn the_status_tells_of_battery_and_card() {
    let (daemon, stage) = Bench::new(1, 3, PATIENT).serve();
    let taken = daemon.post("/api/v1/capture?wait=30", &json!({}));
    assert_eq!(taken.status, 200, "{}", taken.json());
    let condition = wait_for("the driver has said how the camera is", || {
        let condition = daemon.get("/api/v1/status").json()["cameras"][0]["condition"].clone();
        condition.is_object().then_some(condition)
    });
    // As the simulated camera has it.
    assert_eq!(condition, json!({ "battery_percent": 80, "card_free_bytes": 8_u64 << 32 }));
    let status = daemon.rig.run(&["status"]);
    assert!(status.stdout.contains("cam0: battery 80 %, 34.4 GB free"), "{}", status.stdout);
    let doctor = daemon.rig.run(&["doctor"]);
    assert!(doctor.stdout.contains("camera: cam0: battery 80 %"), "{}", doctor.stdout);
    stage.end(daemon);
}

/// The scan pauses before it asks for a photograph that the battery may not last for, and goes on with another one.
#[test]
fn a_scan_pauses_before_the_battery_is_empty() {
    let points = 30;
    let mut bench = Bench::with_options(1, points, PATIENT, "least_battery = 40");
    for (key, value) in [("battery", 60), ("drain", 5), ("delay_ms", 500)] {
        bench.set(0, key, json!(value));
    }
    let scan = bench.run(&["scan", "--json"]);
    let summary = scan.json();
    assert_ne!(scan.code, Some(0), "{summary}");
    assert!(summary.to_string().contains("no photograph is to be taken with less than 40 %"), "{summary}");
    let before = bench.releases(0);
    println!("paused after {before} releases: {summary}");
    // The fifth leaves less, and libgphoto2 remembers what it was told for two seconds.
    assert!((5..points as usize).contains(&before), "{before}");
    bench.set(0, "drain", json!(0));
    let id = bench.rig.scan_id().unwrap();
    let resumed = bench.run(&["resume", &id, "--json"]);
    assert_eq!(resumed.code, Some(0), "{}", resumed.stderr);
    bench.rig.assert_complete(&id, "with another battery");
    bench.assert_as_on_cards(&id, points as usize);
    assert_eq!(bench.releases(0), points as usize, "no shot was lost");
}
