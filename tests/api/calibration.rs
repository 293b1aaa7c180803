//! What the rig has measured of itself, over the network; and measuring it.

use std::path::PathBuf;

use serde_json::{Value, json};

use crate::client::{Daemon, wait_for};
use crate::support::{Recipe, TestRig};

/// A calibration's file, as the program writes it, with the camera this far along y and with this focal length.
fn file(scan: &str, y_mm: f64, focal_px: f64) -> Value {
    let intrinsics =
        json!({ "width": 64, "height": 48, "fx": focal_px, "fy": focal_px, "cx": 32.0, "cy": 24.0 });
    json!({
        "format": 1,
        "made": "2026-11-30T08:00:00Z",
        "scan": scan,
        "software": "scanner 0.1.0",
        "cameras": [{
            "name": "cam0",
            "mount": { "distance": "300 mm", "height": "60 mm", "azimuth": "0 deg", "look_at_height": "50 mm" },
            "extrinsics": {
                "centre": [300.0, y_mm, 60.0],
                "rotation": [[0.0, 1.0, 0.0], [0.0, 0.0, -1.0], [-1.0, 0.0, 0.0]],
                "look_at_distance": 300.0,
                "lift": [0.0, 0.0, 1.0],
                "turntable": 1.0,
            },
            "deviations": { "centre_mm": [0.02, 0.02, 0.02], "turn_deg": [0.005, 0.005, 0.005] },
            "lenses": [{
                "intrinsics": intrinsics,
                "deviations": [0.1, 0.1, 0.1, 0.1, 0.0, 0.0, 0.0, 0.0],
                "measured": ["fx", "fy", "cx", "cy"],
            }],
            "rms_px": 0.2,
            "used": 1000,
        }],
        "rig": {
            "turntable": 1.0, "turntable_deviation": null, "backlash_deg": null, "backlash_deviation_deg": null,
            "lift": null, "lift_deviation": null,
        },
        "targets": {},
        "rms_px": 0.2,
        "used": 1000,
        "dropped": 3,
        "warnings": [],
    })
}

/// Where the calibration of this number is kept.
fn kept(daemon: &Daemon, number: u32) -> PathBuf {
    let folder = daemon.rig.dir.path().join("calibration");
    std::fs::create_dir_all(&folder).unwrap();
    folder.join(format!("{number:06}.json"))
}

/// The status of an answer, and the type of its problem.
fn refused(answer: &crate::client::Answer) -> (u16, String) {
    let problem = answer.json();
    (answer.status, problem["type"].as_str().unwrap_or_default().replace("/problems/", ""))
}

