//! Scans that are stopped: by a person, by a signal, by `kill -9`; and what goes on afterwards.

use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStderr};

use rustix::process::{Pid, Signal, kill_process};

use crate::support::{Finished, Recipe, TestRig};

/// A scan under way; its log is read up to the line that contains `until`.
fn begin(rig: &TestRig, args: &[&str], until: &str) -> (Child, BufReader<ChildStderr>) {
    let mut child = rig.command(args).spawn().unwrap();
    let mut log = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    let mut seen = String::new();
    while !line.contains(until) {
        line.clear();
        assert_ne!(log.read_line(&mut line).unwrap(), 0, "the log ended without {until:?}:\n{seen}");
        seen.push_str(&line);
    }
    (child, log)
}

fn end(child: Child, mut log: BufReader<ChildStderr>) -> Finished {
    let mut rest = String::new();
    std::io::Read::read_to_string(&mut log, &mut rest).unwrap();
    let mut finished = Finished::from(child.wait_with_output().unwrap());
    finished.stderr = rest;
    finished
}

fn signal(child: &Child, signal: Signal) {
    kill_process(Pid::from_child(child), signal).unwrap();
}

fn slow_rig(angles: u32) -> TestRig {
    TestRig::new(&Recipe { cameras: 2, angles, time_scale: 10.0, ..Recipe::default() })
}

/// No process of this rig is left. Drivers are told apart by their runtime directory.
fn assert_no_process_left(rig: &TestRig) {
    let mark = rig.dir.path().to_str().unwrap().as_bytes().to_vec();
    let left = || {
        let entries = std::fs::read_dir("/proc").unwrap().flatten();
        let commands = entries.filter_map(|entry| std::fs::read(entry.path().join("cmdline")).ok());
        commands.filter(|command| command.windows(mark.len()).any(|window| window == mark)).count()
    };
    for _ in 0..100 {
        if left() == 0 {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    panic!("{} processes are left", left());
}

#[test]
fn ctrl_c_pauses_durably_and_resume_finishes_exactly_the_rest() {
    let rig = slow_rig(16);
    let (child, log) = begin(&rig, &["scan", "--json"], "(6/32");
    signal(&child, Signal::INT);
    let paused = end(child, log);
    assert_eq!(paused.code, Some(5), "{}", paused.stderr);
    let summary = paused.json();
    let stored = summary["stored"].as_u64().unwrap();
    assert!((6..32).contains(&stored), "{summary}");
    assert_no_process_left(&rig);

    let id = rig.scan_id().unwrap();
    let resumed = rig.run(&["resume", &id, "--json"]);
    assert_eq!(resumed.code, Some(0), "{}", resumed.stderr);
    assert_eq!(resumed.json()["attempts"], 32 - stored, "what is stored is not taken again");
    rig.assert_complete(&id, "after a pause");
}

#[test]
fn a_second_ctrl_c_cancels_and_a_cancelled_scan_can_still_be_resumed() {
    // The camera hangs, so the first Ctrl-C finds it in the middle of an attempt.
    let rig = slow_rig(40);
    let (child, log) = begin(&rig, &["scan"], "(3/80");
    signal(&child, Signal::INT);
    signal(&child, Signal::INT);
    let ended = end(child, log);
    assert!(matches!(ended.code, Some(5 | 6)), "{:?}: {}", ended.code, ended.stderr);
    let (child, log) = begin(&rig, &["resume", &rig.scan_id().unwrap()], "stored images");
    let cancelled = rig.run(&["cancel"]);
    assert_eq!(cancelled.code, Some(0), "{}", cancelled.stderr);
    assert_eq!(end(child, log).code, Some(6));
    let id = rig.scan_id().unwrap();
    let verify = rig.run(&["dataset", "verify", &id, "--json"]);
    assert_eq!(verify.json()["state"], "cancelled", "{}", verify.stdout);
    assert_eq!(rig.run(&["resume", &id]).code, Some(0));
    rig.assert_complete(&id, "after a cancel");
}

#[test]
fn a_scan_survives_kill_9_again_and_again() {
    let rig = slow_rig(12);
    let (child, log) = begin(&rig, &["scan"], "stored images");
    signal(&child, Signal::KILL);
    end(child, log);
    let id = rig.scan_id().unwrap();
    for _ in 0..4 {
        let (child, log) = begin(&rig, &["resume", &id], "stored images");
        signal(&child, Signal::KILL);
        end(child, log);
        let verify = rig.run(&["dataset", "verify", &id, "--json"]);
        assert_eq!(verify.code, Some(0), "{}", verify.stdout);
        assert_ne!(verify.json()["state"], "complete");
        assert_no_process_left(&rig);
    }
    assert_eq!(rig.run(&["resume", &id]).code, Some(0));
    rig.assert_complete(&id, "after kill -9");
}

#[test]
fn the_service_scans_when_told_and_pauses_when_it_is_ended() {
    let rig = slow_rig(20);
    let (service, mut log) = begin(&rig, &["run"], "ready");
    assert!(rig.run(&["status"]).stdout.contains("idle"));
    assert_eq!(rig.run(&["pause"]).code, Some(1), "there is nothing to pause");
    let started = rig.run(&["start"]);
    assert_eq!(started.code, Some(0), "{}", started.stderr);
    let second = rig.run(&["start"]);
    assert!(second.stderr.contains("is under way"), "{}", second.stderr);
    let mut line = String::new();
    while !line.contains("(4/40") {
        line.clear();
        assert_ne!(log.read_line(&mut line).unwrap(), 0);
    }
    let status = rig.run(&["status", "--json"]).json();
    assert_eq!(status["scanning"], true, "{status}");
    signal(&service, Signal::TERM);
    assert_eq!(end(service, log).code, Some(0));
    assert_no_process_left(&rig);
    let id = rig.scan_id().unwrap();
    assert_eq!(rig.run(&["dataset", "verify", &id, "--json"]).json()["state"], "paused");
    assert_eq!(rig.run(&["resume", &id]).code, Some(0));
    rig.assert_complete(&id, "after the service ended");
}
