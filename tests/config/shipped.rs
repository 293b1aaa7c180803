//! The shipped files load, and say what their comments say.

use std::fs;
use std::path::Path;
use std::time::Duration;

use scanner::config::{Config, HoldSettings, Panel, PlanOrder, PlanShape, SphereTravel};
use scanner::model::{Axis, Intrinsics, Optics};
use scanner::units::{Degrees, Dioptres, Millimetres};

use super::SHIPPED;

fn shipped(name: &str) -> Config {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("config").join(name);
    Config::load(&path).unwrap_or_else(|errors| panic!("{errors}"))
}

#[test]
fn the_standard_configuration_is_two_cameras_144_points() {
    for (name, cameras) in [("scanner.toml", 2), ("demo.toml", 2), ("demo-dslr.toml", 1)] {
        let config = shipped(name);
        assert_eq!(config.cameras.len(), cameras, "{name}");
        let PlanShape::Cylinder { angles, heights } = &config.plans[0].shape else { panic!("{name}") };
        assert_eq!(*angles as usize * heights.len(), 144, "{name}");
        let axes: Vec<Axis> = config.motion.axes.iter().map(|axis| axis.axis).collect();
        assert_eq!(axes, [Axis::Turntable, Axis::Lift], "{name}");
    }
}

#[test]
fn the_demo_has_a_fault_for_each_camera_at_its_own_shots() {
    let config = shipped("demo.toml");
    let faults = |camera: usize| -> Vec<(String, u64)> {
        let faults = config.cameras[camera].options["faults"].as_array().unwrap();
        let fault = |fault: &serde_json::Value| {
            (fault["kind"].as_str().unwrap().into(), fault["shot"].as_u64().unwrap())
        };
        faults.iter().map(fault).collect()
    };
    assert_eq!(faults(0), [("hang".into(), 20), ("queue_buffer".into(), 120)]);
    assert_eq!(faults(1), [("abort".into(), 61), ("stop_hangs".into(), 201)]);
    // A fault at a shot of the other camera would never come.
    assert!(
        faults(0).iter().all(|(_, shot)| shot % 2 == 0) && faults(1).iter().all(|(_, shot)| shot % 2 == 1)
    );
    assert_eq!(config.recovery.capture_timeout, Duration::from_secs(3));
}

#[test]
fn the_examples_are_what_their_comments_say() {
    let one = shipped("examples/one-camera-turntable.toml");
    assert_eq!(one.cameras.len(), 1);
    let ring = |angles| PlanShape::Ring { angles, height: Millimetres::ZERO, tilt: Degrees::ZERO };
    assert_eq!(one.plans[0].shape, ring(72));

    let sphere = shipped("examples/turntable-tilt-sphere.toml");
    let (min_tilt, max_tilt) = (Degrees::ZERO, Degrees::new(80.0));
    assert_eq!(
        sphere.plans[0].shape,
        PlanShape::FibonacciSphere { points: 200, min_tilt, max_tilt, travel: SphereTravel::Given }
    );
    let max_tilt = Degrees::new(75.0);
    assert_eq!(
        sphere.plans[1].shape,
        PlanShape::LatitudeSphere { points: 120, rings: 6, min_tilt, max_tilt }
    );
    let intrinsics = Intrinsics {
        width: 2304,
        height: 1296,
        fx: 1693.2,
        fy: 1692.6,
        cx: 1158.4,
        cy: 641.9,
        pixel_pitch: None,
        distortion: None,
    };
    assert_eq!(sphere.cameras[0].optics.intrinsics(), Some(intrinsics));

    let four = shipped("examples/four-cameras.toml");
    assert_eq!(four.cameras.len(), 4);
    assert_eq!(four.plans[0].shape, ring(48));

    let real = shipped("examples/libcamera.toml");
    assert_eq!(real.cameras[0].driver, Path::new("libcamera"));
    assert_eq!((real.cameras[0].optics, real.cameras[0].hold), (Optics::Unknown, HoldSettings::Scan));
    assert_eq!(real.cameras[0].controls.focus, Some(Dioptres::new(3.3)));
}

