//! Store, verify, damage, recover.

use std::fs;

use crate::dataset::{OpenError, OsDisk, Recovered, Violation, create, recover, recover_on, show, verify};
use crate::plan::ShotIndex;
use crate::scan::{Outcome, Record, ScanState, WaitsFor};

use super::{files, id, jpeg, new, plan, records_in, take};

#[test]
fn a_scan_that_was_in_order_recovers_to_the_same_records() {
    let root = tempfile::tempdir().unwrap();
    let dataset = new(root.path(), 3);
    take(&dataset, 0, 1).unwrap();
    dataset.note(&Record::ShotFailed { shot: ShotIndex(1), reason: "timeout".into() }).unwrap();
    dataset.note(&Record::Paused { reason: "stop button".into(), waits_for: WaitsFor::Person }).unwrap();
    let dir = dataset.dir().to_owned();
    let (tally, before) = (dataset.tally(), files(&dir));
    assert!(matches!(recover(&dir), Err(OpenError::InUse(_))));
    drop(dataset);

    let Recovered { dataset, records, report } = recover(&dir).unwrap();
    assert_eq!(report, crate::dataset::RecoveryReport::default());
    assert_eq!(dataset.tally(), tally);
    let past = |record: &Record| matches!(record, Record::Stored(_) | Record::ShotFailed { .. });
    assert_eq!(records.iter().filter(|record| past(record)).count(), 2, "{records:?}");
    assert_eq!(records_in(&dir).len(), 5);
    assert_eq!(files(&dir), before, "nothing was to be done, and nothing was");
    let report = verify(&dir).unwrap();
    assert!(report.is_sound(), "{report:?}");
    assert_eq!((report.shots.done, report.shots.failed, report.shots.pending), (1, 1, 1));
    assert_eq!(report.state, ScanState::Paused);
}

#[test]
fn damaged_and_missing_images_are_lost_kept_aside_and_shot_again() {
    let root = tempfile::tempdir().unwrap();
    let dataset = new(root.path(), 3);
    (0..3).for_each(|shot| take(&dataset, shot, 1).unwrap());
    dataset.note(&Record::Finished { outcome: Outcome::Complete }).unwrap();
    let dir = dataset.dir().to_owned();
    drop(dataset);
    let image = |shot: u32| dir.join(format!("images/cam0/r01_a{shot:03}.jpg"));
    let mut damaged = jpeg(1);
    damaged[50] ^= 1;
    fs::write(image(1), &damaged).unwrap();
    fs::remove_file(image(2)).unwrap();
    fs::write(dir.join("metadata/cam0/r01_a000.json"), "{").unwrap();

    let found = verify(&dir).unwrap().violations;
    let images: Vec<_> = found.iter().filter(|it| matches!(it, Violation::Image { .. })).collect();
    assert_eq!(images.len(), 2, "{found:?}");
    assert!(found.iter().any(|it| matches!(it, Violation::Metadata { shot: ShotIndex(0), .. })), "{found:?}");

    let Recovered { dataset, report, .. } = recover(&dir).unwrap();
    assert_eq!(report.lost.iter().map(|(shot, _)| shot.0).collect::<Vec<_>>(), [1, 2]);
    assert_eq!(report.metadata_restored, [ShotIndex(0)]);
    assert_eq!(dataset.state(), ScanState::Finished(Outcome::Incomplete), "it may not say complete any more");
    assert!(verify(&dir).unwrap().is_sound());
    assert_eq!(fs::read(dir.join("quarantine/images_cam0_r01_a001.jpg")).unwrap(), damaged);

    dataset.note(&Record::Resumed).unwrap();
    take(&dataset, 1, 2).unwrap();
    take(&dataset, 2, 2).unwrap();
    dataset.note(&Record::Finished { outcome: Outcome::Complete }).unwrap();
    let report = verify(&dir).unwrap();
    assert!(report.is_sound() && report.state.is_complete(), "{report:?}");
}

