//! What the camera shows on its own screen, for whoever looks.

use serde_json::json;

use crate::bench::{Bench, Stage};
use crate::client::{Daemon, Socket, wait_for};

/// Bytes in front of the JPEG of a live frame.
const HEADER: usize = 44;

fn frame(socket: &mut Socket) -> Vec<u8> {
    loop {
        if let tungstenite::Message::Binary(frame) = socket.read().unwrap()
            && frame.starts_with(b"SLV1")
        {
            return frame[HEADER..].to_vec();
        }
    }
}

fn screen(stage: &Stage) -> Option<String> {
    stage.noted(0, "screen-1000")
}

fn capture(daemon: &Daemon, wait: u64) -> u16 {
    let taken = daemon.post(&format!("/api/v1/capture?wait={wait}"), &json!({}));
    println!("{}: {}", taken.status, taken.json());
    taken.status
}

fn service(faults: &serde_json::Value, recovery: &str, points: u32) -> (Daemon, Stage) {
    let mut bench = Bench::new(1, points, recovery);
    bench.set(0, "live_view", json!(true));
    bench.set(0, "faults", faults.clone());
    bench.serve()
}

/// While somebody looks, and photographs are taken, and a scan: each live frame is the camera's own, byte for byte, and none was
/// asked for between a release and its last file.
#[test]
fn live_frames_are_the_camera_s_own_and_disturb_no_release() {
    let (daemon, stage) = service(&json!([]), "capture_timeout = \"10 s\"", 6);
    let mut socket = daemon.socket("/api/v1/live/cam0");
    for _ in 0..5 {
        assert!(stage.is_on_card(0, &frame(&mut socket)));
    }
    assert_eq!(screen(&stage).as_deref(), Some("on"));
    for _ in 0..3 {
        assert_eq!(capture(&daemon, 30), 200);
        assert!(stage.is_on_card(0, &frame(&mut socket)));
    }
    let id = daemon.begin();
    daemon.wait_until_idle();
    daemon.rig.assert_complete(&id, "while somebody looks");
    stage.assert_as_on_cards(&daemon.rig.scans().join(&id), 6);
    assert!(stage.is_on_card(0, &frame(&mut socket)), "they go on after a scan");
    drop(socket);
    wait_for("the screen is off, since nobody looks", || (screen(&stage)? == "off").then_some(()));
    assert_eq!(stage.noted(0, "disturbed"), None);
    assert_eq!(stage.releases(0), 3 + 6, "the shutter is not released for those who look");
    stage.end(daemon);
}

/// A live frame that is refused is no failure of the camera: the next one comes, by the same driver.
#[test]
fn a_live_frame_that_fails_is_no_failure_of_the_camera() {
    let faults = json!([{ "kind": "no_preview", "at": 3 }, { "kind": "no_preview", "at": 4 }]);
    let (daemon, stage) = service(&faults, "capture_timeout = \"10 s\"", 3);
    let mut socket = daemon.socket("/api/v1/live/cam0");
    for _ in 0..4 {
        assert!(stage.is_on_card(0, &frame(&mut socket)));
    }
    assert_eq!(capture(&daemon, 30), 200);
    let opened = stage.noted(0, "opened-1000").unwrap().len();
    let shown = stage.noted(0, "shown-1000").unwrap().len();
    assert!(shown > 5, "the fault bit: {shown}");
    drop(socket);
    stage.end(daemon);
    println!("opened {opened} times");
    assert_eq!(opened, 1, "it was not started anew");
}

/// A call for a live frame that never returns ends in the ladder, and photographs and scans go on.
#[test]
fn a_live_frame_that_hangs_costs_a_driver_and_no_shot() {
    let faults = json!([{ "kind": "hang_preview", "at": 4 }]);
    let (daemon, stage) = service(&faults, "capture_timeout = \"2 s\"\nattempts = 5", 3);
    let mut socket = daemon.socket("/api/v1/live/cam0");
    assert!(stage.is_on_card(0, &frame(&mut socket)));
    wait_for("the call hangs", || (stage.noted(0, "shown-1000")?.len() > 4).then_some(()));
    let id = daemon.begin();
    daemon.wait_until_idle();
    daemon.rig.assert_complete(&id, "after a live frame that hung");
    stage.assert_as_on_cards(&daemon.rig.scans().join(&id), 3);
    assert!(stage.is_on_card(0, &frame(&mut socket)), "they are back");
    assert!(stage.noted(0, "opened-1000").unwrap().len() > 1);
    drop(socket);
    stage.end(daemon);
}

/// A camera without: nobody is shown anything, photographs are taken, and the driver does not ask again and again.
#[test]
fn a_camera_without_live_view_shows_nothing_and_takes_photographs() {
    let (daemon, stage) = Bench::new(1, 3, "capture_timeout = \"10 s\"").serve();
    let socket = daemon.socket("/api/v1/live/cam0");
    assert_eq!(capture(&daemon, 30), 200);
    assert_eq!(capture(&daemon, 30), 200);
    assert_eq!(stage.noted(0, "opened-1000").unwrap().len(), 1);
    drop(socket);
    stage.end(daemon);
}
