//! Of the images of a shot that the gate had taken again, the best one stays.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use proptest::prelude::*;

use crate::dataset::{
    Dataset, OsDisk, RecoveryReport, ShotState, create_on, layout, recover, recover_on, verify,
};
use crate::frame::File;
use crate::plan::{Plan, ShotIndex};
use crate::scan::{Finding, FindingKind, FrameFacts, Outcome, Record, RetakenFor, Verdict};

use super::power::{Forgets, Recorder};
use super::power_model::{states_after, unless_full};
use super::{facts, files, files_of, id, jpeg, new, plan_with_raw, scratch, shared, take};

const SHOT: ShotIndex = ShotIndex(1);
const PLACE: &str = "images/cam0/r01_a001.jpg";

/// What the gate says of an image with this part of its neighbours' detail, in percent; nothing is wrong from 50 on.
fn verdict(sharpness: u32) -> Verdict {
    let value = f64::from(sharpness) / 100.0;
    let finding = Finding { kind: FindingKind::Blurred, value, limit: 0.5, message: "blurred".into() };
    let findings = if sharpness < 50 { vec![finding] } else { Vec::new() };
    Verdict { neighbours: 6, findings, ..Verdict::default() }
}

fn store(dataset: &Dataset, attempt: u32, sharpness: Option<u32>) {
    let verdict = sharpness.map(|sharpness| Box::new(verdict(sharpness)));
    dataset.note(&Record::Attempted { shot: SHOT, attempt }).unwrap();
    let made = files_of(&dataset.plan(), attempt);
    let files: Vec<File<'_>> = made.iter().map(|(kind, bytes)| File { kind, bytes }).collect();
    dataset.store(SHOT, attempt, &files, FrameFacts { verdict, ..facts() }).unwrap();
}

/// The files of an attempt, by where they are while it is the one that is stored.
fn made(plan: &Plan, attempt: u32) -> BTreeMap<String, Vec<u8>> {
    let files = files_of(plan, attempt).into_iter();
    files.map(|(kind, bytes)| (layout::file(plan, SHOT, &kind), bytes)).collect()
}

/// What is in these places now.
fn in_place(plan: &Plan, now: &BTreeMap<String, Vec<u8>>) -> BTreeMap<String, Vec<u8>> {
    let places = made(plan, 0).into_keys();
    places.filter_map(|place| Some((place.clone(), now.get(&place)?.clone()))).collect()
}

/// Whether all files of an attempt are somewhere, and not as something that nobody knows.
fn is_held(plan: &Plan, now: &BTreeMap<String, Vec<u8>>, attempt: u32) -> bool {
    let mut files = made(plan, attempt).into_values();
    files.all(|file| now.iter().any(|(name, bytes)| *bytes == file && !name.starts_with("quarantine")))
}

#[derive(Debug, Clone)]
enum Step {
    /// As sharp as that, if the gate says it at once.
    Store(Option<u32>),
    Flag(u32),
    Retake(RetakenFor),
    KeepBest,
    Crash,
}

fn step() -> impl Strategy<Value = Step> {
    let sharpness = || 10..60_u32;
    prop_oneof![
        4 => prop::option::weighted(0.8, sharpness()).prop_map(Step::Store),
        1 => sharpness().prop_map(Step::Flag),
        3 => Just(Step::Retake(RetakenFor::Gate)),
        1 => Just(Step::Retake(RetakenFor::Person)),
        3 => Just(Step::KeepBest),
        1 => Just(Step::Crash),
    ]
}

/// An image, by its attempt, and how sharp it is, as far as that matters.
type Image = (u32, u32);

/// How sharp an image counts: a good one is as good as another.
fn counted(sharpness: Option<u32>) -> u32 {
    sharpness.unwrap_or(50).min(50)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn the_best_of_what_the_gate_rejected_stays_and_nothing_is_lost(steps in prop::collection::vec(step(), 1..25)) {
        let root = scratch();
        let plan = plan_with_raw(2);
        let mut dataset = create_on(Arc::new(OsDisk), root.path(), &id(), plan.clone()).unwrap();
        let dir = dataset.dir().to_owned();
        // What a person would expect.
        let (mut place, mut rejected) = (None::<Image>, Vec::<Image>::new());
        let mut attempts = 0;
        for step in steps {
            match (step, place) {
                (Step::Store(sharpness), None) => {
                    attempts += 1;
                    store(&dataset, attempts, sharpness);
                    place = Some((attempts, counted(sharpness)));
                }
                (Step::Flag(sharpness), Some((attempt, _))) => {
                    let verdict = verdict(sharpness);
                    dataset.note(&Record::Flagged { shot: SHOT, attempt, verdict }).unwrap();
                    place = Some((attempt, counted(Some(sharpness))));
                }
                (Step::Retake(by), Some(image)) => {
                    dataset.retake(SHOT, by).unwrap();
                    match by {
                        RetakenFor::Gate | RetakenFor::Better => rejected.push(image),
                        RetakenFor::Person => rejected.clear(),
                    }
                    place = None;
                }
                (Step::KeepBest, now) => {
                    // The first of those that are as good.
                    let best = rejected.iter().rev().copied().max_by_key(|(_, sharpness)| *sharpness);
                    let better = now.and_then(|(_, now)| best.filter(|(_, best)| *best > now));
                    let kept = dataset.keep_best(SHOT).unwrap();
                    prop_assert_eq!(kept.map(|stored| stored.attempt), better.map(|(attempt, _)| attempt));
                    if let (Some(better), Some(now)) = (better, now) {
                        rejected.push(now);
                        place = Some(better);
                    }
                }
                (Step::Crash, _) => {
                    drop(dataset);
                    let recovered = recover(&dir).unwrap();
                    prop_assert_eq!(recovered.report, RecoveryReport::default());
                    dataset = recovered.dataset;
                }
                (Step::Store(_) | Step::Flag(_) | Step::Retake(_), _) => {}
            }
            let now = files(&dir);
            let wanted = place.map(|(attempt, _)| made(&plan, attempt)).unwrap_or_default();
            prop_assert_eq!(in_place(&plan, &now), wanted);
            for attempt in 1..=attempts {
                prop_assert!(is_held(&plan, &now, attempt), "a file of attempt {} is lost", attempt);
            }
        }
        drop(dataset);
        prop_assert!(verify(&dir).unwrap().is_sound());
    }
}

