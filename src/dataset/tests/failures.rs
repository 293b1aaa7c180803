//! Disks that fail at any operation: nothing that was acknowledged is lost, and nothing else is believed.

#[path = "../../../tests/support/skip.rs"]
#[expect(unreachable_pub, reason = "shared with the tests of whole programs")]
mod skip;

use std::path::Path;
use std::process::Command;

use rustix::io::Errno;

use crate::dataset::{StoreError, create, create_on, recover, verify};
use crate::frame::File;
use crate::plan::{Plan, ShotIndex};
use crate::scan::{Outcome, Record, RetakenFor};

use super::failing_disk::{Failing, Lasts};
use super::{facts, files, files_of, id, jpeg, new, plan, plan_with_raw, shared, store, take};

/// Every operation of a store fails in turn: the shot is not acknowledged, nothing partial is visible, and the
/// scan goes on, at once or after a recovery.
#[test]
fn an_error_at_any_step_fails_the_attempt_alone() {
    fails_at_any_step(&plan(2), 12);
}

#[test]
fn an_error_at_any_step_leaves_no_file_of_a_shot_with_several() {
    // Each file is made, written, synced and renamed, and there is one folder more.
    fails_at_any_step(&plan_with_raw(2), 12 + 2 * 4 + 1);
}

fn fails_at_any_step(plan: &Plan, operations: usize) {
    for error in [Errno::IO, Errno::NOSPC] {
        let mut poisoned = 0;
        for step in 0.. {
            let root = tempfile::tempdir().unwrap();
            let disk = Failing::new(error, Lasts::Once);
            let mut dataset = create_on(shared(&disk), root.path(), &id(), plan.clone()).unwrap();
            let dir = dataset.dir().to_owned();
            disk.0.after(step);
            let Err(failure) = store(&dataset, 0, 1) else {
                assert_eq!(step, operations, "operations of a store");
                break;
            };
            disk.0.never();
            assert_eq!(matches!(failure, StoreError::DiskFull(_)), error == Errno::NOSPC, "{failure}");
            assert_eq!(dataset.tally().counts().done, 0);
            let wanted = files_of(plan, 0);
            for folder in ["images", "raw"].map(|folder| dir.join(folder)).iter().filter(|path| path.is_dir())
            {
                for (name, bytes) in files(folder) {
                    assert!(
                        wanted.iter().any(|(_, whole)| *whole == bytes),
                        "step {step}: {name} is partial"
                    );
                }
            }
            assert!(verify(&dir).unwrap().is_sound());
            match take(&dataset, 0, 2) {
                Ok(()) => {}
                Err(StoreError::Poisoned { cause }) => {
                    assert!(cause.contains("journal.jsonl"), "{cause}");
                    poisoned += 1;
                    assert!(matches!(take(&dataset, 1, 1), Err(StoreError::Poisoned { .. })));
                    drop(dataset);
                    let recovered = recover(&dir).unwrap();
                    // The record was taken back, and nothing is left of half of it.
                    assert_eq!(
                        (&recovered.report.adopted[..], recovered.report.cut_bytes),
                        (&[ShotIndex(0)][..], 0)
                    );
                    dataset = recovered.dataset;
                    assert_eq!(dataset.tally().counts().done, 1);
                }
                Err(other) => panic!("step {step}: {other}"),
            }
            take(&dataset, 1, 1).unwrap();
            dataset.note(&Record::Finished { outcome: Outcome::Complete }).unwrap();
            let report = verify(&dir).unwrap();
            assert!(report.is_sound() && report.state.is_complete(), "step {step}: {report:?}");
        }
        assert_eq!(poisoned, 2, "writing and syncing the journal");
    }
}

#[test]
fn an_error_while_creating_leaves_no_scan() {
    for step in 0.. {
        let root = tempfile::tempdir().unwrap();
        let disk = Failing::new(Errno::IO, Lasts::Once);
        disk.0.after(step);
        if create_on(shared(&disk), root.path(), &id(), plan(1)).is_ok() {
            assert!(step > 10);
            break;
        }
        // The last step syncs the name of a dataset that is whole.
        let left = files(root.path());
        assert!(
            left.is_empty() || left.contains_key("2026-11-21-143005-owl/plan.json"),
            "step {step}: {left:?}"
        );
    }
}

/// A tmpfs of 256 KiB, gone with this value.
struct TinyDisk(tempfile::TempDir);

