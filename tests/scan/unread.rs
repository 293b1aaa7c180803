//! What leaves the program holds no scan: pipes that nobody reads, terminals that go away.

use std::fs::File;
use std::io::Write;
use std::os::fd::OwnedFd;
use std::process::{Child, Stdio};
use std::time::Duration;

use rustix::fs::{OFlags, fcntl_setfl};
use rustix::process::Signal;

use crate::interrupted::{Limit, assert_no_process_left, signal, slow_rig};
use crate::support::{Recipe, Running, TestRig};

/// Points of a scan that is under way for as long as a busy machine may take to interrupt it.
const ENDLESS: u32 = 400;

/// A pipe that is full, with its reading end.
fn full_pipe() -> (std::io::PipeReader, std::io::PipeWriter) {
    let (reader, mut writer) = std::io::pipe().unwrap();
    fcntl_setfl(&writer, OFlags::NONBLOCK).unwrap();
    while writer.write(&[b'x'; 512]).is_ok() {}
    fcntl_setfl(&writer, OFlags::empty()).unwrap();
    (reader, writer)
}

fn wait_until_stored(rig: &TestRig, scan: &mut Child) {
    while !rig.run(&["status"]).stdout.contains("shots stored") {
        assert!(scan.try_wait().unwrap().is_none(), "it ended before it began");
    }
}

#[test]
fn a_scan_goes_on_though_nobody_reads_standard_error() {
    let rig = TestRig::new(&Recipe { angles: 6, ..Recipe::default() });
    let (_reader, writer) = full_pipe();
    let scan = Running::spawn(rig.command(&["--log", "info", "scan", "--json"]).stderr(writer));
    let _limit = Limit::on(&scan);
    let ended = scan.finish();
    assert_eq!(ended.code, Some(0), "{}", ended.stdout);
    rig.assert_complete(&rig.scan_id().unwrap(), "with standard error full");
}

#[test]
fn sigterm_is_obeyed_though_neither_output_is_read() {
    let rig = slow_rig(ENDLESS);
    let (_reader, writer) = full_pipe();
    let (_unread, output) = full_pipe();
    let mut scan = Running::spawn(rig.command(&["scan", "--json"]).stdout(output).stderr(writer));
    let _limit = Limit::on(&scan);
    wait_until_stored(&rig, &mut scan);
    signal(&scan, Signal::TERM);
    assert_eq!(scan.wait().unwrap().code(), Some(5));
    assert_no_process_left(&rig);
}

/// Lets the terminal go away in the middle of a scan, with or without the log in place of the bar.
fn without_its_terminal(log: &str, hang_up: bool) {
    let rig = slow_rig(if hang_up { ENDLESS } else { 12 });
    let (mut terminal, theirs) = serial2::SerialPort::pair().unwrap();
    terminal.set_read_timeout(Duration::from_millis(10)).unwrap();
    let error = OwnedFd::from(theirs);
    let output = error.try_clone().unwrap();
    // Whoever runs the tests may have set them to ignore a hang-up, as nohup does, and children inherit it.
    let mut command = rig.command_by(&["env", "--default-signal=HUP"], &["--log", log, "scan"]);
    let mut scan = Running::spawn(command.stdout(Stdio::from(output)).stderr(Stdio::from(error)));
    drop(command);
    let _limit = Limit::on(&scan);
    wait_until_stored(&rig, &mut scan);
    drop(terminal);
    if hang_up {
        signal(&scan, Signal::HUP);
    }
    let code = scan.wait().unwrap().code();
    let id = rig.scan_id().unwrap();
    assert_no_process_left(&rig);
    if hang_up {
        assert_eq!(code, Some(5), "{log}");
        assert_eq!(rig.run(&["dataset", "verify", &id, "--json"]).json()["state"], "paused");
    } else {
        assert_eq!(code, Some(0), "{log}");
        rig.assert_complete(&id, "after its terminal went away");
    }
}

#[test]
fn a_terminal_that_goes_away_pauses_the_scan_or_is_not_missed() {
    for log in ["info", "warn"] {
        without_its_terminal(log, true);
        without_its_terminal(log, false);
    }
}

/// A terminal that nobody reads and that takes nothing more, as one stopped by Ctrl-S; with the end of who would read it.
struct Stopped {
    _terminal: serial2::SerialPort,
    theirs: File,
}

impl Stopped {
    fn new() -> Self {
        let (terminal, theirs) = serial2::SerialPort::pair().unwrap();
        let mut stopped = Self { _terminal: terminal, theirs: File::from(OwnedFd::from(theirs)) };
        // What it took moves on to where it is read, a little later.
        while stopped.takes_more() {
            std::thread::sleep(Duration::from_millis(50));
        }
        stopped
    }

    fn takes_more(&mut self) -> bool {
        fcntl_setfl(&self.theirs, OFlags::NONBLOCK).unwrap();
        let mut taken = false;
        while self.theirs.write(b"x").is_ok() {
            taken = true;
        }
        fcntl_setfl(&self.theirs, OFlags::empty()).unwrap();
        taken
    }

    /// A scan that shows its bar there, as by default.
    fn scan(&self, rig: &TestRig) -> Running {
        let theirs = || Stdio::from(self.theirs.try_clone().unwrap());
        Running::spawn(rig.command(&["--log", "warn", "scan"]).stdout(theirs()).stderr(theirs()))
    }
}

#[test]
fn a_scan_goes_on_though_its_bar_is_drawn_on_a_terminal_that_is_stopped() {
    let rig = TestRig::new(&Recipe { angles: 6, ..Recipe::default() });
    let mut stopped = Stopped::new();
    let mut scan = stopped.scan(&rig);
    let _limit = Limit::on(&scan);
    assert_eq!(scan.wait().unwrap().code(), Some(0));
    rig.assert_complete(&rig.scan_id().unwrap(), "with its terminal stopped");
    assert!(!stopped.takes_more(), "it was read meanwhile");
}

#[test]
fn whoever_wants_a_scan_to_end_is_obeyed_though_its_terminal_is_stopped() {
    for (wish, code) in [("pause", 5), ("cancel", 6), ("SIGTERM", 5)] {
        let rig = slow_rig(ENDLESS);
        let stopped = Stopped::new();
        let mut scan = stopped.scan(&rig);
        let _limit = Limit::on(&scan);
        wait_until_stored(&rig, &mut scan);
        if wish == "SIGTERM" {
            signal(&scan, Signal::TERM);
        } else {
            let told = rig.run(&[wish]);
            assert_eq!(told.code, Some(0), "{wish}: {}", told.stderr);
        }
        assert_eq!(scan.wait().unwrap().code(), Some(code), "{wish}");
        assert_no_process_left(&rig);
    }
}
