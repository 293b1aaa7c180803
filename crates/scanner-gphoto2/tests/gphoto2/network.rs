//! A camera at a network: PTP/IP on loopback, by the unmodified libgphoto2's own way there.

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use crate::bench::Bench;
use crate::client::wait_for;
use crate::support::{Finished, Running, built};

const PATIENT: &str = "capture_timeout = \"10 s\"";
const POINTS: u32 = 6;

fn opened(bench: &Bench) -> usize {
    bench.noted(0, "opened-1000").map_or(0, |noted| noted.len())
}

fn assert_no_reset(log: &str) {
    assert!(!log.contains("recovering camera cam0: reset"), "{log}");
    assert!(!log.contains("cannot be reset"), "{log}");
}

#[test]
fn a_scan_over_a_network_has_what_the_camera_made_byte_for_byte() {
    let mut bench = Bench::with(1, POINTS, PATIENT, "exposure = \"33.3 ms\"");
    bench.set(0, "controls", json!(true));
    let (_camera, address) = bench.listening(0, None);
    let devices = bench.rig.run(&["devices", "--json"]);
    assert_eq!(devices.code, Some(0), "{}\n{}", devices.stdout, devices.stderr);
    let devices = devices.json();
    let hello = &devices[0]["hello"];
    // As it calls itself; it has no node that another program could hold, and no port that could be reset.
    assert_eq!(hello["model"], "Simulated DSLR", "{devices}");
    assert!(hello["controls"].to_string().contains("Daylight"), "{devices}");
    assert!(
        hello["reset"].is_null() && hello.get("devices").is_none_or(|none| *none == json!([])),
        "{devices}"
    );
    assert_eq!(devices[0]["held_by"], json!([]), "{devices}");
    let scan = bench.rig.run(&["scan", "--json"]);
    assert_eq!(scan.code, Some(0), "{}", scan.stderr);
    assert_eq!(scan.json()["attempts"], POINTS, "{}", scan.stderr);
    bench.rig.assert_complete(&bench.rig.scan_id().unwrap(), "over a network");
    assert_eq!(bench.noted(0, "released-1000").unwrap().len(), POINTS as usize);
    println!("at {address}: {}", scan.json());
}

#[test]
fn files_come_over_a_network_as_they_are_on_the_card() {
    let bench = Bench::new(1, POINTS, PATIENT);
    let (_camera, _) = bench.listening(0, None);
    let scan = bench.rig.run(&["scan", "--json"]);
    assert_eq!((scan.code, &scan.json()["attempts"]), (Some(0), &Value::from(POINTS)), "{}", scan.stderr);
    let id = bench.rig.scan_id().unwrap();
    bench.rig.assert_complete(&id, "over a network");
    bench.assert_as_on_cards(&id, POINTS as usize);
    // Each driver is the same computer to it, else it would have refused all but the first.
    assert!(opened(&bench) > 0);
    let again = bench.rig.run(&["scan", "--json"]);
    assert_eq!(again.code, Some(0), "{}", again.stderr);
}

/// It breaks in the middle of a file; and a camera that is in a call that never returns is given up.
#[test]
fn a_connection_that_breaks_in_the_middle_of_a_file_costs_an_attempt_and_no_shot() {
    let mut bench =
        Bench::new(1, POINTS, "capture_timeout = \"2 s\"\nattempts = 5\nstart_timeout = \"10 s\"");
    bench.set(0, "faults", json!([{ "kind": "unplug", "at": 1 }, { "kind": "hang_download", "at": 4 }]));
    let (_camera, _) = bench.listening(0, None);
    let scan = bench.rig.run(&["scan", "--json"]);
    assert_eq!(scan.code, Some(0), "{}", scan.stderr);
    let summary = scan.json();
    println!("{summary}");
    assert!(summary["attempts"].as_u64().unwrap() >= u64::from(POINTS) + 2, "{summary}\n{}", scan.stderr);
    let id = bench.rig.scan_id().unwrap();
    bench.rig.assert_complete(&id, "after a broken connection");
    bench.assert_as_on_cards(&id, POINTS as usize);
    assert_no_reset(&scan.stderr);
}

/// Off and on again, at the same address.
#[test]
fn a_camera_that_is_gone_and_comes_back_is_found_at_its_address() {
    let recovery = "capture_timeout = \"2 s\"\nattempts = 20\nstart_timeout = \"10 s\"";
    let bench = Bench::new(1, POINTS, recovery);
    let (camera, address) = bench.listening(0, None);
    let log = bench.rig.dir.path().join("log");
    let mut command = bench.rig.command(&["scan", "--json"]);
    let scan = Running::spawn(command.stdout(Stdio::piped()).stderr(File::create(&log).unwrap()));
    wait_for("the second release", || (bench.releases(0) > 1).then_some(()));
    drop(camera);
    let said = || fs::read_to_string(&log).unwrap();
    wait_for("it is missed", || said().contains("nothing answers there").then_some(()));
    let (_camera, same) = bench.listening(0, Some(&address));
    assert_eq!(same, address);
    let Finished { code, stdout, .. } = scan.finish();
    println!("{stdout}");
    assert_eq!(code, Some(0), "{}", said());
    let id = bench.rig.scan_id().unwrap();
    bench.rig.assert_complete(&id, "after it was gone");
    bench.assert_as_on_cards(&id, POINTS as usize);
    assert_no_reset(&said());
}

#[test]
fn what_is_wrong_with_a_camera_at_a_network_is_said_as_it_is() {
    let mut bench = Bench::new(1, 3, PATIENT);
    bench.set(0, "faults", json!([{ "kind": "claimed", "at": 0 }]));
    let (camera, address) = bench.listening(0, None);
    let said = |said: &str| {
        let devices = bench.rig.run(&["devices"]);
        assert_ne!(devices.code, Some(0), "{}", devices.stdout);
        assert!(devices.stdout.contains(said), "{said}: {}\n{}", devices.stdout, devices.stderr);
        // It has neither.
        assert!(!devices.stdout.contains("cable") && !devices.stdout.contains("gvfs"), "{}", devices.stdout);
    };
    said("another computer may have it");
    drop(camera);
    said("nothing answers there");
    let config = fs::read_to_string(&bench.rig.config).unwrap();
    fs::write(&bench.rig.config, config.replace(&format!("ptpip:{address}"), "ptpip:camera.local")).unwrap();
    said("named by its IPv4 address");
}

/// It is for this machine alone.
#[test]
fn a_simulated_camera_does_not_listen_where_others_could_reach_it() {
    let mut command = Command::new(built("scanner-dslr"));
    let refused = Finished::from(command.args(["--listen", "0.0.0.0:0"]).output().unwrap());
    assert_eq!(refused.code, Some(1), "{}", refused.stdout);
    assert!(refused.stderr.contains("for this machine alone"), "{}", refused.stderr);
}

/// What it counts is nobody's once it has ended.
#[test]
fn a_simulated_camera_that_is_told_to_end_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::new(built("scanner-dslr"));
    command.args(["--listen", "127.0.0.1:0"]).env("TMPDIR", folder.path());
    let mut camera = Running::spawn(command.stdout(Stdio::piped()));
    let mut said = String::new();
    BufReader::new(camera.stdout.take().unwrap()).read_line(&mut said).unwrap();
    let left = || fs::read_dir(folder.path()).unwrap().count();
    assert_eq!(left(), 1, "{said}");
    kill_process(Pid::from_child(&camera), Signal::TERM).unwrap();
    assert_eq!(camera.wait().unwrap().code(), Some(0));
    assert_eq!(left(), 0);
}
