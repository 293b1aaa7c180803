//! Points that are added to a scan: from when on they are part of it, and that nobody reads it without them.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::dataset::{
    Entry, OpenError, RecoveryReport, ShotState, StoreError, Violation, create_on, encode_line, extend,
    extend_on, read_contents, recover, recover_on, retake, show, verify,
};
use crate::model::{Axis, Lighting, Pose};
use crate::plan::{MOST_ADDED, Plan, Point, ShotIndex};
use crate::scan::{ExtendedBy, Outcome, Record, RetakenFor, ScanState};
use crate::units::{Dioptres, Stops};

use super::power::{Forgets, Recorder};
use super::power_model::{states_after, unless_full};
use super::{files, id, new, plan, plan_with_raw, records_in, scratch, shared, store, take};

/// A label of the longest, and numbers with as many digits as there are.
fn point(number: usize) -> Point {
    let position = -100.0 - 1.0 / 3.0 - number as f64 * 1e-12;
    let pose = Axis::ALL.into_iter().fold(Pose::default(), |pose, axis| pose.with(axis, position));
    Point {
        focus: Some(Dioptres::new(1.0 / 3.0)),
        bracket: Some(Stops::new(-4.0 / 3.0)),
        lighting: Lighting::Backlight,
        ..Point::new(format!("{}_{number:04}", "x".repeat(59)), pose)
    }
}

fn two() -> Vec<Point> {
    vec![point(1), point(2)]
}

fn complete(root: &Path) -> PathBuf {
    let dataset = new(root, 3);
    (0..3).for_each(|shot| take(&dataset, shot, 1).unwrap());
    dataset.note(&Record::Finished { outcome: Outcome::Complete }).unwrap();
    dataset.dir().to_owned()
}

fn add(dir: &Path, points: &[Point]) -> Result<crate::dataset::Extended, OpenError> {
    extend(dir, ExtendedBy::Person, |_, _| Ok(points.to_vec()))
}

#[test]
fn a_complete_scan_is_not_complete_any_more_and_is_once_the_new_shots_are_stored() {
    let root = scratch();
    let dir = complete(root.path());
    let plan_json = fs::read(dir.join("plan.json")).unwrap();
    let extended = add(&dir, &two()).unwrap();
    let counts = extended.tally.counts();
    assert_eq!((extended.tally.state(), counts.planned, counts.pending), (ScanState::Paused, 5, 2));
    assert_eq!(extended.plan.points[3..], two());
    assert_eq!(fs::read(dir.join("plan.json")).unwrap(), plan_json, "it never changes");

    // Whoever reads it, sees them.
    let report = verify(&dir).unwrap();
    assert!(report.is_sound() && report.notes.is_empty(), "{report:?}");
    assert_eq!((report.state, report.shots), (ScanState::Paused, counts));
    let contents = read_contents(&dir).unwrap();
    assert_eq!(contents.plan, extended.plan);
    assert!(contents.files(ShotIndex(4)).unwrap().image.ends_with("_0002.jpg"));
    assert!(contents.waits_for().is_some() && !contents.extended_unasked());
    assert_eq!(show(&dir).unwrap().scan.unwrap().shots, counts);
    assert!(show(&dir).unwrap().is_resumable() || show(&dir).unwrap().in_use);

    let recovered = recover(&dir).unwrap();
    assert_eq!(recovered.report, RecoveryReport::default());
    let dataset = recovered.dataset;
    assert_eq!(dataset.plan(), extended.plan);
    dataset.note(&Record::Resumed).unwrap();
    take(&dataset, 3, 1).unwrap();
    let lie = dataset.note(&Record::Finished { outcome: Outcome::Complete });
    assert!(matches!(lie, Err(StoreError::NotComplete { missing: 1, planned: 5 })), "{lie:?}");
    take(&dataset, 4, 1).unwrap();
    dataset.note(&Record::Finished { outcome: Outcome::Complete }).unwrap();
    drop(dataset);
    let report = verify(&dir).unwrap();
    assert!(report.is_sound() && report.state.is_complete() && report.notes.is_empty(), "{report:?}");

    // An image of theirs that is gone is missed as any other; and it is taken again as any other.
    let image = dir.join(read_contents(&dir).unwrap().files(ShotIndex(4)).unwrap().image);
    let bytes = fs::read(&image).unwrap();
    fs::remove_file(&image).unwrap();
    let report = verify(&dir).unwrap();
    assert!(
        matches!(report.violations.as_slice(), [Violation::Image { shot: ShotIndex(4), .. }]),
        "{report:?}"
    );
    fs::write(&image, bytes).unwrap();
    assert_eq!(retake(&dir, &[ShotIndex(4)]).unwrap().tally.counts().pending, 1);
    assert!(verify(&dir).unwrap().is_sound());
}

