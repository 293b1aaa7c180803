//! What cannot begin says why, with its exit code, and touches nothing.

use std::fs;

use rustix::process::Signal;

use crate::interrupted::{begin, end, signal, slow_rig};
use crate::support::{Finished, Recipe, Running, TestRig, skipped};

fn rig() -> TestRig {
    TestRig::new(&Recipe::default())
}

pub(crate) fn edit(rig: &TestRig, from: &str, to: &str) {
    let text = fs::read_to_string(&rig.config).unwrap();
    assert!(text.contains(from), "{from:?} is not in the configuration");
    fs::write(&rig.config, text.replace(from, to)).unwrap();
}

pub(crate) fn assert_refused(rig: &TestRig, args: &[&str], code: i32, says: &str) {
    let before = rig.scan_id();
    let refused = rig.run(args);
    assert_eq!(refused.code, Some(code), "{args:?}: {}{}", refused.stdout, refused.stderr);
    let said = format!("{}{}", refused.stdout, refused.stderr);
    assert!(said.contains(says), "{args:?} does not say {says:?}: {said}");
    assert!(!said.contains("panicked"), "{said}");
    assert_eq!(rig.scan_id(), before, "{args:?} left something behind");
}

#[test]
fn a_wrong_configuration_is_shown_with_line_and_caret() {
    let rig = rig();
    edit(&rig, "speed = \"60 deg/s\"", "speed = \"60 apples\"");
    edit(&rig, "settle", "setle");
    assert_refused(&rig, &["scan"], 3, "setle");
    assert_refused(&rig, &["check-config"], 3, "60 apples");
    assert_refused(&rig, &["check-config", "--json"], 3, "\"problems\"");
    fs::remove_file(&rig.config).unwrap();
    assert_refused(&rig, &["scan"], 3, "scanner.toml");
}

#[test]
fn a_plan_that_is_missing_or_out_of_reach() {
    // Found out before a camera is opened, which cannot be.
    let rig = TestRig::new(&Recipe { driver: "no-such-driver", ..Recipe::default() });
    assert_refused(&rig, &["scan", "sphere"], 12, "ring");
    edit(&rig, "shape = \"ring\"\nangles = 3", "shape = \"list\"\nfile = \"points.csv\"");
    fs::write(rig.dir.path().join("points.csv"), "turntable,tilt\n0,45\n").unwrap();
    assert_refused(&rig, &["scan"], 12, "tilt");
    for (points, says) in
        [(Some("turntable,tilt\n0,45\n"), "tilt"), (Some("no list"), "header"), (None, "missing")]
    {
        let file = rig.dir.path().join("points.csv");
        match points {
            Some(points) => fs::write(file, points).unwrap(),
            None => fs::remove_file(file).unwrap(),
        }
        // It is the configuration that is wrong, and a program is told so, too.
        assert_refused(&rig, &["check-config"], 3, "the plan \"ring\" cannot be carried out");
        let problems = rig.run(&["check-config", "--json"]).json()["problems"].clone();
        let message = problems[0]["message"].as_str().unwrap();
        assert!(message.contains("\"ring\"") && message.contains(says), "{problems}");
    }
}

#[test]
fn what_is_named_by_its_path_and_is_not_there_is_no_wrong_id() {
    let rig = rig();
    for command in ["verify", "show", "report"] {
        assert_refused(&rig, &["dataset", command, "/tmp/nope/no"], 10, "there is no folder /tmp/nope/no");
    }
}

#[test]
fn a_driver_that_is_missing_or_is_none() {
    let rig = TestRig::new(&Recipe { driver: "no-such-driver", ..Recipe::default() });
    assert_refused(&rig, &["scan"], 11, "no-such-driver");
    let rig = TestRig::new(&Recipe { driver: "/bin/true", ..Recipe::default() });
    assert_refused(&rig, &["scan"], 11, "cam0");
}

