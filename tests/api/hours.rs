//! Hours in which cameras may be open.

use std::time::Duration;

use serde_json::json;

use crate::client::{Daemon, wait_for};
use crate::support::{Recipe, TestRig};

/// A service with this `[schedule]`.
fn with_hours(recipe: &Recipe<'_>, open: &str) -> Daemon {
    let rig = TestRig::new(recipe);
    let drop_ins = rig.dir.path().join("scanner.toml.d");
    std::fs::create_dir_all(&drop_ins).unwrap();
    std::fs::write(drop_ins.join("hours.toml"), format!("[schedule]\nopen = [{open}]\n")).unwrap();
    Daemon::start_in(rig)
}

/// The time of day in some minutes, as the configuration has it.
fn minute(ahead: i64) -> String {
    let at = jiff::Zoned::now().saturating_add(jiff::SignedDuration::from_mins(ahead));
    at.strftime("%H:%M").to_string()
}

#[test]
fn outside_the_hours_nothing_begins_and_the_status_says_until_when() {
    let daemon = with_hours(&Recipe::default(), &format!("\"{}-{}\"", minute(-180), minute(-120)));
    let refused = daemon.post("/api/v1/scans", &json!({}));
    let kind = refused.json()["type"].clone();
    assert_eq!((refused.status, kind), (409, json!("/problems/out_of_hours")), "{}", refused.json());
    let refused = wait_for("cameras are closed", || {
        let answer = daemon.post("/api/v1/capture", &json!({}));
        (answer.status == 409).then_some(answer)
    });
    assert_eq!(refused.json()["type"], "/problems/out_of_hours");
    let status = daemon.get("/api/v1/status").json();
    assert!(status["open"] == false && status["idle_until"].is_string(), "{status}");
    // That is as it should be: nobody has to come.
    let readiness = daemon.anonymous("GET", "/readyz", &[], "");
    assert_eq!(readiness.status, 200);
    let readiness = readiness.json();
    assert!(readiness["ready"] == true && readiness["open"] == false, "{readiness}");
    assert_eq!(readiness["until"], status["idle_until"]);
}

/// Windows are of whole minutes, and the clock is the real one.
#[test]
#[ignore = "takes two minutes"]
fn a_scan_is_paused_when_the_hours_end_and_goes_on_by_itself_when_they_begin() {
    // Open now, closed for the minute after the next one.
    let open = format!("\"{}-{}\", \"{}-{}\"", minute(-1), minute(1), minute(2), minute(240));
    let daemon = with_hours(&Recipe { angles: 120, time_scale: 1.0, ..Recipe::default() }, &open);
    let id = daemon.begin();
    let state = || daemon.get(&format!("/api/v1/scans/{id}")).json()["scan"]["state"].clone();
    let wait_until = |wanted: &str| {
        for _ in 0..200 {
            if state() == wanted {
                return;
            }
            std::thread::sleep(Duration::from_secs(1));
        }
        panic!("{wanted} never came: {}", state());
    };
    wait_until("paused");
    let cameras = daemon.get("/api/v1/status").json()["cameras"].clone();
    wait_for("its cameras are closed", || {
        (daemon.get("/api/v1/status").json()["cameras"][0]["state"]["state"] == "closed").then_some(())
    });
    assert!(cameras.is_array());
    wait_until("running");
    wait_until("complete");
    daemon.rig.assert_complete(&id, "through the hours");
}
