//! Each way in which the simulated camera can fail: told right, and cured by the right rung.

use std::sync::Arc;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use scanner::camera_driver::protocol::{BEAT_INTERVAL, ErrorKind, Stream};
use scanner::config::Rung;
use scanner::plan::ShotIndex;
use scanner::rig::camera::{Camera, Lease, RecoverError, State};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::bench::{Bench, HEIGHT, WIDTH, eventually, now_ns};
use crate::fuse::NeverAnswers;

/// What a fault is called, what it is told as, and what cures it.
const FAULTS: [(&str, ErrorKind, Rung); 21] = [
    ("hang", ErrorKind::Timeout, Rung::Respawn),
    ("stall", ErrorKind::Timeout, Rung::Restart),
    ("stop_hangs", ErrorKind::Timeout, Rung::Respawn),
    ("abort", ErrorKind::Crashed, Rung::Respawn),
    ("exit", ErrorKind::Crashed, Rung::Respawn),
    ("cancelled", ErrorKind::Cancelled, Rung::Restart),
    ("queue_buffer", ErrorKind::QueueBuffer, Rung::Restart),
    ("invalid_argument", ErrorKind::InvalidArgument, Rung::Restart),
    ("busy", ErrorKind::Busy, Rung::Restart),
    ("gone", ErrorKind::Gone, Rung::Restart),
    ("no_memory", ErrorKind::NoMemory, Rung::Restart),
    ("wrong_size", ErrorKind::BadFrame, Rung::Restart),
    ("wrong_stride", ErrorKind::BadFrame, Rung::Restart),
    ("short_descriptor", ErrorKind::BadFrame, Rung::Restart),
    ("stale_frame", ErrorKind::BadFrame, Rung::Restart),
    ("duplicate_sequence", ErrorKind::BadFrame, Rung::Restart),
    ("late_frame", ErrorKind::Timeout, Rung::Restart),
    ("garbage", ErrorKind::Protocol, Rung::Restart),
    // Later than an attempt may take.
    ("slow", ErrorKind::Timeout, Rung::Restart),
    // They say that they are busy for longer than they announced.
    ("busy_hang", ErrorKind::Timeout, Rung::Respawn),
    ("busy_again", ErrorKind::Timeout, Rung::Respawn),
];

/// A simulated camera with `fault` at shot 1, remembered by its next process.
fn faulty(bench: &Bench, name: &str, fault: &str, more: &[(&str, Value)]) -> Camera {
    let mut options = json!({
        "faults": [{ "kind": fault, "shot": 1 }],
        "fault_state": bench.directory.path().join(name),
        "longest_call": "4 s",
    });
    for (key, value) in more {
        options[key] = value.clone();
    }
    bench.simulated(name, options)
}

/// An open camera that has taken shot 0.
async fn opened(camera: &Camera) -> Lease {
    let mut lease = camera.lease("test").unwrap();
    lease.open().await.unwrap();
    lease.capture(ShotIndex(0), now_ns()).await.unwrap();
    lease
}

