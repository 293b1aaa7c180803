//! Shots that a person wants taken again: the image that there was is never lost.

use std::path::Path;
use std::sync::Arc;

use crate::dataset::{
    Dataset, RecoveryReport, ShotState, StoreError, create_on, recover, recover_on, retake, verify,
};
use crate::frame::File;
use crate::model::FileKind;
use crate::plan::{Plan, ShotIndex};
use crate::scan::{Outcome, Record, RetakenFor, ScanState};

use super::power::{Forgets, Recorder};
use super::power_model::{states_after, unless_full};
use super::{facts, files, files_of, id, jpeg, new, plan, plan_with_raw, scratch, shared, take};

const AGAIN: ShotIndex = ShotIndex(1);
/// The shot whose files pass for those of the second attempt.
const BETTER: u32 = 99;
const ASIDE: &str = "retaken/cam0/r01_a001.1.jpg";
const PLACE: &str = "images/cam0/r01_a001.jpg";

/// The image that the second attempt brings.
fn better() -> Vec<u8> {
    jpeg(BETTER)
}

/// Stores the second attempt, of whose files each is another one.
fn take_better(dataset: &Dataset) {
    let made = files_of(&dataset.plan(), BETTER);
    let files: Vec<File<'_>> = made.iter().map(|(kind, bytes)| File { kind, bytes }).collect();
    dataset.store(AGAIN, 2, &files, facts()).unwrap();
}

fn complete(root: &Path) -> std::path::PathBuf {
    let dataset = new(root, 3);
    (0..3).for_each(|shot| take(&dataset, shot, 1).unwrap());
    dataset.note(&Record::Finished { outcome: Outcome::Complete }).unwrap();
    dataset.dir().to_owned()
}

#[test]
fn a_scan_that_had_ended_is_paused_and_keeps_the_image_aside() {
    let root = scratch();
    let dir = complete(root.path());
    let retaken = retake(&dir, &[AGAIN, AGAIN]).unwrap();
    assert_eq!(
        (retaken.tally.state(), retaken.tally.counts().done, retaken.tally.counts().pending),
        (ScanState::Paused, 2, 1)
    );
    let report = verify(&dir).unwrap();
    assert!(report.is_sound() && report.notes.is_empty(), "{report:?}");
    assert_eq!(report.state, ScanState::Paused);
    assert_eq!(files(&dir)[ASIDE], jpeg(1));
    assert!(!files(&dir).contains_key(PLACE));

    let recovered = recover(&dir).unwrap();
    assert_eq!(recovered.report, RecoveryReport::default());
    let dataset = recovered.dataset;
    take_better(&dataset);
    dataset.note(&Record::Finished { outcome: Outcome::Complete }).unwrap();
    let report = verify(&dir).unwrap();
    assert!(report.is_sound() && report.state.is_complete(), "{report:?}");
    assert_eq!((&files(&dir)[PLACE], &files(&dir)[ASIDE]), (&better(), &jpeg(1)));
    // Once more: each is kept under its attempt.
    dataset.retake(AGAIN, RetakenFor::Person).unwrap();
    assert_eq!(files(&dir)["retaken/cam0/r01_a001.2.jpg"], better());
    assert!(files(&dir).contains_key("retaken/cam0/r01_a001.2.json"));
}

#[test]
fn a_shot_that_the_plan_does_not_have_changes_nothing() {
    let root = scratch();
    let dir = complete(root.path());
    let before = files(&dir);
    let error = retake(&dir, &[AGAIN, ShotIndex(3)]).unwrap_err();
    assert_eq!(error.to_string(), "shot 3 is not in the plan of 3 shots");
    assert_eq!(files(&dir), before);
}

#[test]
fn an_image_that_somebody_has_removed_is_in_nobodys_way() {
    let root = scratch();
    let dir = complete(root.path());
    std::fs::remove_file(dir.join(PLACE)).unwrap();
    std::fs::create_dir_all(dir.join("thumbnails/cam0")).unwrap();
    let thumbnail = dir.join("thumbnails/cam0/r01_a001.jpg");
    std::fs::write(&thumbnail, "of the old one").unwrap();
    let retaken = retake(&dir, &[AGAIN, ShotIndex(2)]).unwrap();
    assert_eq!(retaken.tally.counts().pending, 2);
    assert!(!thumbnail.exists(), "it would be taken for that of the new image");
    assert!(files(&dir).contains_key("retaken/cam0/r01_a001.1.json"));
    assert!(verify(&dir).unwrap().is_sound());
}

#[test]
fn a_shot_that_was_never_taken_is_wanted_again_and_its_cancelled_scan_is_paused() {
    let root = scratch();
    let dataset = new(root.path(), 3);
    dataset.note(&Record::Finished { outcome: Outcome::Cancelled }).unwrap();
    let dir = dataset.dir().to_owned();
    drop(dataset);
    assert_eq!(retake(&dir, &[AGAIN]).unwrap().tally.state(), ScanState::Paused);
}

