//! Numbers of scans, whatever becomes of what is remembered of them.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::sync::{Arc, Barrier};

use proptest::prelude::*;

use super::super::ids::{Folder, folders};
use super::super::opening::Opening;
use super::super::places::{Line, PLACES, Places};
use super::super::{
    Entry, OsDisk, Place, ScanId, create, create_on, encode_line, ids, list, newest, places, recover_on,
};
use super::power::{Forgets, Recorder};
use super::power_model::states_after;
use super::{scratch, shared};
use crate::plan::Plan;
use crate::scan::Record;

fn begin(root: &Path, id: &str) -> u64 {
    let plan = Plan { points: Vec::new(), cameras: Vec::new() };
    let dataset = create(root, &id.parse().unwrap(), plan).unwrap();
    drop(dataset);
    Place::of(root, id.parse().unwrap()).unwrap().order.unwrap()
}

/// What a scan of this number says of itself.
fn first_line(id: &str, order: u64) -> Entry {
    let (scan, software) = (id.into(), "scanner 0.1.0".into());
    let record =
        Record::Opened { scan, plan_crc32c: 0, software, order: Some(order), rig: None, reference: false };
    Entry { seq: 0, at: "2026-11-21T13:30:05Z".parse().unwrap(), record }
}

/// Takes a scan away. It is kept aside: another one of its name has another inode, by which it is known to be another one.
fn take_away(dir: &Path) {
    let aside = dir.with_file_name(".gone");
    let _ = fs::create_dir(&aside);
    let number = fs::read_dir(&aside).unwrap().count();
    let _ = fs::rename(dir, aside.join(number.to_string()));
}

/// Copies a scan of this number in from elsewhere, in the place of one that has its name.
fn copy_in(root: &Path, id: &str, order: u64) {
    let dir = root.join(id);
    take_away(&dir);
    fs::create_dir(&dir).unwrap();
    fs::write(dir.join("journal.jsonl"), encode_line(&first_line(id, order)).unwrap()).unwrap();
}

/// What the scans themselves say.
fn highest(root: &Path) -> u64 {
    ids(root).unwrap().into_iter().filter_map(|id| Place::of(root, id).unwrap().order).max().unwrap_or(0)
}

fn folder(root: &Path, id: &ScanId) -> Folder {
    Folder { id: id.clone(), inode: fs::metadata(root.join(id.as_str())).unwrap().ino() }
}

/// How many scans the next one would read.
fn reads(root: &Path) -> usize {
    let mut reads = 0;
    let read = |folder: &Folder| {
        reads += 1;
        Opening::read(&root.join(folder.id.as_str()))
    };
    Places::read(root).highest(&folders(root).unwrap(), read).unwrap();
    reads
}

#[derive(Debug, Clone)]
enum Event {
    Begin,
    CopyIn { scan: u8, order: u64 },
    Rename(prop::sample::Index),
    Remove(prop::sample::Index),
    Empty(prop::sample::Index),
    Forget,
    Cut(prop::sample::Index),
    Spoil(prop::sample::Index),
    Keep,
    PutBack,
    TooHigh { which: prop::sample::Index, order: u64 },
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        6 => Just(Event::Begin),
        3 => (0..4_u8, 0..60_u64).prop_map(|(scan, order)| Event::CopyIn { scan, order }),
        1 => any::<prop::sample::Index>().prop_map(Event::Rename),
        1 => any::<prop::sample::Index>().prop_map(Event::Remove),
        1 => any::<prop::sample::Index>().prop_map(Event::Empty),
        1 => Just(Event::Forget),
        1 => any::<prop::sample::Index>().prop_map(Event::Cut),
        1 => any::<prop::sample::Index>().prop_map(Event::Spoil),
        1 => Just(Event::Keep),
        1 => Just(Event::PutBack),
        1 => (any::<prop::sample::Index>(), prop_oneof![Just(u64::MAX), 0..500_u64])
            .prop_map(|(which, order)| Event::TooHigh { which, order }),
    ]
}

