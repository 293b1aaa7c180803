//! Journals with lines that are intact and say what cannot be.

use std::fs;
use std::path::Path;

use crate::dataset::{
    Entry, Impossible, Recovered, Stop, StoreError, Violation, encode_line, read_contents, recover, show,
    verify,
};
use crate::model::Pose;
use crate::plan::{MOST_ADDED, Point, ShotIndex};
use crate::scan::{ExtendedBy, Outcome, Record, ScanState, Stored};

use super::{new, records_in, take};

/// Puts `record` behind the first `lines` of the journal, and what stood there behind it, all with numbers and checksums
/// that are right.
fn forge(dir: &Path, lines: usize, record: &Record) -> usize {
    let mut entries = records_in(dir);
    entries.insert(lines, Entry { record: record.clone(), ..entries[lines - 1].clone() });
    let line = |(seq, entry): (u64, Entry)| encode_line(&Entry { seq, ..entry }).unwrap();
    let lines_of: Vec<String> = (0..).zip(entries).map(line).collect();
    fs::write(dir.join("journal.jsonl"), lines_of.concat()).unwrap();
    lines_of[..lines].concat().len()
}

fn extended(labels: &[&str]) -> Record {
    let point = |label: &&str| Point::new((*label).into(), Pose::default());
    Record::Extended { points: labels.iter().map(point).collect(), by: ExtendedBy::Person }
}

/// Whoever reads a journal stops at the same line: before it one shot of three was stored, behind it another one.
#[test]
fn no_line_is_believed_that_cannot_follow_those_before_it() {
    let stored = |dir: &Path| -> Stored {
        let entries = records_in(dir);
        let of = |entry: Entry| if let Record::Stored(stored) = entry.record { Some(stored) } else { None };
        entries.into_iter().find_map(of).unwrap()
    };
    let forgeries: [fn(Stored) -> Record; 11] = [
        |stored| Record::Stored(Stored { bytes: 3, ..stored }),
        |stored| Record::Stored(Stored { shot: ShotIndex(2), ..stored }),
        |stored| Record::Stored(Stored { shot: ShotIndex(3), ..stored }),
        |_| Record::Lost { shot: ShotIndex(3), reason: "?".into() },
        |_| Record::Finished { outcome: Outcome::Complete },
        |_| extended(&[]),
        |_| extended(&["new", "r01_a001"]),
        |_| extended(&["new", "new"]),
        |_| extended(&["../../outside"]),
        |_| extended(&vec!["new"; MOST_ADDED + 1]),
        |_| Record::Opened {
            scan: "other".into(),
            plan_crc32c: 1,
            software: "?".into(),
            order: None,
            rig: None,
            reference: false,
        },
    ];
    for (number, forgery) in forgeries.into_iter().enumerate() {
        let root = tempfile::tempdir().unwrap();
        let dataset = new(root.path(), 3);
        (0..2).for_each(|shot| take(&dataset, shot, 1).unwrap());
        let dir = dataset.dir().to_owned();
        drop(dataset);
        let good = forge(&dir, 3, &forgery(stored(&dir)));

        let report = verify(&dir).unwrap();
        let [Violation::Journal { at, bytes, reason }] = report.violations.as_slice() else {
            panic!("{number}: {report:?}");
        };
        assert_eq!(
            (*at, report.state, report.shots.done),
            (good as u64, ScanState::Running, 1),
            "{number}: {reason}"
        );
        assert!(report.shots == show(&dir).unwrap().scan.unwrap().shots, "{number}");
        assert_eq!(read_contents(&dir).unwrap().tally().counts(), report.shots, "{number}");

        let Recovered { dataset, records, report } = recover(&dir).unwrap();
        assert_eq!(report.cut_bytes, *bytes, "{number}");
        assert_eq!(report.cut_reason.as_ref(), Some(reason), "{number}");
        // What is whole is not lost with the line that told of it.
        assert_eq!(report.adopted, [ShotIndex(1)], "{number}");
        let of_both = |record: &Record| matches!(record, Record::Stored(_));
        assert_eq!(records.iter().filter(|record| of_both(record)).count(), 2, "{number}");
        assert_eq!(records_in(&dir).len(), 5, "{number}");
        take(&dataset, 2, 1).unwrap();
        dataset.note(&Record::Finished { outcome: Outcome::Complete }).unwrap();
        let report = verify(&dir).unwrap();
        assert!(report.is_sound() && report.state.is_complete(), "{number}: {report:?}");
    }
}

#[test]
fn a_line_that_would_not_be_believed_is_not_written() {
    let root = tempfile::tempdir().unwrap();
    let dataset = new(root.path(), 1);
    let error = dataset.note(&Record::Attempted { shot: ShotIndex(1), attempt: 1 }).unwrap_err();
    assert!(matches!(error, StoreError::Unreadable { .. }), "{error}");
    assert_eq!(error.to_string().matches("shot 1").count(), 1, "{error}");
    take(&dataset, 0, 1).unwrap();
    assert!(verify(dataset.dir()).unwrap().is_sound());
}

#[test]
fn what_is_impossible_is_told_in_words() {
    let stop = Stop::from(Impossible::SaysComplete(2));
    assert_eq!(stop.to_string(), "a line says that the scan is complete, with 2 shots missing");
}
