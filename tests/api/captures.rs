//! Photographs between scans.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use serde_json::json;

use crate::client::Daemon;
use crate::support::{Recipe, TestRig};

#[test]
fn a_photograph_is_stored_and_counted_and_a_test_is_neither() {
    let daemon = Daemon::start(&Recipe { cameras: 2, time_scale: 1.0, ..Recipe::default() });
    let captured = daemon.post("/api/v1/capture", &json!({ "session_id": "vase" }));
    assert_eq!(captured.status, 200, "{}", captured.json());
    let captured = captured.json();
    assert_eq!(captured["count"], 2);
    let cameras: Vec<_> =
        captured["captures"].as_array().unwrap().iter().map(|one| one["camera"].clone()).collect();
    assert_eq!(cameras, ["cam0", "cam1"]);
    let one = &captured["captures"][0];
    assert_eq!((&one["width"], &one["height"], &one["session_id"]), (&json!(64), &json!(48), &json!("vase")));
    let path = daemon.rig.scans().join(one["path"].as_str().unwrap());
    let on_disk = std::fs::read(path).unwrap();
    let image = daemon.get(&format!("/api/v1/captures/{}/image", one["id"]));
    assert_eq!((image.status, &image.body), (200, &on_disk));
    assert_eq!(image.header("content-type"), "image/jpeg");
    let test =
        daemon.post("/api/v1/capture/test", &json!({ "camera": "cam1", "settings": { "exposure": "5 ms" } }));
    assert_eq!(test.json()["captures"][0]["metadata"]["exposure"], "0.005 s", "{}", test.json());
    let settings =
        json!({ "white_balance": [2.5, 1.25], "crop": { "x": 0.5, "y": 0, "width": 0.5, "height": 1 } });
    let test = daemon.post("/api/v1/capture/test", &json!({ "camera": "cam1", "settings": settings }));
    assert_eq!(
        test.json()["captures"][0]["metadata"]["white_balance"],
        json!([2.5, 1.25]),
        "{}",
        test.json()
    );
    // The settings were for that one.
    let test = daemon.post("/api/v1/capture/test", &json!({ "camera": "cam1" }));
    assert_eq!(test.json()["captures"][0]["metadata"]["exposure"], "0.01 s", "{}", test.json());
    let preview = daemon.get("/api/v1/preview.jpg");
    assert!(preview.body.starts_with(&[0xFF, 0xD8]), "{}", preview.status);
    let history = daemon.get("/api/v1/captures").json();
    assert_eq!(history["count"], 2);
    assert_eq!(history["captures"][0]["id"], 2);
    assert_eq!(daemon.get("/api/v1/captures/2/thumbnail").status, 200);
    assert_eq!(daemon.get("/api/v1/captures/3/image").status, 404);
    for (body, status) in [
        (json!({ "camera": "cam9" }), 404),
        (json!({ "settings": { "exposure": "1 h" } }), 400),
        (json!({ "settings": { "zoom": 2 } }), 422),
        (json!({ "settings": { "crop": { "x": 0.5, "y": 0, "width": 0.6, "height": 1 } } }), 400),
        (json!({ "settings": { "focus_window": { "x": 0, "y": 0, "width": 0, "height": 1 } } }), 400),
        (json!({ "session_id": "x".repeat(101) }), 400),
    ] {
        assert_eq!(daemon.post("/api/v1/capture", &body).status, status, "{body}");
    }
    let id = daemon.begin();
    daemon.wait_until_idle();
    daemon.rig.assert_complete(&id, "a scan after photographs");
}

/// Exposed for longer than any limit that was known when the camera was opened.
#[test]
fn a_long_exposure_that_is_set_between_scans_is_waited_for() {
    let daemon = Daemon::start(&Recipe::default());
    let take = || daemon.post("/api/v1/capture/test", &json!({ "camera": "cam0" }));
    assert_eq!(take().status, 200, "open by now");
    let bearer = format!("Bearer {}", daemon.token);
    let headers = [("Content-Type", "application/json"), ("Authorization", bearer.as_str())];
    let controls = json!({ "exposure": "2 s" }).to_string();
    let set = daemon.anonymous("PUT", "/api/v1/cameras/cam0/controls", &headers, &controls);
    assert_eq!(set.status, 200, "{}", set.json());
    // It begins after the frame that is being exposed has ended: two of them take longer than 2 s and three short frames.
    let taken = take();
    assert_eq!(taken.status, 200, "{}", taken.json());
    assert_eq!(taken.json()["captures"][0]["metadata"]["exposure"], "2 s", "{}", taken.json());
}

