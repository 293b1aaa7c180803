//! Exports that a scan is followed by, and what becomes of those that fail.

use std::cell::Cell;
use std::fs;
use std::path::Path;

use scanner::export::{Care, ExportError, Format, export};
use scanner::units::Bytes;

use crate::interrupted::slow_rig;
use crate::refused::{SmallDisk, edit};
use crate::support::{Recipe, Running, TestRig};

fn wants(rig: &TestRig, formats: &str) {
    edit(rig, "[recovery]", &format!("[export]\nformats = {formats}\n[recovery]"));
}

/// Names in a folder.
fn names(folder: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn a_scan_is_followed_by_its_exports_and_those_from_before_stay() {
    let rig = TestRig::new(&Recipe::default());
    wants(&rig, "[\"colmap\", \"nerfstudio\"]");
    let scan = rig.run(&["scan", "--json"]);
    assert_eq!(scan.code, Some(0), "{}", scan.stderr);
    let id = rig.scan_id().unwrap();
    let exports = rig.scans().join(&id).join("exports");
    assert_eq!(names(&exports), ["colmap", "nerfstudio"], "{}", scan.stderr);
    assert_eq!(names(&exports.join("colmap/images/cam0")).len(), 3);
    assert!(scan.stderr.contains("exported for nerfstudio: 3 images"), "{}", scan.stderr);
    rig.assert_complete(&id, "with exports in its folder");
    // A person has worked there.
    fs::write(exports.join("colmap/database.db"), "hours of work").unwrap();
    assert_eq!(rig.run(&["resume", &id]).code, Some(0));
    assert_eq!(names(&exports), ["colmap", "nerfstudio"], "nothing is new");
    assert_eq!(rig.run(&["retake", &id, "0"]).code, Some(0));
    assert_eq!(rig.run(&["resume", &id]).code, Some(0));
    assert_eq!(names(&exports), ["colmap", "colmap-2", "nerfstudio", "nerfstudio-2"]);
    let image = |export: &str| fs::read(exports.join(export).join("images/cam0/r01_a001.jpg")).unwrap();
    assert_ne!(image("colmap"), image("colmap-2"), "the second one has the new image");
    assert_eq!(fs::read(exports.join("colmap/database.db")).unwrap(), b"hours of work");
}

/// A file where the folder belongs.
#[test]
fn a_scan_whose_export_fails_is_as_complete_as_any() {
    let rig = slow_rig(6);
    wants(&rig, "[\"colmap\"]");
    let mut scan = Running::spawn(&mut rig.command(&["scan"]));
    while rig.scan_id().is_none() {
        assert!(scan.try_wait().unwrap().is_none(), "it ended before it began");
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    let id = rig.scan_id().unwrap();
    let folder = rig.scans().join(&id);
    fs::write(folder.join("exports"), "in the way").unwrap();
    let scan = scan.finish();
    assert_eq!(scan.code, Some(0), "{}", scan.stderr);
    assert!(scan.stderr.contains("not exported for colmap"), "{}", scan.stderr);
    assert!(scan.stderr.contains(&format!("scanner dataset export {id} --to colmap")), "{}", scan.stderr);
    rig.assert_complete(&id, "without its export");
    assert_eq!(fs::read(folder.join("exports")).unwrap(), b"in the way");
}

#[test]
fn scans_that_were_paused_or_cancelled_are_not_exported() {
    for end in ["pause", "cancel"] {
        let rig = slow_rig(48);
        wants(&rig, "[\"colmap\"]");
        let mut scan = Running::spawn(&mut rig.command(&["scan"]));
        let images = |rig: &TestRig| {
            let id = rig.scan_id()?;
            (names(&rig.scans().join(id).join("images/cam0")).len() > 2).then_some(())
        };
        while images(&rig).is_none() {
            assert!(scan.try_wait().unwrap().is_none(), "it ended by itself");
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        assert_eq!(rig.run(&[end]).code, Some(0));
        let ended = scan.finish();
        assert!(matches!(ended.code, Some(5 | 6)), "{}", ended.stderr);
        assert_eq!(names(&rig.scans().join(rig.scan_id().unwrap()).join("exports")), [""; 0]);
    }
}

#[test]
fn a_full_disk_is_said_and_nothing_half_is_left() {
    let rig = TestRig::new(&Recipe { angles: 24, size: (320, 240), ..Recipe::default() });
    assert_eq!(rig.run(&["scan"]).code, Some(0));
    let id = rig.scan_id().unwrap();
    // On another file system images have to be copied.
    let Some(_disk) = SmallDisk::mount(rig.dir.path().join("stick"), 100_000) else { return };
    let out = rig.dir.path().join("stick/model");
    let refused = rig.run(&["dataset", "export", &id, "--to", "colmap", "--out", out.to_str().unwrap()]);
    assert_eq!(refused.code, Some(8), "{}{}", refused.stdout, refused.stderr);
    assert!(refused.stderr.contains("has no room for the export"), "{}", refused.stderr);
    assert_eq!(names(&rig.dir.path().join("stick")), [""; 0]);
    // It fits on the disk of the scan, but not if that much is to stay free.
    let (dir, out) = (rig.scans().join(&id), rig.dir.path().join("model"));
    let care = Care { keep_free: Bytes::new(1e18), ..Care::NONE };
    let error = export(&dir, Format::Colmap, &out, &care).unwrap_err();
    assert!(matches!(error, ExportError::Full { .. }) && error.to_string().contains("keep_free"), "{error}");
    assert_eq!(names(rig.dir.path()).iter().filter(|name| name.contains("export-")).count(), 0);
    assert!(export(&dir, Format::Colmap, &out, &Care::NONE).is_ok());
}

#[test]
fn what_is_given_up_or_was_cut_off_leaves_nothing() {
    let rig = TestRig::new(&Recipe::default());
    assert_eq!(rig.run(&["scan"]).code, Some(0));
    let dir = rig.scans().join(rig.scan_id().unwrap());
    let exports = rig.dir.path().join("exports");
    // As `kill -9` leaves it.
    fs::create_dir_all(exports.join(".export-cut/images")).unwrap();
    fs::create_dir_all(exports.join("mine")).unwrap();
    let asked = Cell::new(0);
    let twice = || asked.replace(asked.get() + 1) < 2;
    let care = Care { go_on: &twice, ..Care::NONE };
    let given_up = export(&dir, Format::Nerfstudio, &exports.join("n"), &care).unwrap_err();
    assert!(matches!(given_up, ExportError::GivenUp), "{given_up}");
    assert_eq!((names(&exports), asked.get()), (vec!["mine".to_owned()], 3));
    // One that is being made by somebody else is no left-over.
    let other = exports.join(".export-other");
    fs::create_dir(&other).unwrap();
    let lock = fs::File::open(&other).unwrap();
    rustix::fs::flock(&lock, rustix::fs::FlockOperation::LockExclusive).unwrap();
    export(&dir, Format::Nerfstudio, &exports.join("n"), &Care::NONE).unwrap();
    assert_eq!(names(&exports), [".export-other", "mine", "n"]);
}