fn happen(root: &Path, event: &Event, number: usize, kept: &mut Option<Vec<u8>>) {
    let file = root.join(PLACES);
    let mut there = ids(root).unwrap();
    there.sort_unstable();
    let bytes = fs::read(&file).unwrap_or_default();
    match event {
        Event::Begin => {
            let before = highest(root);
            let order = begin(root, &format!("begun-{number}"));
            assert!(order == before + 1, "number {order} after {before}");
            let newest = newest(root, None).unwrap().unwrap();
            assert_eq!(newest.id.as_str(), format!("begun-{number}"));
            assert_eq!(list(root).unwrap().first().map(|first| &first.id), Some(&newest.id));
            let is_damaged = |id: &&ScanId| Opening::read(&root.join(id.as_str())).unwrap().is_none();
            assert!(reads(root) <= 1 + there.iter().filter(is_damaged).count());
        }
        Event::CopyIn { scan, order } => copy_in(root, &format!("copied-{scan}"), *order),
        Event::Rename(which) if !there.is_empty() => {
            let id = &there[which.index(there.len())];
            fs::rename(root.join(id.as_str()), root.join(format!("renamed-{number}"))).unwrap();
        }
        Event::Remove(which) if !there.is_empty() => {
            take_away(&root.join(there[which.index(there.len())].as_str()));
        }
        Event::Empty(which) if !there.is_empty() => {
            let id = &there[which.index(there.len())];
            fs::write(root.join(id.as_str()).join("journal.jsonl"), "").unwrap();
        }
        Event::Forget => drop(fs::remove_file(&file)),
        Event::Cut(at) if !bytes.is_empty() => fs::write(&file, &bytes[..at.index(bytes.len())]).unwrap(),
        Event::Spoil(at) if !bytes.is_empty() => {
            let mut bytes = bytes;
            let at = at.index(bytes.len());
            bytes[at] ^= 0x15;
            fs::write(&file, bytes).unwrap();
        }
        Event::Keep => *kept = Some(bytes),
        Event::PutBack => drop(kept.as_ref().map(|kept| fs::write(&file, kept).unwrap())),
        Event::TooHigh { which, order } if !there.is_empty() => {
            let id = &there[which.index(there.len())];
            let order = (*order).max(Place::of(root, id.clone()).unwrap().order.unwrap_or(0));
            let opening = Opening::of(&first_line(id.as_str(), order)).unwrap();
            let line = Line::new(&folder(root, id), &opening);
            Places::read(root).write(&OsDisk, root, &[line], &folders(root).unwrap());
        }
        Event::Rename(_)
        | Event::Remove(_)
        | Event::Empty(_)
        | Event::Cut(_)
        | Event::Spoil(_)
        | Event::TooHigh { .. } => {}
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    /// Each new scan has a higher number than all that are there, whatever is remembered of them.
    #[test]
    fn numbers_only_grow(events in prop::collection::vec(event(), 1..25)) {
        let root = scratch();
        let mut kept = None;
        for (number, event) in events.iter().chain([&Event::Begin]).enumerate() {
            happen(root.path(), event, number, &mut kept);
        }
    }
}

#[test]
fn a_scan_reads_one_other_and_what_was_copied_in_once() {
    let root = scratch();
    let root = root.path();
    for number in 0..20 {
        begin(root, &format!("s{number}"));
    }
    assert_eq!(reads(root), 1);
    for number in 0..5 {
        copy_in(root, &format!("copied-{number}"), 100 + number);
    }
    assert_eq!(reads(root), 5, "the highest of them is known to say so");
    assert_eq!(begin(root, "later"), 105);
    assert_eq!(reads(root), 1);
    let mut remembered = places(root).unwrap();
    let mut said: Vec<_> = ids(root).unwrap().into_iter().map(|id| Place::of(root, id).unwrap()).collect();
    remembered.sort_unstable();
    said.sort_unstable();
    assert_eq!(remembered, said);
}

#[test]
fn a_line_without_its_end_says_the_same_before_and_after_another_follows_it() {
    let root = scratch();
    let root = root.path();
    begin(root, "first");
    let id = "first".parse().unwrap();
    let too_high = Line::new(&folder(root, &id), &Opening::of(&first_line("first", u64::MAX)).unwrap());
    Places::read(root).write(&OsDisk, root, &[too_high], &folders(root).unwrap());
    let text = fs::read(root.join(PLACES)).unwrap();
    fs::write(root.join(PLACES), text.strip_suffix(b"\n").unwrap()).unwrap();
    assert_eq!(begin(root, "second"), 2);
    assert_eq!(reads(root), 1, "what is wrong was found out, and written");
}

#[test]
fn what_is_remembered_of_scans_that_are_gone_goes() {
    let root = scratch();
    let root = root.path();
    begin(root, "first");
    fs::write(root.join(PLACES), "1 0 7 gone 00000000\n".repeat(5000)).unwrap();
    begin(root, "second");
    assert_eq!(fs::read_to_string(root.join(PLACES)).unwrap().lines().count(), 2);
    assert_eq!(reads(root), 1);
}

#[test]
fn a_list_of_places_that_cannot_be_written_hinders_no_scan() {
    let root = scratch();
    let root = root.path();
    fs::create_dir(root.join(PLACES)).unwrap();
    assert_eq!((begin(root, "a"), begin(root, "b")), (1, 2));
    assert_eq!(newest(root, None).unwrap().unwrap().id.as_str(), "b");
}

#[test]
fn what_two_rigs_begin_at_once_is_older_than_what_comes_later() {
    let root = scratch();
    let root = root.path();
    let both = Barrier::new(2);
    for round in 0..20 {
        std::thread::scope(|scope| {
            for rig in ["a", "b"] {
                let both = &both;
                scope.spawn(move || {
                    both.wait();
                    begin(root, &format!("{rig}{round}"));
                });
            }
        });
        let before = highest(root);
        assert_eq!(begin(root, &format!("later{round}")), before + 1);
    }
    assert_eq!(ids(root).unwrap().len(), 60);
}

/// Gives the folders in what is remembered the inodes that they have in `root`, a copy of where they had those in `were`.
fn renumber(root: &Path, were: &[Folder]) {
    let Ok(text) = fs::read_to_string(root.join(PLACES)) else { return };
    let line = |line: &str| {
        let words: Vec<&str> = line.trim_end().split(' ').collect();
        let &[order, created, inode, id, of, _] = words.as_slice() else { return line.to_owned() };
        let known = were.iter().any(|were| were.id.as_str() == id && were.inode.to_string() == inode);
        let Some(now) = fs::metadata(root.join(id)).ok().filter(|_| known) else { return line.to_owned() };
        let text = format!("{order} {created} {} {id} {of}", now.ino());
        format!("{text} {:08x}\n", crc32c::crc32c(text.as_bytes()))
    };
    fs::write(root.join(PLACES), text.split_inclusive('\n').map(line).collect::<String>()).unwrap();
}

/// Wherever power goes while scans begin, and while one whose journal was lost is recovered, what comes later is newer.
#[test]
fn no_power_cut_makes_a_number_come_again() {
    let (root, before) = (scratch(), scratch());
    for id in ["a", "b"] {
        begin(root.path(), id);
    }
    fs::write(root.path().join("a/journal.jsonl"), "").unwrap();
    states_after(Some(root.path()), &[], 1, 0)[0].write_to(before.path());
    let disk = Arc::new(Recorder::new(root.path(), Forgets::Nothing));
    let plan = || Plan { points: Vec::new(), cameras: Vec::new() };
    drop(create_on(shared(&disk), root.path(), &"c".parse().unwrap(), plan()).unwrap());
    drop(recover_on(shared(&disk), &root.path().join("a"), &|| true).unwrap());
    drop(create_on(shared(&disk), root.path(), &"d".parse().unwrap(), plan()).unwrap());
    let (log, were) = (disk.log(), folders(root.path()).unwrap());
    let (mut count, mut trusted) = (0, 0);
    for done in 0..=log.len() {
        for state in states_after(Some(before.path()), &log[..done], 10, 0xF11E) {
            let root = scratch();
            state.write_to(root.path());
            renumber(root.path(), &were);
            trusted += usize::from(reads(root.path()) < ids(root.path()).unwrap().len());
            let before = highest(root.path());
            assert_eq!(begin(root.path(), "later"), before + 1, "after {done}: {:?}", log[..done].last());
            count += 1;
        }
    }
    println!("{count} states, in {trusted} of which something is remembered");
    assert!(trusted > 100, "in only {trusted} of {count} states is anything remembered");
}
