//! The conversation with a driver that has no faults.

use std::process::{Command, Stdio};

use scanner::camera_driver::protocol::{Configure, ErrorKind, FromDriver, Stream, ToDriver, VERSION};
use scanner::clock::now_ns;
use scanner::model::{Controls, Orientation, PixelFormat, Size};
use scanner::units::FramesPerSecond;
use serde_json::json;

use crate::process::{Answer, Driver, SIM, SIZE, pixels};

#[test]
fn a_frame_is_what_was_configured_and_sealed() {
    for format in [PixelFormat::Yuv420, PixelFormat::Nv12] {
        let mut driver = Driver::spawn(SIM, &json!({ "time_scale": 5 }));
        let hello = driver.hello();
        assert_eq!((hello.protocol, hello.camera.as_str()), (VERSION, "cam0"));
        assert!(hello.formats.contains(&format));
        // Five times as often as every 33 ms, were it not for the exposure.
        assert_eq!(driver.configure(format, None), 10_000);
        driver.start(1);
        let Answer::Frame(frame, memory) = driver.capture(1, 0) else { panic!("no frame") };
        let planes = frame.metadata.payload.planes().unwrap();
        assert_eq!((frame.metadata.stream, planes.format, planes.size), (Stream::Still, format, SIZE));
        let length = pixels(&memory).len() as u64;
        for plane in 0..format.planes() {
            let (row, rows) = format.plane_size(plane, SIZE);
            assert!(planes.strides[plane] >= row);
            assert!(planes.offsets[plane] + u64::from(planes.strides[plane]) * u64::from(rows) <= length);
        }
        assert!(rustix::fs::ftruncate(&memory, 0).is_err(), "the memory can shrink");
        assert!(driver.end().status.success());
    }
}

#[test]
fn captures_are_answered_in_order_and_sequence_grows() {
    let mut driver = Driver::streaming(SIM, &json!({ "time_scale": 5 }));
    let requests: Vec<_> = (0..2).map(|shot| driver.request(1, shot)).collect();
    let mut last = None;
    for request in requests {
        let Answer::Frame(frame, _) = driver.answer() else { panic!("no frame") };
        assert_eq!(frame.request, Some(request));
        assert!(last < Some(frame.metadata.sequence));
        last = Some(frame.metadata.sequence);
        driver.send(&ToDriver::Release { buffer: frame.metadata.buffer });
    }
    assert!(last >= Some(2), "start-up frames are never delivered");
    for shot in 2..30 {
        driver.good(1, shot);
    }
}

#[test]
fn a_frame_begins_after_the_moment_that_was_asked_for() {
    let mut driver = Driver::streaming(SIM, &json!({ "time_scale": 5 }));
    let not_before_ns = now_ns() + 300_000_000;
    driver.send(&ToDriver::Capture { epoch: 1, request: 77, shot: 0, not_before_ns });
    let Answer::Frame(frame, _) = driver.answer() else { panic!("no frame") };
    assert!(frame.metadata.exposed.at_ns() - frame.metadata.exposure_us.unwrap() * 1000 >= not_before_ns);
}

#[test]
fn a_daemon_that_keeps_all_memory_gets_the_next_frame_when_it_gives_some_back() {
    let mut driver = Driver::streaming(SIM, &json!({ "time_scale": 5 }));
    let mut held = Vec::new();
    for shot in 0..4 {
        let Answer::Frame(frame, memory) = driver.capture(1, shot) else { panic!("no frame") };
        held.push((frame.metadata.buffer, memory));
    }
    driver.request(1, 4);
    assert!(driver.beats_in_silence() >= 1);
    driver.send(&ToDriver::Release { buffer: held[0].0 });
    assert!(matches!(driver.answer(), Answer::Frame(..)));
}

#[test]
fn live_frames_come_beside_stills_until_switched_off() {
    let mut driver = Driver::spawn(SIM, &json!({ "time_scale": 5 }));
    driver.hello();
    let small = Size { width: 80, height: 60 };
    driver.configure(PixelFormat::Nv12, Some(small));
    driver.start(1);
    driver.send(&ToDriver::Live { rate: Some(FramesPerSecond::new(50.0)) });
    driver.request(1, 0);
    let (mut live, mut stills) = (0, 0);
    while live < 5 || stills < 1 {
        let Answer::Frame(frame, _) = driver.answer() else { panic!("no frame") };
        match frame.metadata.stream {
            Stream::Live => {
                assert_eq!((frame.metadata.size(), frame.request), (small, None));
                live += 1;
            }
            Stream::Still => stills += 1,
        }
        driver.send(&ToDriver::Release { buffer: frame.metadata.buffer });
    }
    driver.send(&ToDriver::Live { rate: None });
    // What was under way may still come; then nothing does.
    driver.send(&ToDriver::Set { controls: Controls { gain: Some(0.0), ..Controls::default() } });
    while let Answer::Frame(..) = driver.answer() {}
    assert!(driver.beats_in_silence() >= 1);
}

