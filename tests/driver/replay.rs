//! The driver that plays photographs.

use std::fs;
use std::path::Path;

use scanner::camera_driver::protocol::ErrorKind;
use scanner::model::PixelFormat;
use serde_json::json;

use crate::process::{Answer, Driver, REPLAY, pixels};

/// Writes a photo of one grey value.
fn photo(path: &Path, value: u8) {
    let pixels = vec![value; 320 * 200];
    let image = turbojpeg::Image {
        pixels: &pixels[..],
        width: 320,
        pitch: 320,
        height: 200,
        format: turbojpeg::PixelFormat::GRAY,
    };
    fs::write(path, turbojpeg::compress(image, 90, turbojpeg::Subsamp::Gray).unwrap()).unwrap();
}

/// The grey value of the next frame's first pixel, for `shot`.
fn shown(driver: &mut Driver, shot: u32) -> u8 {
    match driver.capture(1, shot) {
        Answer::Frame(frame, memory) => {
            driver
                .send(&scanner::camera_driver::protocol::ToDriver::Release { buffer: frame.metadata.buffer });
            pixels(&memory)[0]
        }
        other => panic!("{other:?} instead of a photo"),
    }
}

#[test]
fn each_shot_has_its_photo_in_the_order_of_names() {
    let folder = tempfile::tempdir().unwrap();
    for (name, value) in [("c.jpeg", 180), ("a.jpg", 60), ("b.JPG", 120)] {
        photo(&folder.path().join(name), value);
    }
    fs::write(folder.path().join("notes.txt"), "no photo").unwrap();
    for (stride, expected) in [(1, [60, 120, 180, 60]), (2, [60, 60, 120, 120])] {
        let options = json!({ "directory": folder.path(), "time_scale": 10, "stride": stride });
        let mut driver = Driver::streaming(REPLAY, &options);
        for (shot, expected) in (0..).zip(expected) {
            assert!(shown(&mut driver, shot).abs_diff(expected) <= 2, "shot {shot}, stride {stride}");
        }
        assert!(driver.end().status.success());
    }
}

#[test]
fn what_cannot_be_played_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("missing");
    for (options, name) in [
        (json!({}), "directory and files"),
        (json!({ "directory": missing }), "missing"),
        (json!({ "directory": folder.path() }), "no JPEG"),
        (json!({ "files": [missing] }), "missing"),
        (json!({ "directory": folder.path(), "stride": 0 }), "stride"),
        (json!({ "world": "world.json" }), "world"),
    ] {
        let mut driver = Driver::spawn(REPLAY, &options);
        let answer = driver.answer();
        let Answer::Error(ErrorKind::InvalidArgument, message, None) = &answer else { panic!("{answer:?}") };
        assert!(message.contains(name), "{message}");
        assert_eq!(driver.wait().status.code(), Some(1));
    }
}

#[test]
fn a_damaged_photo_fails_its_shot_alone() {
    let folder = tempfile::tempdir().unwrap();
    let [good, cut, no_jpeg] = ["1.jpg", "2.jpg", "3.jpg"].map(|name| folder.path().join(name));
    photo(&good, 90);
    let bytes = fs::read(&good).unwrap();
    fs::write(&cut, &bytes[..bytes.len() / 2]).unwrap();
    fs::write(&no_jpeg, "no photo").unwrap();
    let options = json!({ "files": [good, cut, no_jpeg], "time_scale": 10 });
    let mut driver = Driver::streaming(REPLAY, &options);
    for (shot, name) in [(1, "2.jpg"), (2, "3.jpg")] {
        let answer = driver.capture(1, shot);
        let Answer::Error(ErrorKind::InvalidArgument, message, _) = &answer else { panic!("{answer:?}") };
        assert!(message.contains(name), "{message}");
        driver.good(1, 0);
    }
}

#[test]
fn faults_are_those_of_the_simulator() {
    let folder = tempfile::tempdir().unwrap();
    photo(&folder.path().join("1.jpg"), 90);
    let options = json!({
        "directory": folder.path(),
        "time_scale": 10,
        "faults": [{ "kind": "queue_buffer", "shot": 3 }],
    });
    let mut driver = Driver::spawn(REPLAY, &options);
    assert_eq!(driver.hello().model, "photographs");
    driver.configure(PixelFormat::Nv12, None);
    driver.start(1);
    assert!(matches!(driver.capture(1, 3), Answer::Error(ErrorKind::QueueBuffer, ..)));
    driver.good(1, 3);
}