#[test]
fn points_are_added_under_way_and_again_later() {
    let root = scratch();
    let dataset = new(root.path(), 1);
    take(&dataset, 0, 1).unwrap();
    let plan = dataset.extend(&[point(1)], ExtendedBy::Person).unwrap();
    assert_eq!((plan.shot_count(), dataset.state()), (2, ScanState::Running));
    take(&dataset, 1, 1).unwrap();
    dataset.extend(&[point(2)], ExtendedBy::Proposer).unwrap();
    assert!(matches!(store(&dataset, 3, 1), Err(StoreError::UnknownShot { planned: 3, .. })));
    dataset.retake(ShotIndex(1), RetakenFor::Person).unwrap();
    let dir = dataset.dir().to_owned();
    drop(dataset);
    let contents = read_contents(&dir).unwrap();
    assert!(contents.extended_unasked());
    assert_eq!(contents.notes().filter(|entry| !entry.record.added().is_empty()).count(), 2);
    let dataset = recover(&dir).unwrap().dataset;
    assert_eq!((dataset.tally().counts().done, dataset.tally().counts().pending), (1, 2));
    take(&dataset, 1, 2).unwrap();
    take(&dataset, 2, 1).unwrap();
    dataset.note(&Record::Finished { outcome: Outcome::Complete }).unwrap();
    assert!(verify(&dir).unwrap().is_sound());
}

#[test]
fn what_cannot_be_added_changes_nothing() {
    let root = scratch();
    let dir = complete(root.path());
    let before = files(&dir);
    let mut taken = two();
    taken[1].label = "r01_a001".into();
    for (points, said) in [
        (taken, "the label r01_a001 is taken"),
        (vec![], "there are no points"),
        (vec![point(1); 2], "is taken"),
    ] {
        let error = add(&dir, &points).unwrap_err().to_string();
        assert!(error.contains(said), "{error}");
        assert_eq!(files(&dir), before);
    }
    // Whoever chooses points and gives it up leaves the scan alone.
    let given_up = extend(&dir, ExtendedBy::Person, |plan, _| {
        assert_eq!(plan.shot_count(), 3);
        Err(OpenError::GivenUp(dir.clone()))
    });
    assert!(matches!(given_up, Err(OpenError::GivenUp(_))));
    assert_eq!(files(&dir), before);
    let mut endless = two();
    endless[0].pose = endless[0].pose.with(Axis::Lift, f64::INFINITY);
    assert!(add(&dir, &endless).unwrap_err().to_string().contains("could not be read back"));
    assert_eq!(fs::read(dir.join("journal.jsonl")).unwrap(), before["journal.jsonl"]);
    let dataset = recover(&dir).unwrap().dataset;
    assert!(add(&dir, &two()).unwrap_err().to_string().contains("is in use"));
    assert!(matches!(dataset.extend(&[], ExtendedBy::Person), Err(StoreError::Unaddable(_))));
}

#[test]
fn as_many_as_may_be_added_at_once_fit_into_a_line() {
    let root = scratch();
    let dataset = new(root.path(), 1);
    let points: Vec<Point> = (0..MOST_ADDED).map(point).collect();
    dataset.extend(&points, ExtendedBy::Proposer).unwrap();
    let dir = dataset.dir().to_owned();
    drop(dataset);
    assert_eq!(read_contents(&dir).unwrap().plan.points[1..], points);
}

