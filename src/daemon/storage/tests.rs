//! A disk is known again, and no other is taken for it.

use super::*;
use crate::config::Config;

fn storage(dir: &Path) -> config::Storage {
    let shipped = include_str!("../../../config/scanner.toml");
    let mut storage = Config::from_text("scanner.toml", shipped).unwrap().storage;
    storage.directory = dir.join("disk/scans");
    storage.state_directory = dir.join("state");
    storage
}

#[test]
fn a_disk_that_is_gone_is_missed_and_comes_back() {
    let dir = tempfile::tempdir().unwrap();
    let storage = storage(dir.path());
    assert_eq!(look(&storage).unwrap(), Found::New);
    settle(&storage).unwrap();
    assert!(matches!(look(&storage).unwrap(), Found::Same(_)));
    let (disk, away) = (dir.path().join("disk"), dir.path().join("away"));
    fs::rename(&disk, &away).unwrap();
    let missed = settle(&storage).unwrap_err();
    assert!(matches!(missed, StorageError::NoFolder { .. }), "{missed}");
    assert!(missed.remedy().contains("scanner storage --accept"), "{missed}");
    assert!(!disk.exists(), "nothing is made in its place");
    fs::create_dir_all(&storage.directory).unwrap();
    let missed = settle(&storage).unwrap_err();
    assert!(matches!(missed, StorageError::NotMounted { .. }), "{missed}");
    assert_eq!(fs::read_dir(&storage.directory).unwrap().count(), 0);
    fs::remove_dir_all(&disk).unwrap();
    fs::rename(&away, &disk).unwrap();
    settle(&storage).unwrap();
}

#[test]
fn another_disk_is_not_taken_without_a_word_and_is_with_one() {
    let dir = tempfile::tempdir().unwrap();
    let ours = storage(dir.path());
    settle(&ours).unwrap();
    let theirs = config::Storage { state_directory: dir.path().join("theirs"), ..ours.clone() };
    settle(&theirs).unwrap();
    assert_ne!(rig(&ours).unwrap(), rig(&theirs).unwrap(), "two rigs share the storage");
    fs::remove_file(ours.directory.join(MARK)).unwrap();
    write_mark(&ours.directory).unwrap();
    let other = settle(&ours).unwrap_err();
    assert!(matches!(other, StorageError::Other { .. }), "{other}");
    let name = rig(&ours).unwrap();
    accept(&ours).unwrap();
    settle(&ours).unwrap();
    assert_eq!(rig(&ours).unwrap(), name, "it is the same rig");
}

#[test]
fn what_was_made_by_an_earlier_version_or_is_damaged() {
    let dir = tempfile::tempdir().unwrap();
    let storage = storage(dir.path());
    fs::create_dir_all(storage.directory.join("2026-11-21-143005-owl")).unwrap();
    settle(&storage).unwrap();
    fs::write(storage.directory.join(MARK), "").unwrap();
    assert!(matches!(look(&storage).unwrap_err(), StorageError::NotMounted { .. }));
    accept(&storage).unwrap();
    settle(&storage).unwrap();
    fs::write(storage.state_directory.join(KNOWN), "{").unwrap();
    let damaged = look(&storage).unwrap_err();
    assert!(matches!(damaged, StorageError::Damaged { .. }) && !damaged.is_missing(), "{damaged}");
    fs::remove_file(storage.state_directory.join(KNOWN)).unwrap();
    assert_eq!(look(&storage).unwrap(), Found::New);
}
