//! Scans that are stopped: by a person, by a signal, by `kill -9`; and what goes on afterwards.

use std::io::{BufRead as _, BufReader};
use std::os::fd::AsFd as _;
use std::process::{Child, ChildStderr, Command};
use std::sync::mpsc;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, kill_process, pidfd_open, pidfd_send_signal};

use crate::support::{Finished, Recipe, Running, TestRig};

/// A scan under way; its log is read up to the line that contains `until`.
pub(crate) fn begin(rig: &TestRig, args: &[&str], until: &str) -> (Running, BufReader<ChildStderr>) {
    begin_by(rig.command(args), until)
}

pub(crate) fn begin_by(command: Command, until: &str) -> (Running, BufReader<ChildStderr>) {
    begin_until(command, &[until])
}

/// A service of this rig; its log is read until all of these were said, whichever comes first.
pub(crate) fn begin_until_all(rig: &TestRig, until: &[&str]) -> (Running, BufReader<ChildStderr>) {
    begin_until(rig.command(&["run"]), until)
}

fn begin_until(mut command: Command, until: &[&str]) -> (Running, BufReader<ChildStderr>) {
    let mut child = Running::spawn(&mut command);
    let _limit = Limit::on(&child);
    let mut log = BufReader::new(child.stderr.take().unwrap());
    read_until_all(&mut log, until);
    (child, log)
}

/// Reads a log up to the line that contains `until`: that line. It must be one that cannot have come before.
pub(crate) fn read_until(log: &mut BufReader<ChildStderr>, until: &str) -> String {
    read_until_all(log, &[until])
}

/// Reads a log until each of `until` was in a line: the last of these lines.
fn read_until_all(log: &mut BufReader<ChildStderr>, until: &[&str]) -> String {
    let (mut line, mut seen, mut missing) = (String::new(), String::new(), until.to_vec());
    while !missing.is_empty() {
        line.clear();
        if log.buffer().is_empty() {
            let more = PollFd::from_borrowed_fd(log.get_ref().as_fd(), PollFlags::IN);
            let limit = Timespec { tv_sec: FOR_EVER.as_secs() as i64, tv_nsec: 0 };
            assert_eq!(poll(&mut [more], Some(&limit)).unwrap(), 1, "no line has {missing:?}:\n{seen}");
        }
        assert_ne!(log.read_line(&mut line).unwrap(), 0, "the log ended without {missing:?}:\n{seen}");
        missing.retain(|until| !line.contains(until));
        seen.push_str(&line);
    }
    line
}

pub(crate) fn end(child: Running, mut log: BufReader<ChildStderr>) -> Finished {
    let mut rest = String::new();
    std::io::Read::read_to_string(&mut log, &mut rest).unwrap();
    let mut finished = child.finish();
    finished.stderr = rest;
    finished
}

pub(crate) fn signal(child: &Child, signal: Signal) {
    kill_process(Pid::from_child(child), signal).unwrap();
}

/// Longer than any test takes, on a machine that is busy.
const FOR_EVER: std::time::Duration = std::time::Duration::from_secs(300);

/// A process that is killed where it would hold its test for ever: who waits for its end, or reads what it says, then sees
/// that it was not the end that was wanted. Until this is dropped.
pub(crate) struct Limit {
    _lifted: mpsc::Sender<()>,
}

impl Limit {
    pub(crate) fn on(child: &Child) -> Self {
        // Another process may have its id once it has ended.
        let process = pidfd_open(Pid::from_child(child), PidfdFlags::empty()).unwrap();
        let (lifted, waits) = mpsc::channel::<()>();
        std::thread::spawn(move || {
            if waits.recv_timeout(FOR_EVER) == Err(mpsc::RecvTimeoutError::Timeout) {
                // Without effect on one that has ended.
                let _ = pidfd_send_signal(&process, Signal::KILL);
            }
        });
        Self { _lifted: lifted }
    }
}

pub(crate) fn slow_rig(angles: u32) -> TestRig {
    TestRig::new(&Recipe { cameras: 2, angles, time_scale: 10.0, ..Recipe::default() })
}

