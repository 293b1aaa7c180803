//! Shots that are wanted again, while their scan is under way and afterwards.

use std::path::PathBuf;

use serde_json::{Value, json};

use crate::client::{Daemon, wait_for};
use crate::support::Recipe;

fn shot(daemon: &Daemon, scan: &str, index: usize) -> Value {
    daemon.get(&format!("/api/v1/scans/{scan}/shots")).json()["shots"][index].clone()
}

fn retake(daemon: &Daemon, scan: &str, shots: &[u32]) -> (u16, Value) {
    let answer = daemon.post(&format!("/api/v1/scans/{scan}/retake"), &json!({ "shots": shots }));
    (answer.status, answer.json())
}

fn kept(daemon: &Daemon, scan: &str) -> Vec<String> {
    let folder: PathBuf = daemon.rig.scans().join(scan).join("retaken/cam0");
    let mut names: Vec<_> = std::fs::read_dir(folder)
        .map(|entries| entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect())
        .unwrap_or_default();
    names.sort();
    names
}

fn sound_and_complete(daemon: &Daemon, scan: &str) {
    let report = daemon.post(&format!("/api/v1/scans/{scan}/verify"), &json!({})).json();
    assert_eq!((&report["sound"], &report["state"]), (&json!(true), &json!("complete")), "{report}");
    assert_eq!(report["notes"], json!([]), "{report}");
}

#[test]
fn a_scan_under_way_takes_a_shot_again_at_its_next_step() {
    let daemon = Daemon::start(&Recipe { angles: 8, time_scale: 2.0, ..Recipe::default() });
    let id = daemon.begin();
    wait_for("the first image", || (shot(&daemon, &id, 0)["state"] == "done").then_some(()));
    // Two wishes at once are one.
    let answers = std::thread::scope(|scope| {
        let asked: Vec<_> = (0..2).map(|_| scope.spawn(|| retake(&daemon, &id, &[0]))).collect();
        asked.into_iter().map(|answer| answer.join().unwrap()).collect::<Vec<_>>()
    });
    for (status, body) in answers {
        assert_eq!((status, &body["scan"]["state"]), (200, &json!("running")), "{body}");
    }
    daemon.wait_until_idle();
    let again = shot(&daemon, &id, 0);
    assert_eq!((&again["state"], &again["attempts"]), (&json!("done"), &json!(2)), "{again}");
    assert_eq!(shot(&daemon, &id, 1)["attempts"], 1);
    assert_eq!(kept(&daemon, &id).len(), 2, "{:?}", kept(&daemon, &id));
    let detail = daemon.get(&format!("/api/v1/scans/{id}")).json();
    let notes = detail["journal"].as_array().unwrap();
    assert_eq!(
        notes.iter().filter(|note| note["what"] == "retake" && note["shot"] == 0).count(),
        1,
        "{detail}"
    );
    sound_and_complete(&daemon, &id);
}

#[test]
fn a_scan_that_has_ended_is_paused_and_takes_them_when_it_is_resumed() {
    let daemon = Daemon::start(&Recipe::default());
    let id = daemon.begin();
    daemon.wait_until_idle();
    let before = shot(&daemon, &id, 1);
    let (status, body) = retake(&daemon, &id, &[1, 2, 1]);
    assert_eq!((status, &body["scan"]["state"]), (200, &json!("paused")), "{body}");
    assert_eq!(body["scan"]["shots"], json!({ "planned": 3, "done": 1, "failed": 0, "pending": 2 }));
    assert_eq!(shot(&daemon, &id, 1)["state"], "pending");
    assert_eq!(daemon.get(&format!("/api/v1/scans/{id}/shots/1/image")).status, 404);
    assert_eq!(daemon.post(&format!("/api/v1/scans/{id}/resume"), &json!({})).status, 201);
    daemon.wait_until_idle();
    let after = shot(&daemon, &id, 1);
    assert_ne!(before["facts"]["taken_at"], after["facts"]["taken_at"]);
    assert_eq!(kept(&daemon, &id).iter().filter(|name| name.ends_with(".1.jpg")).count(), 2);
    sound_and_complete(&daemon, &id);
}

#[test]
fn what_cannot_be_taken_again_is_refused_and_changes_nothing() {
    let daemon = Daemon::start(&Recipe::default());
    let id = daemon.begin();
    daemon.wait_until_idle();
    let (status, body) = retake(&daemon, &id, &[0, 3]);
    assert_eq!((status, &body["type"]), (404, &json!("/problems/not_found")), "{body}");
    assert!(body["detail"].as_str().unwrap().contains("shot 3 is not in the plan of 3 shots"), "{body}");
    assert_eq!(retake(&daemon, &id, &[]).0, 400);
    assert_eq!(retake(&daemon, "2020-01-01-000000-owl", &[0]).0, 404);
    assert_eq!(retake(&daemon, "..", &[0]).0, 404);
    sound_and_complete(&daemon, &id);
}

/// A file where the folder for it belongs.
#[test]
fn an_image_that_cannot_be_kept_pauses_the_scan_and_nothing_is_lost() {
    let daemon = Daemon::start(&Recipe { angles: 8, time_scale: 2.0, ..Recipe::default() });
    let id = daemon.begin();
    wait_for("the first image", || (shot(&daemon, &id, 0)["state"] == "done").then_some(()));
    let image = daemon.get(&format!("/api/v1/scans/{id}/shots/0/image")).body;
    let obstacle = daemon.rig.scans().join(&id).join("retaken");
    std::fs::write(&obstacle, "in the way").unwrap();
    let (status, body) = retake(&daemon, &id, &[0]);
    assert_eq!((status, &body["type"]), (507, &json!("/problems/storage")), "{body}");
    assert!(body["detail"].as_str().unwrap().contains("the scan pauses"), "{body}");
    daemon.wait_until_idle();
    assert_eq!(daemon.get(&format!("/api/v1/scans/{id}")).json()["scan"]["state"], "paused");
    std::fs::remove_file(obstacle).unwrap();
    assert_eq!(daemon.post(&format!("/api/v1/scans/{id}/resume"), &json!({})).status, 201);
    daemon.wait_until_idle();
    sound_and_complete(&daemon, &id);
    let kept_image = daemon.rig.scans().join(&id).join("retaken/cam0").join(&kept(&daemon, &id)[0]);
    assert_eq!(std::fs::read(kept_image).unwrap(), image);
}
