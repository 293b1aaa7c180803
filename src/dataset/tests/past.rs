//! What is kept of a long journal.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{Seek as _, SeekFrom, Write as _};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;

use crate::camera_driver::protocol::ErrorKind;
use crate::config::Config;
use crate::dataset::history::{History, grow};
use crate::dataset::{Entry, Stop, Violation, encode_line, layout, read_contents, recover, show, verify};
use crate::model::Pose;
use crate::plan::{Point, ShotIndex};
use crate::scan::{self, ExtendedBy, Outcome, Policy, Record, RetakenFor, Stored, Verdict, WaitsFor};

use super::{facts, new, plan, records_in, take};

const SHOTS: u32 = 3;
/// Points that are added, in whatever order; what is of them before that is no part of a journal.
const ADDED: [&str; 2] = ["x0001", "x0002"];

fn added(which: usize) -> Point {
    Point::new(ADDED[which].into(), Pose::default())
}

fn record() -> impl Strategy<Value = Record> {
    let shot = || (0..SHOTS + ADDED.len() as u32).prop_map(ShotIndex);
    let stored = |(shot, attempt): (ShotIndex, u32)| {
        let order = [[0, 1], [1, 0]][attempt as usize % 2];
        let image = layout::image(&plan(SHOTS).with_added(&order.map(added)), shot);
        Record::Stored(Stored {
            shot,
            attempt,
            image,
            bytes: 1,
            crc32c: attempt,
            beside: Vec::new(),
            facts: facts(),
        })
    };
    prop_oneof![
        2 => (shot(), 1..9_u32).prop_map(|(shot, attempt)| Record::Attempted { shot, attempt }),
        2 => (shot(), 1..9_u32).prop_map(stored),
        1 => (shot(), "[a-c]").prop_map(|(shot, reason)| Record::ShotFailed { shot, reason }),
        1 => shot().prop_map(|shot| Record::Lost { shot, reason: "gone".into() }),
        1 => (shot(), any::<bool>()).prop_map(|(shot, gate)| Record::Retake {
            shot,
            by: if gate { RetakenFor::Gate } else { RetakenFor::Person },
        }),
        1 => (shot(), 1..9_u32).prop_map(|(shot, attempt)| Record::Flagged {
            shot,
            attempt,
            verdict: Verdict::default(),
        }),
        1 => Just(Record::Paused { reason: "?".into(), waits_for: WaitsFor::Hours }),
        1 => (0..ADDED.len(), any::<bool>()).prop_map(|(which, asked)| Record::Extended {
            points: vec![added(which)],
            by: if asked { ExtendedBy::Person } else { ExtendedBy::Proposer },
        }),
        1 => Just(Record::Resumed),
        1 => Just(Record::Finished { outcome: Outcome::Incomplete }),
    ]
}

/// As a reader would find it who keeps every record.
fn wanted_again(records: &[Record]) -> BTreeMap<ShotIndex, Stored> {
    let (mut stored, mut wanted) = (BTreeMap::new(), BTreeMap::new());
    for record in records {
        match record {
            Record::Stored(now) => {
                stored.insert(now.shot, now.clone());
                wanted.remove(&now.shot);
            }
            Record::Retake { shot, .. } => wanted.extend(stored.remove(shot).map(|old| (*shot, old))),
            Record::Lost { shot, .. } => drop(stored.remove(shot)),
            Record::Opened { .. }
            | Record::Attempted { .. }
            | Record::AttemptFailed { .. }
            | Record::ShotFailed { .. }
            | Record::Flagged { .. }
            | Record::Extended { .. }
            | Record::Paused { .. }
            | Record::Resumed
            | Record::Described(_)
            | Record::Finished { .. } => {}
        }
    }
    wanted
}