impl TinyDisk {
    fn mount() -> Option<Self> {
        let dir = tempfile::tempdir().unwrap();
        let mount =
            Command::new("mount").args(["-t", "tmpfs", "-o", "size=256k", "tmpfs"]).arg(dir.path()).output();
        mount.is_ok_and(|output| output.status.success()).then_some(Self(dir))
    }
}

impl Drop for TinyDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(self.0.path()).status();
    }
}

#[test]
fn a_full_disk_pauses_and_the_scan_goes_on_when_there_is_room() {
    let Some(disk) = TinyDisk::mount() else {
        skip::skipped("mounting a tmpfs needs root");
        return;
    };
    let dataset = create(disk.0.path(), &id(), plan(40)).unwrap();
    let dir = dataset.dir().to_owned();
    let ballast = disk.0.path().join("ballast");
    std::fs::write(&ballast, vec![1; 64 * 1024]).unwrap();
    let full = (0..40).find_map(|shot| take(&dataset, shot, 1).err().map(|error| (shot, error)));
    let (shot, error) = full.expect("40 shots do not fit");
    assert!(shot > 2 && matches!(error, StoreError::DiskFull(_)), "{shot}: {error}");
    assert!(error.to_string().contains("free some space"), "{error}");
    drop(dataset);
    assert!(verify(&dir).unwrap().is_sound());

    std::fs::remove_file(ballast).unwrap();
    let dataset = recover(&dir).unwrap().dataset;
    assert_eq!(dataset.tally().counts().done, shot);
    take(&dataset, shot, 2).unwrap();
    assert!(verify(&dir).unwrap().is_sound());
}

/// What somebody else does to a scan under way is seen before it says that it is complete.
#[test]
fn a_scan_looks_before_it_says_complete() {
    let harms: [fn(&Path); 6] = [
        |dir| std::fs::remove_file(dir.join("images/cam0/r01_a000.jpg")).unwrap(),
        |dir| std::fs::write(dir.join("images/cam0/r01_a000.jpg"), "").unwrap(),
        |dir| std::fs::remove_dir_all(dir.join("images")).unwrap(),
        |dir| std::fs::remove_file(dir.join("journal.jsonl")).unwrap(),
        |dir| std::fs::write(dir.join("journal.jsonl"), "").unwrap(),
        |dir| {
            std::fs::copy(dir.join("journal.jsonl"), dir.join("other")).unwrap();
            std::fs::rename(dir.join("other"), dir.join("journal.jsonl")).unwrap();
        },
    ];
    for (number, harm) in harms.into_iter().enumerate() {
        let root = tempfile::tempdir().unwrap();
        let dataset = new(root.path(), 2);
        (0..2).for_each(|shot| take(&dataset, shot, 1).unwrap());
        let dir = dataset.dir().to_owned();
        harm(&dir);
        let said = dataset.note(&Record::Finished { outcome: Outcome::Complete });
        assert!(said.unwrap_err().to_string().contains("resume the scan"), "{number}");
        drop(dataset);
        let dataset = recover(&dir).unwrap().dataset;
        for shot in 0..2 {
            if !matches!(dataset.tally().shot(ShotIndex(shot)), Some(crate::dataset::ShotState::Done(_))) {
                take(&dataset, shot, 2).unwrap();
            }
        }
        dataset.note(&Record::Finished { outcome: Outcome::Complete }).unwrap();
        let report = verify(&dir).unwrap();
        assert!(report.is_sound() && report.state.is_complete(), "{number}: {report:?}");
    }
}

/// What other programs and people leave in the folder is no damage, and never in the way of a resume.
#[test]
fn what_others_leave_in_the_folder_is_in_nobodys_way() {
    use std::os::unix::ffi::OsStringExt as _;
    let root = tempfile::tempdir().unwrap();
    let dataset = new(root.path(), 1);
    take(&dataset, 0, 1).unwrap();
    dataset.note(&Record::Finished { outcome: Outcome::Complete }).unwrap();
    let dir = dataset.dir().to_owned();
    drop(dataset);
    for name in ["images/.DS_Store", "images/cam0/._r01_a000.jpg", "metadata/cam0/Thumbs.db"] {
        std::fs::write(dir.join(name), "x").unwrap();
    }
    assert!(verify(&dir).unwrap().is_sound());
    std::fs::write(dir.join("images/cam0").join("n".repeat(255)), "x").unwrap();
    let odd = std::ffi::OsString::from_vec(vec![0xFF, 0xFE]);
    std::fs::write(dir.join("images/cam0").join(odd), "x").unwrap();
    std::fs::write(dir.join("quarantine"), "x").unwrap();
    let recovered = recover(&dir).unwrap();
    assert_eq!(recovered.report.quarantined.len(), 1);
    assert_eq!(recovered.dataset.tally().counts().done, 1);
    assert!(dir.join("quarantine.2").is_dir() && verify(&dir).unwrap().is_sound());
}

