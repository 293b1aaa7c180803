//! A rig that trembles after each move, and how long a scan waits for it.

use crate::refused::edit;
use crate::support::{Recipe, TestRig};

/// More than two images of the same differ by, for the noise of the simulated sensor alone (2.7 levels were seen).
const NOISE: f64 = 3.2;

/// The luma of each image of a scan, in the order of its labels, and the scan's log.
fn scanned(settle: &str, more: &[(&str, &str)]) -> (Vec<Vec<u8>>, String) {
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
    let folder = rig.scans().join(id).join("images/cam0");
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let luma = |file: &std::path::PathBuf| {
        turbojpeg::decompress(&std::fs::read(file).unwrap(), turbojpeg::PixelFormat::GRAY).unwrap().pixels
    };
    (files.iter().map(luma).collect(), scan.stderr)
}

/// By how many levels each image differs from what is seen of a rig at rest, as the mean of the squares' root; that of
/// the first point, at which nothing has moved, apart.
fn differences(images: &[Vec<u8>], at_rest: &[Vec<u8>]) -> Vec<f64> {
    assert_eq!(images.len(), 4);
    let difference = |(image, at_rest): (&Vec<u8>, &Vec<u8>)| {
        let squares = image.iter().zip(at_rest).map(|(a, b)| f64::from(a.abs_diff(*b)).powi(2));
        (squares.sum::<f64>() / image.len() as f64).sqrt()
    };
    images.iter().zip(at_rest).skip(1).map(difference).collect()
}

#[test]
fn too_short_a_wait_blurs_and_frames_show_how_long_it_has_to_be() {
    let (at_rest, _) = scanned("settle = \"3 s\"", &[]);
    let (too_soon, _) = scanned("settle = \"0 ms\"", &[]);
    let too_soon = differences(&too_soon, &at_rest);
    // One or another may meet the middle of the swing.
    let moved = too_soon.iter().filter(|difference| **difference > 2.0 * NOISE).count();
    assert!(moved >= 1, "it does not tremble: {too_soon:?}");
    let (watched, log) = scanned("settle_by = \"frames\"\nsettle = \"4 s\"", &[]);
    let watched = differences(&watched, &at_rest);
    assert!(watched.iter().all(|difference| *difference < NOISE), "{watched:?}");
    assert!(log.contains("levels at rest; from now on they show when that is"), "{log}");
    assert!(!log.contains("still changed after"), "every point was seen to be at rest: {log}");
    // A camera that shows nothing is waited for as long as it may take.
    let blind = ("id = \"0\"", "id = \"0\"\nlive = \"off\"");
    let (blind, log) = scanned("settle_by = \"frames\"\nsettle = \"3 s\"", &[blind]);
    let blind = differences(&blind, &at_rest);
    assert!(blind.iter().all(|difference| *difference < NOISE), "{blind:?}");
    assert!(!log.contains("levels at rest"), "{log}");
}
