//! Whole scans of sound cameras.

use std::fs;

use serde_json::Value;

use crate::pictures::{SIZE, decoded, psnr};
use crate::rig::{Recipe, Rig};

#[test]
fn photographs_of_two_cameras_arrive_as_they_are() {
    let rig = Rig::new(&Recipe { cameras: 2, points: 24, ..Recipe::default() });
    let (code, devices) = rig.run(&["devices"]);
    assert!(code == Some(0) && devices.contains("scanner-libcamera"), "{devices}");
    assert!(devices.contains("640x480") && devices.contains("cam1 controls: "), "{devices}");
    let (code, log) = rig.run(&["scan"]);
    assert_eq!(code, Some(0), "{log}");
    assert!(!rig.is_left_behind());
    for camera in 0..2 {
        let images = rig.images(camera);
        assert_eq!(images.len(), 24);
        for image in images {
            let (picture, size) = decoded(&image);
            assert_eq!(size, SIZE);
            let (same, other) =
                (psnr(&picture, &rig.photos[camera]), psnr(&picture, &rig.photos[1 - camera]));
            assert!(same > 25.0 && other < 15.0, "{}: {same} dB, {other} dB", image.display());
        }
    }
}

#[test]
fn twelve_megapixels() {
    let rig = Rig::new(&Recipe { sizes: &[(4056, 3040), SIZE], points: 6, ..Recipe::default() });
    let (code, log) = rig.run(&["scan"]);
    assert_eq!(code, Some(0), "{log}");
    assert!(log.contains("configured: 4056x3040"), "{log}");
    for image in rig.images(0) {
        let (picture, size) = decoded(&image);
        assert_eq!(size, (4056, 3040));
        let same = psnr(&picture, &rig.photos[0]);
        assert!(same > 20.0, "{same} dB");
    }
}

#[test]
fn the_driver_alone_is_configuration_enough() {
    let rig = Rig::new(&Recipe { sizes: &[(1280, 960), SIZE], ..Recipe::default() });
    let text = fs::read_to_string(rig.config()).unwrap();
    let (before, _) = text.split_once("[[camera]]").unwrap();
    let driver = rig.driver().display().to_string();
    fs::write(rig.config(), format!("{before}[[camera]]\ndriver = \"{driver}\"\nformat = \"nv12\"\n"))
        .unwrap();
    let (code, said) = rig.run(&["check-config", "--devices"]);
    assert!(code == Some(0) && said.contains("cam0"), "{said}");
    let (code, log) = rig.run(&["scan"]);
    assert_eq!(code, Some(0), "{log}");
    let (_, size) = decoded(&rig.images(0)[0]);
    assert_eq!(size, (1280, 960));
    // What nobody knows is not made up.
    let plan: Value = serde_json::from_slice(&fs::read(rig.scan().join("plan.json")).unwrap()).unwrap();
    let camera = &plan["cameras"][0];
    assert_eq!(camera["intrinsics"], serde_json::json!({ "width": 1280, "height": 960 }));
    assert!(camera.get("mount").is_none());
}

#[test]
fn what_the_camera_lacks_is_an_error_before_anything_moves() {
    let rig = Rig::new(&Recipe { camera: "controls = { exposure = \"10 ms\" }", ..Recipe::default() });
    for command in [&["scan"][..], &["check-config", "--devices"]] {
        let (code, log) = rig.run(command);
        assert!(code == Some(11) && log.contains("no control exposure"), "{log}");
    }
    rig.reconfigure("controls = { exposure = \"10 ms\" }", "");
    rig.reconfigure("width = 640", "width = 642");
    let (code, log) = rig.run(&["check-config", "--devices"]);
    assert!(code == Some(11) && log.contains("640x480"), "{log}");
    rig.reconfigure("id = \"0\"", "id = \"imx708\"");
    let (code, log) = rig.run(&["devices"]);
    assert!(
        code == Some(11) && log.contains("there is no camera \"imx708\"; libcamera knows: Virtual0"),
        "{log}"
    );
    assert!(rig.scans().is_empty());
}
