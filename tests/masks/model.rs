//! The model of the object: made behind a scan, made again, or why not.

use std::fs;
use std::path::Path;

use serde_json::Value;

use super::support::{Recipe, TestRig};
use super::{rig, scan, scan_empty};

/// The owl's volume in cubic millimetres, by counting points of a fine grid (`crates/hull/tests/owl.rs`).
const OWL: f64 = 304_917.0;

fn with_model(size: (u32, u32)) -> TestRig {
    let rig = rig(size);
    let text = fs::read_to_string(&rig.config).unwrap();
    fs::write(&rig.config, text.replace("hull = false", "hull = true")).unwrap();
    rig
}

fn numbers(dir: &Path) -> Value {
    serde_json::from_slice(&fs::read(dir.join("preview.json")).unwrap()).unwrap()
}

#[test]
fn a_model_is_there_when_the_scan_is_and_can_be_made_again() {
    let rig = with_model((480, 360));
    let reference = scan_empty(&rig);
    assert_eq!(reference.code, Some(0), "{}", reference.stderr);
    assert!(!rig.scans().join("2026-01-01-000000-empty/preview.glb").exists(), "the empty rig is no object");
    let id = "2026-01-02-000000-owl";
    let dir = scan(&rig, id);
    let made = numbers(&dir);
    let [images, stored, planned] = ["images", "stored", "planned"].map(|name| made[name].as_u64());
    assert_eq!((images, stored, planned), (Some(24), Some(24), Some(24)), "{made}");
    let volume = made["volume_mm3"].as_f64().unwrap();
    // With 24 images of so few pixels a hull is wider than what it is of, and never smaller.
    assert!((1.0..1.12).contains(&(volume / OWL)), "{made}");
    assert!(made["well_covered_percent"].as_f64().is_some_and(|well| well > 50.0), "{made}");
    let model = fs::read(dir.join("preview.glb")).unwrap();
    assert_eq!((&model[..4], Some(model.len() as u64)), (&b"glTF"[..], made["bytes"].as_u64()));

    let verified = rig.run(&["dataset", "verify", id]);
    assert_eq!(verified.code, Some(0), "{}", verified.stdout);
    for file in ["preview.glb", "preview.json"] {
        fs::remove_file(dir.join(file)).unwrap();
    }
    let again = rig.run(&["dataset", "hull", id, "--json"]);
    assert_eq!(again.code, Some(0), "{}", again.stderr);
    let again = again.json();
    assert_eq!(again, numbers(&dir));
    // Behind the scan, the grid was laid around what was left by then.
    assert!((again["volume_mm3"].as_f64().unwrap() / volume - 1.0).abs() < 0.01, "{again}, {made}");
    let said = rig.run(&["dataset", "hull", id]).stdout;
    assert!(said.contains("from 24 of 24 images") && said.contains("well covered"), "{said}");
}

#[test]
fn without_masks_or_places_of_cameras_it_is_said_what_is_missing() {
    let photographed = TestRig::new(&Recipe::default());
    let rig = &photographed;
    let taken = rig.run(&["scan", "--id", "taken"]);
    assert_eq!(taken.code, Some(0), "{}", taken.stderr);
    assert!(!rig.scans().join("taken/preview.glb").exists());
    let refused = rig.run(&["dataset", "hull", "taken"]);
    assert_eq!(refused.code, rig.run(&["dataset", "show", "nothing"]).code, "{}", refused.stderr);
    assert!(refused.stderr.contains("scanner reference"), "{}", refused.stderr);

    // A simulated camera cannot do without a place, but one that plays photographs can, if nobody knows it by its name.
    let options = format!("directory = {:?}", rig.scans().join("taken/images/cam0"));
    let driver = rig.dir.path().join("webcam");
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_scanner-replay"), &driver).unwrap();
    let driver = driver.to_str().unwrap();
    let rig = TestRig::new(&Recipe { driver, options: &[&options], ..Recipe::default() });
    let text = fs::read_to_string(&rig.config).unwrap();
    let (before, mount) = text.split_once("[camera.mount]").unwrap();
    let (_, after) = mount.split_once("[camera.options]").unwrap();
    fs::write(&rig.config, format!("{before}[camera.options]{after}")).unwrap();
    let taken = rig.run(&["scan", "--id", "placeless"]);
    assert_eq!(taken.code, Some(0), "{}", taken.stderr);
    let refused = rig.run(&["dataset", "hull", "placeless"]);
    assert!(refused.code != Some(0) && refused.stderr.contains("[camera.mount]"), "{}", refused.stderr);
}

#[test]
fn no_model_is_made_where_none_is_wanted() {
    let rig = rig((320, 240));
    assert_eq!(scan_empty(&rig).code, Some(0));
    let dir = scan(&rig, "2026-01-02-000000-owl");
    assert!(!dir.join("preview.glb").exists() && !dir.join("masks").exists());
}
