//! A disk that never answers any more: whoever asks hears of it, and whoever wants the program to end is obeyed.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use rustix::process::Signal;

use crate::interrupted::{Limit, assert_no_process_left, begin_by, end, read_until, signal};
use crate::support::{Recipe, TestRig, have};

/// No sync is answered as long as there is the file that `STUCK` names.
const LIBRARY: &str = r#"
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>
static int answer(long call, int file) {
    while (access(getenv("STUCK"), F_OK) == 0)
        usleep(20000);
    return syscall(call, file);
}
int fsync(int file) { return answer(SYS_fsync, file); }
int fdatasync(int file) { return answer(SYS_fdatasync, file); }
"#;

/// What the first Ctrl-C is answered by.
const PAUSING: &str = "press Ctrl-C again to cancel";

fn compile(folder: &Path) {
    std::fs::write(folder.join("stuck.c"), LIBRARY).unwrap();
    let compiled = Command::new("cc")
        .args(["-shared", "-fPIC", "-o", "stuck.so", "stuck.c"])
        .current_dir(folder)
        .status();
    assert!(compiled.unwrap().success());
}

/// Ends a scan by `wishes`, each with what is said to it, while its disk has not answered since some images were stored.
fn end_stuck(library: &Path, wishes: &[(Signal, &str)]) {
    let rig = TestRig::new(&Recipe { angles: 400, ..Recipe::default() });
    let stuck = rig.dir.path().join("stuck");
    let mut command = rig.command(&["scan"]);
    command.env("STUCK", &stuck).env("LD_PRELOAD", library);
    let (mut scan, mut log) = begin_by(command, "stored images");
    let _limit = Limit::on(&scan);
    std::fs::write(&stuck, "").unwrap();
    let status = loop {
        let status = rig.run(&["status"]);
        assert_eq!(status.code, Some(0), "{}", status.stderr);
        if status.stdout.contains("Waiting for the disk") {
            break status.stdout;
        }
        assert!(scan.try_wait().unwrap().is_none(), "it ended before its disk was stuck");
    };
    assert!(status.starts_with("scanning") && status.contains("which has not answered for"), "{status}");
    assert!(rig.run(&["status", "--json"]).json()["disk_wait_s"].as_u64() >= Some(2));
    for (number, (wish, says)) in wishes.iter().enumerate() {
        if number > 0 {
            // The same one at once would be an echo.
            std::thread::sleep(Duration::from_secs(1));
        }
        signal(&scan, *wish);
        if !says.is_empty() {
            read_until(&mut log, says);
        }
    }
    let ended = end(scan, log);
    assert_eq!(ended.code, Some(5), "{wishes:?}: {}", ended.stderr);
    assert!(ended.stderr.contains("its disk has not answered for"), "{wishes:?}: {}", ended.stderr);
    // What takes the patience is not heard as one more wish.
    assert!(!ended.stderr.contains(PAUSING), "{wishes:?}: {}", ended.stderr);
    assert_no_process_left(&rig);
    let id = rig.scan_id().unwrap();
    let verify = rig.run(&["dataset", "verify", &id, "--json"]);
    assert_eq!(verify.code, Some(0), "{wishes:?}: {}", verify.stdout);
    assert_ne!(verify.json()["state"], "complete", "{wishes:?}");
}

#[test]
fn a_disk_that_never_answers_is_told_of_and_keeps_nobody_from_ending_the_program() {
    if !have("cc", "a disk that never answers") {
        return;
    }
    let library = tempfile::tempdir().unwrap();
    compile(library.path());
    let library = library.path().join("stuck.so");
    let cases = [
        &[(Signal::TERM, "asked to end (SIGTERM)")][..],
        &[(Signal::INT, PAUSING), (Signal::INT, "cancelling the scan")],
        // One more takes the patience, too.
        &[(Signal::TERM, "asked to end (SIGTERM)"), (Signal::INT, "")],
    ];
    // Each of the first two is given half a minute.
    std::thread::scope(|scope| {
        for wishes in cases {
            let library = &library;
            scope.spawn(move || end_stuck(library, wishes));
        }
    });
}