#[test]
fn whole_files_without_a_record_are_adopted_and_others_moved_away() {
    let root = tempfile::tempdir().unwrap();
    let dataset = new(root.path(), 3);
    (0..2).for_each(|shot| take(&dataset, shot, 1).unwrap());
    let dir = dataset.dir().to_owned();
    drop(dataset);
    let journal = dir.join("journal.jsonl");
    let bytes = fs::read(&journal).unwrap();
    // The record of the second shot is torn.
    fs::write(&journal, &bytes[..bytes.len() - 5]).unwrap();
    fs::write(dir.join("images/cam0/r01_a002.jpg"), jpeg(2)).unwrap();
    fs::write(dir.join("images/cam0/r01_a002.jpg.1.tmp"), [1; 10]).unwrap();
    fs::create_dir(dir.join("images/cam9")).unwrap();
    assert!(verify(&dir).unwrap().is_sound(), "an interrupted scan has left-overs, and breaks no promise");

    let Recovered { dataset, records, report } = recover(&dir).unwrap();
    assert_eq!(report.adopted, [ShotIndex(1)]);
    let moved = ["images/cam0/r01_a002.jpg.1.tmp", "images/cam0/r01_a002.jpg", "images/cam9"];
    assert_eq!(report.quarantined, moved);
    assert!(matches!(records.last(), Some(Record::Stored(stored)) if stored.shot == ShotIndex(1)));
    let kept = files(&dir.join("quarantine"));
    assert_eq!(kept["images_cam0_r01_a002.jpg"], jpeg(2));
    assert_eq!(kept["journal-tail"].len() as u64, report.cut_bytes);
    take(&dataset, 2, 1).unwrap();
    assert!(verify(&dir).unwrap().is_sound());
}

#[test]
fn without_its_journal_a_scan_keeps_every_whole_image() {
    let root = tempfile::tempdir().unwrap();
    let dataset = new(root.path(), 3);
    (0..3).for_each(|shot| take(&dataset, shot, 1).unwrap());
    let dir = dataset.dir().to_owned();
    drop(dataset);
    fs::remove_file(dir.join("journal.jsonl")).unwrap();
    fs::remove_file(dir.join("scan.json")).unwrap();
    assert!(verify(&dir).unwrap().violations.contains(&Violation::NoJournal));
    let Recovered { dataset, report, .. } = recover(&dir).unwrap();
    assert!(report.new_journal);
    assert_eq!(dataset.tally().counts().done, 3);
    assert!(verify(&dir).unwrap().is_sound());
}

#[test]
fn a_scan_whose_folders_were_removed_can_go_on() {
    let root = tempfile::tempdir().unwrap();
    let dataset = new(root.path(), 2);
    take(&dataset, 0, 1).unwrap();
    let dir = dataset.dir().to_owned();
    drop(dataset);
    fs::remove_dir_all(dir.join("metadata")).unwrap();
    let Recovered { dataset, report, .. } = recover(&dir).unwrap();
    assert_eq!((report.metadata_restored.as_slice(), report.lost.as_slice()), (&[ShotIndex(0)][..], &[][..]));
    drop(dataset);
    fs::remove_dir_all(dir.join("images")).unwrap();
    let Recovered { dataset, report, .. } = recover(&dir).unwrap();
    assert_eq!(report.lost.len(), 1);
    for shot in 0..2 {
        take(&dataset, shot, 2).unwrap();
    }
    dataset.note(&Record::Finished { outcome: Outcome::Complete }).unwrap();
    assert!(verify(&dir).unwrap().is_sound());
}

/// A recovery that is interrupted has not come to the manifest yet.
#[test]
fn a_list_does_not_believe_a_manifest_that_is_older_than_the_journal() {
    let root = tempfile::tempdir().unwrap();
    let dataset = new(root.path(), 1);
    take(&dataset, 0, 1).unwrap();
    dataset.note(&Record::Finished { outcome: Outcome::Complete }).unwrap();
    let dir = dataset.dir().to_owned();
    drop(dataset);
    let old = fs::read(dir.join("scan.json")).unwrap();
    let image = fs::read_dir(dir.join("images/cam0")).unwrap().next().unwrap().unwrap().path();
    fs::remove_file(image).unwrap();
    drop(recover(&dir).unwrap());
    fs::write(dir.join("scan.json"), old).unwrap();
    let shown = show(&dir).unwrap().scan.unwrap();
    assert!(!shown.state.is_complete());
    assert_eq!((shown.shots.done, shown.shots.pending), (0, 1));
}

