//! Every fault that can be simulated, as the daemon sees it.

use std::os::unix::process::ExitStatusExt;

use scanner::camera_driver::protocol::{ErrorKind, Frame, FromDriver, ToDriver};
use serde_json::json;

use crate::process::{Answer, Driver, SIM, SIZE, began_ns, pixels};

/// A driver whose second shot has the fault `kind`, after a good first one.
fn driver_with(kind: &str) -> Driver {
    let mut driver = Driver::streaming(
        SIM,
        &json!({ "time_scale": 20, "faults": [{ "kind": kind, "shot": 1 }], "wedge_file": "/no/such/file" }),
    );
    driver.good(1, 0);
    driver
}

fn faulty_frame(kind: &str) -> (Driver, Frame, std::os::fd::OwnedFd) {
    let mut driver = driver_with(kind);
    match driver.capture(1, 1) {
        Answer::Frame(frame, memory) => (driver, *frame, memory),
        other => panic!("{other:?} instead of a frame with {kind}"),
    }
}

#[test]
fn errors_come_with_their_kind_and_request_and_the_next_try_succeeds() {
    for kind in [
        ErrorKind::Cancelled,
        ErrorKind::QueueBuffer,
        ErrorKind::InvalidArgument,
        ErrorKind::Busy,
        ErrorKind::Gone,
        ErrorKind::NoMemory,
    ] {
        let mut driver = driver_with(kind.name());
        let request = driver.request(1, 1);
        let Answer::Error(reported, message, of) = driver.answer() else { panic!("no error {kind}") };
        assert_eq!((reported, of), (kind, Some(request)), "{message}");
        driver.good(1, 1);
    }
}

#[test]
fn a_wedge_needs_a_file_that_can_be_read() {
    let answer = driver_with("wedge").capture(1, 1);
    assert!(matches!(&answer, Answer::Error(_, text, _) if text.contains("/no/such/file")), "{answer:?}");
}

#[test]
fn a_hung_camera_stops_beating_and_its_process_still_ends_when_told() {
    let mut driver = driver_with("hang");
    driver.request(1, 1);
    // A beat may have been under way.
    driver.beats_in_silence();
    assert_eq!(driver.beats_in_silence(), 0);
    driver.send(&ToDriver::Quit);
    assert!(!driver.wait().status.success(), "ended as if the camera had stopped");
}

#[test]
fn a_camera_that_never_converges_beats_and_answers_captures() {
    let options = json!({ "time_scale": 20, "faults": [{ "kind": "never_converges" }] });
    let mut driver = Driver::streaming(SIM, &options);
    driver.send(&ToDriver::Converge { controls: scanner::model::Controls::default() });
    assert!(driver.beats_in_silence() >= 1);
    driver.good(1, 0);
    driver.send(&ToDriver::Converge { controls: scanner::model::Controls::default() });
    loop {
        if let FromDriver::Converged { .. } = driver.next().unwrap().0 {
            break;
        }
    }
}

#[test]
fn a_stalled_camera_beats_and_recovers_by_a_restart() {
    let mut driver = driver_with("stall");
    let request = driver.request(1, 1);
    assert!(driver.beats_in_silence() >= 1);
    driver.send(&ToDriver::Stop);
    let answer = driver.answer();
    assert!(
        matches!(answer, Answer::Error(ErrorKind::Cancelled, _, of) if of == Some(request)),
        "{answer:?}"
    );
    assert_eq!(driver.next().unwrap().0, FromDriver::Stopped { epoch: 1 });
    driver.start(2);
    driver.good(2, 1);
}

#[test]
fn a_camera_that_does_not_stop_is_left_behind_at_the_end() {
    let mut driver = driver_with("stop_hangs");
    driver.request(1, 1);
    assert!(driver.beats_in_silence() >= 1);
    driver.send(&ToDriver::Stop);
    assert!(matches!(driver.answer(), Answer::Error(ErrorKind::Cancelled, ..)));
    driver.beats_in_silence();
    assert_eq!(driver.beats_in_silence(), 0);
    let output = driver.end();
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("did not stop"));
}

#[test]
fn a_driver_that_dies_ends_the_link() {
    let mut driver = driver_with("abort");
    assert!(matches!(driver.capture(1, 1), Answer::End));
    assert_eq!(driver.wait().status.signal(), Some(rustix::process::Signal::ABORT.as_raw()));
    let mut driver = driver_with("exit");
    assert!(matches!(driver.capture(1, 1), Answer::End));
    assert_eq!(driver.wait().status.code(), Some(0));
}

#[test]
fn frames_can_lie_about_what_they_are() {
    let (mut driver, frame, _) = faulty_frame("wrong_size");
    assert_ne!(frame.metadata.size(), SIZE);
    driver.good(1, 1);
    let (_, frame, _) = faulty_frame("wrong_stride");
    assert!(frame.metadata.payload.planes().unwrap().strides[0] < SIZE.width);
    let (_, frame, memory) = faulty_frame("short_descriptor");
    assert!((pixels(&memory).len() as u64) < frame.metadata.payload.planes().unwrap().offsets[1]);
}

#[test]
fn frames_can_be_of_another_time() {
    let asked_ns = scanner::clock::now_ns();
    let mut driver = driver_with("duplicate_sequence");
    let first = driver.good(1, 5);
    let second = driver.good(1, 1);
    assert_eq!(first.metadata.sequence, second.metadata.sequence);
    assert!(began_ns(&second) > asked_ns);
    assert!(driver.good(1, 2).metadata.sequence > second.metadata.sequence);

    let mut driver = driver_with("stale_frame");
    let asked_ns = scanner::clock::now_ns() + 50_000_000;
    driver.send(&ToDriver::Capture { epoch: 1, request: 99, shot: 1, not_before_ns: asked_ns });
    let Answer::Frame(frame, _) = driver.answer() else { panic!("no frame") };
    assert!(began_ns(&frame) < asked_ns);
}

#[test]
fn a_late_frame_answers_a_capture_of_an_earlier_epoch() {
    let mut driver = driver_with("late_frame");
    let request = driver.request(1, 1);
    assert!(driver.beats_in_silence() >= 1);
    driver.restart(2);
    let Answer::Frame(frame, _) = driver.answer() else { panic!("no late frame") };
    assert_eq!((frame.epoch, frame.request), (1, Some(request)));
    driver.good(2, 1);
}

#[test]
fn garbage_is_no_message_and_the_next_try_succeeds() {
    let mut driver = driver_with("garbage");
    assert!(matches!(driver.capture(1, 1), Answer::Malformed));
    driver.good(1, 1);
}

#[test]
fn a_slow_frame_comes_in_the_end() {
    let mut driver = driver_with("slow");
    let asked = std::time::Instant::now();
    driver.good(1, 1);
    assert!(asked.elapsed() >= std::time::Duration::from_millis(150), "3 s at time scale 20");
}

#[test]
fn faults_that_happened_are_not_repeated_by_the_next_process() {
    let folder = tempfile::tempdir().unwrap();
    let options = json!({
        "time_scale": 20,
        "faults": [{ "kind": "abort", "shot": 1, "times": 2 }],
        "fault_state": folder.path(),
    });
    for _ in 0..2 {
        let mut driver = Driver::streaming(SIM, &options);
        assert!(matches!(driver.capture(1, 1), Answer::End));
    }
    Driver::streaming(SIM, &options).good(1, 1);
}