#[test]
fn what_was_measured_is_told_listed_compared_and_taken_back() {
    let daemon = Daemon::start(&Recipe::default());
    let none = daemon.get("/api/v1/calibration");
    assert_eq!(refused(&none), (404, "not_found".into()));
    assert!(none.json()["detail"].as_str().unwrap().contains("scanner board"), "{}", none.json());
    assert_eq!(daemon.get("/api/v1/calibrations").json(), json!({ "calibrations": [], "damaged": [] }));
    assert_eq!(daemon.get("/api/v1/calibration/progress").json(), json!({ "state": "idle" }));

    for (number, y_mm) in [(1, 0.0), (2, 3.0), (3, 3.0)] {
        let text = file(&format!("scan-{number}"), y_mm, 700.0).to_string();
        std::fs::write(kept(&daemon, number), text).unwrap();
    }
    let newest = daemon.get("/api/v1/calibration");
    assert_eq!(newest.status, 200, "{}", newest.json());
    let newest = newest.json();
    assert_eq!(
        (&newest["number"], &newest["changes"], &newest["scan"]),
        (&json!(3), &json!([]), &json!("scan-3"))
    );
    assert_eq!(newest["cameras"][0]["lenses"][0]["intrinsics"]["fx"], 700.0);
    assert_eq!(newest["targets"]["columns"], 9, "as they are by default");
    let second = daemon.get("/api/v1/calibrations/2").json();
    assert_eq!(second["changes"], json!(["cam0 has moved by 3.0 mm (x +0.0, y +3.0, z +0.0)"]));
    let list = daemon.get("/api/v1/calibrations").json();
    let numbers: Vec<_> = list["calibrations"].as_array().unwrap().iter().map(|one| &one["number"]).collect();
    assert_eq!(numbers, [3, 2, 1]);
    let wanted = json!({
        "number": 3, "made": "2026-11-30T08:00:00Z", "scan": "scan-3", "rms_px": 0.2, "cameras": ["cam0"],
    });
    assert_eq!(list["calibrations"][0], wanted);

    let remove = |number: &str| daemon.delete(&format!("/api/v1/calibrations/{number}"));
    assert_eq!(refused(&remove("2")), (409, "calibration".into()), "not the newest");
    for nothing in ["4", "0", "owl", "-1"] {
        assert_eq!(refused(&remove(nothing)), (404, "not_found".into()), "{nothing}");
        let asked = daemon.get(&format!("/api/v1/calibrations/{nothing}"));
        assert_eq!(refused(&asked), (404, "not_found".into()), "{nothing}");
    }
    assert_eq!(remove("3").status, 204);
    assert!(!kept(&daemon, 3).exists() && kept(&daemon, 2).exists());
    assert_eq!(daemon.get("/api/v1/calibration").json()["number"], 2);

    // One that cannot be read is named, keeps nobody from the others, and can be taken back.
    std::fs::write(kept(&daemon, 3), "{}").unwrap();
    let damaged = daemon.get("/api/v1/calibration");
    assert_eq!(refused(&damaged), (409, "calibration".into()));
    assert!(damaged.json()["detail"].as_str().unwrap().contains("000003.json is no calibration"));
    let list = daemon.get("/api/v1/calibrations").json();
    assert_eq!(
        (&list["damaged"][0]["number"], list["calibrations"].as_array().unwrap().len()),
        (&json!(3), 2)
    );
    assert_eq!(remove("3").status, 204);
    std::fs::write(kept(&daemon, 1), "{").unwrap();
    assert_eq!(daemon.get("/api/v1/calibration").json()["changes"], json!([]), "there is nothing to compare");
}

#[test]
fn what_cannot_be_calibrated_is_refused_before_the_rig_moves() {
    let daemon = Daemon::start(&Recipe::default());
    for (wish, status, kind) in [
        (json!({ "targets": { "columns": 1 } }), 422, "bad_request"),
        (json!({ "targets": { "mark_mm": 90.0 } }), 422, "bad_request"),
        (json!({ "targets": { "colour": "red" } }), 422, "bad_request"),
        (json!({ "focus": ["2 m"] }), 422, "bad_request"),
        (json!({ "focus": vec!["2 dpt"; 21] }), 422, "bad_request"),
        (json!({ "from": "nothing", "focus": ["2 dpt"] }), 400, "bad_request"),
        (json!({ "from": "nothing" }), 404, "not_found"),
        (json!({ "from": "../scans" }), 404, "not_found"),
    ] {
        let answer = daemon.post("/api/v1/calibration", &wish);
        assert_eq!(refused(&answer), (status, kind.into()), "{wish}: {}", answer.json());
    }
    assert_eq!(refused(&daemon.post("/api/v1/calibration/cancel", &json!({}))), (404, "not_found".into()));
    assert_eq!(daemon.rig.scan_id(), None);
    assert_eq!(daemon.get("/api/v1/calibration/progress").json()["state"], "idle");
}

/// How it stands once neither scan nor measuring is under way.
fn ended(daemon: &Daemon) -> Value {
    wait_for("the calibration ends", || {
        let stands = daemon.get("/api/v1/calibration/progress").json();
        // Not under way for a moment, too, as long as its end is not noted.
        let goes_on = stands["state"] == "measuring" || stands["state"] == "scanning";
        (!goes_on).then_some(stands)
    })
}

