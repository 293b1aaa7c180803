//! Photographs and previews between scans, as a program asks for them.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::json;

use crate::bench::{Bench, strays};
use crate::client::{Daemon, wait_for};
use crate::support::Running;

/// Time enough for a loaded machine.
const PATIENT: &str = "capture_timeout = \"10 s\"";

fn service(cameras: usize) -> (Daemon, tempfile::TempDir) {
    Bench::new(cameras, 3, PATIENT).serve()
}

fn capture(daemon: &Daemon, times: u64) {
    for time in 1..=times {
        let taken = daemon.post("/api/v1/capture?wait=30", &json!({}));
        assert_eq!(taken.status, 200, "{time}: {}", taken.json());
    }
}

fn preview(daemon: &Daemon, times: u64) {
    for time in 1..=times {
        let taken = daemon.get("/api/v1/preview.jpg?wait=30");
        assert_eq!(taken.status, 200, "{time}");
        assert!(taken.body.starts_with(&[0xFF, 0xD8]), "{time}");
    }
}

fn stored(daemon: &Daemon) -> u64 {
    daemon.get("/api/v1/captures").json()["count"].as_u64().unwrap()
}

/// Ends the service; nothing of it is left.
fn end(daemon: Daemon, dir: &Path) {
    drop(daemon);
    wait_for("every process has ended", || strays(dir).is_empty().then_some(()));
}

#[test]
fn one_capture() {
    let (daemon, dir) = service(1);
    capture(&daemon, 1);
    assert_eq!(stored(&daemon), 1);
    end(daemon, dir.path());
}

#[test]
fn ten_captures() {
    let (daemon, dir) = service(1);
    capture(&daemon, 10);
    assert_eq!(stored(&daemon), 10);
    end(daemon, dir.path());
}

#[test]
fn one_preview_and_ten_previews() {
    let (daemon, dir) = service(1);
    preview(&daemon, 1);
    preview(&daemon, 10);
    assert_eq!(stored(&daemon), 0);
    end(daemon, dir.path());
}

#[test]
fn mixed() {
    let (daemon, dir) = service(2);
    for _ in 0..3 {
        capture(&daemon, 1);
        preview(&daemon, 2);
    }
    let id = daemon.begin();
    daemon.wait_until_idle();
    assert_eq!(daemon.get(&format!("/api/v1/scans/{id}")).json()["scan"]["state"], "complete");
    capture(&daemon, 1);
    assert_eq!(stored(&daemon), 2 * 4);
    end(daemon, dir.path());
}

#[test]
fn test_captures_do_not_count() {
    let (daemon, dir) = service(1);
    capture(&daemon, 2);
    for _ in 0..3 {
        let test = daemon.post("/api/v1/capture/test?wait=30", &json!({}));
        assert_eq!(test.status, 200, "{}", test.json());
    }
    assert_eq!(stored(&daemon), 2);
    end(daemon, dir.path());
}

#[test]
fn as_fast_as_possible_from_several_clients() {
    let (daemon, dir) = service(1);
    let taken: u64 = std::thread::scope(|scope| {
        let clients: Vec<_> = (0..4)
            .map(|client| {
                let daemon = &daemon;
                scope.spawn(move || {
                    let mut taken = 0;
                    for _ in 0..6 {
                        if client % 2 == 0 {
                            let answer = daemon.post("/api/v1/capture?wait=5", &json!({}));
                            assert!(matches!(answer.status, 200 | 429), "{}", answer.json());
                            taken += u64::from(answer.status == 200);
                        } else {
                            let status = daemon.get("/api/v1/preview.jpg").status;
                            assert!(matches!(status, 200 | 429), "{status}");
                        }
                    }
                    taken
                })
            })
            .collect();
        clients.into_iter().map(|client| client.join().unwrap()).sum()
    });
    assert!(taken > 0);
    assert_eq!(stored(&daemon), taken, "each that was said to be stored, and no other");
    end(daemon, dir.path());
}

#[test]
fn a_start_with_left_over_processes() {
    let bench = Bench::new(1, 40, PATIENT);
    let mut scan = Running::spawn(bench.command(&["scan"]).stdout(Stdio::null()).stderr(Stdio::null()));
    wait_for("a scan is under way", || {
        let id = bench.rig.scan_id()?;
        std::fs::read_dir(bench.rig.scans().join(id).join("raw/cam0")).ok()?.next().map(drop)
    });
    // As after a crash: nobody ends what it had started, and the notes of it stay.
    scan.kill().unwrap();
    scan.wait().unwrap();
    let mut left_over = Running::spawn(Command::new("sleep").arg("600").envs(bench.variables()));
    let note = bench.rig.dir.path().join("run");
    assert!(note.exists(), "{}", note.display());
    let id = bench.rig.scan_id().unwrap();
    let resumed = bench.run(&["resume", &id]);
    assert_eq!(resumed.code, Some(0), "{}", resumed.stderr);
    bench.rig.assert_complete(&id, "after a crash");
    bench.assert_as_on_cards(&id, 40);
    // Nobody touches what is not of this program.
    assert!(left_over.try_wait().unwrap().is_none());
    drop(left_over);
    assert_eq!(bench.strays(), Vec::<String>::new());
}

/// Live frames are the camera's own JPEGs, and a hang of one costs no photograph.
#[test]
fn live_frames_are_those_of_the_camera_and_one_that_hangs_is_recovered_from() {
    let mut bench = Bench::new(1, 3, "capture_timeout = \"2 s\"");
    bench.set(0, "faults", json!([{ "kind": "hang_preview", "at": 4 }]));
    let (daemon, dir) = bench.serve();
    let mut socket = daemon.socket("/api/v1/cameras/cam0/live");
    let on_card = std::fs::read(dir.path().join("card0/P0.JPG")).unwrap();
    let mut frames = 0;
    while frames < 12 {
        if let tungstenite::Message::Binary(frame) = socket.read().unwrap() {
            frames += usize::from(frame.len() > on_card.len() / 2);
        }
    }
    drop(socket);
    std::thread::sleep(Duration::from_millis(10));
    capture(&daemon, 2);
    end(daemon, dir.path());
}
