//! Floods of connections where descriptors are few.

use std::io::{BufRead as _, BufReader};
use std::os::unix::net::UnixStream;
use std::process::{Command, Stdio};

use crate::interrupted::{begin_by, end};
use crate::support::{Finished, Recipe, Running, TestRig, have};

/// What a scan wants, and as many again; not the 64 connections that the socket takes where there is no limit.
const DESCRIPTORS: &str = "--nofile=72:72";

/// A process that always has its newest eight connections open, and says nothing.
const IDLE: &str = "
import socket, sys, time
held = []
while True:
    try:
        connection = socket.socket(socket.AF_UNIX)
        connection.connect(sys.argv[1])
        held.append(connection)
    except OSError:
        pass
    del held[:-8]
    time.sleep(0.05)
";

#[test]
fn a_flood_of_idle_connections_at_the_control_socket_takes_no_descriptor_from_the_scan() {
    if !have("prlimit", "a limit of descriptors") || !have("python3", "a flood of connections") {
        return;
    }
    let rig = TestRig::new(&Recipe { cameras: 2, angles: 60, time_scale: 20.0, ..Recipe::default() });
    let (mut scan, log) = begin_by(rig.command_by(&["prlimit", DESCRIPTORS], &["scan"]), "stored images");
    let socket = rig.dir.path().join("run/control.sock");
    let idle = || {
        let mut command = Command::new("python3");
        Running::spawn(command.args(["-c", IDLE]).arg(&socket).stdin(Stdio::null()))
    };
    let flood: Vec<_> = (0..9).map(|_| idle()).collect();
    let is_full = || {
        let Ok(stream) = UnixStream::connect(&socket) else { return false };
        stream.set_read_timeout(Some(std::time::Duration::from_millis(50))).unwrap();
        let mut answer = String::new();
        BufReader::new(stream).read_line(&mut answer).is_ok() && answer.contains("too many connections")
    };
    while !is_full() {
        if scan.try_wait().unwrap().is_some() {
            let Finished { code, stderr, .. } = end(scan, log);
            panic!("it ended before connections were refused: {code:?}: {stderr}");
        }
    }
    let ended = end(scan, log);
    drop(flood);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(!ended.stderr.contains("Too many open files"), "{}", ended.stderr);
    rig.assert_complete(&rig.scan_id().unwrap(), "with a flood of connections");
}