/// Puts lines behind those of the journal, with numbers and checksums that are right.
fn append(dir: &Path, records: &[Record]) {
    let mut entries = records_in(dir);
    for record in records {
        let last = entries.last().unwrap().clone();
        entries.push(Entry { seq: last.seq + 1, record: record.clone(), ..last });
    }
    let lines: String = entries.iter().map(|entry| encode_line(entry).unwrap()).collect();
    fs::write(dir.join("journal.jsonl"), lines).unwrap();
}

#[test]
fn a_line_that_somebody_else_puts_behind_the_end_is_said() {
    let root = scratch();
    let dir = complete(root.path());
    let extended = Record::Extended { points: two(), by: ExtendedBy::Person };
    append(&dir, std::slice::from_ref(&extended));
    // We say in the manifest first that a scan goes on.
    let report = verify(&dir).unwrap();
    assert_eq!(report.violations, [Violation::SaysComplete { missing: 2 }]);
    // The same line twice.
    append(&dir, &[extended]);
    let report = verify(&dir).unwrap();
    assert!(report.violations.iter().any(|violation| {
        matches!(violation, Violation::Journal { reason, .. } if reason.contains("is taken"))
    }));
    // And one that says that nothing is missing.
    let root = scratch();
    let dir = complete(root.path());
    add(&dir, &two()).unwrap();
    append(&dir, &[Record::Finished { outcome: Outcome::Complete }]);
    let report = verify(&dir).unwrap();
    let [Violation::Journal { reason, .. }] = report.violations.as_slice() else { panic!("{report:?}") };
    assert_eq!(reason, "a line says that the scan is complete, with 2 shots missing");
}

/// What an older program says of a scan with points that were added, and this one of one from a newer.
#[test]
fn a_record_that_is_not_known_is_refused_and_nothing_is_changed() {
    let root = scratch();
    let dir = complete(root.path());
    add(&dir, &two()).unwrap();
    let journal = fs::read_to_string(dir.join("journal.jsonl")).unwrap();
    let (before, line) = journal.trim_end().rsplit_once('\n').unwrap();
    let body = line.rsplit_once(",\"crc32c\"").unwrap().0;
    let body = body.replace("\"type\":\"extended\"", "\"type\":\"extended_further\"");
    let line = format!("{body},\"crc32c\":\"{:08x}\"}}\n", crc32c::crc32c(body.as_bytes()));
    fs::write(dir.join("journal.jsonl"), format!("{before}\n{line}")).unwrap();
    let now = files(&dir);
    for refused in
        [recover(&dir).map(drop), retake(&dir, &[ShotIndex(0)]).map(drop), add(&dir, &two()).map(drop)]
    {
        assert!(matches!(refused, Err(OpenError::UnknownRecord { .. })), "{refused:?}");
    }
    assert_eq!(files(&dir), now);
    assert!(!verify(&dir).unwrap().is_sound());
}

/// What broke in the state of a disk that lost power: `asked` and `stored` say what had been acknowledged.
fn broken(root: &Path, points: &[Point], asked: bool, stored: bool) -> Option<String> {
    let dir = root.join(id().as_str());
    let disk = Arc::new(Recorder::new(root, Forgets::Nothing));
    // Whoever looks before anybody has put it in order is told no lie.
    let check = verify(&dir).unwrap();
    if !check.is_sound() || check.state.is_complete() && asked && !stored {
        return Some(format!("before recovery: {check:?}"));
    }
    let recovered = match recover_on(shared(&disk), &dir, &|| true) {
        Ok(recovered) => recovered,
        Err(error) => return Some(format!("not recoverable: {error}")),
    };
    let (plan, tally) = (recovered.dataset.plan(), recovered.dataset.tally());
    let now = files(&dir);
    match plan.points.get(3..) {
        Some([]) if asked => return Some("the points are forgotten".into()),
        Some([]) => {}
        Some(added) if added == points => {}
        other => return Some(format!("other points: {other:?}")),
    }
    let done = matches!(tally.shot(ShotIndex(3)), Some(ShotState::Done(_)));
    if stored && !done || tally.counts().done < 3 {
        return Some(format!("an image is lost: {:?}", recovered.report));
    }
    drop(recovered);
    let check = verify(&dir).unwrap();
    if !check.is_sound() || !check.notes.is_empty() || check.state.is_complete() != (check.shots.pending == 0)
    {
        return Some(format!("{check:?}"));
    }
    let again = recover_on(shared(&disk), &dir, &|| true).unwrap();
    (again.report != RecoveryReport::default() || files(&dir) != now)
        .then(|| format!("a second recovery changed something: {:?}", again.report))
}

