//! Disks with scans that come and go.

use std::fs;

use rustix::process::Signal;

use crate::interrupted::{Limit, begin, end, read_until, signal, slow_rig};
use crate::refused::{SmallDisk, assert_refused, edit};
use crate::support::{Finished, Recipe, TestRig};

/// What the doctor finds of the disk: its verdict, cause and remedy.
fn diagnosis(rig: &TestRig, check: &str) -> (String, String) {
    let findings = rig.run(&["doctor", "--json"]).json();
    let findings = findings.as_array().unwrap();
    let finding = findings.iter().find(|finding| finding["check"] == check);
    let finding = finding.unwrap_or_else(|| panic!("no {check} in {findings:?}"));
    let text = |key: &str| finding[key].as_str().unwrap_or_default().to_owned();
    (text("verdict"), format!("{}; {}", text("found"), text("what_to_do")))
}

fn assert_diagnosis(rig: &TestRig, check: &str, verdict: &str, says: &[&str]) {
    let (found, text) = diagnosis(rig, check);
    assert_eq!(found, verdict, "{text}");
    for part in says {
        assert!(text.contains(part), "{part:?} is not in: {text}");
    }
}

pub(crate) fn assert_empty(folder: &std::path::Path) {
    let left: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn a_disk_that_is_not_there_is_missed_and_nothing_is_made_in_its_place() {
    let rig = TestRig::new(&Recipe::default());
    let (scans, away) = (rig.scans(), rig.dir.path().join("away"));
    assert_diagnosis(&rig, "storage", "advice", &["does not exist", "mount that first"]);
    assert_eq!(rig.run(&["scan"]).code, Some(0));
    let id = rig.scan_id().unwrap();
    assert_diagnosis(&rig, "storage", "fine", &["storage ", "in use since"]);

    fs::rename(&scans, &away).unwrap();
    let missed = ["does not exist", "storage ", "mount its disk", "scanner storage --accept"];
    assert_diagnosis(&rig, "storage", "problem", &missed);
    for args in
        [&["scan"][..], &["resume", &id], &["dataset", "list"], &["dataset", "verify", &id], &["storage"]]
    {
        for says in missed {
            assert_refused(&rig, args, 8, says);
        }
    }
    assert!(!scans.exists());

    // As the mount point of a disk.
    fs::create_dir(&scans).unwrap();
    let missed = ["is not mounted at", "an empty folder", "mount its disk", "scanner storage --accept"];
    assert_diagnosis(&rig, "storage", "problem", &missed);
    for says in missed {
        assert_refused(&rig, &["scan"], 8, says);
    }
    assert_empty(&scans);

    fs::remove_dir(&scans).unwrap();
    fs::rename(&away, &scans).unwrap();
    rig.assert_complete(&id, "the disk is back");
    assert_eq!(rig.run(&["scan"]).code, Some(0));
}

#[test]
fn another_disk_is_used_when_a_person_says_so() {
    let rig = TestRig::new(&Recipe::default());
    assert_eq!(rig.run(&["scan"]).code, Some(0));
    let (scans, first) = (rig.scans(), rig.dir.path().join("first"));
    fs::rename(&scans, &first).unwrap();
    // A new disk, empty.
    fs::create_dir(&scans).unwrap();
    assert_refused(&rig, &["scan"], 8, "is not mounted at");
    let accepted = rig.run(&["storage", "--accept"]);
    assert_eq!(accepted.code, Some(0), "{}", accepted.stderr);
    assert_eq!(rig.run(&["scan"]).code, Some(0));
    // The first one again: that has a mark, and not the one that is wanted now.
    fs::rename(&scans, rig.dir.path().join("second")).unwrap();
    fs::rename(&first, &scans).unwrap();
    for says in ["another storage is at", "put the other one back", "scanner storage --accept"] {
        assert_refused(&rig, &["scan"], 8, says);
    }
    assert_diagnosis(&rig, "storage", "problem", &["another storage is at", "put the other one back"]);
    assert_eq!(rig.run(&["storage", "--accept"]).code, Some(0));
    assert_eq!(rig.run(&["scan"]).code, Some(0));
}

#[test]
fn an_interrupted_scan_goes_on_when_its_disk_comes_later() {
    let rig = slow_rig(16);
    let (mut first, log) = begin(&rig, &["run"], "ready");
    assert_eq!(rig.run(&["start"]).code, Some(0));
    let mut log = log;
    read_until(&mut log, "(3/32");
    first.kill().unwrap();
    drop(first);
    let id = rig.scan_id().unwrap();
    let (scans, away) = (rig.scans(), rig.dir.path().join("away"));
    fs::rename(&scans, &away).unwrap();
    let (service, mut log) = begin(&rig, &["run"], "no scan can begin or go on");
    read_until(&mut log, "ready");
    assert!(!scans.exists());
    let refused = rig.run(&["start"]);
    assert_eq!(refused.code, Some(8), "{}", refused.stderr);
    fs::rename(&away, &scans).unwrap();
    read_until(&mut log, "going on with it (automatic resume 1)");
    read_until(&mut log, "scan complete");
    signal(&service, Signal::TERM);
    let Finished { code, stderr, .. } = end(service, log);
    assert_eq!(code, Some(0), "{stderr}");
    rig.assert_complete(&id, "after its disk came later");
}

#[test]
fn a_disk_without_inodes_is_told_from_a_full_one() {
    let rig = TestRig::new(&Recipe { angles: 24, ..Recipe::default() });
    let Some(disk) = SmallDisk::mount(rig.scans(), 60_000_000) else { return };
    disk.remount("nr_inodes=40");
    assert_refused(&rig, &["scan"], 8, "inodes");
    assert_diagnosis(&rig, "room", "problem", &["inodes", "remove files"]);
    // Enough by the estimate, but somebody else uses them up meanwhile.
    disk.remount("nr_inodes=400");
    assert_diagnosis(&rig, "room", "fine", &["\"ring\""]);
    edit(&rig, "time_scale = 100.0", "time_scale = 5.0");
    let (scan, log) = begin(&rig, &["scan"], "(2/24");
    for number in 0..400 {
        let _ = fs::write(rig.scans().join(format!(".{number}")), "");
    }
    let paused = end(scan, log);
    assert_eq!(paused.code, Some(5), "{}", paused.stderr);
    assert!(paused.stderr.contains("no inodes"), "{}", paused.stderr);
}

/// As if the scan had begun so many hours later.
fn date(rig: &TestRig, id: &str, hours: i64) {
    let path = rig.scans().join(id).join("journal.jsonl");
    let mut entries = scanner::dataset::read_journal(fs::File::open(&path).unwrap()).unwrap().entries;
    entries[0].at = entries[0].at.checked_add(jiff::Span::new().hours(hours)).unwrap();
    let lines = entries.iter().map(|entry| scanner::dataset::encode_line(entry).unwrap());
    fs::write(path, lines.collect::<String>()).unwrap();
}

#[test]
fn an_interrupted_scan_goes_on_whatever_the_clock_said() {
    let rig = slow_rig(16);
    assert_eq!(rig.run(&["scan", "--id", "ahead"]).code, Some(0));
    date(&rig, "ahead", 400 * 24);
    let (mut first, mut log) = begin(&rig, &["run"], "ready");
    let started = rig.run(&["start"]);
    assert_eq!(started.code, Some(0), "{}", started.stderr);
    read_until(&mut log, "(3/32");
    first.kill().unwrap();
    drop(first);
    // The clock was an hour behind.
    let id =
        fs::read_dir(rig.scans()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let id = id.into_iter().find(|name| name.starts_with("20")).unwrap();
    date(&rig, &id, -1);
    let (service, mut log) = begin(&rig, &["run"], "going on with it (automatic resume 1)");
    let _limit = Limit::on(&service);
    read_until(&mut log, "scan complete");
    signal(&service, Signal::TERM);
    assert_eq!(end(service, log).code, Some(0));
    rig.assert_complete(&id, "after the clock was set");
    let listed = rig.run(&["dataset", "list", "--json"]).json();
    assert_eq!(listed[0]["id"], id.as_str(), "{listed}");
}

#[test]
fn the_doctor_names_the_machine_that_has_the_newest_scan() {
    let rig = TestRig::new(&Recipe::default());
    assert_eq!(rig.run(&["scan"]).code, Some(0));
    let id = rig.scan_id().unwrap();
    assert_diagnosis(&rig, "newest scan", "fine", &["no other machine has", &id]);
    let owner = r#"{"machine":"another","host":"rig-b","boot":"b","pid":7,"start":1,"beats":9,"at":"2026-11-21T14:30:05Z"}"#;
    fs::write(rig.scans().join(&id).join("owner.json"), owner).unwrap();
    let says = ["process 7 on rig-b", "if it has stopped for good", "--take-over", &id];
    assert_diagnosis(&rig, "newest scan", "advice", &says);
    assert_diagnosis(&rig, "page", "fine", &["it is off"]);
}
