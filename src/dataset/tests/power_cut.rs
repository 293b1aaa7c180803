//! Power cuts at every operation of a scan, and of a recovery.

use std::path::Path;
use std::sync::Arc;

use crate::dataset::{Recovered, ShotState, create_on, recover_on, verify};
use crate::plan::Plan;
use crate::scan::{Outcome, Record};

use super::power::{Forgets, Op, Recorder};
use super::power_model::{of_this_commit, states_after, unless_full};
use super::{files, files_of, id, plan, plan_with_raw, records_in, scratch, shared, take};

const SHOTS: u32 = 3;

/// A scan that was run to its end, and what had been acknowledged when.
struct Run {
    plan: Plan,
    ops: Vec<Op>,
    /// After how many operations the dataset was created.
    created: usize,
    /// After how many operations each shot was acknowledged.
    acknowledged: Vec<usize>,
    /// After how many the end was.
    finished: usize,
    records: Vec<Record>,
}

fn run(plan: Plan, forgets: Forgets) -> Run {
    let root = scratch();
    let disk = Arc::new(Recorder::new(root.path(), forgets));
    let dataset = create_on(shared(&disk), root.path(), &id(), plan.clone()).unwrap();
    let created = disk.len();
    let mut acknowledged = Vec::new();
    for shot in 0..SHOTS {
        take(&dataset, shot, 1).unwrap();
        acknowledged.push(disk.len());
    }
    dataset.note(&Record::Finished { outcome: Outcome::Complete }).unwrap();
    let finished = disk.len();
    drop(dataset);
    let dir = root.path().join(id().as_str());
    drop(recover_on(shared(&disk), &dir, &|| true).unwrap());
    let records = records_in(&dir).into_iter().map(|entry| entry.record).collect();
    Run { plan, ops: disk.log()[..finished].to_vec(), created, acknowledged, finished, records }
}

/// What broke in the state of a disk that lost power after `done` operations of `run`; none if nothing did.
fn broken(run: &Run, root: &Path, done: usize) -> Option<String> {
    let dir = root.join(id().as_str());
    if !dir.exists() {
        return (done >= run.created).then(|| "the dataset is gone".into());
    }
    let recover = |disk: &Arc<Recorder>| recover_on(shared(disk), &dir, &|| true);
    let disk = Arc::new(Recorder::new(root, Forgets::Nothing));
    let Recovered { dataset, records, report } = match recover(&disk) {
        Ok(recovered) => recovered,
        Err(error) => return Some(format!("not recoverable: {error}")),
    };
    let tally = dataset.tally();
    let written_down: Vec<Record> = records_in(&dir).into_iter().map(|entry| entry.record).collect();
    for (shot, _) in run.acknowledged.iter().enumerate().filter(|(_, at)| **at <= done) {
        let index = crate::plan::ShotIndex(shot as u32);
        let Some(ShotState::Done(stored)) = tally.shot(index) else {
            return Some(format!("acknowledged shot {shot} is lost: {report:?}"));
        };
        let made = files_of(&run.plan, shot as u32);
        for (file, (_, bytes)) in stored.files().zip(&made) {
            if std::fs::read(dir.join(&file.path)).ok().as_ref() != Some(bytes) {
                return Some(format!("acknowledged shot {shot} has another {}", file.path));
            }
        }
        if stored.files().count() != made.len() {
            return Some(format!("acknowledged shot {shot} has lost a file"));
        }
    }
    if done >= run.finished && !dataset.state().is_complete() {
        return Some("it was complete, and is not any more".into());
    }
    // Nothing is invented: what is there was written, in this order, but for what the recovery added.
    let mut written = run.records.iter();
    let added = report.lost.len() + 2 * report.adopted.len();
    let kept = &written_down[..written_down.len() - added.min(written_down.len())];
    if let Some(record) = kept.iter().find(|record| !written.any(|it| it == *record)) {
        return Some(format!("a record that was never written: {record:?}"));
    }
    drop(dataset);
    let check = verify(&dir).unwrap();
    if !check.is_sound() || !check.notes.is_empty() {
        return Some(format!("{check:?}"));
    }
    let before = files(&dir);
    let again = recover(&disk).unwrap();
    if again.records != records
        || again.report != crate::dataset::RecoveryReport::default()
        || files(&dir) != before
    {
        return Some(format!("a second recovery changed something: {:?}", again.report));
    }
    finish(&again, &dir)
}