/// The exit code goes by what `note` says, and everybody else by the journal: whatever fails, and if it is the taking back.
#[test]
fn a_scan_has_ended_if_and_only_if_its_journal_says_so() {
    for lasts in [Lasts::Once, Lasts::ForGood] {
        let mut ended = Vec::new();
        for step in 0.. {
            let root = tempfile::tempdir().unwrap();
            let disk = Failing::new(Errno::IO, lasts);
            let dataset = create_on(shared(&disk), root.path(), &id(), plan(1)).unwrap();
            take(&dataset, 0, 1).unwrap();
            disk.0.after(step);
            let said = dataset.note(&Record::Finished { outcome: Outcome::Complete });
            let report = verify(dataset.dir()).unwrap();
            assert!(report.is_sound(), "step {step}: {report:?}");
            assert_eq!(said.is_ok(), report.state.is_complete(), "step {step}: {said:?}, {report:?}");
            assert_eq!(said.is_ok(), dataset.state().is_complete(), "step {step}: {said:?}");
            if disk.0.is_ahead() {
                break;
            }
            ended.push(said.is_ok());
            if said.is_err() {
                let dir = dataset.dir().to_owned();
                drop(dataset);
                let resumed = recover(&dir).unwrap().dataset;
                resumed.note(&Record::Finished { outcome: Outcome::Complete }).unwrap();
                let report = verify(&dir).unwrap();
                assert!(report.is_sound() && report.state.is_complete(), "step {step}: {report:?}");
            }
        }
        // It is written and synced. What cannot be taken back after that stands; the manifest is derived.
        assert_eq!(ended[..2], [false, lasts == Lasts::ForGood], "{lasts:?}");
        assert!(ended.len() > 4 && ended[2..].iter().all(|ended| *ended), "{lasts:?}: {ended:?}");
    }
}

/// Killed or failed between the two, the manifest may say less than the journal, never more.
#[test]
fn the_manifest_of_a_scan_that_is_opened_again_is_never_ahead_of_its_journal() {
    for step in 0..8 {
        let root = tempfile::tempdir().unwrap();
        let disk = Failing::new(Errno::IO, Lasts::Once);
        let dataset = create_on(shared(&disk), root.path(), &id(), plan(1)).unwrap();
        take(&dataset, 0, 1).unwrap();
        dataset.note(&Record::Finished { outcome: Outcome::Complete }).unwrap();
        let dir = dataset.dir().to_owned();
        disk.0.after(step);
        let _ = dataset.retake(ShotIndex(0), RetakenFor::Person);
        let report = verify(&dir).unwrap();
        assert!(report.is_sound(), "step {step}: {report:?}");
    }
}

#[test]
fn nothing_is_stored_twice_or_broken_or_out_of_plan() {
    let root = tempfile::tempdir().unwrap();
    let dataset = new(root.path(), 2);
    take(&dataset, 0, 1).unwrap();
    let store = |shot, bytes: &[u8], facts| dataset.store(ShotIndex(shot), 2, &[File::jpeg(bytes)], facts);
    assert!(matches!(store(0, &jpeg(9), facts()), Err(StoreError::AlreadyStored { .. })));
    assert!(matches!(store(2, &jpeg(2), facts()), Err(StoreError::UnknownShot { planned: 2, .. })));
    assert!(matches!(store(1, &jpeg(1)[..100], facts()), Err(StoreError::NotJpeg { bytes: 100, .. })));
    let mut unreadable = facts();
    unreadable.gain = f64::NAN;
    assert!(matches!(store(1, &jpeg(1), unreadable), Err(StoreError::Unreadable { .. })));
    let complete = dataset.note(&Record::Finished { outcome: Outcome::Complete });
    assert!(matches!(complete, Err(StoreError::NotComplete { missing: 1, planned: 2 })));
    assert_eq!(files(&dataset.dir().join("images")).len(), 1);
    assert_eq!(files(&dataset.dir().join("images"))["cam0/r01_a000.jpg"], jpeg(0));
}