#[test]
fn nobody_asks_for_a_shot_behind_the_back_of_a_scan_under_way() {
    let root = scratch();
    let dataset = new(root.path(), 3);
    assert!(retake(dataset.dir(), &[AGAIN]).unwrap_err().to_string().contains("is in use"));
}

#[test]
fn a_scan_does_not_say_complete_while_a_shot_is_wanted_again() {
    let root = scratch();
    let dataset = new(root.path(), 3);
    (0..3).for_each(|shot| take(&dataset, shot, 1).unwrap());
    dataset.retake(AGAIN, RetakenFor::Person).unwrap();
    let lie = dataset.note(&Record::Finished { outcome: Outcome::Complete });
    assert!(matches!(lie, Err(StoreError::NotComplete { missing: 1, planned: 3 })));
}

/// What broke in the state of a disk that lost power: `asked` and `stored` say what had been acknowledged.
fn broken(plan: &Plan, root: &Path, asked: bool, stored: bool) -> Option<String> {
    let dir = root.join(id().as_str());
    let disk = Arc::new(Recorder::new(root, Forgets::Nothing));
    let recovered = match recover_on(shared(&disk), &dir, &|| true) {
        Ok(recovered) => recovered,
        Err(error) => return Some(format!("not recoverable: {error}")),
    };
    let now = files(&dir);
    let (first, second) = (files_of(plan, AGAIN.0), files_of(plan, BETTER));
    let endings = ["jpg", "cr2", "dng"].map(|ending| {
        let folder = if ending == "jpg" { "images" } else { "raw" };
        let (place, aside) = (format!("{folder}/cam0/r01_a001"), "retaken/cam0/r01_a001.1");
        [place.as_str(), aside].map(|stem| now.get(&format!("{stem}.{ending}")).map(Vec::as_slice))
    });
    let [places, asides] = [0, 1].map(|which| endings.map(|both| both[which]));
    let are = |found: &[Option<&[u8]>], files: &[(FileKind, Vec<u8>)]| {
        found.iter().zip(files).all(|(found, (_, bytes))| *found == Some(bytes.as_slice()))
    };
    match recovered.dataset.tally().shot(AGAIN) {
        Some(ShotState::Done(there)) if there.attempt == 1 => {
            if asked || !are(&places, &first) {
                return Some(format!("the wish is forgotten, or the image is: {:?}", recovered.report));
            }
        }
        Some(ShotState::Done(there)) => {
            if !are(&places, &second) || !are(&asides, &first) {
                return Some(format!("attempt {} has another image, or the first is lost", there.attempt));
            }
        }
        Some(ShotState::Pending) => {
            if stored || places.iter().any(Option::is_some) || !are(&asides, &first) {
                return Some(format!("an image is lost: {:?}", recovered.report));
            }
        }
        other => return Some(format!("{other:?}")),
    }
    drop(recovered);
    let check = verify(&dir).unwrap();
    if !check.is_sound() || !check.notes.is_empty() {
        return Some(format!("{check:?}"));
    }
    let again = recover_on(shared(&disk), &dir, &|| true).unwrap();
    (again.report != RecoveryReport::default() || files(&dir) != now)
        .then(|| format!("a second recovery changed something: {:?}", again.report))
}

/// Cuts the power after every operation of asking for a shot again and storing it; how many states, and what broke.
fn cut_everywhere(plan: &Plan, forgets: Forgets) -> (usize, Vec<String>) {
    let root = scratch();
    let disk = Arc::new(Recorder::new(root.path(), forgets));
    let dataset = create_on(shared(&disk), root.path(), &id(), plan.clone()).unwrap();
    (0..3).for_each(|shot| take(&dataset, shot, 1).unwrap());
    dataset.note(&Record::Finished { outcome: Outcome::Complete }).unwrap();
    let begin = disk.len();
    dataset.retake(AGAIN, RetakenFor::Person).unwrap();
    let asked = disk.len();
    take_better(&dataset);
    let stored = disk.len();
    let samples = unless_full(12, 40);
    let (mut count, mut all) = (0, Vec::new());
    for done in begin..=stored {
        for state in states_after(None, &disk.log()[..done], samples, 0xA6A1) {
            let root = scratch();
            state.write_to(root.path());
            count += 1;
            if let Some(what) = broken(plan, root.path(), done >= asked, done >= stored) {
                all.push(format!("after {} of {} operations: {what}", done - begin, stored - begin));
                // Who forgets something is caught by one.
                if forgets != Forgets::Nothing {
                    return (count, all);
                }
            }
        }
    }
    (count, all)
}

#[test]
fn no_power_cut_loses_the_image_or_the_wish() {
    for plan in [plan(3), plan_with_raw(3)] {
        let (states, broken) = cut_everywhere(&plan, Forgets::Nothing);
        println!("{states} states, {} violations", broken.len());
        assert!(broken.is_empty(), "{} of {states} states; the first: {}", broken.len(), broken[0]);
        assert!(states > 100, "only {states} states: the check has become blind");
    }
}

#[test]
fn a_disk_that_does_not_sync_folders_is_caught() {
    let (states, broken) = cut_everywhere(&plan(3), Forgets::DirSync);
    assert!(!broken.is_empty(), "none of {states} states");
}