/// Cuts the power after every operation of adding points to a complete scan, and of storing a shot of the first of them.
fn cut_everywhere(plan: &Plan, points: &[Point], forgets: Forgets) -> (usize, Vec<String>) {
    let root = scratch();
    let disk = Arc::new(Recorder::new(root.path(), forgets));
    let dataset = create_on(shared(&disk), root.path(), &id(), plan.clone()).unwrap();
    (0..3).for_each(|shot| take(&dataset, shot, 1).unwrap());
    dataset.note(&Record::Finished { outcome: Outcome::Complete }).unwrap();
    let dir = dataset.dir().to_owned();
    drop(dataset);
    let begin = disk.len();
    extend_on::<OpenError>(shared(&disk), &dir, ExtendedBy::Person, |_, _| Ok(points.to_vec())).unwrap();
    let asked = disk.len();
    let dataset = recover_on(shared(&disk), &dir, &|| true).unwrap().dataset;
    dataset.note(&Record::Resumed).unwrap();
    take(&dataset, 3, 1).unwrap();
    let stored = disk.len();
    let samples = unless_full(8, 25);
    let (mut count, mut all) = (0, Vec::new());
    for done in begin..=stored {
        for state in states_after(None, &disk.log()[..done], samples, 0xE47E) {
            let root = scratch();
            state.write_to(root.path());
            count += 1;
            if let Some(what) = broken(root.path(), points, done >= asked, done >= stored) {
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
fn no_power_cut_forgets_points_or_lies_about_them() {
    for plan in [plan(3), plan_with_raw(3)] {
        let (states, broken) = cut_everywhere(&plan, &two(), Forgets::Nothing);
        println!("{states} states, {} violations", broken.len());
        assert!(broken.is_empty(), "{} of {states} states; the first: {}", broken.len(), broken[0]);
        assert!(states > 100, "only {states} states: the check has become blind");
    }
}

#[test]
fn a_disk_that_does_not_sync_is_caught() {
    let (states, broken) = cut_everywhere(&plan(3), &two(), Forgets::FileSync);
    assert!(!broken.is_empty(), "none of {states} states");
}

/// The record with the points is cut off after each of its bytes.
#[test]
fn half_a_record_is_none() {
    let root = scratch();
    let dir = complete(root.path());
    let before = fs::read(dir.join("journal.jsonl")).unwrap();
    add(&dir, &two()).unwrap();
    let whole = fs::read(dir.join("journal.jsonl")).unwrap();
    for length in before.len()..=whole.len() {
        fs::write(dir.join("journal.jsonl"), &whole[..length]).unwrap();
        let report = verify(&dir).unwrap();
        assert!(report.is_sound(), "{length}: {report:?}");
        let is_whole = length == whole.len();
        assert_eq!(report.shots.planned, if is_whole { 5 } else { 3 }, "{length}");
        assert_eq!(read_contents(&dir).unwrap().plan.points.len(), if is_whole { 5 } else { 3 });
    }
    for length in (before.len()..whole.len()).step_by(37) {
        fs::write(dir.join("journal.jsonl"), &whole[..length]).unwrap();
        drop(recover(&dir).unwrap());
        assert_eq!(fs::read(dir.join("journal.jsonl")).unwrap(), before, "{length}");
        let report = verify(&dir).unwrap();
        assert!(report.is_sound() && report.state.is_complete(), "{length}: {report:?}");
    }
}
