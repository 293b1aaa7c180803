//! The rig finds out how its axes swing, asked over the network.

use serde_json::{Value, json};

use crate::client::{Answer, Daemon, wait_for};
use crate::support::{Recipe, TestRig};

/// A rig whose turntable swings at 9 Hz; its camera sees the object from nearby.
fn daemon() -> Daemon {
    let rig = TestRig::new(&Recipe {
        size: (240, 180),
        time_scale: 1.0,
        options: &["samples = 2"],
        ..Recipe::default()
    });
    let text = std::fs::read_to_string(&rig.config).unwrap();
    let text = text
        .replace("pixel_pitch = \"70 um\"", "pixel_pitch = \"13 um\"")
        .replace("speed = \"60 deg/s\"", "speed = \"180 deg/s\"")
        .replace(
            "acceleration = \"120 deg/s2\"",
            "acceleration = \"900 deg/s2\"\n[motion.turntable.simulated]\n\
             swing = { frequency = \"9 Hz\", damping = 0.05 }",
        );
    std::fs::write(&rig.config, text).unwrap();
    let mut daemon = Daemon::start_in(rig.without_model());
    // At an address of its own, so that it is found again when its configuration has changed.
    daemon.restart();
    daemon.wait_until_ready();
    daemon
}

fn refused(answer: &Answer) -> (u16, String) {
    let problem = answer.json();
    (answer.status, problem["type"].as_str().unwrap_or_default().replace("/problems/", ""))
}

fn begin(daemon: &Daemon) {
    let begun = daemon.post("/api/v1/tuning", &json!({}));
    assert_eq!(begun.status, 202, "{}", String::from_utf8_lossy(&begun.body));
}

fn progress(daemon: &Daemon) -> Value {
    daemon.get("/api/v1/tuning/progress").json()
}

/// Waits until the axes are moved.
fn moves(daemon: &Daemon) -> Value {
    wait_for("the turntable moves to and fro", || {
        let stands = progress(daemon);
        (stands["done"].as_u64() > Some(0)).then_some(stands)
    })
}

#[test]
fn a_service_tunes_its_rig_says_how_far_it_is_and_has_it_in_force() {
    let daemon = daemon();
    let before = daemon.get("/api/v1/tuning").json();
    let unknown = json!({
        "axis": "turntable", "unit": "deg", "at": null, "swing": null, "in_force": false, "places": [], "gain": null,
    });
    assert_eq!(before, json!({ "axes": [unknown] }));
    assert_eq!(refused(&daemon.get("/api/v1/tuning/picture")), (404, "not_found".into()));
    assert_eq!(progress(&daemon), json!({ "state": "idle" }));
    let no_lift = daemon.post("/api/v1/tuning", &json!({ "axes": ["lift"] }));
    assert_eq!(refused(&no_lift), (404, "not_found".into()));

    begin(&daemon);
    let stands = moves(&daemon);
    assert_eq!(
        (&stands["state"], &stands["axis"], &stands["moves"]),
        (&json!("moving"), &json!("turntable"), &json!(18))
    );
    // One at a time, and no scan beside it; the command says who has the rig.
    assert_eq!(refused(&daemon.post("/api/v1/tuning", &json!({}))), (409, "in_use".into()));
    let scan = daemon.post("/api/v1/scans", &json!({}));
    assert_eq!(refused(&scan), (409, "in_use".into()));
    assert!(scan.json()["detail"].as_str().unwrap().starts_with("the rig is being tuned"), "{}", scan.json());
    let command = daemon.rig.run(&["tune"]);
    assert_ne!(command.code, Some(0), "{}", command.stdout);
    assert!(command.stderr.contains("a service tunes its rig itself"), "{}", command.stderr);

    // Each move may take as long as anything else. Once it is in force, the API was gone for a moment.
    for done in 2..=18 {
        wait_for("the next move", || {
            let stands = daemon.try_send("GET", "/api/v1/tuning/progress", &Value::Null)?.json();
            (stands["state"] != "moving" || stands["done"].as_u64() >= Some(done)).then_some(())
        });
    }
    let found = wait_for("what was found is in force", || {
        let answer = daemon.try_send("GET", "/api/v1/tuning", &Value::Null)?.json();
        (answer["axes"][0]["in_force"] == true).then(|| answer["axes"][0].clone())
    });
    let hertz = found["swing"]["frequency_hz"].as_f64().unwrap();
    assert!((hertz / 9.0 - 1.0).abs() < 0.03, "{found}");
    assert!(found["at"].is_string() && found["gain"]["shaped_s"].is_number(), "{found}");
    assert!(found["places"][0]["found"].as_str().unwrap().starts_with("it swings at "), "{found}");
    let drawn = daemon.get("/api/v1/tuning/picture");
    assert_eq!((drawn.status, drawn.header("content-type")), (200, "image/svg+xml"));
    assert!(String::from_utf8_lossy(&drawn.body).contains("turntable at 0.0 deg: it swings at "));
    let written =
        std::fs::read_to_string(daemon.rig.dir.path().join("scanner.toml.d/70-tuned.toml")).unwrap();
    assert!(written.contains("[motion.turntable]\nswing = {"), "{written}");
    let versions = daemon.get("/api/v1/configuration/versions").json();
    assert!(versions.to_string().contains("tuned: turntable"), "{versions}");

    // Moves are shaped now, but for those that are looked at; and what is given up changes nothing.
    begin(&daemon);
    moves(&daemon);
    assert_eq!(daemon.post("/api/v1/tuning/cancel", &json!({})).status, 204);
    assert_eq!(progress(&daemon), json!({ "state": "cancelled" }));
    assert_eq!(refused(&daemon.post("/api/v1/tuning/cancel", &json!({}))), (404, "not_found".into()));
    assert_eq!(daemon.get("/api/v1/tuning").json()["axes"][0], found);
    begin(&daemon);
    moves(&daemon);
    assert_eq!(daemon.post("/api/v1/rig/cancel", &json!({})).status, 202);
    wait_for("it ends", || (progress(&daemon) == json!({ "state": "cancelled" })).then_some(()));
}
