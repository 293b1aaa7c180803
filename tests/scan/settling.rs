//! A rig that trembles after each move, and how long a scan waits for it.

use crate::refused::edit;
use crate::support::{Recipe, TestRig};

/// The sharpness of each image of a scan, in the order of its labels, and the scan's log.
fn scanned(settle: &str, more: &[(&str, &str)]) -> (Vec<f64>, String) {
    let rig = TestRig::new(&Recipe { angles: 4, size: (160, 120), time_scale: 1.0, ..Recipe::default() });
    edit(&rig, "settle = \"1 ms\"", settle);
    // Seen from nearby: the object fills the picture, and ten degrees are six pixels.
    edit(&rig, "pixel_pitch = \"70 um\"", "pixel_pitch = \"14 um\"");
    edit(&rig, "speed = \"60 deg/s\"", "speed = \"900 deg/s\"");
    edit(&rig, "acceleration = \"120 deg/s2\"", "acceleration = \"9000 deg/s2\"");
    let tremble =
        "[motion.tremble]\namplitude = \"10 deg\"\nperiod = \"120 ms\"\ndecay = \"250 ms\"\n[plan.ring]";
    edit(&rig, "[plan.ring]", tremble);
    for (from, to) in more {
        edit(&rig, from, to);
    }
    let scan = rig.run(&["scan"]);
    assert_eq!(scan.code, Some(0), "{settle}: {}", scan.stderr);
    let id = rig.scan_id().unwrap();
    rig.assert_complete(&id, settle);
    let folder = rig.scans().join(id).join("metadata/cam0");
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let sharpness = |file: &std::path::PathBuf| {
        let metadata: serde_json::Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
        metadata["stored"]["facts"]["sharpness"].as_f64().unwrap_or_else(|| panic!("{metadata}"))
    };
    (files.iter().map(sharpness).collect(), scan.stderr)
}

/// How sharp each image is, of what it would be of a rig at rest; the first point, at which nothing has moved, apart.
fn relative(images: &[f64], at_rest: &[f64]) -> Vec<f64> {
    assert_eq!(images.len(), 4);
    images.iter().zip(at_rest).skip(1).map(|(image, at_rest)| image / at_rest).collect()
}

#[test]
fn too_short_a_wait_blurs_and_frames_show_how_long_it_has_to_be() {
    let (at_rest, _) = scanned("settle = \"3 s\"", &[]);
    let (too_soon, _) = scanned("settle = \"0 ms\"", &[]);
    let too_soon = relative(&too_soon, &at_rest);
    assert!(too_soon.iter().all(|sharpness| *sharpness < 0.85), "it does not tremble: {too_soon:?}");
    let (watched, log) = scanned("settle_by = \"frames\"\nsettle = \"4 s\"", &[]);
    let watched = relative(&watched, &at_rest);
    assert!(watched.iter().all(|sharpness| (0.95..1.05).contains(sharpness)), "{watched:?}");
    assert!(log.contains("levels at rest; from now on they show when that is"), "{log}");
    assert!(!log.contains("still changed after"), "every point was seen to be at rest: {log}");
    // A camera that shows nothing is waited for as long as it may take.
    let blind = ("id = \"0\"", "id = \"0\"\nlive = \"off\"");
    let (blind, log) = scanned("settle_by = \"frames\"\nsettle = \"3 s\"", &[blind]);
    let blind = relative(&blind, &at_rest);
    assert!(blind.iter().all(|sharpness| (0.95..1.05).contains(sharpness)), "{blind:?}");
    assert!(!log.contains("levels at rest"), "{log}");
}