#[test]
fn what_the_protocol_does_not_allow_is_refused_and_the_driver_goes_on() {
    let mut driver = Driver::spawn(SIM, &json!({ "time_scale": 5 }));
    driver.hello();
    let refused = |driver: &mut Driver, message: &ToDriver| {
        driver.send(message);
        let Answer::Error(kind, _, request) = driver.answer() else { panic!("{message:?} was accepted") };
        (kind, request)
    };
    let protocol = (ErrorKind::Protocol, None);
    assert_eq!(refused(&mut driver, &ToDriver::Start { epoch: 1 }), protocol);
    let configure = |width, buffers| {
        let size = Size { width, height: 48 };
        let controls = Controls::default();
        ToDriver::Configure(Configure {
            size,
            format: Some(PixelFormat::Nv12),
            live: None,
            frame_rate: None,
            orientation: Orientation::Normal,
            controls,
            raw: false,
            buffers,
        })
    };
    let invalid = (ErrorKind::InvalidArgument, None);
    assert_eq!(refused(&mut driver, &configure(100_000, 2)), invalid);
    assert_eq!(refused(&mut driver, &configure(0, 2)), invalid);
    assert_eq!(refused(&mut driver, &configure(64, 0)), invalid);
    driver.configure(PixelFormat::Nv12, None);
    let capture = |epoch, request| ToDriver::Capture { epoch, request, shot: 0, not_before_ns: u64::MAX };
    assert_eq!(refused(&mut driver, &capture(1, 5)), (ErrorKind::Protocol, Some(5)));
    driver.start(7);
    assert_eq!(refused(&mut driver, &configure(64, 2)), protocol);
    assert_eq!(refused(&mut driver, &ToDriver::Start { epoch: 8 }), protocol);
    driver.send(&capture(7, 6));
    assert_eq!(refused(&mut driver, &capture(7, 6)), protocol);
    assert_eq!(refused(&mut driver, &ToDriver::Stop), (ErrorKind::Cancelled, Some(6)));
    assert_eq!(driver.next().unwrap().0, FromDriver::Stopped { epoch: 7 });
    assert_eq!(refused(&mut driver, &ToDriver::Start { epoch: 7 }), protocol);
    driver.link.send_raw(b"{\"type\":\"make_coffee\"}").unwrap();
    assert!(
        matches!(driver.answer(), Answer::Error(ErrorKind::Protocol, text, _) if text.contains("make_coffee"))
    );
    driver.start(8);
    driver.send(&capture(7, 9));
    driver.good(8, 0);
    driver.send(&ToDriver::Quit);
    assert!(driver.wait().status.success());
}

#[test]
fn memory_of_an_earlier_epoch_can_be_given_back() {
    let mut driver = Driver::streaming(SIM, &json!({ "time_scale": 5 }));
    let held: Vec<_> = (0..4)
        .map(|shot| match driver.capture(1, shot) {
            Answer::Frame(frame, _) => frame.metadata.buffer,
            other => panic!("{other:?}"),
        })
        .collect();
    driver.restart(2);
    for buffer in held {
        driver.send(&ToDriver::Release { buffer });
    }
    driver.good(2, 4);
}

#[test]
fn wrong_options_are_named_instead_of_a_hello() {
    for (options, key) in [
        (json!({ "wrold": "x" }), "wrold"),
        (json!({ "frame_period": "5 deg" }), "frame_period"),
        (json!({ "time_scale": 0 }), "time_scale"),
        (json!({ "faults": [{ "kind": "stall" }, { "kind": "sneeze" }] }), "faults[1].kind"),
        (json!({ "mount": { "distance": "40 cm" } }), "mount"),
        (json!({ "random_faults": 2 }), "random_faults"),
    ] {
        let mut driver = Driver::spawn(SIM, &options);
        let Answer::Error(kind, message, None) = driver.answer() else { panic!("no error for {options}") };
        assert_eq!(kind, ErrorKind::InvalidArgument);
        assert!(message.contains(key), "{message}");
        assert!(matches!(driver.answer(), Answer::End));
        assert_eq!(driver.wait().status.code(), Some(1));
    }
}

#[test]
fn without_a_socket_a_driver_says_who_starts_it() {
    let file = tempfile::tempfile().unwrap();
    let mut with_file = Command::new(SIM);
    let mapping = command_fds::FdMapping { parent_fd: file.into(), child_fd: 3 };
    command_fds::CommandFdExt::fd_mappings(&mut with_file, vec![mapping]).unwrap();
    for mut command in [Command::new(SIM), with_file] {
        let output = command.args(["--camera", "cam0"]).stdin(Stdio::null()).output().unwrap();
        assert_eq!(output.status.code(), Some(2));
        assert!(String::from_utf8_lossy(&output.stderr).contains("started by scanner"));
    }
    let version = Command::new(SIM).arg("--version").output().unwrap();
    assert!(version.status.success() && version.stdout.starts_with(b"scanner-sim "));
}