#[test]
fn the_rig_measures_itself_by_the_board_and_says_what_came_of_it() {
    crate::support::built("scanner-marks");
    let rig = TestRig::new(&Recipe {
        size: (640, 480),
        time_scale: 200.0,
        options: &["marks = true"],
        recovery: "capture_timeout = \"10 s\"",
        ..Recipe::default()
    });
    let text = std::fs::read_to_string(&rig.config).unwrap();
    std::fs::write(&rig.config, text.replace("pixel_pitch = \"70 um\"", "pixel_pitch = \"9.375 um\""))
        .unwrap();
    let daemon = Daemon::start_with(rig.without_model(), &[("SCANNER_SIM_BOARD", "1")]);

    let begun = daemon.post("/api/v1/calibration", &json!({}));
    assert_eq!(begun.status, 201, "{}", begun.json());
    let id = begun.json()["id"].as_str().unwrap().to_owned();
    assert_eq!(begun.header("location"), format!("/api/v1/scans/{id}"));
    assert_eq!(refused(&daemon.post("/api/v1/calibration", &json!({}))), (409, "in_use".into()));
    let stands = daemon.get("/api/v1/calibration/progress").json();
    assert_eq!((&stands["state"], &stands["scan"]), (&json!("scanning"), &json!(id)));
    let made = ended(&daemon);
    assert_eq!(
        (&made["state"], &made["scan"], &made["number"]),
        (&json!("made"), &json!(id), &json!(1)),
        "{made}"
    );

    let found = daemon.get("/api/v1/calibration").json();
    assert_eq!((&found["number"], &found["scan"]), (&json!(1), &json!(id)));
    assert!(found["rms_px"].as_f64().unwrap() < 1.0, "{found}");
    let focal = found["cameras"][0]["lenses"][0]["intrinsics"]["fx"].as_f64().unwrap();
    let built = 4740.0 / 9.375;
    assert!((focal / built - 1.0).abs() < 0.02, "{focal} px, and {built} px were simulated");
    assert_eq!(daemon.get(&format!("/api/v1/scans/{id}")).json()["name"], "calibration");

    // By the same images again, which can be given up; and by a board that is not there.
    let again = |wish: Value| {
        let answer = daemon.post("/api/v1/calibration", &wish);
        assert_eq!(answer.status, 201, "{}", answer.json());
    };
    again(json!({ "from": id }));
    assert_eq!(refused(&daemon.post("/api/v1/calibration", &json!({ "from": id }))), (409, "in_use".into()));
    assert_eq!(daemon.post("/api/v1/calibration/cancel", &json!({})).status, 204);
    assert_eq!(ended(&daemon), json!({ "state": "cancelled", "scan": id }));
    assert_eq!(daemon.get("/api/v1/calibrations").json()["calibrations"].as_array().unwrap().len(), 1);
    let scans = daemon.rig.scans();
    std::fs::remove_dir_all(scans.join(&id).join("images")).unwrap();
    again(json!({ "from": id }));
    let failed = ended(&daemon);
    assert_eq!(failed["state"], "failed", "{failed}");
    assert!(!failed["message"].as_str().unwrap().is_empty());
}

#[test]
fn a_calibration_whose_scan_is_cancelled_measures_nothing() {
    let daemon = Daemon::start(&Recipe { time_scale: 1.0, options: &["marks = true"], ..Recipe::default() });
    let begun = daemon.post("/api/v1/calibration", &json!({ "targets": { "square_mm": 30.0 } }));
    assert_eq!(begun.status, 201, "{}", begun.json());
    assert_eq!(daemon.post("/api/v1/rig/cancel", &json!({})).status, 202);
    let id = begun.json()["id"].clone();
    assert_eq!(ended(&daemon), json!({ "state": "cancelled", "scan": id }));
    assert_eq!(refused(&daemon.get("/api/v1/calibration")), (404, "not_found".into()));
}
