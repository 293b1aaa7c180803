//! Journals that were torn or damaged.

use proptest::prelude::*;

use crate::camera_driver::protocol::ErrorKind;
use crate::dataset::{Entry, Stop, encode_line, read_journal};
use crate::plan::ShotIndex;
use crate::scan::{Outcome, Record, Stored, WaitsFor};

use super::facts;

fn records() -> Vec<Record> {
    let shot = ShotIndex(0);
    let stored = Stored {
        shot,
        attempt: 2,
        image: "images/cam0/a.jpg".into(),
        bytes: 12,
        crc32c: u32::MAX,
        beside: Vec::new(),
        facts: facts(),
    };
    vec![
        Record::Opened {
            scan: "x".into(),
            plan_crc32c: 1,
            software: "scanner 0".into(),
            order: None,
            rig: None,
            reference: false,
        },
        Record::Attempted { shot, attempt: 1 },
        Record::AttemptFailed {
            shot,
            attempt: 1,
            kind: ErrorKind::QueueBuffer,
            message: "\n\",\"crc32c\":\"00000000\"}\n".into(),
        },
        Record::Stored(stored),
        Record::ShotFailed { shot, reason: "ä".into() },
        Record::Lost { shot, reason: String::new() },
        Record::Paused { reason: "full".into(), waits_for: WaitsFor::Person },
        Record::Resumed,
        Record::Finished { outcome: Outcome::Incomplete },
    ]
}

fn entries() -> Vec<Entry> {
    let at = "2026-11-21T13:30:05.123456789Z".parse().unwrap();
    (0..).zip(records()).map(|(seq, record)| Entry { seq, at, record }).collect()
}

fn journal() -> Vec<u8> {
    entries().iter().map(|entry| encode_line(entry).unwrap()).collect::<String>().into_bytes()
}

#[test]
fn every_record_reads_back_as_it_was() {
    let read = read_journal(journal().as_slice()).unwrap();
    assert_eq!(read.stop, None);
    assert_eq!(read.entries, entries());
    assert_eq!(read.good_bytes, journal().len() as u64);
}

#[test]
fn the_checksum_is_of_the_bytes_before_its_field() {
    let line = encode_line(&entries()[7]).unwrap();
    let expected = "{\"seq\":7,\"at\":\"2026-11-21T13:30:05.123456789Z\",\"record\":{\"type\":\"resumed\"}";
    assert_eq!(line, format!("{expected},\"crc32c\":\"{:08x}\"}}\n", crc32c::crc32c(expected.as_bytes())));
    // The Castagnoli polynomial, not the one of zip and PNG.
    assert_eq!(crc32c::crc32c(b"123456789"), 0xE306_9283);
}

#[test]
fn a_gap_and_an_unknown_record_are_told_apart_from_damage() {
    let lines: Vec<String> = entries().iter().map(|entry| encode_line(entry).unwrap()).collect();
    let gap = [lines[0].clone(), lines[2].clone()].concat();
    assert_eq!(read_journal(gap.as_bytes()).unwrap().stop, Some(Stop::Sequence { expected: 1, found: 2 }));
    let body = "{\"seq\":0,\"at\":\"2026-11-21T13:30:05Z\",\"record\":{\"type\":\"teleported\"}";
    let line = format!("{body},\"crc32c\":\"{:08x}\"}}\n", crc32c::crc32c(body.as_bytes()));
    assert!(matches!(read_journal(line.as_bytes()).unwrap().stop, Some(Stop::Unknown(_))));
}

#[test]
fn any_prefix_gives_its_whole_lines() {
    let journal = journal();
    for length in 0..=journal.len() {
        let read = read_journal(&journal[..length]).unwrap();
        let lines = journal[..length].split(|&byte| byte == b'\n').count() - 1;
        assert_eq!(read.entries, entries()[..lines]);
        assert_eq!(read.stop.is_some(), length as u64 > read.good_bytes);
    }
}

#[test]
fn any_flipped_bit_ends_the_journal_where_it_is() {
    let journal = journal();
    for at in 0..journal.len() {
        let line = journal[..at].split(|&byte| byte == b'\n').count() - 1;
        for bit in 0..8 {
            let mut damaged = journal.clone();
            damaged[at] ^= 1 << bit;
            assert_eq!(
                read_journal(damaged.as_slice()).unwrap().entries,
                entries()[..line],
                "bit {bit} of byte {at}"
            );
        }
    }
}

proptest! {
    #[test]
    fn damage_never_invents_a_record(
        cut in 0..2000_usize, from in 0..2000_usize, noise in prop::collection::vec(any::<u8>(), 0..80),
    ) {
        let mut journal = journal();
        let from = from.min(journal.len());
        let to = (from + noise.len()).min(journal.len());
        journal.splice(from..to, noise);
        journal.truncate(cut);
        let read = read_journal(journal.as_slice()).unwrap();
        prop_assert!(entries().starts_with(&read.entries));
    }

    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        prop_assert!(read_journal(bytes.as_slice()).unwrap().entries.is_empty());
    }
}
