//! Shots of several files: all of them are there, or the shot is not.

use std::fs;
use std::path::{Path, PathBuf};

use crate::dataset::{RecoveryReport, StoreError, Violation, create, recover, retake, show, verify};
use crate::frame::File;
use crate::model::FileKind;
use crate::plan::ShotIndex;
use crate::scan::{Outcome, Record};

use super::{facts, files, files_of, id, jpeg, new, plan_with_raw, store, take};

const RAW: &str = "raw/cam0/r01_a001.cr2";
const OF_ONE: [&str; 4] = [
    "images/cam0/r01_a001.jpg",
    "raw/cam0/r01_a001.cr2",
    "raw/cam0/r01_a001.dng",
    "metadata/cam0/r01_a001.json",
];

/// A complete scan of three shots, of three files each.
fn complete(root: &Path) -> PathBuf {
    let dataset = create(root, &id(), plan_with_raw(3)).unwrap();
    (0..3).for_each(|shot| take(&dataset, shot, 1).unwrap());
    dataset.note(&Record::Finished { outcome: Outcome::Complete }).unwrap();
    dataset.dir().to_owned()
}

#[test]
fn every_file_is_stored_as_it_came_and_recorded_with_length_and_checksum() {
    let root = tempfile::tempdir().unwrap();
    let dir = complete(root.path());
    let there = files(&dir);
    let plan = plan_with_raw(3);
    for entry in super::records_in(&dir) {
        let Record::Stored(stored) = entry.record else { continue };
        let made = files_of(&plan, stored.shot.0);
        assert_eq!(stored.files().count(), 3);
        for (file, (_, bytes)) in stored.files().zip(&made) {
            assert_eq!(&there[&file.path], bytes);
            assert_eq!((file.bytes, file.crc32c), (bytes.len() as u64, crc32c::crc32c(bytes)));
        }
    }
    assert_eq!(show(&dir).unwrap().scan.unwrap().format, 2);
    let report = verify(&dir).unwrap();
    assert!(report.is_sound() && report.state.is_complete(), "{report:?}");
    assert_eq!(recover(&dir).unwrap().report, RecoveryReport::default());
}

#[test]
fn a_shot_without_one_of_its_files_is_lost_and_the_others_are_kept_aside() {
    let harms: [fn(&Path); 2] =
        [|path| fs::remove_file(path).unwrap(), |path| fs::write(path, "other").unwrap()];
    for harm in harms {
        let root = tempfile::tempdir().unwrap();
        let dir = complete(root.path());
        harm(&dir.join(RAW));
        let found = verify(&dir).unwrap().violations;
        assert!(
            matches!(&found[..], [Violation::Image { shot: ShotIndex(1), image, .. }] if image == RAW),
            "{found:?}"
        );
        let recovered = recover(&dir).unwrap();
        assert_eq!(recovered.report.lost.iter().map(|(shot, _)| shot.0).collect::<Vec<_>>(), [1]);
        for path in OF_ONE {
            assert!(!dir.join(path).exists(), "{path}");
        }
        take(&recovered.dataset, 1, 2).unwrap();
        recovered.dataset.note(&Record::Finished { outcome: Outcome::Complete }).unwrap();
        let report = verify(&dir).unwrap();
        assert!(report.is_sound() && report.state.is_complete(), "{report:?}");
    }
}