/// For how long there is fire: seconds, or those of `SCANNER_TEST_FIRE`.
fn fire() -> Duration {
    let seconds = std::env::var("SCANNER_TEST_FIRE").ok().map_or(5, |text| text.parse().unwrap());
    Duration::from_secs(seconds)
}

/// Each request gets what it asked for or is told when to come again; what is stored is what was said to be; and nothing
/// is left behind.
#[test]
fn under_rapid_mixed_fire_everybody_is_served_or_told_when_to_come_again() {
    let daemon = Daemon::start(&Recipe { cameras: 2, ..Recipe::default() });
    let (stored, served, refused) = (AtomicU64::new(0), AtomicU64::new(0), AtomicU64::new(0));
    let before = daemon.holds();
    let end = Instant::now() + fire();
    std::thread::scope(|scope| {
        for client in 0..8_u64 {
            let (daemon, stored, served, refused) = (&daemon, &stored, &served, &refused);
            scope.spawn(move || {
                let mut turn = client;
                while Instant::now() < end {
                    turn += 1;
                    let camera = ["cam0", "cam1"][(turn / 3 % 2) as usize];
                    let answer = match turn % 4 {
                        0 => daemon.post("/api/v1/capture", &json!({})),
                        1 => daemon.post("/api/v1/capture?wait=30", &json!({ "camera": camera })),
                        2 => daemon.post("/api/v1/capture/test", &json!({ "camera": camera })),
                        _ => daemon.get(&format!("/api/v1/preview.jpg?camera={camera}")),
                    };
                    match answer.status {
                        200 => {
                            served.fetch_add(1, Ordering::Relaxed);
                            let count = match turn % 4 {
                                0 | 1 => answer.json()["captures"].as_array().unwrap().len() as u64,
                                _ => 0,
                            };
                            stored.fetch_add(count, Ordering::Relaxed);
                        }
                        429 => {
                            let again = answer.json()["retry_after"].as_f64().unwrap();
                            assert!(again > 0.0 && again < 120.0, "{again}");
                            assert!(answer.header("retry-after").parse::<u64>().unwrap() >= 1);
                            refused.fetch_add(1, Ordering::Relaxed);
                        }
                        status => panic!("{status}: {}", answer.json()),
                    }
                }
            });
        }
    });
    let (stored, served, refused) = (stored.into_inner(), served.into_inner(), refused.into_inner());
    let after = crate::client::wait_for("connections and memory of frames are given back", || {
        let after = daemon.holds();
        // The agent of the test keeps some connections for later.
        (after.descriptors <= before.descriptors + 16).then_some(after)
    });
    println!(
        "{served} served, {stored} photographs stored, {refused} refused; before {before:?}, after {after:?}"
    );
    // Threads for blocking calls come and go, up to a number.
    assert!(after.threads <= before.threads + 16, "{before:?}, {after:?}");
    // A history has thousands of entries of a few hundred bytes.
    assert!(after.memory_kb < before.memory_kb + 64 * 1024, "{before:?}, {after:?}");
    assert!(served > 0 && refused > 0, "{served} served, {refused} refused");
    let history = daemon.get("/api/v1/captures?limit=200").json();
    assert_eq!(history["count"], stored);
    let status = daemon.get("/api/v1/capture/status").json();
    assert_eq!(status["is_capturing"], false, "{status}");
}

#[test]
fn with_a_camera_that_hangs_everything_else_is_answered() {
    let hangs = "faults = [{ kind = \"hang\", shot = 0, times = 1 }]";
    let daemon = Daemon::start(&Recipe {
        options: &[hangs],
        recovery: "capture_timeout = \"4 s\"",
        ..Recipe::default()
    });
    std::thread::scope(|scope| {
        let hung = scope.spawn(|| daemon.post("/api/v1/capture", &json!({ "session_id": "vase" })));
        let status = crate::client::wait_for("it captures", || {
            let status = daemon.get("/api/v1/capture/status").json();
            (status["is_capturing"] == true).then_some(status)
        });
        assert_eq!(status["session_id"], "vase");
        assert_eq!(daemon.get("/api/v1/status").status, 200);
        let refused = daemon.post("/api/v1/capture", &json!({}));
        assert_eq!(refused.status, 429, "{}", refused.json());
        assert_eq!(refused.json()["type"], "/problems/camera_taken");
        // Whoever waits gets a photograph, of a camera that was brought back.
        let waited = daemon.post("/api/v1/capture?wait=30", &json!({}));
        assert_eq!(waited.status, 200, "{}", waited.json());
        let failed = hung.join().unwrap();
        assert_eq!((failed.status, &failed.json()["type"]), (503, &json!("/problems/camera")));
    });
    assert_eq!(daemon.get("/api/v1/captures").json()["count"], 1);
}