/// No process of this rig is left. Drivers are told apart by their runtime directory.
pub(crate) fn assert_no_process_left(rig: &TestRig) {
    let mark = rig.dir.path().to_str().unwrap().as_bytes().to_vec();
    let left = || {
        let entries = std::fs::read_dir("/proc").unwrap().flatten();
        let commands = entries.filter_map(|entry| std::fs::read(entry.path().join("cmdline")).ok());
        commands.filter(|command| command.windows(mark.len()).any(|window| window == mark)).count()
    };
    for _ in 0..600 {
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

/// A rig whose only camera keeps its driver waiting at the start, so that there is time to change one's mind.
fn rig_that_opens_slowly() -> TestRig {
    let rig = TestRig::new(&Recipe { driver: "SLOW", angles: 4, ..Recipe::default() });
    let driver = rig.dir.path().join("slow-driver");
    let sim = std::path::Path::new(env!("CARGO_BIN_EXE_scanner-sim")).display();
    let opening = rig.dir.path().join("opening");
    // The second start is as quick as ever.
    let script =
        format!("#!/bin/sh\n[ -e {0} ] || {{ : > {0}; sleep 30; }}\nexec {sim} \"$@\"\n", opening.display());
    std::fs::write(&driver, script).unwrap();
    std::fs::set_permissions(&driver, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let text = std::fs::read_to_string(&rig.config).unwrap().replace("SLOW", driver.to_str().unwrap());
    std::fs::write(&rig.config, text).unwrap();
    rig
}

fn wait_until_opening(rig: &TestRig) {
    while !rig.dir.path().join("opening").exists() {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
}

#[test]
fn ctrl_c_while_the_cameras_are_opened_leaves_nothing_behind() {
    for (args, stop) in [(["scan", "--json"], Signal::INT), (["scan", "--json"], Signal::TERM)] {
        let rig = rig_that_opens_slowly();
        let child = Running::spawn(&mut rig.command(&args));
        wait_until_opening(&rig);
        signal(&child, stop);
        let ended = child.finish();
        assert_eq!(ended.code, Some(6), "{stop:?}: {}", ended.stderr);
        assert!(ended.stderr.contains("nothing is left behind"), "{}", ended.stderr);
        assert_no_process_left(&rig);
        assert_eq!(rig.scan_id(), None);
        let left: Vec<_> =
            std::fs::read_dir(rig.dir.path().join("run")).unwrap().map(|e| e.unwrap().file_name()).collect();
        assert!(!left.iter().any(|name| name == "control.sock" || name == "driver-cam0.pid"), "{left:?}");
    }
}

#[test]
fn a_resume_that_is_given_up_loses_nothing() {
    let rig = rig_that_opens_slowly();
    let opening = rig.dir.path().join("opening");
    std::fs::write(&opening, "").unwrap();
    let (child, log) = begin(&rig, &["scan"], "stored images");
    signal(&child, Signal::KILL);
    end(child, log);
    let id = rig.scan_id().unwrap();
    let stored = || rig.run(&["dataset", "verify", &id, "--json"]).json()["shots"]["done"].as_u64();
    let before = stored();
    std::fs::remove_file(&opening).unwrap();
    let child = Running::spawn(&mut rig.command(&["resume", &id]));
    wait_until_opening(&rig);
    signal(&child, Signal::INT);
    let ended = child.finish();
    assert_eq!(ended.code, Some(5), "{}", ended.stderr);
    assert!(ended.stderr.contains("nothing of it is lost"), "{}", ended.stderr);
    // One more, if it was killed between an image and its record.
    assert!(stored() >= before, "{:?} after {before:?}", stored());
    assert_no_process_left(&rig);
    assert_eq!(rig.run(&["resume", &id]).code, Some(0));
    rig.assert_complete(&id, "after a resume that was given up");
}

#[test]
fn the_service_gives_a_start_up_when_told() {
    let rig = rig_that_opens_slowly();
    let (service, log) = begin(&rig, &["run"], "ready");
    let starting = Running::spawn(&mut rig.command(&["start"]));
    wait_until_opening(&rig);
    let again = rig.run(&["start"]);
    assert!(again.stderr.contains("under way"), "{}", again.stderr);
    assert_eq!(rig.run(&["pause"]).code, Some(0));
    let refused = starting.finish();
    assert!(refused.stderr.contains("was not begun"), "{}", refused.stderr);
    let status = rig.run(&["status", "--json"]).json();
    assert_eq!((&status["scanning"], &status["last"]), (&false.into(), &serde_json::Value::Null), "{status}");
    // The camera is free again, and ending the service in the middle of the next start is orderly, too.
    std::fs::remove_file(rig.dir.path().join("opening")).unwrap();
    let starting = Running::spawn(&mut rig.command(&["start"]));
    wait_until_opening(&rig);
    signal(&service, Signal::TERM);
    let ended = end(service, log);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert_ne!(starting.finish().code, Some(0));
    assert_no_process_left(&rig);
    assert!(!rig.dir.path().join("run/control.sock").exists(), "the control socket is left");
    assert_eq!(rig.scan_id(), None);
}

#[test]
fn a_complete_scan_is_resumed_without_its_cameras() {
    let rig = TestRig::new(&Recipe::default());
    assert_eq!(rig.run(&["scan"]).code, Some(0));
    let id = rig.scan_id().unwrap();
    let text = std::fs::read_to_string(&rig.config).unwrap().replace("scanner-sim", "no-such-driver");
    std::fs::write(&rig.config, text).unwrap();
    let resumed = rig.run(&["resume", &id, "--json"]);
    assert_eq!(resumed.code, Some(0), "{}", resumed.stderr);
    assert_eq!((&resumed.json()["end"], &resumed.json()["attempts"]), (&"complete".into(), &0.into()));
    rig.assert_complete(&id, "after a resume with nothing to do");
    // An image that has vanished since is missed, and that takes a camera.
    std::fs::remove_file(rig.scans().join(&id).join("images/cam0/r01_a002.jpg")).unwrap();
    assert_eq!(rig.run(&["resume", &id]).code, Some(11));
    assert_eq!(rig.run(&["dataset", "verify", &id]).code, Some(0), "it does not pretend to be complete");
}

#[test]
fn a_second_ctrl_c_cancels_and_a_cancelled_scan_can_still_be_resumed() {
    // A slow disk, so that the second Ctrl-C finds the scan still at its pause.
    let rig = slow_rig(40);
    let slow = "inject=fsync,fdatasync:delay_enter=400ms";
    let strace = ["strace", "-D", "-f", "-qq", "-o", "/dev/null", "-e", "trace=fsync,fdatasync", "-e", slow];
    let (child, mut log) = begin_by(rig.command_by(&strace, &["scan"]), "(2/80");
    signal(&child, Signal::INT);
    read_until(&mut log, "press Ctrl-C again to cancel");
    std::thread::sleep(std::time::Duration::from_secs(1));
    signal(&child, Signal::INT);
    read_until(&mut log, "cancelling the scan");
    let ended = end(child, log);
    assert_eq!(ended.code, Some(6), "{}", ended.stderr);
    let id = rig.scan_id().unwrap();
    let verify = rig.run(&["dataset", "verify", &id, "--json"]);
    assert_eq!(verify.json()["state"], "cancelled", "{}", verify.stdout);
    let (child, log) = begin(&rig, &["resume", &id], "stored images");
    let cancelled = rig.run(&["cancel"]);
    assert_eq!(cancelled.code, Some(0), "{}", cancelled.stderr);
    assert_eq!(end(child, log).code, Some(6));
    assert_eq!(rig.run(&["resume", &id]).code, Some(0));
    rig.assert_complete(&id, "after a cancel");
}

/// As `timeout` does it: its signal goes to the command, and at once to the whole group once more.
#[test]
fn a_signal_that_comes_twice_at_once_pauses_and_neither_cancels_nor_gives_up() {
    let rig = slow_rig(40);
    for wish in [Signal::INT, Signal::TERM, Signal::QUIT] {
        let (child, log) = begin(&rig, &["scan"], "(3/80");
        signal(&child, wish);
        signal(&child, wish);
        let ended = end(child, log);
        assert_eq!(ended.code, Some(5), "{wish:?}: {}", ended.stderr);
        let id = rig.scan_id().unwrap();
        let verify = rig.run(&["dataset", "verify", &id, "--json"]);
        assert_eq!(verify.json()["state"], "paused", "{wish:?}: {}", verify.stdout);
        std::fs::remove_dir_all(rig.scans().join(&id)).unwrap();
    }
    assert_no_process_left(&rig);
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
    assert_eq!(rig.run(&["pause"]).code, Some(10), "there is nothing to pause");
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
    assert!(!rig.dir.path().join("run/control.sock").exists(), "the control socket is left");
    let id = rig.scan_id().unwrap();
    assert_eq!(rig.run(&["dataset", "verify", &id, "--json"]).json()["state"], "paused");
    assert_eq!(rig.run(&["resume", &id]).code, Some(0));
    rig.assert_complete(&id, "after the service ended");
}