#[tokio::test(flavor = "multi_thread")]
async fn frames_are_fresh_whole_and_given_back() {
    let bench = Bench::new();
    let camera = bench.simulated("cam0", json!({ "time_scale": 4.0 }));
    let mut lease = camera.lease("test").unwrap();
    let hello = lease.open().await.unwrap();
    assert_eq!(hello, lease.open().await.unwrap(), "opening twice is opening once");
    let State::Streaming { pid, epoch: 1 } = camera.status().state else { panic!("{:?}", camera.status()) };
    // More often than there are buffers.
    let mut sequence = None;
    for shot in 0..12 {
        let not_before = now_ns();
        let captured = lease.capture(ShotIndex(shot), not_before).await.unwrap();
        let frame = captured.metadata();
        assert!(frame.exposed.at_ns() - frame.exposure_us.unwrap() * 1000 >= not_before);
        assert!(captured.received_ns() >= frame.exposed.at_ns());
        assert_eq!((frame.stream, frame.size().width, frame.size().height), (Stream::Still, WIDTH, HEIGHT));
        assert!(captured.plane(0).len() >= (WIDTH * HEIGHT) as usize);
        assert!(captured.plane(1).len() >= (WIDTH * HEIGHT / 4) as usize);
        assert!(sequence < Some(frame.sequence));
        sequence = Some(frame.sequence);
    }
    assert_eq!(camera.status().counters.captured, 12);
    lease.close().await;
    lease.close().await;
    assert_eq!(camera.status().state, State::Closed);
    assert!(!std::path::Path::new(&format!("/proc/{pid}")).exists());
    lease.open().await.unwrap();
    lease.capture(ShotIndex(12), now_ns()).await.unwrap();
    drop(lease);
    eventually("the dropped lease has closed the camera", || camera.lease("test").is_ok()).await;
    assert_eq!(camera.status().state, State::Closed);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_fault_is_told_as_what_it_is_and_cured_by_its_rung() {
    let bench = Arc::new(Bench::new());
    let mut cases = JoinSet::new();
    for (fault, kind, rung) in FAULTS {
        let bench = Arc::clone(&bench);
        cases.spawn(async move {
            let camera = faulty(&bench, &format!("cam-{fault}"), fault, &[]);
            let mut lease = opened(&camera).await;
            let error = lease.capture(ShotIndex(1), now_ns()).await.unwrap_err();
            assert_eq!(error.kind, kind, "{fault}: {error}");
            assert_eq!(camera.status().state, State::Failed { error });
            if rung == Rung::Respawn {
                lease.recover(Rung::Restart).await.expect_err(fault);
            }
            lease.recover(rung).await.unwrap_or_else(|error| panic!("{fault}: {error}"));
            assert!(matches!(camera.status().state, State::Streaming { .. }), "{fault}");
            lease.capture(ShotIndex(1), now_ns()).await.unwrap_or_else(|error| panic!("{fault}: {error}"));
            let status = camera.status();
            assert_eq!(status.counters.captured, 2, "{fault}");
            assert_eq!(status.counters.failed[&kind], 1, "{fault}");
            assert_eq!(status.counters.late > 0, fault == "late_frame", "{fault}: {status:?}");
            assert_eq!(status.counters.garbage, u64::from(fault == "garbage"), "{fault}");
            lease.close().await;
            assert_eq!(camera.status().state, State::Closed, "{fault}");
        });
    }
    while let Some(case) = cases.join_next().await {
        case.unwrap();
    }
}

/// Who waited long enough to know that the driver is stuck does not wait again for what it cannot do.
#[tokio::test(flavor = "multi_thread")]
async fn a_driver_that_has_been_stuck_for_long_is_not_asked_to_restart() {
    let bench = Bench::new();
    let camera = faulty(&bench, "cam0", "hang", &[]);
    let mut lease = opened(&camera).await;
    let error = lease.capture(ShotIndex(1), now_ns()).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Timeout);
    tokio::time::sleep(3 * BEAT_INTERVAL).await;
    let RecoverError::Failed(error) = lease.recover(Rung::Restart).await.unwrap_err() else {
        panic!("a stuck driver is not a wedged one");
    };
    assert!(error.message.contains("no restart helps"), "{error}");
    lease.recover(Rung::Respawn).await.unwrap();
    lease.capture(ShotIndex(1), now_ns()).await.unwrap();
}