#[test]
fn while_a_scan_has_the_cameras_photographs_are_refused_with_a_time() {
    let daemon = Daemon::start(&Recipe { angles: 12, time_scale: 1.0, ..Recipe::default() });
    daemon.begin();
    for answer in [daemon.post("/api/v1/capture?wait=5", &json!({})), daemon.get("/api/v1/preview.jpg")] {
        assert_eq!(answer.status, 429, "{}", answer.json());
        assert!(answer.json()["retry_after"].as_f64().unwrap() > 0.0);
    }
    assert_eq!(daemon.post("/api/v1/axes/jog", &json!({ "axis": "turntable", "distance": 5 })).status, 409);
    assert_eq!(daemon.post("/api/v1/lights", &json!({ "on": true })).status, 409);
    assert_eq!(daemon.post("/api/v1/rig/cancel", &json!({})).status, 202);
    daemon.wait_until_idle();
    assert_eq!(daemon.post("/api/v1/capture", &json!({})).status, 200);
    assert_eq!(daemon.post("/api/v1/axes/jog", &json!({ "axis": "turntable", "distance": 5 })).status, 204);
    assert_eq!(
        daemon.get("/api/v1/axes").json()["pose"]["turntable"].as_str().unwrap().split(' ').nth(1),
        Some("deg")
    );
    assert_eq!(daemon.post("/api/v1/axes/jog", &json!({ "axis": "lift", "distance": 5 })).status, 404);
}

/// A camera that takes its time to be opened, which is done for whoever looks, again and again.
#[test]
fn photographs_and_scans_wait_for_a_camera_that_is_being_opened_for_viewers() {
    let rig = TestRig::new(&Recipe { driver: "./slow-driver", ..Recipe::default() });
    let driver = rig.dir.path().join("slow-driver");
    let script = format!("#!/bin/sh\nsleep 0.4\nexec {} \"$@\"\n", env!("CARGO_BIN_EXE_scanner-sim"));
    std::fs::write(&driver, script).unwrap();
    std::fs::set_permissions(&driver, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let text = std::fs::read_to_string(&rig.config).unwrap();
    let text = text.replace("./slow-driver", driver.to_str().unwrap());
    std::fs::write(&rig.config, text).unwrap();
    let daemon = Daemon::start_in(rig);
    let _viewer = daemon.socket("/api/v1/live/cam0");
    let is_opening = || {
        let status = daemon.get("/api/v1/status").json();
        status["cameras"][0]["state"]["state"] == "opening"
    };
    let mut met = 0;
    for round in 0..4 {
        // From the second round on, a scan has just given the camera back.
        crate::client::wait_for("it is opened", || {
            let status = daemon.get("/api/v1/status").json();
            (status["cameras"][0]["state"]["state"] != "closed").then_some(())
        });
        met += u32::from(is_opening());
        if round % 2 == 0 {
            let taken = daemon.post("/api/v1/capture/test", &json!({}));
            assert_eq!(taken.status, 200, "{}", taken.json());
        }
        let id = daemon.begin();
        daemon.wait_until_idle();
        daemon.rig.assert_complete(&id, "begun while the camera was being opened");
    }
    println!("met the camera being opened {met} times");
    assert!(met > 0, "the camera was never met while it was being opened");
}

/// The kernel would end the service, too, which does not let it.
#[test]
fn a_photograph_that_is_longer_than_a_file_may_be_is_refused_with_what_to_do_and_leaves_nothing() {
    let daemon = Daemon::start(&Recipe { time_scale: 1.0, ..Recipe::default() });
    assert_eq!(daemon.post("/api/v1/capture", &json!({})).json()["captures"][0]["id"], 1);
    let files = || std::fs::read_dir(daemon.rig.scans().join("_captures")).unwrap().count();
    let before = files();
    daemon.limit_files(Some(300));
    let refused = daemon.post("/api/v1/capture", &json!({}));
    assert!(refused.status >= 500, "{} {}", refused.status, refused.json());
    let detail = refused.json()["detail"].as_str().unwrap().to_owned();
    for says in ["could not be stored", "File too large", "ulimit -f"] {
        assert!(detail.contains(says), "{says}: {detail}");
    }
    assert_eq!(files(), before);
    assert_eq!(daemon.get("/api/v1/captures").json()["count"], 1);
    daemon.limit_files(None);
    let captured = daemon.post("/api/v1/capture", &json!({}));
    assert_eq!(captured.status, 200, "{}", captured.json());
    assert_eq!(captured.json()["captures"][0]["id"], 3, "a number is not used again");
}