#[test]
fn the_demo_with_a_dslr_has_the_rig_of_the_other_and_a_camera_that_fails() {
    let (demo, dslr) = (shipped("demo.toml"), shipped("demo-dslr.toml"));
    assert_eq!((&demo.motion, &demo.plans, &demo.lights), (&dslr.motion, &dslr.plans, &dslr.lights));
    let camera = &dslr.cameras[0];
    assert_eq!((camera.mount, camera.optics), (demo.cameras[0].mount, demo.cameras[0].optics));
    let simulated = &camera.options["simulated"];
    assert_eq!(camera.id, format!("serial:{}", simulated["serial"].as_str().unwrap()));
    assert_eq!(simulated["faults"].as_array().unwrap().len(), 4);
}

#[test]
fn the_example_of_a_dslr_is_what_its_comments_say() {
    let dslr = shipped("examples/dslr.toml");
    let camera = &dslr.cameras[0];
    assert_eq!((camera.driver.as_path(), camera.id.as_str()), (Path::new("gphoto2"), "serial:3012345"));
    let size = camera.optics.size().unwrap();
    assert_eq!(camera.options["size"], serde_json::json!({ "width": size.width, "height": size.height }));
    assert!((camera.controls.exposure.unwrap().get() * 60.0 - 1.0).abs() < 1e-4);
    assert_eq!(camera.controls.gain, Some(1.0));
    assert!(camera.options.get("simulated").is_none());
    let focal = 50.0 / 0.0039;
    assert!((camera.optics.intrinsics().unwrap().fx - focal).abs() < 1.0);
    // One call into it and three times what a release takes, and 2 s.
    assert!(dslr.recovery.capture_timeout >= Duration::from_secs(2 + 3 * 4));
}

#[test]
fn every_shipped_file_is_loaded_by_a_test() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("config");
    let count = |folder: &Path| {
        let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        entries.filter(|path| path.extension().is_some_and(|extension| extension == "toml")).count()
    };
    assert_eq!(
        (count(&root), count(&root.join("examples"))),
        (3, 6),
        "a new file needs a test above, or beside"
    );
}

#[test]
fn the_documented_defaults_are_the_defaults() {
    // A default is a line "#key = value"; those with no default say so, in the comment above them.
    let no_default = [
        "keep_scans",
        "certificate",
        "key",
        "frame_rate",
        "focus",
        "white_balance",
        "metering",
        "noise_reduction",
        "bracket",
        "focus_window",
        "crop",
        "jerk",
        "silhouettes",
    ];
    let mut uncommented = 0;
    let mut comment = String::new();
    let mut lines = Vec::new();
    for line in SHIPPED.lines() {
        let default =
            line.strip_prefix('#').filter(|rest| rest.starts_with(|c: char| c.is_ascii_lowercase()));
        let key = default.and_then(|rest| rest.split(" =").next()).unwrap_or("");
        if no_default.contains(&key) {
            assert!(comment.to_lowercase().contains("no default"), "{line}: {comment}");
        }
        match default {
            // Options belong to the driver.
            Some(rest) if !no_default.contains(&key) && key != "frame_period" => {
                uncommented += 1;
                lines.push(rest);
            }
            _ => lines.push(line),
        }
        comment = if line.starts_with("# ") { line.to_owned() } else { String::new() };
    }
    assert!(uncommented >= 24, "only {uncommented} defaults found");
    let written =
        Config::from_text("scanner.toml", &lines.join("\n")).unwrap_or_else(|errors| panic!("{errors}"));
    assert_eq!(written, Config::from_text("scanner.toml", SHIPPED).unwrap());
}

#[test]
fn defaults_and_derived_values() {
    let config = Config::from_text("/etc/scanner/scanner.toml", SHIPPED).unwrap();
    assert_eq!(config.storage.directory, Path::new("/var/lib/scanner/scans"));
    assert_eq!(config.storage.keep_free.bytes(), 500_000_000);
    assert!(!config.storage.make_room, "nothing is removed unless the configuration says so");
    assert_eq!(config.panel, Panel::Sim);
    assert_eq!(config.plans[0].order, PlanOrder::Fastest);
    assert_eq!(config.cameras[0].options, serde_json::json!({}));
    let focal = 4.74 / 0.0028;
    let intrinsics = Intrinsics {
        width: 2304,
        height: 1296,
        fx: focal,
        fy: focal,
        cx: 1152.0,
        cy: 648.0,
        pixel_pitch: Some(Millimetres::new(0.0028)),
        distortion: None,
    };
    assert_eq!(config.cameras[0].optics.intrinsics(), Some(intrinsics));
}
