//! Photographs and previews between scans, as programs ask for them over HTTP. What is stored and counted is what was said to be,
//! the shutter is released once for each, and nothing is left running.

use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};

use scanner::procfs::Identity;
use serde_json::json;

use crate::bench::{Bench, Stage};
use crate::client::{Daemon, wait_for};
use crate::support::Running;

/// Time enough for a loaded machine.
const PATIENT: &str = "capture_timeout = \"10 s\"";

fn service(cameras: usize) -> (Daemon, Stage) {
    Bench::new(cameras, 3, PATIENT).serve()
}

fn capture(daemon: &Daemon, times: u64) {
    for time in 1..=times {
        let taken = daemon.post("/api/v1/capture?wait=30", &json!({}));
        assert_eq!(taken.status, 200, "{time}: {}", taken.json());
    }
}

/// Each is as the camera made it.
fn preview(daemon: &Daemon, stage: &Stage, times: u64) {
    for time in 1..=times {
        let taken = daemon.get("/api/v1/preview.jpg?wait=30");
        assert_eq!(taken.status, 200, "{time}");
        assert!(stage.is_on_card(0, &taken.body), "{time}");
    }
}

fn stored(daemon: &Daemon) -> u64 {
    daemon.get("/api/v1/captures").json()["count"].as_u64().unwrap()
}

#[test]
fn start_with_left_over_processes() {
    let bench = Bench::new(1, 3, PATIENT);
    // What an earlier life of the service would have left: a process that is written down as the driver of this camera, and one
    // that nobody knows.
    let spawn =
        || Running::spawn(Command::new("sleep").arg("600").stdin(Stdio::null()).stdout(Stdio::null()));
    let (mut left_over, mut innocent) = (spawn(), spawn());
    let run = bench.rig.dir.path().join("run");
    std::fs::create_dir_all(&run).unwrap();
    let identity = Identity::of(left_over.id() as i32).unwrap().unwrap();
    std::fs::write(run.join("driver-cam0.pid"), serde_json::to_vec(&identity).unwrap()).unwrap();
    let (daemon, stage) = bench.serve();
    capture(&daemon, 1);
    assert!(!left_over.wait().unwrap().success(), "it was ended");
    assert!(innocent.try_wait().unwrap().is_none(), "nobody touches what is not of this program");
    stage.end(daemon);
}

/// As after `kill -9` and a new start: the drivers end with what started them, and the scan goes on.
#[test]
fn start_after_the_program_was_killed() {
    let bench = Bench::new(1, 40, PATIENT);
    let mut scan = Running::spawn(bench.command(&["scan"]).stdout(Stdio::null()).stderr(Stdio::null()));
    let id = wait_for("a scan is under way", || {
        let id = bench.rig.scan_id()?;
        let raw = bench.rig.scans().join(&id).join("raw/cam0");
        std::fs::read_dir(raw).ok()?.next().map(|_| id)
    });
    scan.kill().unwrap();
    scan.wait().unwrap();
    let resumed = bench.run(&["resume", &id]);
    assert_eq!(resumed.code, Some(0), "{}", resumed.stderr);
    bench.rig.assert_complete(&id, "after a crash");
    bench.assert_as_on_cards(&id, 40);
    assert_eq!(bench.strays(), Vec::<String>::new());
}

#[test]
fn one_capture() {
    let (daemon, stage) = service(1);
    capture(&daemon, 1);
    assert_eq!((stored(&daemon), stage.releases(0)), (1, 1));
    stage.end(daemon);
}

#[test]
fn ten_captures() {
    let (daemon, stage) = service(1);
    capture(&daemon, 10);
    assert_eq!((stored(&daemon), stage.releases(0)), (10, 10));
    stage.end(daemon);
}

#[test]
fn one_preview() {
    let (daemon, stage) = service(1);
    preview(&daemon, &stage, 1);
    assert_eq!((stored(&daemon), stage.releases(0)), (0, 1));
    stage.end(daemon);
}

#[test]
fn ten_previews() {
    let (daemon, stage) = service(1);
    preview(&daemon, &stage, 10);
    assert_eq!((stored(&daemon), stage.releases(0)), (0, 10));
    stage.end(daemon);
}

#[test]
fn mixed() {
    let (daemon, stage) = service(2);
    for _ in 0..3 {
        capture(&daemon, 1);
        preview(&daemon, &stage, 2);
    }
    let id = daemon.begin();
    daemon.wait_until_idle();
    daemon.rig.assert_complete(&id, "between photographs");
    stage.assert_as_on_cards(&daemon.rig.scans().join(&id), 3);
    capture(&daemon, 1);
    assert_eq!(stored(&daemon), 2 * 4, "of two cameras");
    assert_eq!((stage.releases(0), stage.releases(1)), (3 + 6 + 3 + 1, 3 + 3 + 1));
    stage.end(daemon);
}

#[test]
fn test_captures_do_not_count() {
    let (daemon, stage) = service(1);
    capture(&daemon, 2);
    for _ in 0..3 {
        let test = daemon.post("/api/v1/capture/test?wait=30", &json!({}));
        assert_eq!(test.status, 200, "{}", test.json());
        assert_eq!(test.json()["captures"][0]["width"], 64, "{}", test.json());
    }
    assert_eq!((stored(&daemon), stage.releases(0)), (2, 5));
    stage.end(daemon);
}

#[test]
fn as_fast_as_possible_from_several_clients() {
    let (daemon, stage) = service(1);
    let (kept, shown, refused) = (AtomicU64::new(0), AtomicU64::new(0), AtomicU64::new(0));
    std::thread::scope(|scope| {
        for client in 0..4_u64 {
            let (daemon, kept, shown, refused) = (&daemon, &kept, &shown, &refused);
            scope.spawn(move || {
                for turn in 0..6 {
                    // One of each kind waits, and one does not.
                    let wait = if client < 2 { "?wait=30" } else { "" };
                    let (answer, counted) = if (client + turn) % 2 == 0 {
                        (daemon.post(&format!("/api/v1/capture{wait}"), &json!({})), kept)
                    } else {
                        (daemon.get(&format!("/api/v1/preview.jpg{wait}")), shown)
                    };
                    match answer.status {
                        200 => counted.fetch_add(1, Ordering::Relaxed),
                        429 => refused.fetch_add(1, Ordering::Relaxed),
                        other => panic!("{other}: {}", answer.json()),
                    };
                }
            });
        }
    });
    let (kept, shown, refused) = (kept.into_inner(), shown.into_inner(), refused.into_inner());
    println!("{kept} photographs, {shown} previews, {refused} told to come again");
    assert_eq!(stored(&daemon), kept, "each that was said to be stored, and no other");
    assert_eq!(stage.releases(0) as u64, kept + shown, "no release for those who were told to come again");
    assert!(kept + shown >= 12, "those who wait are served: {kept} and {shown}");
    stage.end(daemon);
}
