//! What leaves the program holds no scan: pipes that nobody reads, terminals that go away.

use std::io::Write;
use std::os::fd::OwnedFd;
use std::process::{Child, Stdio};

use rustix::fs::{OFlags, fcntl_setfl};
use rustix::process::Signal;

use crate::interrupted::{assert_no_process_left, signal, slow_rig};
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
    wait_until_stored(&rig, &mut scan);
    signal(&scan, Signal::TERM);
    assert_eq!(scan.wait().unwrap().code(), Some(5));
    assert_no_process_left(&rig);
}

/// Lets the terminal go away in the middle of a scan, with or without the log in place of the bar.
fn without_its_terminal(log: &str, hang_up: bool) {
    let rig = slow_rig(if hang_up { ENDLESS } else { 12 });
    let (mut terminal, theirs) = serial2::SerialPort::pair().unwrap();
    terminal.set_read_timeout(std::time::Duration::from_millis(10)).unwrap();
    let error = OwnedFd::from(theirs);
    let output = error.try_clone().unwrap();
    // Whoever runs the tests may have set them to ignore a hang-up, as nohup does, and children inherit it.
    let mut command = rig.command_by(&["env", "--default-signal=HUP"], &["--log", log, "scan"]);
    let mut scan = Running::spawn(command.stdout(Stdio::from(output)).stderr(Stdio::from(error)));
    drop(command);
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