fn write(dir: &Path, records: impl IntoIterator<Item = Record>) {
    let at = "2026-11-21T13:30:05Z".parse().unwrap();
    let lines = (0..).zip(records).map(|(seq, record)| encode_line(&Entry { seq, at, record }).unwrap());
    fs::write(dir.join(layout::JOURNAL), lines.collect::<String>()).unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// A resumed scan starts from a few records as it would from all of them, whatever happened to it.
    #[test]
    fn what_is_kept_comes_to_the_same_as_all(records in prop::collection::vec(record(), 0..40)) {
        let root = super::scratch();
        let plan = plan(SHOTS);
        let opened = Record::Opened {
            scan: "x".into(), plan_crc32c: 1, software: "?".into(), order: None, rig: None, reference: false,
        };
        // What cannot follow is not in any journal.
        let mut tally = crate::dataset::Tally::new(&plan);
        let mut whole = Arc::new(plan.clone());
        let mut follows = |record: &Record| {
            let follows = tally.check(&whole, record).map(|()| tally.apply(record)).is_ok();
            if follows {
                grow(&mut whole, record);
            }
            follows
        };
        let records: Vec<Record> = std::iter::once(opened).chain(records).filter(&mut follows).collect();
        write(root.path(), records.clone());
        let history = History::of(root.path(), plan.clone()).unwrap();
        prop_assert_eq!(&history.extent.stop, &None);
        prop_assert_eq!(&history.tally, &tally);
        prop_assert_eq!(&history.plan, &whole);
        let unasked = |record: &Record| matches!(record, Record::Extended { by: ExtendedBy::Proposer, .. });
        prop_assert_eq!(history.past.extended_unasked(), records.iter().any(unasked));
        let kept = history.past.records(&history.tally);

        let config = Config::from_text("scanner.toml", include_str!("../../../config/scanner.toml")).unwrap();
        let policy = Policy { scan: config.scan, recovery: config.recovery };
        let of = |plan, records| scan::State::replay(plan, policy.clone(), records).unwrap();
        prop_assert_eq!(of(whole.clone(), &kept), of(Arc::new(plan), &records));
        prop_assert_eq!(history.past.wanted_again(), wanted_again(&records));
        // The settings of the shot that was stored last are those that a camera goes on with.
        let last = |records: &[Record]| {
            let stored = |record: &Record| if let Record::Stored(stored) = record { Some(stored.clone()) } else { None };
            records.iter().rev().find_map(stored)
        };
        prop_assert_eq!(last(&kept), last(&records));
        let by_the_gate = |record: &&Record| matches!(record, Record::Retake { by: RetakenFor::Gate, .. });
        let retakes = records.iter().filter(by_the_gate).count();
        // Of each shot: stored, flagged, gone, attempted, failed.
        prop_assert!(kept.len() <= 1 + 5 * whole.points.len() + retakes, "{:?}", kept);
    }
}

/// A camera that fails for days: all is read, and the end of it kept.
#[test]
fn of_a_long_journal_the_newest_notes_are_kept() {
    let root = tempfile::tempdir().unwrap();
    let dataset = new(root.path(), 2);
    let dir = dataset.dir().to_owned();
    drop(dataset);
    let failed = |attempt| Record::AttemptFailed {
        shot: ShotIndex(0),
        attempt,
        kind: ErrorKind::Timeout,
        message: "m".repeat(50_000),
    };
    let opened = records_in(&dir)[0].record.clone();
    write(&dir, std::iter::once(opened).chain((1..=200).map(failed)));
    let contents = read_contents(&dir).unwrap();
    let notes: Vec<&Record> = contents.notes().map(|entry| &entry.record).collect();
    assert_eq!(**notes.last().unwrap(), failed(200));
    assert!((80..90).contains(&notes.len()), "{}", notes.len());
    assert!(verify(&dir).unwrap().is_sound());
    drop(recover(&dir).unwrap());
    assert_eq!(records_in(&dir).len(), 201, "nothing is left out of the journal itself");
}

/// Its lines have the time of then, and a clock may be set while a shot is taken.
#[test]
fn how_long_a_shot_took_is_not_known_by_a_clock_that_was_set_back() {
    for (seconds, took) in [(2, Some(Duration::from_secs(2))), (-3600, None)] {
        let root = tempfile::tempdir().unwrap();
        let dataset = new(root.path(), 1);
        take(&dataset, 0, 1).unwrap();
        let dir = dataset.dir().to_owned();
        drop(dataset);
        let mut entries = records_in(&dir);
        let [.., attempted, stored] = &mut entries[..] else { panic!("{entries:?}") };
        assert!(matches!(attempted.record, Record::Attempted { .. }), "{attempted:?}");
        stored.at = attempted.at + jiff::SignedDuration::from_secs(seconds);
        let lines = entries.iter().map(|entry| encode_line(entry).unwrap());
        fs::write(dir.join(layout::JOURNAL), lines.collect::<String>()).unwrap();
        assert_eq!(read_contents(&dir).unwrap().took(ShotIndex(0)), took, "{seconds} s");
    }
}