/// Goes on with a recovered scan to its end.
fn finish(recovered: &Recovered, dir: &Path) -> Option<String> {
    let dataset = &recovered.dataset;
    if !dataset.state().is_complete() {
        dataset.note(&Record::Resumed).unwrap();
        for shot in dataset.plan().shots() {
            if !matches!(dataset.tally().shot(shot), Some(ShotState::Done(_))) {
                take(dataset, shot.0, 2).unwrap();
            }
        }
        dataset.note(&Record::Finished { outcome: Outcome::Complete }).unwrap();
    }
    let images = files(&dir.join("images")).len();
    let beside = if dir.join("raw").is_dir() { files(&dir.join("raw")).len() } else { 0 };
    let of_shot = dataset.plan().cameras[0].files.len();
    let check = verify(dir).unwrap();
    let whole = images == SHOTS as usize
        && images + beside == SHOTS as usize * of_shot
        && check.shots.done == SHOTS
        && check.state.is_complete();
    (!check.is_sound() || !whole).then(|| format!("not complete after resuming: {check:?}"))
}

/// Cuts the power after every operation of a scan, until something breaks that is `enough`; returns how many states there were, and
/// what broke.
fn cut_everywhere(run: &Run, samples: usize, enough: fn(&str) -> bool) -> (usize, Vec<String>) {
    let (mut count, mut all_broken) = (0, Vec::new());
    for done in 0..=run.ops.len() {
        for state in states_after(None, &run.ops[..done], samples, 0x5CA7) {
            let root = scratch();
            state.write_to(root.path());
            count += 1;
            if let Some(what) = broken(run, root.path(), done) {
                all_broken.push(format!("after {done} operations ({:?}): {what}", run.ops[..done].last()));
                if enough(&what) {
                    return (count, all_broken);
                }
            }
        }
    }
    (count, all_broken)
}

#[test]
fn no_power_cut_loses_what_was_acknowledged() {
    loses_nothing(plan(SHOTS), unless_full(10, 40));
}

#[test]
fn no_power_cut_loses_a_file_of_a_shot_with_several() {
    loses_nothing(plan_with_raw(SHOTS), unless_full(5, 10));
}

fn loses_nothing(plan: Plan, samples: usize) {
    let (states, broken) = cut_everywhere(&run(plan, Forgets::Nothing), samples, |_| false);
    println!("{states} states, {} violations", broken.len());
    assert!(broken.is_empty(), "{} of {states} states; the first: {}", broken.len(), broken[0]);
    assert!(states > 500, "only {states} states: the check has become blind");
}

fn is_a_loss(what: &str) -> bool {
    what.contains("acknowledged shot")
}

#[test]
fn a_writer_that_does_not_sync_files_is_caught() {
    let (states, broken) = cut_everywhere(&run(plan_with_raw(SHOTS), Forgets::FileSync), 12, is_a_loss);
    println!("{} of {states} states violate; the first: {:?}", broken.len(), broken.first());
    assert!(broken.iter().any(|what| is_a_loss(what)), "{broken:?}");
}

#[test]
fn a_writer_that_does_not_sync_folders_is_caught() {
    let (states, broken) = cut_everywhere(&run(plan_with_raw(SHOTS), Forgets::DirSync), 12, is_a_loss);
    println!("{} of {states} states violate; the first: {:?}", broken.len(), broken.first());
    assert!(broken.iter().any(|what| is_a_loss(what)), "{broken:?}");
}

/// A recovery is itself cut off after every operation, and recovered from.
#[test]
fn a_power_cut_during_a_recovery_loses_nothing_either() {
    loses_nothing_during_a_recovery(&run(plan(SHOTS), Forgets::Nothing), unless_full(6, 1));
}

#[test]
fn a_power_cut_during_a_recovery_of_shots_with_several_files_loses_nothing_either() {
    loses_nothing_during_a_recovery(&run(plan_with_raw(SHOTS), Forgets::Nothing), unless_full(12, 1));
}

/// The scan is cut off after every `step`-th operation, others with each commit, and its recovery after each.
fn loses_nothing_during_a_recovery(run: &Run, step: usize) {
    let (mut count, mut all_broken) = (0, Vec::new());
    let first = run.created + of_this_commit() as usize % step;
    for done in (first..=run.ops.len()).step_by(step) {
        // The states that give a recovery most to do.
        for first in states_after(None, &run.ops[..done], 1, 0xBAD) {
            let before = scratch();
            first.write_to(before.path());
            let root = scratch();
            first.write_to(root.path());
            let disk = Arc::new(Recorder::new(root.path(), Forgets::Nothing));
            recover_on(shared(&disk), &root.path().join(id().as_str()), &|| true).unwrap();
            let log = disk.log();
            for interrupted in 0..=log.len() {
                for second in states_after(Some(before.path()), &log[..interrupted], 1, 0xF00D) {
                    let root = scratch();
                    second.write_to(root.path());
                    count += 1;
                    if let Some(what) = broken(run, root.path(), done) {
                        all_broken.push(format!(
                            "{done}, then {interrupted} ({:?}): {what}",
                            log[..interrupted].last()
                        ));
                    }
                }
            }
        }
    }
    println!("{count} states, {} violations", all_broken.len());
    assert!(all_broken.is_empty(), "{} of {count}; the first: {}", all_broken.len(), all_broken[0]);
}
