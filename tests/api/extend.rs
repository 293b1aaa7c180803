//! Points that are added to a scan, while it is under way and afterwards.

use serde_json::{Value, json};

use crate::client::{Daemon, wait_for};
use crate::support::Recipe;

fn at(turn: f64) -> Value {
    json!({ "pose": { "turntable": format!("{turn} deg"), "lift": "0 mm", "rail": "0 mm", "tilt": "0 deg" } })
}

fn extend(daemon: &Daemon, scan: &str, points: &Value) -> (u16, Value) {
    let answer = daemon.post(&format!("/api/v1/scans/{scan}/extend"), &json!({ "points": points }));
    (answer.status, answer.json())
}

fn shots(daemon: &Daemon, scan: &str) -> Vec<Value> {
    daemon.get(&format!("/api/v1/scans/{scan}/shots")).json()["shots"].as_array().unwrap().clone()
}

fn sound_and_complete(daemon: &Daemon, scan: &str, done: u32) {
    let report = daemon.post(&format!("/api/v1/scans/{scan}/verify"), &json!({})).json();
    assert_eq!((&report["sound"], &report["state"]), (&json!(true), &json!("complete")), "{report}");
    assert_eq!((&report["notes"], &report["shots"]["done"]), (&json!([]), &json!(done)), "{report}");
}

#[test]
fn a_scan_under_way_visits_the_points_behind_its_own() {
    let daemon = Daemon::start(&Recipe { angles: 8, cameras: 2, time_scale: 2.0, ..Recipe::default() });
    let id = daemon.begin();
    wait_for("the first image", || (shots(&daemon, &id)[0]["state"] == "done").then_some(()));
    let named = json!({ "label": "above", "pose": at(33.0)["pose"] });
    let (status, body) = extend(&daemon, &id, &json!([at(100.0), named]));
    assert_eq!((status, &body["scan"]["shots"]["planned"]), (200, &json!(20)), "{body}");
    assert_eq!(body["scan"]["state"], "running");
    let now = daemon.get("/api/v1/status").json();
    assert_eq!((&now["scan"]["points"], &now["scan"]["shots"]), (&json!(10), &json!(20)), "{now}");
    assert_eq!(now["extend"], "ask");
    // A second wish has what was added before it.
    let (status, body) = extend(&daemon, &id, &json!([named]));
    assert_eq!((status, &body["type"]), (422, &json!("/problems/plan")), "{body}");
    assert!(body["detail"].as_str().unwrap().contains("the label above is taken"), "{body}");
    daemon.wait_until_idle();
    sound_and_complete(&daemon, &id, 20);
    let detail = daemon.get(&format!("/api/v1/scans/{id}")).json();
    let notes: Vec<_> = detail["journal"].as_array().unwrap().iter().map(|note| &note["what"]).collect();
    assert_eq!(notes, ["extended", "finished"], "{detail}");
    let points = detail["plan"]["points"].as_array().unwrap();
    let labels: Vec<_> = points[8..].iter().map(|point| point["label"].as_str().unwrap()).collect();
    assert_eq!((points.len(), labels.len()), (10, 2));
    assert!(labels.contains(&"above") && labels.contains(&"x0001"), "{labels:?}");
    for camera in ["cam0", "cam1"] {
        let image = daemon.rig.scans().join(&id).join(format!("images/{camera}/above.jpg"));
        assert!(image.is_file(), "{}", image.display());
    }
    let told = daemon.rig.scans().join(&id).join("journal.jsonl");
    let journal = std::fs::read_to_string(told).unwrap();
    // The points are written down before a shot of theirs is tried.
    let (before, after) = journal.split_once("\"type\":\"extended\"").unwrap();
    assert!(!before.contains("\"shot\":16,") && after.contains("\"shot\":16,"), "{journal}");
}

#[test]
fn a_complete_scan_is_paused_and_visits_them_when_it_is_resumed() {
    let daemon = Daemon::start(&Recipe::default());
    let id = daemon.begin();
    daemon.wait_until_idle();
    let plan = std::fs::read(daemon.rig.scans().join(&id).join("plan.json")).unwrap();
    let (status, body) = extend(&daemon, &id, &json!([at(10.0), at(20.0)]));
    assert_eq!((status, &body["scan"]["state"]), (200, &json!("paused")), "{body}");
    assert_eq!(body["scan"]["shots"], json!({ "planned": 5, "done": 3, "failed": 0, "pending": 2 }));
    assert_eq!(shots(&daemon, &id)[4]["state"], "pending");
    assert_eq!(daemon.post(&format!("/api/v1/scans/{id}/resume"), &json!({})).status, 201);
    daemon.wait_until_idle();
    sound_and_complete(&daemon, &id, 5);
    assert_eq!(std::fs::read(daemon.rig.scans().join(&id).join("plan.json")).unwrap(), plan);
    let image = daemon.get(&format!("/api/v1/scans/{id}/shots/4/image"));
    assert_eq!((image.status, &image.body[..2]), (200, &[0xFF, 0xD8][..]));
}

#[test]
fn what_cannot_be_added_is_refused_and_changes_nothing() {
    let daemon = Daemon::start(&Recipe::default());
    let id = daemon.begin();
    daemon.wait_until_idle();
    let journal = daemon.rig.scans().join(&id).join("journal.jsonl");
    let before = std::fs::read(&journal).unwrap();
    assert_eq!(extend(&daemon, &id, &json!([])).0, 400);
    assert_eq!(extend(&daemon, "2020-01-01-000000-owl", &json!([at(1.0)])).0, 404);
    assert_eq!(extend(&daemon, "..", &json!([at(1.0)])).0, 404);
    let tilted = json!({ "pose": { "turntable": "0 deg", "lift": "0 mm", "rail": "5 mm", "tilt": "0 deg" } });
    let (status, body) = extend(&daemon, &id, &json!([tilted]));
    assert_eq!((status, &body["type"]), (422, &json!("/problems/plan")), "{body}");
    assert!(body["detail"].as_str().unwrap().contains("the rig has no rail"), "{body}");
    let unknown = json!({ "pose": at(1.0)["pose"], "exposure": 3 });
    assert_eq!(extend(&daemon, &id, &json!([unknown])).0, 422);
    assert_eq!(std::fs::read(&journal).unwrap(), before);
    sound_and_complete(&daemon, &id, 3);
}