/// An attempt may take 2.1 s here; the call takes 6 s.
#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_takes_long_is_waited_for_if_that_is_said_before() {
    let bench = Bench::new();
    let camera = faulty(&bench, "cam0", "long_call", &[("longest_call", json!("8 s"))]);
    let mut lease = opened(&camera).await;
    assert_eq!(lease.longest_call(), Duration::from_secs(8));
    lease.capture(ShotIndex(1), now_ns()).await.unwrap();
    assert!(camera.status().counters.failed.is_empty(), "{:?}", camera.status());
    // Asked to restart in such a call, it does so once it is done.
    let camera = faulty(&bench, "cam1", "long_call", &[("longest_call", json!("6 s"))]);
    let mut lease = opened(&camera).await;
    let _given_up = tokio::time::timeout(Duration::from_secs(1), lease.capture(ShotIndex(1), now_ns())).await;
    lease.recover(Rung::Restart).await.unwrap();
    lease.capture(ShotIndex(1), now_ns()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_driver_that_is_busy_for_longer_than_it_announced_is_stuck() {
    let bench = Bench::new();
    let camera = faulty(&bench, "cam0", "busy_again", &[]);
    let mut lease = opened(&camera).await;
    let error = lease.capture(ShotIndex(1), now_ns()).await.unwrap_err();
    assert!(error.message.contains("though its driver announced calls of 4.0 s at most"), "{error}");
    let RecoverError::Failed(error) = lease.recover(Rung::Restart).await.unwrap_err() else { panic!() };
    assert!(error.message.contains("no restart helps"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn only_a_driver_that_announced_long_calls_may_be_busy() {
    let bench = Bench::new();
    let mute = [("longest_call", json!("0 s"))];
    let old = [("protocol", json!(1))];
    for (name, more) in [("mute", &mute), ("old", &old)] {
        let camera = faulty(&bench, name, "busy_hang", more);
        let mut lease = opened(&camera).await;
        assert_eq!(lease.longest_call(), Duration::ZERO);
        let error = lease.capture(ShotIndex(1), now_ns()).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Protocol, "{error}");
        assert!(error.message.contains("said busy"), "{error}");
        lease.recover(Rung::Respawn).await.unwrap();
        lease.capture(ShotIndex(1), now_ns()).await.unwrap();
    }
    for (option, message) in [
        (json!({ "protocol": 3 }), "speaks protocol 3, this program 1 to 2"),
        (json!({ "longest_call": "601 s" }), "announces calls of 601 s; at most 600 s"),
    ] {
        let camera = bench.simulated("cam0", option);
        let error = camera.lease("test").unwrap().open().await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Protocol);
        assert!(error.message.contains(message), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_driver_that_is_killed_during_a_capture_has_crashed() {
    let bench = Bench::new();
    let camera = bench.simulated("cam0", json!({}));
    let mut lease = opened(&camera).await;
    let State::Streaming { pid, .. } = camera.status().state else { panic!() };
    let in_a_minute = now_ns() + 60_000_000_000;
    let killer = {
        let camera = camera.clone();
        tokio::spawn(async move {
            eventually("the capture is under way", || {
                matches!(camera.status().state, State::Capturing { shot: ShotIndex(1), .. })
            })
            .await;
            kill_process(Pid::from_raw(pid).unwrap(), Signal::KILL).unwrap();
        })
    };
    let error = lease.capture(ShotIndex(1), in_a_minute).await.unwrap_err();
    killer.await.unwrap();
    assert_eq!(error.kind, ErrorKind::Crashed);
    assert!(error.message.contains("signal: 9"), "{error}");
    let RecoverError::Failed(error) = lease.recover(Rung::Restart).await.unwrap_err() else { panic!() };
    assert_eq!(error.kind, ErrorKind::Crashed);
    lease.recover(Rung::Respawn).await.unwrap();
    lease.capture(ShotIndex(1), now_ns()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_capture_that_is_given_up_leaves_a_camera_that_works() {
    let bench = Bench::new();
    let camera = bench.simulated("cam0", json!({ "time_scale": 4.0 }));
    let mut lease = opened(&camera).await;
    for shot in 1..20 {
        // Given up at another moment each time: before, while and after its frame comes.
        let time = Duration::from_millis(2 * u64::from(shot));
        let given_up = tokio::time::timeout(time, lease.capture(ShotIndex(shot), now_ns())).await;
        drop(given_up);
        assert!(matches!(camera.status().state, State::Streaming { .. }), "{:?}", camera.status());
    }
    lease.capture(ShotIndex(20), now_ns()).await.unwrap();
    let counters = camera.status().counters;
    assert_eq!(counters.captured + counters.given_up, 21);
    assert!(counters.given_up > 0);
    assert!(counters.failed.is_empty(), "{counters:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recovery_that_is_given_up_leaves_a_camera_that_can_be_closed_and_opened() {
    let bench = Bench::new();
    let camera = faulty(&bench, "cam0", "stop_hangs", &[]);
    let mut lease = opened(&camera).await;
    lease.capture(ShotIndex(1), now_ns()).await.unwrap_err();
    for rung in [Rung::Restart, Rung::Respawn] {
        // Whether or not it was done by then.
        let _ = tokio::time::timeout(Duration::from_millis(1), lease.recover(rung)).await;
    }
    lease.close().await;
    assert_eq!(camera.status().state, State::Closed);
    lease.open().await.unwrap();
    lease.capture(ShotIndex(1), now_ns()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wedged_driver_is_not_respawned_and_the_other_camera_goes_on() {
    let Some(mut never) = NeverAnswers::mount() else { return };
    let bench = Bench::new();
    let camera = faulty(&bench, "cam0", "wedge", &[("wedge_file", json!(never.file()))]);
    let other = bench.simulated("cam1", json!({}));
    let (mut lease, mut others) = (opened(&camera).await, opened(&other).await);
    let error = lease.capture(ShotIndex(1), now_ns()).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Timeout);
    lease.recover(Rung::Restart).await.unwrap_err();
    let RecoverError::Wedged(wedged) = lease.recover(Rung::Respawn).await.unwrap_err() else { panic!() };
    // The thread that owns the camera hangs; the one that talks may be gone already.
    let stuck = wedged.evidence.threads.iter().find(|thread| thread.state == 'D').unwrap();
    assert!(stuck.comm == "camera" && !stuck.stack.is_empty(), "{wedged:?}");

    let RecoverError::Wedged(again) = lease.recover(Rung::Respawn).await.unwrap_err() else { panic!() };
    assert_eq!(again, wedged, "nothing was started in its place");
    assert!(matches!(camera.status().state, State::Wedged { pid, .. } if pid == wedged.pid));
    assert_eq!(camera.lease("preview").err().unwrap().holder, "test");
    others.capture(ShotIndex(1), now_ns()).await.unwrap();
    let error = lease.capture(ShotIndex(1), now_ns()).await.unwrap_err();
    assert!(error.message.contains("a reboot is needed"), "{error}");
    lease.close().await;
    assert!(matches!(camera.status().state, State::Wedged { .. }));

    never.abort();
    eventually("it is reaped", || camera.status().state == State::Closed).await;
    assert!(!std::path::Path::new(&format!("/proc/{}", wedged.pid)).exists());
    lease.open().await.unwrap();
}
