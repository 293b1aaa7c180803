//! Whatever dies in the middle of a scan: it is complete in the end, and no image is there twice.

use std::path::Path;
use std::time::Duration;

use crate::bench::{Differences, Fleet, wait_for};
use crate::support::{Finished, Running};

const ANGLES: u32 = 30;

fn fleet() -> Option<Fleet> {
    Fleet::new(&Differences { angles: ANGLES, time_scale: Some(4.0), ..Differences::default() })
}

/// Waits until so many images are stored of the scan under way.
fn wait_for_images(fleet: &Fleet, count: usize) {
    wait_for("images", || fleet.rig.scan_id().is_some_and(|id| stored(fleet, &id) >= count));
}

fn stored(fleet: &Fleet, id: &str) -> usize {
    let journal = fleet.rig.scans().join(id).join("journal.jsonl");
    let journal = std::fs::read_to_string(journal).unwrap_or_default();
    journal.matches("\"sensor_timestamp_ns\"").count()
}

fn assert_whole(fleet: &Fleet, scan: &Finished, what: &str) {
    let id = fleet.rig.scan_id().unwrap();
    assert_eq!(scan.code, Some(0), "{what}: {}\n{}", scan.stderr, fleet.log("node0.log"));
    fleet.rig.assert_complete(&id, what);
    assert_eq!(stored(fleet, &id), ANGLES as usize, "{what}: an image is there twice");
}

/// The processes whose command line begins with the program `name` and names `argument`.
pub(crate) fn processes(name: &str, argument: &str) -> Vec<i32> {
    let entries = std::fs::read_dir("/proc").unwrap().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    pids.filter(|pid| {
        let line = std::fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        let program = line.split('\0').next().unwrap_or_default();
        Path::new(program).file_name().is_some_and(|file| file == name) && line.contains(argument)
    })
    .collect()
}

pub(crate) fn kill(pid: i32) {
    let pid = rustix::process::Pid::from_raw(pid).unwrap();
    // It may have ended by itself.
    let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
}

#[test]
fn a_node_that_is_killed_is_waited_for() {
    let Some(mut fleet) = fleet() else { return };
    let scan = Running::spawn(&mut fleet.rig.command(&["scan", "--json"]));
    for count in [5, 15] {
        wait_for_images(&fleet, count);
        fleet.kill_node(0);
        std::thread::sleep(Duration::from_millis(700));
        fleet.start_node(0);
    }
    assert_whole(&fleet, &scan.finish(), "node");
}

#[test]
fn a_broker_that_is_killed_is_waited_for() {
    let Some(mut fleet) = fleet() else { return };
    let scan = Running::spawn(&mut fleet.rig.command(&["scan", "--json"]));
    for count in [4, 16] {
        wait_for_images(&fleet, count);
        drop(fleet.broker.take());
        std::thread::sleep(Duration::from_millis(500));
        fleet.start_broker();
    }
    assert_whole(&fleet, &scan.finish(), "broker");
}

#[test]
fn drivers_at_both_ends_that_are_killed_are_started_anew() {
    let Some(fleet) = fleet() else { return };
    let scan = Running::spawn(&mut fleet.rig.command(&["scan", "--json"]));
    // Only those of this test: of this scan, and of its node.
    let mine = fleet.folder().to_str().unwrap().to_owned();
    for (count, program) in [(4, "scanner-remote"), (12, "scanner-sim"), (20, "scanner-remote")] {
        wait_for_images(&fleet, count);
        let killed = processes(program, &mine);
        assert!(!killed.is_empty(), "no {program} runs");
        killed.into_iter().for_each(kill);
    }
    assert_whole(&fleet, &scan.finish(), "drivers");
}

#[test]
fn a_lead_that_is_killed_leaves_no_camera_streaming_and_its_scan_goes_on() {
    let Some(fleet) = fleet() else { return };
    let mine = fleet.folder().to_str().unwrap().to_owned();
    let scan = Running::spawn(&mut fleet.rig.command(&["scan", "--json"]));
    wait_for_images(&fleet, 8);
    drop(scan);
    wait_for("the node to end its driver", || processes("scanner-sim", &mine).is_empty());
    let id = fleet.rig.scan_id().unwrap();
    // Which it says when the driver has ended.
    wait_for("its reason", || fleet.log("node0.log").contains("nothing was heard of the lead"));
    // Killed again, and gone on with at once: the session of the dead is waited for.
    let scan = Running::spawn(&mut fleet.rig.command(&["resume", &id, "--json"]));
    wait_for_images(&fleet, 16);
    drop(scan);
    let scan = fleet.rig.run(&["resume", &id, "--json"]);
    assert_whole(&fleet, &scan, "lead");
}