#[test]
fn a_recovery_is_given_up_between_two_images_and_begun_again() {
    let root = tempfile::tempdir().unwrap();
    let dataset = new(root.path(), 2);
    take(&dataset, 0, 1).unwrap();
    take(&dataset, 1, 1).unwrap();
    let dir = dataset.dir().to_owned();
    drop(dataset);
    let asked = std::cell::Cell::new(0);
    let once = || asked.replace(asked.get() + 1) == 0;
    let given_up = recover_on(std::sync::Arc::new(OsDisk), &dir, &once);
    assert!(matches!(given_up, Err(OpenError::GivenUp(_))));
    assert_eq!(asked.get(), 2, "before each image");
    assert_eq!(recover(&dir).unwrap().dataset.tally().counts().done, 2);
}

#[test]
fn what_this_program_does_not_know_is_left_as_it_is() {
    let root = tempfile::tempdir().unwrap();
    let dataset = new(root.path(), 1);
    let dir = dataset.dir().to_owned();
    drop(dataset);
    let original = files(&dir);
    let refused = |name: &str, bytes: Vec<u8>| {
        fs::write(dir.join(name), bytes).unwrap();
        let before = files(&dir);
        let error = recover(&dir).unwrap_err();
        assert_eq!(files(&dir), before, "{name}");
        fs::write(dir.join(name), &original[name]).unwrap();
        error
    };
    let newer =
        String::from_utf8(original["scan.json"].clone()).unwrap().replace("\"format\": 1", "\"format\": 4");
    let error = refused("scan.json", newer.into_bytes());
    assert!(matches!(error, OpenError::Format { found: 4, .. }), "{error}");

    let body = "{\"seq\":1,\"at\":\"2026-11-21T13:30:05Z\",\"record\":{\"type\":\"teleported\"}";
    let line = format!("{body},\"crc32c\":\"{:08x}\"}}\n", crc32c::crc32c(body.as_bytes()));
    let journal = [original["journal.jsonl"].clone(), line.into_bytes()].concat();
    let error = refused("journal.jsonl", journal);
    assert!(matches!(error, OpenError::UnknownRecord { seq: 1, .. }), "{error}");

    let other = serde_json::to_vec(&plan(2)).unwrap();
    assert!(matches!(refused("plan.json", other), OpenError::Plan { .. }));
    assert!(recover(&dir).is_ok());
}

#[test]
fn a_finished_scan_has_nothing_unrecorded_and_an_exact_manifest() {
    let root = tempfile::tempdir().unwrap();
    let dataset = new(root.path(), 1);
    take(&dataset, 0, 1).unwrap();
    dataset.note(&Record::Finished { outcome: Outcome::Complete }).unwrap();
    let dir = dataset.dir().to_owned();
    drop(dataset);
    fs::write(dir.join("images/cam0/extra.jpg"), jpeg(5)).unwrap();
    fs::write(dir.join("scan.json"), "").unwrap();
    let found = verify(&dir).unwrap().violations;
    let wanted = [
        Violation::Unrecorded { path: "images/cam0/extra.jpg".into() },
        Violation::Manifest { state: ScanState::Finished(Outcome::Complete) },
    ];
    assert_eq!(found, wanted);
}

#[test]
fn a_scan_is_created_once_and_only_from_names_that_can_be_files() {
    let root = tempfile::tempdir().unwrap();
    let _first = new(root.path(), 1);
    assert!(matches!(create(root.path(), &id(), plan(1)), Err(OpenError::Exists { .. })));
    for label in ["../up", "", "a/b", ".hidden", "r01_a001"] {
        let mut plan = plan(2);
        plan.points[0].label = label.into();
        let other = "other".parse().unwrap();
        assert!(matches!(create(root.path(), &other, plan), Err(OpenError::Name { .. })), "{label}");
    }
    for label in ["nul", "CON", "end.", "R01_A001"] {
        let mut plan = plan(2);
        plan.points[0].label = label.into();
        let error = create(root.path(), &"other".parse().unwrap(), plan).unwrap_err();
        assert!(error.to_string().contains("Windows"), "{label}: {error}");
    }
    let error = create(root.path(), &"aux".parse().unwrap(), plan(1)).unwrap_err();
    assert!(error.to_string().contains("device"), "{error}");
    assert!(matches!(create(&root.path().join("none"), &id(), plan(1)), Err(OpenError::Disk(_))));
}
