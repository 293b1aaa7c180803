//! Streams that fall silent: known before the time of a capture is over. Slow and stopped ones are left alone.

use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use scanner::camera_driver::protocol::ErrorKind;
use scanner::config::{self, Rung};
use scanner::plan::ShotIndex;
use scanner::rig::camera::{Camera, State};
use scanner::units::Seconds;
use serde_json::{Map, Value, json};

use crate::bench::{Bench, config, eventually, now_ns, recovery, simulator};

const SECOND: u64 = 1_000_000_000;

/// A simulated camera that is told how long to expose.
fn exposing(bench: &Bench, seconds: f64, options: Value, recovery: &config::Recovery) -> Camera {
    let mut config = config("cam0", &simulator(), options);
    config.controls.exposure = Some(Seconds::new(seconds));
    Camera::new(&config, recovery, 4, Map::new(), bench.spawner.clone())
}

/// The error of a capture by a camera that falls silent, after frames have come for a second.
async fn error_of_a_stall(recovery: &config::Recovery) -> String {
    let bench = Bench::new();
    let camera = exposing(&bench, 0.01, json!({ "faults": [{ "kind": "stall", "shot": 1 }] }), recovery);
    let mut lease = camera.lease("test").unwrap();
    lease.open().await.unwrap();
    lease.capture(ShotIndex(0), now_ns() + SECOND).await.unwrap();
    let error = lease.capture(ShotIndex(1), now_ns()).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Timeout, "{error}");
    lease.recover(Rung::Restart).await.unwrap();
    lease.capture(ShotIndex(1), now_ns()).await.unwrap();
    assert_eq!(camera.status().counters.failed[&ErrorKind::Timeout], 1);
    error.message
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_falls_silent_is_not_waited_for_until_the_time_is_over() {
    let patient = config::Recovery { capture_timeout: Duration::from_secs(600), ..recovery() };
    let message = error_of_a_stall(&patient).await;
    for part in ["no frame for ", " from a camera that had delivered one every "] {
        assert!(message.contains(part), "no {part:?} in {message}");
    }
    // Switched off, the time is over first.
    let off = config::Recovery { stalled_after_frames: 0, ..recovery() };
    let message = error_of_a_stall(&off).await;
    assert!(message.starts_with("no answer in "), "{message}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_exposure_is_no_silence() {
    let bench = Bench::new();
    let camera = exposing(&bench, 0.01, json!({}), &recovery());
    let mut lease = camera.lease("test").unwrap();
    lease.open().await.unwrap();
    // Frames come every 33 ms for a second, then every 2 s.
    lease.capture(ShotIndex(0), now_ns() + SECOND).await.unwrap();
    let exposure = Some(Seconds::new(2.0));
    lease.hold(scanner::model::Controls { exposure, ..Default::default() }).await.unwrap();
    let frame = lease.capture(ShotIndex(1), now_ns()).await.unwrap();
    assert_eq!(frame.metadata().exposure_us, Some(2_000_000));
    assert!(camera.status().counters.failed.is_empty(), "{:?}", camera.status());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_driver_that_was_stopped_for_a_while_has_not_fallen_silent() {
    let bench = Bench::new();
    let camera = exposing(&bench, 0.01, json!({}), &recovery());
    let mut lease = camera.lease("test").unwrap();
    lease.open().await.unwrap();
    let State::Streaming { pid, .. } = camera.status().state else { panic!("{:?}", camera.status()) };
    let pid = Pid::from_raw(pid).unwrap();
    let stopped = {
        let camera = camera.clone();
        tokio::spawn(async move {
            eventually("the capture is under way", || {
                matches!(camera.status().state, State::Capturing { .. })
            })
            .await;
            tokio::time::sleep(Duration::from_millis(500)).await;
            kill_process(pid, Signal::STOP).unwrap();
            tokio::time::sleep(Duration::from_secs(1)).await;
            kill_process(pid, Signal::CONT).unwrap();
        })
    };
    lease.capture(ShotIndex(0), now_ns() + 2 * SECOND).await.unwrap();
    stopped.await.unwrap();
    assert!(camera.status().counters.failed.is_empty(), "{:?}", camera.status());
}
