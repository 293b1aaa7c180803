//! Old scans that make room for new ones, on a disk of their own.

use std::fs;
use std::io::Write as _;

use crate::refused::{SmallDisk, assert_refused, edit};
use crate::support::{Recipe, TestRig};

const OLDEST: &str = "2026-01-01-000000-owl";
const UNFINISHED: &str = "2026-01-02-000000-ant";
const OLD: &str = "2026-01-03-000000-owl";
const NEW: &str = "2026-01-04-000000-owl";

#[test]
fn complete_scans_make_room_for_a_new_one_but_only_if_that_helps() {
    let rig = TestRig::new(&Recipe { size: (320, 240), ..Recipe::default() });
    let Some(_disk) = SmallDisk::mount(rig.scans(), 20_000_000) else { return };
    for id in [OLDEST, UNFINISHED, OLD] {
        assert_eq!(rig.run(&["scan", "--id", id]).code, Some(0));
        // What a recovery put aside belongs to the scan, and makes it large.
        let folder = rig.scans().join(id).join("quarantine");
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("large"), vec![1; 4_000_000]).unwrap();
    }
    // The second one loses an image, and its journal what came after: it is not complete any more.
    let journal = rig.scans().join(UNFINISHED).join("journal.jsonl");
    let bytes = fs::read(&journal).unwrap();
    fs::write(&journal, &bytes[..bytes.len() / 2]).unwrap();
    fs::remove_file(rig.scans().join(UNFINISHED).join("scan.json")).unwrap();

    edit(&rig, "keep_free = \"1 MB\"", "keep_free = \"10 MB\"");
    assert_refused(&rig, &["scan", "--id", NEW], 8, "not enough space");

    // Both complete ones would not do: none goes.
    edit(&rig, "keep_free = \"10 MB\"", "keep_free = \"17 MB\"\nmake_room = true");
    assert_refused(&rig, &["scan", "--id", NEW], 8, "not enough space");
    for id in [OLDEST, UNFINISHED, OLD] {
        assert!(rig.scans().join(id).is_dir(), "{id} was removed for nothing");
    }

    // One will do: the oldest goes, and is named.
    edit(&rig, "\"17 MB\"", "\"10 MB\"");
    let scan = rig.run(&["scan", "--id", NEW]);
    assert_eq!(scan.code, Some(0), "{}", scan.stderr);
    assert!(scan.stderr.contains(&format!("removed scan {OLDEST}: to make room")), "{}", scan.stderr);
    let left = |id: &str| rig.scans().join(id).is_dir();
    assert_eq!([OLDEST, UNFINISHED, OLD, NEW].map(left), [false, true, true, true]);
    rig.assert_complete(NEW, "after making room");

    // A complete scan that somebody holds open is not in the way of the others.
    let mut filler = fs::File::create(rig.scans().join(".filler")).unwrap();
    filler.write_all(&vec![0; 3_000_000]).unwrap();
    let scan = rig.run(&["scan", "--id", "2026-01-05-000000-owl"]);
    assert_eq!(scan.code, Some(0), "{}", scan.stderr);
    assert_eq!([UNFINISHED, OLD, NEW].map(left), [true, false, true]);
}
