//! Folders with several scans.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use crate::dataset::{
    OsDisk, RemoveError, ScanId, State, create_on, list, needed_bytes, removable, remove, show, sweep,
};
use crate::scan::{Outcome, Record};

use super::{plan, take};

/// A scan of one shot that ended with `outcome`, or was left running.
fn scan(root: &Path, id: &str, outcome: Option<Outcome>) -> ScanId {
    let id: ScanId = id.parse().unwrap();
    let dataset = create_on(Arc::new(OsDisk), root, &id, plan(1)).unwrap();
    if outcome == Some(Outcome::Complete) {
        take(&dataset, 0, 1).unwrap();
    }
    if let Some(outcome) = outcome {
        dataset.note(&Record::Finished { outcome }).unwrap();
    }
    id
}

#[test]
fn scans_are_listed_newest_first_and_damaged_ones_as_such() {
    let root = tempfile::tempdir().unwrap();
    assert_eq!(list(&root.path().join("none")).unwrap(), []);
    scan(root.path(), "2026-01-01-000000-owl", Some(Outcome::Complete));
    scan(root.path(), "2026-03-01-000000-cat", None);
    scan(root.path(), "2026-02-01-000000-dog", Some(Outcome::Cancelled));
    fs::create_dir(root.path().join("2026-04-01-000000-elk")).unwrap();
    fs::create_dir(root.path().join(".new-x")).unwrap();
    fs::write(root.path().join("notes"), "").unwrap();
    // A lost manifest costs nothing.
    fs::remove_file(root.path().join("2026-01-01-000000-owl/scan.json")).unwrap();

    let scans = list(root.path()).unwrap();
    let seen: Vec<_> = scans
        .iter()
        .map(|scan| (scan.id.as_str(), scan.scan.as_ref().map(|it| (it.state, it.shots.done)).ok()))
        .collect();
    assert_eq!(
        seen,
        [
            ("2026-04-01-000000-elk", None),
            ("2026-03-01-000000-cat", Some((State::Running, 0))),
            ("2026-02-01-000000-dog", Some((State::Cancelled, 0))),
            ("2026-01-01-000000-owl", Some((State::Complete, 1))),
        ]
    );
    assert_eq!(show(&scans[1].dir).unwrap(), scans[1]);
    assert!(show(&root.path().join("none")).is_err());
}

#[test]
fn a_running_scan_shows_that_it_is_in_use_and_its_present_counts() {
    let root = tempfile::tempdir().unwrap();
    let dataset = create_on(Arc::new(OsDisk), root.path(), &"run".parse().unwrap(), plan(2)).unwrap();
    take(&dataset, 0, 1).unwrap();
    let shown = show(dataset.dir()).unwrap();
    assert!(shown.in_use);
    assert_eq!(shown.scan.unwrap().shots.done, 1);
    let dir = dataset.dir().to_owned();
    drop(dataset);
    assert!(!show(&dir).unwrap().in_use);
}

#[test]
fn only_complete_scans_beyond_the_number_are_removable_oldest_first() {
    let root = tempfile::tempdir().unwrap();
    let complete: Vec<_> = (1..=4)
        .map(|day| scan(root.path(), &format!("2026-01-0{day}-000000-owl"), Some(Outcome::Complete)))
        .collect();
    let running = scan(root.path(), "2025-01-01-000000-ant", None);
    let incomplete = scan(root.path(), "2025-01-02-000000-ant", Some(Outcome::Incomplete));
    let scans = list(root.path()).unwrap();
    assert_eq!(removable(&scans, None), []);
    assert_eq!(removable(&scans, Some(4)), []);
    assert_eq!(removable(&scans, Some(2)), complete[..2]);
    assert_eq!(removable(&scans, Some(0)).len(), 4);

    for id in [&running, &incomplete] {
        assert!(matches!(remove(root.path(), id), Err(RemoveError::NotComplete { .. })));
    }
    // The manifest alone does not make a scan complete.
    let manifest = fs::read_to_string(root.path().join(complete[0].as_str()).join("scan.json")).unwrap();
    let lie = manifest.replace(complete[0].as_str(), incomplete.as_str());
    fs::write(root.path().join(incomplete.as_str()).join("scan.json"), lie).unwrap();
    assert!(matches!(remove(root.path(), &incomplete), Err(RemoveError::NotComplete { .. })));

    remove(root.path(), &complete[0]).unwrap();
    assert_eq!(list(root.path()).unwrap().len(), 5);
    assert!(!root.path().join(complete[0].as_str()).exists());
}

#[test]
fn a_sweep_removes_left_overs_and_nothing_else() {
    let root = tempfile::tempdir().unwrap();
    scan(root.path(), "keep", None);
    for name in [".new-a.1", ".trash-b"] {
        fs::create_dir(root.path().join(name)).unwrap();
        fs::write(root.path().join(name).join("x"), "x").unwrap();
    }
    sweep(root.path()).unwrap();
    let left: Vec<_> = fs::read_dir(root.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["keep"]);
}

#[test]
fn a_better_quality_needs_more_room() {
    let amounts = [50, 75, 90, 95, 100].map(|quality| needed_bytes(&plan(144), quality).get());
    assert!(amounts.is_sorted());
    // 144 shots of 12.3 million pixels at quality 95.
    assert!((1.0e9..2.0e9).contains(&amounts[3]), "{amounts:?}");
}
