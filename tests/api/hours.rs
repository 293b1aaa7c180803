//! Hours in which cameras may be open.

use std::time::Duration;

use serde_json::json;

use crate::client::{Daemon, wait_for};
use crate::support::{Recipe, TestRig};

/// A service with this `[schedule]`.
fn with_hours(recipe: &Recipe<'_>, open: &str) -> Daemon {
    with_hours_in(TestRig::new(recipe), open, &[])
}

fn with_hours_in(rig: TestRig, open: &str, variables: &[(&str, &str)]) -> Daemon {
    let drop_ins = rig.dir.path().join("scanner.toml.d");
    std::fs::create_dir_all(&drop_ins).unwrap();
    std::fs::write(drop_ins.join("hours.toml"), format!("[schedule]\nopen = [{open}]\n")).unwrap();
    Daemon::start_with(rig, variables)
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

#[test]
fn what_a_person_moves_outside_the_hours_is_not_braked() {
    let recipe = Recipe { time_scale: 1.0, ..Recipe::default() };
    let daemon = with_hours(&recipe, &format!("\"{}-{}\"", minute(-180), minute(-120)));
    // Longer than the hours are looked at anew.
    let jog = json!({ "axis": "turntable", "distance": 200 });
    let jogged = daemon.post("/api/v1/axes/jog", &jog);
    assert_eq!(jogged.status, 204, "{}", jogged.json());
    let pose = daemon.get("/api/v1/axes").json();
    assert!(pose["pose"]["turntable"].as_str().unwrap().starts_with("200"), "{pose}");
}

/// A time zone in which it is 12:00 now, and in which clocks are put forward by an hour, out of the hours, and back again,
/// after these times. Windows are of whole minutes, and tests have not so many.
fn zone(forward: Duration, back: Duration) -> String {
    let now = jiff::Timestamp::now();
    let midnight = now.to_zoned(jiff::tz::TimeZone::UTC).start_of_day().unwrap().timestamp();
    let seconds = now.as_second() - midnight.as_second();
    // What is to be added to the local time for that of Greenwich.
    let noon = 12 * 3600;
    let west = seconds - noon;
    let time = |seconds: i64| {
        let (sign, seconds) = (if seconds < 0 { "-" } else { "" }, seconds.abs());
        format!("{sign}{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)
    };
    let day = now.to_zoned(jiff::tz::TimeZone::UTC).day_of_year_no_leap().unwrap();
    let forward = noon + i64::try_from(forward.as_secs()).unwrap();
    // By the clock that was put forward.
    let back = noon + 3600 + i64::try_from(back.as_secs()).unwrap();
    format!("AAA{}BBB{},J{day}/{},J{day}/{}", time(west), time(west - 3600), time(forward), time(back))
}

#[test]
fn a_scan_is_paused_when_the_hours_end_and_goes_on_by_itself_when_they_begin() {
    let rig = TestRig::new(&Recipe { angles: 90, time_scale: 1.0, ..Recipe::default() });
    let zone = zone(Duration::from_secs(25), Duration::from_secs(35));
    let daemon = with_hours_in(rig, "\"11:30-12:30\"", &[("TZ", &zone)]);
    let id = daemon.begin();
    let journal = daemon.rig.scans().join(&id).join("journal.jsonl");
    let wait_until = |wanted: &str| {
        wait_for(wanted, || std::fs::read_to_string(&journal).unwrap().contains(wanted).then_some(()));
    };
    wait_until(r#""waits_for":"hours""#);
    wait_for("its camera is closed", || {
        let camera = &daemon.get("/api/v1/status").json()["cameras"][0]["state"]["state"];
        // Or open again, if the test looks late.
        (camera == "closed" || std::fs::read_to_string(&journal).unwrap().contains("resumed")).then_some(())
    });
    wait_until(r#""type":"resumed""#);
    daemon.wait_until_idle();
    daemon.rig.assert_complete(&id, "through the hours");
}