#[test]
fn an_image_that_somebody_has_removed_does_not_come_back_and_the_worse_one_stays() {
    let root = scratch();
    let dataset = new(root.path(), 2);
    store(&dataset, 1, Some(40));
    dataset.retake(SHOT, RetakenFor::Gate).unwrap();
    store(&dataset, 2, Some(20));
    std::fs::write(dataset.dir().join("retaken/cam0/r01_a001.1.jpg"), "damaged").unwrap();
    assert_eq!(dataset.keep_best(SHOT).unwrap(), None);
    std::fs::remove_file(dataset.dir().join("retaken/cam0/r01_a001.1.jpg")).unwrap();
    assert_eq!(dataset.keep_best(SHOT).unwrap(), None);
    assert_eq!(files(dataset.dir())[PLACE], jpeg(2));
}

/// What broke in the state of a disk that lost power while the better image got its place back.
fn broken(root: &Path, is_back: bool) -> Option<String> {
    let dir = root.join(id().as_str());
    let disk = Arc::new(Recorder::new(root, Forgets::Nothing));
    let recovered = match recover_on(shared(&disk), &dir, &|| true) {
        Ok(recovered) => recovered,
        Err(error) => return Some(format!("not recoverable: {error}")),
    };
    let now = files(&dir);
    let plan = recovered.dataset.plan();
    let plan = &*plan;
    if !is_held(plan, &now, 1) || !is_held(plan, &now, 2) {
        return Some(format!("a file is lost: {:?}", recovered.report));
    }
    match recovered.dataset.tally().shot(SHOT) {
        Some(ShotState::Done(there)) if there.attempt == 1 || !is_back => {
            if in_place(plan, &now) != made(plan, there.attempt) {
                return Some(format!("attempt {} has other files", there.attempt));
            }
        }
        // It is taken once more, and is compared with both.
        Some(ShotState::Pending) if !is_back => {
            if !in_place(plan, &now).is_empty() {
                return Some("what is pending has a file".into());
            }
            store(&recovered.dataset, 3, Some(30));
            let kept = recovered.dataset.keep_best(SHOT).unwrap();
            if kept.is_none_or(|stored| stored.attempt != 1) {
                return Some("the best image is forgotten".into());
            }
        }
        other => return Some(format!("{other:?}")),
    }
    drop(recovered);
    let check = verify(&dir).unwrap();
    (!check.is_sound()).then(|| format!("{check:?}"))
}

/// Cuts the power after every operation; how many states, and what broke.
fn cut_everywhere(forgets: Forgets) -> (usize, Vec<String>) {
    let root = scratch();
    let disk = Arc::new(Recorder::new(root.path(), forgets));
    let dataset = create_on(shared(&disk), root.path(), &id(), plan_with_raw(3)).unwrap();
    for shot in [0, 2] {
        take(&dataset, shot, 1).unwrap();
    }
    store(&dataset, 1, Some(40));
    dataset.retake(SHOT, RetakenFor::Gate).unwrap();
    store(&dataset, 2, Some(20));
    let begin = disk.len();
    assert_eq!(dataset.keep_best(SHOT).unwrap().map(|stored| stored.attempt), Some(1));
    let back = disk.len();
    dataset.note(&Record::Finished { outcome: Outcome::Complete }).unwrap();
    let samples = unless_full(12, 40);
    let (mut count, mut all) = (0, Vec::new());
    for done in begin..=disk.len() {
        for state in states_after(None, &disk.log()[..done], samples, 0xBE57) {
            let root = scratch();
            state.write_to(root.path());
            count += 1;
            if let Some(what) = broken(root.path(), done >= back) {
                all.push(format!("after {} of {} operations: {what}", done - begin, back - begin));
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
fn no_power_cut_loses_an_image_while_the_better_one_gets_its_place_back() {
    let (states, broken) = cut_everywhere(Forgets::Nothing);
    println!("{states} states, {} violations", broken.len());
    assert!(broken.is_empty(), "{} of {states} states; the first: {}", broken.len(), broken[0]);
    assert!(states > 100, "only {states} states: the check has become blind");
}

#[test]
fn a_disk_that_does_not_sync_folders_is_caught() {
    let (states, broken) = cut_everywhere(Forgets::DirSync);
    assert!(!broken.is_empty(), "none of {states} states");
}
