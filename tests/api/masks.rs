//! Scans of the empty rig, and the masks that are made by them.

use serde_json::{Value, json};

use crate::client::Daemon;
use crate::support::{Recipe, TestRig};

/// A rig with two cameras and nothing on its table.
fn empty_rig(recipe: &Recipe<'_>) -> Daemon {
    Daemon::start_with(TestRig::new(recipe), &[("SCANNER_SIM_EMPTY", "1")])
}

/// Scans what is on the table, and says its id.
fn scan(daemon: &Daemon, wish: &Value) -> String {
    let begun = daemon.post("/api/v1/scans", wish);
    assert_eq!(begun.status, 201, "{}", begun.json());
    daemon.wait_until_idle();
    begun.json()["id"].as_str().unwrap().to_owned()
}

/// Writes another configuration, with which the service starts again.
fn reconfigure(daemon: &mut Daemon, from: &str, to: &str) {
    let path = daemon.rig.config.clone();
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.contains(from), "{text}");
    daemon.restart_after(|| std::fs::write(&path, text.replace(from, to)).unwrap());
    daemon.wait_until_ready();
}

#[test]
fn each_plan_tells_which_scan_of_the_empty_rig_it_has_and_whether_that_still_fits() {
    let mut daemon = empty_rig(&Recipe { cameras: 2, ..Recipe::default() });
    let of_ring = |daemon: &Daemon| {
        let answer = daemon.get("/api/v1/references");
        assert_eq!(answer.status, 200, "{}", answer.json());
        let plan = answer.json()["plans"][0].clone();
        assert_eq!((&plan["plan"], &plan["unknown"]), (&json!("ring"), &Value::Null), "{plan}");
        plan["reference"].clone()
    };
    assert_eq!(of_ring(&daemon), Value::Null, "nothing was scanned");
    scan(&daemon, &json!({}));
    assert_eq!(of_ring(&daemon), Value::Null, "a scan of something is no scan of the empty rig");
    let id = scan(&daemon, &json!({ "plan": "ring", "reference": true, "name": "empty" }));
    let summary = daemon.get(&format!("/api/v1/scans/{id}")).json();
    assert_eq!((&summary["scan"]["reference"], &summary["name"]), (&json!(true), &json!("empty")));
    assert!(daemon.rig.run(&["dataset", "list"]).stdout.contains("empty rig"));
    let found = of_ring(&daemon);
    assert_eq!(
        (&found["scan"], &found["created"], &found["fits"], &found["images"], &found["matched"]),
        (&json!(id), &summary["scan"]["created"], &json!(true), &json!(6), &json!(6)),
        "{found}"
    );
    assert_eq!((&found["lacking"], &found["notes"]), (&json!([]), &json!([])), "{found}");

    // What masks can make up for is said, and no reason to scan again.
    reconfigure(
        &mut daemon,
        "[camera.mount]",
        "[camera.controls]\nexposure = \"40 ms\"\ngain = 1.0\n[camera.mount]",
    );
    let found = of_ring(&daemon);
    assert_eq!(found["fits"], true, "{found}");
    assert!(found["notes"][0].as_str().unwrap().starts_with("cam0 is exposed "), "{found}");
    // A camera elsewhere, and a plan with other places.
    reconfigure(&mut daemon, "distance = \"300 mm\"", "distance = \"310 mm\"");
    let found = of_ring(&daemon);
    assert_eq!((&found["fits"], &found["matched"]), (&json!(false), &json!(0)), "{found}");
    assert!(found["lacking"][0].as_str().unwrap().starts_with("cam0 is mounted"), "{found}");
    reconfigure(&mut daemon, "distance = \"310 mm\"", "distance = \"300 mm\"");
    reconfigure(&mut daemon, "angles = 3", "angles = 6");
    let found = of_ring(&daemon);
    assert_eq!((&found["fits"], &found["images"], &found["matched"]), (&json!(false), &json!(12), &json!(6)));
    assert!(found["lacking"][0].as_str().unwrap().starts_with("6 of 12 images"), "{found}");
    reconfigure(&mut daemon, "angles = 6", "angles = 7");
    assert_eq!(of_ring(&daemon)["matched"], 2, "the place at 0 degrees");
    let refused = daemon.post("/api/v1/scans", &json!({ "reference": "yes" }));
    assert_eq!((refused.status, &refused.json()["type"]), (422, &json!("/problems/bad_request")));
}