#[test]
fn a_shot_without_a_record_is_adopted_with_all_of_its_files_or_not_at_all() {
    for missing in [None, Some(OF_ONE[0]), Some(OF_ONE[1]), Some(OF_ONE[2]), Some(OF_ONE[3])] {
        let root = tempfile::tempdir().unwrap();
        let dataset = create(root.path(), &id(), plan_with_raw(2)).unwrap();
        (0..2).for_each(|shot| take(&dataset, shot, 1).unwrap());
        let dir = dataset.dir().to_owned();
        drop(dataset);
        let journal = fs::read(dir.join("journal.jsonl")).unwrap();
        // The record of the second shot is torn.
        fs::write(dir.join("journal.jsonl"), &journal[..journal.len() - 5]).unwrap();
        if let Some(missing) = missing {
            fs::remove_file(dir.join(missing)).unwrap();
        }
        let recovered = recover(&dir).unwrap();
        let adopted = if missing.is_none() { vec![ShotIndex(1)] } else { Vec::new() };
        assert_eq!(recovered.report.adopted, adopted, "{missing:?}");
        assert_eq!(recovered.report.quarantined.len(), if missing.is_none() { 0 } else { 3 }, "{missing:?}");
        if missing.is_some() {
            take(&recovered.dataset, 1, 2).unwrap();
        }
        assert!(verify(&dir).unwrap().is_sound(), "{missing:?}");
    }
}

#[test]
fn a_shot_that_is_wanted_again_is_set_aside_with_all_of_its_files() {
    let root = tempfile::tempdir().unwrap();
    let dir = complete(root.path());
    let before = files(&dir);
    retake(&dir, &[ShotIndex(1)]).unwrap();
    let after = files(&dir);
    for (path, suffix) in OF_ONE.into_iter().zip(["jpg", "cr2", "dng", "json"]) {
        assert!(!after.contains_key(path), "{path}");
        assert_eq!(after[&format!("retaken/cam0/r01_a001.1.{suffix}")], before[path]);
    }
    let report = verify(&dir).unwrap();
    assert!(report.is_sound() && report.notes.is_empty(), "{report:?}");
}

#[test]
fn a_shot_is_not_stored_with_other_files_than_its_camera_makes() {
    let root = tempfile::tempdir().unwrap();
    let dataset = create(root.path(), &id(), plan_with_raw(1)).unwrap();
    let made = files_of(&dataset.plan(), 0);
    let all: Vec<File<'_>> = made.iter().map(|(kind, bytes)| File { kind, bytes }).collect();
    let twice = File { kind: &made[1].0, bytes: &made[2].1 };
    for files in [&all[..1], &all[..2], &[all[0], all[1], twice], &[all[0], all[1], all[2], all[2]]] {
        let refused = dataset.store(ShotIndex(0), 1, files, facts()).unwrap_err();
        assert!(matches!(refused, StoreError::OtherFiles { .. }), "{refused}");
    }
    assert!(matches!(
        dataset.store(ShotIndex(0), 1, &[], facts()),
        Err(StoreError::NotJpeg { bytes: 0, .. })
    ));
    assert!(files(&dataset.dir().join("raw")).is_empty());
    store(&dataset, 0, 1).unwrap();
}

/// People make folders of that name; nothing of it is recorded there.
#[test]
fn a_folder_of_raw_files_is_nobodys_business_where_cameras_make_none() {
    let root = tempfile::tempdir().unwrap();
    let dataset = new(root.path(), 1);
    take(&dataset, 0, 1).unwrap();
    let raw = File { kind: &FileKind::Raw { suffix: "cr2".to_owned().try_into().unwrap() }, bytes: b"x" };
    let other = dataset.store(ShotIndex(0), 2, &[File::jpeg(&jpeg(0)), raw], facts());
    assert!(matches!(other, Err(StoreError::AlreadyStored { .. })));
    dataset.note(&Record::Finished { outcome: Outcome::Complete }).unwrap();
    let dir = dataset.dir().to_owned();
    drop(dataset);
    fs::create_dir_all(dir.join("raw/cam0")).unwrap();
    fs::write(dir.join("raw/cam0/mine.cr2"), "x").unwrap();
    assert_eq!(show(&dir).unwrap().scan.unwrap().format, 1, "programs of before read it");
    assert!(verify(&dir).unwrap().is_sound());
    assert_eq!(recover(&dir).unwrap().report, RecoveryReport::default());
    assert!(dir.join("raw/cam0/mine.cr2").exists());
}