#[test]
fn ids_that_are_none_and_scans_that_are_not_there() {
    let rig = rig();
    assert_refused(&rig, &["resume", "../../etc"], 10, "../../etc");
    assert_refused(&rig, &["dataset", "verify", "..%2f"], 10, "..%2f");
    assert_refused(&rig, &["resume", "2020-01-01-000000-owl"], 10, "2020-01-01-000000-owl");
    assert_refused(&rig, &["status"], 10, "no scanner is running");
}

#[test]
fn a_second_scan_on_the_same_rig() {
    // Longer than any machine takes to ask.
    let rig = TestRig::new(&Recipe { angles: 360, time_scale: 1.0, ..Recipe::default() });
    let mut first = Running::spawn(&mut rig.command(&["scan"]));
    while !rig.run(&["status"]).stdout.contains("stored") {
        assert!(first.try_wait().unwrap().is_none(), "it ended before it began");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    assert_refused(&rig, &["scan"], 7, &first.id().to_string());
    first.kill().unwrap();
    first.wait().unwrap();
}

#[test]
fn a_dataset_of_a_newer_version_is_not_touched() {
    let rig = rig();
    assert_eq!(rig.run(&["scan"]).code, Some(0));
    let id = rig.scan_id().unwrap();
    let manifest = rig.scans().join(&id).join("scan.json");
    let mut json: serde_json::Value = serde_json::from_str(&fs::read_to_string(&manifest).unwrap()).unwrap();
    json["format"] = 99.into();
    fs::write(&manifest, json.to_string()).unwrap();
    let before = fs::read(&manifest).unwrap();
    assert_refused(&rig, &["resume", &id], 9, "99");
    assert_eq!(fs::read(&manifest).unwrap(), before);
}

#[test]
fn a_truncated_journal_costs_what_it_lost_and_no_more() {
    let rig = rig();
    assert_eq!(rig.run(&["scan"]).code, Some(0));
    let id = rig.scan_id().unwrap();
    let journal = rig.scans().join(&id).join("journal.jsonl");
    let bytes = fs::read(&journal).unwrap();
    fs::write(&journal, &bytes[..bytes.len() * 2 / 3]).unwrap();
    let verify = rig.run(&["dataset", "verify", &id]);
    assert_eq!(verify.code, Some(9), "a cut journal does not go unnoticed: {}", verify.stdout);
    assert_eq!(rig.run(&["resume", &id]).code, Some(0));
    rig.assert_complete(&id, "after a truncated journal");
}

/// Images of one scan have one geometry, which its plan states.
#[test]
fn a_scan_does_not_go_on_with_another_lens() {
    let rig = slow_rig(40);
    let (scan, log) = begin(&rig, &["scan"], "(3/80");
    signal(&scan, Signal::INT);
    assert_eq!(end(scan, log).code, Some(5));
    let id = rig.scan_id().unwrap();
    let journal = rig.scans().join(&id).join("journal.jsonl");
    let before = fs::read(&journal).unwrap();
    for (from, to) in [
        ("focal_length = \"4.74 mm\"", "focal_length = \"4.8 mm\""),
        ("pixel_pitch = \"70 um\"", "pixel_pitch = \"75 um\""),
    ] {
        edit(&rig, from, to);
        assert_refused(&rig, &["resume", &id], 3, "focal length");
        edit(&rig, to, from);
    }
    assert_eq!(fs::read(&journal).unwrap(), before, "a scan that is refused is left as it is");
    assert_eq!(rig.run(&["resume", &id]).code, Some(0));
    rig.assert_complete(&id, "with its lens again");
}

/// A small file system of its own, unmounted when dropped. None where that is not allowed.
pub(crate) struct SmallDisk(std::path::PathBuf);

impl SmallDisk {
    pub(crate) fn mount(path: std::path::PathBuf, bytes: u32) -> Option<Self> {
        fs::create_dir_all(&path).unwrap();
        let options = format!("size={bytes}");
        let mounted = std::process::Command::new("mount")
            .args(["-t", "tmpfs", "-o", &options, "tmpfs"])
            .arg(&path)
            .stderr(std::process::Stdio::null())
            .status();
        if mounted.is_ok_and(|status| status.success()) {
            return Some(Self(path));
        }
        skipped("mounting a small file system is not allowed here");
        None
    }

    pub(crate) fn remount(&self, options: &str) {
        let options = format!("remount,{options}");
        let status =
            std::process::Command::new("mount").args(["-o", &options]).arg(&self.0).status().unwrap();
        assert!(status.success());
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = std::process::Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

#[test]
fn a_full_disk_is_refused_before_and_pauses_during_a_scan() {
    let rig = TestRig::new(&Recipe { angles: 24, size: (320, 240), ..Recipe::default() });
    edit(&rig, "keep_free = \"1 MB\"", "keep_free = \"0 B\"");
    let Some(disk) = SmallDisk::mount(rig.scans(), 300_000) else { return };
    assert_refused(&rig, &["scan"], 8, "not enough space");
    assert_refused(&rig, &["doctor"], 1, "a scan of the plan \"ring\" would be refused: not enough space");
    // Enough by the estimate, but somebody else fills the disk meanwhile.
    disk.remount("size=20m");
    let mut scan = Running::spawn(&mut rig.command(&["scan"]));
    while rig.scan_id().is_none() {
        assert!(scan.try_wait().unwrap().is_none(), "it ended before it began");
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    let filler = rig.scans().join(".filler");
    // What is left is filled to the last page, as often as it takes.
    while scan.try_wait().unwrap().is_none() {
        let free = 1 << 20;
        if let Ok(mut file) = fs::File::options().create(true).append(true).open(&filler) {
            let _ = std::io::Write::write_all(&mut file, &vec![0; free]);
        }
    }
    let paused = scan.finish();
    assert_eq!(paused.code, Some(5), "{}", paused.stderr);
    assert!(paused.stderr.contains("resume"), "{}", paused.stderr);
    let id = rig.scan_id().unwrap();
    let verify = rig.run(&["dataset", "verify", &id, "--json"]);
    assert_eq!(verify.code, Some(0), "{}", verify.stdout);
    assert_ne!(verify.json()["state"], "complete");
    fs::remove_file(&filler).unwrap();
    let resumed = rig.run(&["resume", &id]);
    assert_eq!(resumed.code, Some(0), "{}", resumed.stderr);
    rig.assert_complete(&id, "after a full disk");
}

#[test]
fn a_read_only_disk() {
    let rig = rig();
    let Some(disk) = SmallDisk::mount(rig.scans(), 20_000_000) else { return };
    disk.remount("ro");
    assert_refused(&rig, &["scan"], 8, "read-only");
}

/// Hours would be those of UTC, and nobody would know.
#[test]
fn hours_are_refused_where_the_time_zone_is_not_known() {
    let rig = TestRig::new(&Recipe::default());
    let run = |args: &[&str]| Finished::from(rig.command(args).env("TZ", "Nowhere/Land").output().unwrap());
    let doctor = run(&["doctor"]);
    assert!(doctor.stdout.contains("time zone is not known"), "{}", doctor.stdout);
    let scan = run(&["scan"]);
    assert_eq!(scan.code, Some(0), "{}", scan.stderr);
    assert!(scan.stderr.contains("WARN the time zone is not known"), "{}", scan.stderr);

    edit(&rig, "[scan]", "[schedule]\nopen = [\"00:00-12:00\", \"12:00-24:00\"]\n[scan]");
    for command in [&["check-config"][..], &["scan"], &["run"]] {
        let refused = run(command);
        assert_eq!(refused.code, Some(3), "{command:?}: {}", refused.stderr);
        assert!(refused.stderr.contains("timedatectl set-timezone"), "{command:?}: {}", refused.stderr);
    }
    let known = rig.command(&["check-config"]).env("TZ", "UTC").output().unwrap();
    assert!(known.status.success());
}