/// What is behind the last good line may be as long as a disk is: it is moved aside, and never in memory.
#[test]
fn a_line_without_end_ends_the_journal_and_is_kept_aside() {
    const HOLE: u64 = 40 << 20;
    let root = tempfile::tempdir().unwrap();
    let dataset = new(root.path(), 1);
    take(&dataset, 0, 1).unwrap();
    let dir = dataset.dir().to_owned();
    drop(dataset);
    let path = dir.join(layout::JOURNAL);
    let good = fs::metadata(&path).unwrap().len();
    File::options().append(true).open(&path).unwrap().set_len(good + HOLE).unwrap();
    let mut file = File::options().write(true).open(&path).unwrap();
    file.seek(SeekFrom::End(0)).unwrap();
    file.write_all(b"the end\n").unwrap();

    assert_eq!(show(&dir).unwrap().scan.unwrap().shots.done, 1);
    let tail = HOLE + 8;
    let report = verify(&dir).unwrap();
    let reason = Stop::TooLong.to_string();
    let note = crate::dataset::Note::JournalTail { bytes: tail, reason: reason.clone() };
    assert!(report.notes.contains(&note), "{report:?}");
    let recovered = recover(&dir).unwrap().report;
    assert_eq!((recovered.cut_bytes, recovered.cut_reason), (tail, Some(reason)));
    assert_eq!(fs::metadata(&path).unwrap().len(), good);
    let kept = File::open(dir.join("quarantine/journal-tail")).unwrap();
    let mut end = kept.try_clone().unwrap();
    end.seek(SeekFrom::End(-8)).unwrap();
    assert_eq!(kept.metadata().unwrap().len(), tail);
    assert_eq!(std::io::read_to_string(end).unwrap(), "the end\n");
}

#[test]
fn a_journal_longer_than_that_of_any_scan_is_refused_by_all_and_touched_by_none() {
    let root = tempfile::tempdir().unwrap();
    let dataset = new(root.path(), 1);
    take(&dataset, 0, 1).unwrap();
    let dir = dataset.dir().to_owned();
    drop(dataset);
    let path = dir.join(layout::JOURNAL);
    let length = crate::dataset::open::JOURNAL + 1;
    File::options().append(true).open(&path).unwrap().set_len(length).unwrap();
    let refused = [
        show(&dir).unwrap().scan.unwrap_err().to_string(),
        verify(&dir).unwrap_err().to_string(),
        read_contents(&dir).unwrap_err().to_string(),
        recover(&dir).unwrap_err().to_string(),
    ];
    for error in refused {
        assert!(error.contains("journal.jsonl") && error.contains("truncate"), "{error}");
    }
    assert_eq!(fs::metadata(&path).unwrap().len(), length);
    // As it says.
    File::options().write(true).open(&path).unwrap().set_len(2000).unwrap();
    assert!(verify(&dir).unwrap().shots.done == 1);
}

/// Whether a folder was renamed is said alike by all who look, and is no damage.
#[test]
fn a_renamed_scan_is_sound_and_shown_and_says_what_it_was_called() {
    let root = tempfile::tempdir().unwrap();
    let dataset = new(root.path(), 1);
    take(&dataset, 0, 1).unwrap();
    dataset.note(&Record::Finished { outcome: Outcome::Complete }).unwrap();
    let (old, began_as) = (dataset.dir().to_owned(), dataset.id().to_string());
    drop(dataset);
    for name in ["renamed", "Renamed by a person"] {
        let dir = root.path().join(name);
        fs::rename(root.path().join(if name == "renamed" { began_as.as_str() } else { "renamed" }), &dir)
            .unwrap();
        let report = verify(&dir).unwrap();
        assert!(report.is_sound(), "{report:?}");
        assert_eq!(report.notes, [crate::dataset::Note::Renamed { scan: began_as.clone() }]);
        let shown = show(&dir).unwrap();
        assert_eq!(shown.scan.unwrap().state, scan::ScanState::Finished(Outcome::Complete));
        assert_eq!(read_contents(&dir).unwrap().manifest.id.to_string(), began_as);
        let listed = crate::dataset::list(root.path()).unwrap();
        if name == "renamed" {
            assert_eq!((listed[0].id.as_str(), listed[0].began_as.as_ref()), (name, Some(&began_as)));
            assert_eq!(shown.began_as, Some(began_as.clone()));
            // A person has put it aside.
            assert_eq!(crate::dataset::removable(&listed, Some(0)), []);
            assert_eq!(crate::dataset::newest(root.path(), None).unwrap(), None);
        }
        drop(recover(&dir).unwrap());
    }
    assert!(!old.exists());
}

/// The plan of another scan makes nonsense of the shots: whoever looks says so.
#[test]
fn a_plan_that_is_not_the_scans_is_damage_to_all_who_look() {
    let root = tempfile::tempdir().unwrap();
    let dataset = new(root.path(), 2);
    let dir = dataset.dir().to_owned();
    drop(dataset);
    let mut plan = fs::read(dir.join("plan.json")).unwrap();
    plan.push(b'\n');
    fs::write(dir.join("plan.json"), plan).unwrap();
    assert_eq!(verify(&dir).unwrap().violations, [Violation::Plan]);
    for error in [
        show(&dir).unwrap().scan.unwrap_err().to_string(),
        read_contents(&dir).unwrap_err().to_string(),
        recover(&dir).unwrap_err().to_string(),
    ] {
        assert!(error.contains("plan.json") && error.contains("checksum"), "{error}");
    }
}
