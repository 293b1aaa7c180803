//! A scan as the program made it before shots could have several files.

use std::fs;
use std::path::Path;

use crate::support::{Recipe, TestRig};

const SCAN: &str = "2026-11-29-080000-owl";

/// A rig on whose disk that scan is: of three points, one of which was taken again.
fn rig() -> TestRig {
    let rig = TestRig::new(&Recipe::default());
    copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scan/format_1"), &rig.scans().join(SCAN));
    rig
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

#[test]
fn a_scan_of_before_is_read_resumed_and_stays_one_of_before() {
    let rig = rig();
    let folder = rig.scans().join(SCAN);
    rig.assert_complete(SCAN, "as it was");
    let list = rig.run(&["dataset", "list"]);
    assert!(list.stdout.contains(SCAN) && list.stdout.contains("complete"), "{}", list.stdout);
    let (journal, manifest) = (folder.join("journal.jsonl"), folder.join("scan.json"));
    let before = fs::read(&journal).unwrap();
    assert_eq!(rig.run(&["resume", SCAN]).code, Some(0));
    assert!(fs::read(&journal).unwrap().starts_with(&before), "what it said is as it was");

    fs::write(folder.join("images/cam0/r01_a002.jpg"), "damaged").unwrap();
    let resumed = rig.run(&["resume", SCAN, "--json"]);
    assert_eq!(resumed.code, Some(0), "{}", resumed.stderr);
    assert_eq!(resumed.json()["attempts"], 1, "{}", resumed.stdout);
    rig.assert_complete(SCAN, "after resume");
    let manifest = fs::read_to_string(&manifest).unwrap();
    assert!(manifest.contains("\"format\": 1"), "the program of before reads it still: {manifest}");
    let journal = fs::read_to_string(&journal).unwrap();
    assert!(!journal.contains("beside"), "{journal}");
    for what in [&["dataset", "report", SCAN][..], &["dataset", "export", SCAN, "--to", "colmap"]] {
        let done = rig.run(what);
        assert_eq!(done.code, Some(0), "{what:?}: {}", done.stderr);
    }
}
