//! Which scan is the newest, whatever the clock said.

use std::path::Path;

use jiff::ToSpan as _;

use super::super::{
    Listed, New, Place, ScanId, create, create_by, encode_line, list, newest, read_journal, recover,
    references, removable,
};
use super::{plan, take};
use crate::scan::{Outcome, Record};

/// A complete scan of one shot.
fn scan(root: &Path, id: &str, rig: Option<&str>) -> ScanId {
    let id: ScanId = id.parse().unwrap();
    let dataset = match rig {
        Some(rig) => create_by(New { rig: Some(rig), ..New::default() }, root, &id, plan(1)),
        None => create(root, &id, plan(1)),
    };
    let dataset = dataset.unwrap();
    take(&dataset, 0, 1).unwrap();
    dataset.note(&Record::Finished { outcome: Outcome::Complete }).unwrap();
    id
}

/// Rewrites the first record of a scan: as if it had begun so many hours later, and with or without a number.
fn forge(root: &Path, id: &ScanId, hours: i64, numbered: bool) {
    let path = root.join(id.as_str()).join("journal.jsonl");
    let mut entries = read_journal(std::fs::File::open(&path).unwrap()).unwrap().entries;
    entries[0].at = entries[0].at.checked_add(hours.hours()).unwrap();
    if let Record::Opened { order, .. } = &mut entries[0].record
        && !numbered
    {
        *order = None;
    }
    let lines: String = entries.iter().map(|entry| encode_line(entry).unwrap()).collect();
    std::fs::write(path, lines).unwrap();
}

fn names(scans: &[Listed]) -> Vec<&str> {
    scans.iter().map(|scan| scan.id.as_str()).collect()
}

#[test]
fn scans_are_ordered_by_a_number_whatever_the_clock_said() {
    let root = tempfile::tempdir().unwrap();
    let root = root.path();
    let ahead = scan(root, "ahead", None);
    forge(root, &ahead, 400 * 24, true);
    let behind = scan(root, "behind", None);
    forge(root, &behind, -1, true);
    scan(root, "later", None);
    // Of an earlier version, by their clock among themselves, and before all others.
    for (id, hours) in [("old", 500 * 24), ("older", -2)] {
        let id = scan(root, id, None);
        forge(root, &id, hours, false);
    }
    let scans = list(root).unwrap();
    assert_eq!(names(&scans), ["later", "behind", "ahead", "old", "older"]);
    assert_eq!(newest(root, None).unwrap().unwrap().id.as_str(), "later");
    let removed = removable(&scans, Some(2));
    assert_eq!(removed.iter().map(ScanId::as_str).collect::<Vec<_>>(), ["older", "old", "ahead"]);
    // What is gone makes no number come again among those that are there.
    let place = Place::of(root, scan(root, "last", None)).unwrap();
    assert!(scans.iter().all(|scan| Place::of(root, scan.id.clone()).unwrap() < place), "{place:?}");
}

#[test]
fn references_of_a_scan_are_those_that_its_rig_made_before_and_none_is_removed() {
    let root = tempfile::tempdir().unwrap();
    let root = root.path();
    let reference = |id: &str, rig| {
        let new = New { rig: Some(rig), reference: true, description: None };
        let dataset = create_by(new, root, &id.parse().unwrap(), plan(1)).unwrap();
        take(&dataset, 0, 1).unwrap();
        dataset.note(&Record::Finished { outcome: Outcome::Complete }).unwrap();
    };
    reference("empty-1", "a");
    scan(root, "between", Some("a"));
    reference("empty-2", "a");
    reference("empty-of-b", "b");
    let owl = scan(root, "owl", Some("a"));
    let of_nobody = scan(root, "of-nobody", None);
    reference("empty-3", "a");
    let found = |id: &ScanId| references(root, id).unwrap().iter().map(ScanId::to_string).collect::<Vec<_>>();
    assert_eq!(found(&owl), ["empty-2", "empty-1"]);
    assert_eq!(found(&of_nobody), ["empty-of-b", "empty-2", "empty-1"]);
    // The clock says nothing: their numbers do.
    forge(root, &"empty-3".parse().unwrap(), -48, true);
    assert_eq!(found(&owl), ["empty-2", "empty-1"]);
    let scans = list(root).unwrap();
    let empty: Vec<_> = scans
        .iter()
        .filter(|scan| scan.scan.as_ref().unwrap().reference)
        .map(|scan| scan.id.as_str())
        .collect();
    assert_eq!(empty, ["empty-3", "empty-of-b", "empty-2", "empty-1"]);
    let removed = removable(&scans, Some(1));
    assert_eq!(removed.iter().map(ScanId::as_str).collect::<Vec<_>>(), ["between", "owl"]);
    // The journal says so, whatever becomes of the manifest.
    std::fs::remove_file(root.join("empty-1/scan.json")).unwrap();
    drop(recover(&root.join("empty-1")).unwrap());
    assert_eq!(found(&owl), ["empty-2", "empty-1"]);
}

#[test]
fn each_rig_has_its_own_newest_scan_in_a_folder_that_several_share() {
    let root = tempfile::tempdir().unwrap();
    let root = root.path();
    scan(root, "of-nobody", None);
    scan(root, "first-of-a", Some("a"));
    scan(root, "first-of-b", Some("b"));
    let newest = |rig| newest(root, rig).unwrap().unwrap().id.to_string();
    assert_eq!(newest(Some("a")), "first-of-a");
    assert_eq!(newest(Some("b")), "first-of-b");
    assert_eq!(newest(Some("c")), "of-nobody");
    assert_eq!(newest(None), "first-of-b");
}

#[test]
fn a_scan_whose_journal_was_lost_is_the_newest_once_it_is_recovered() {
    let root = tempfile::tempdir().unwrap();
    let root = root.path();
    scan(root, "damaged", None);
    scan(root, "other", None);
    std::fs::write(root.join("damaged/journal.jsonl"), "").unwrap();
    assert_eq!(names(&list(root).unwrap()), ["other", "damaged"]);
    drop(recover(&root.join("damaged")).unwrap());
    assert_eq!(names(&list(root).unwrap()), ["damaged", "other"]);
}
