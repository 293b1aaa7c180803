//! Drivers and other programs that have a camera, when they cannot be looked at for want of descriptors: that is not the same
//! as nobody.

use std::process::{Command, Stdio};

use scanner::procfs::Identity;

use crate::support::{Finished, Recipe, Running, TestRig, have};

fn sleeper(stdin: Stdio) -> Running {
    Running::spawn(Command::new("sleep").arg("600").stdin(stdin).stdout(Stdio::null()))
}

/// What passes for a driver that was left behind, with its pid file.
fn stray(rig: &TestRig) -> Running {
    let stray = sleeper(Stdio::null());
    let identity = Identity::of(stray.id() as i32).unwrap().unwrap();
    let runtime = rig.dir.path().join("run");
    std::fs::create_dir_all(&runtime).unwrap();
    std::fs::write(runtime.join("driver-old.pid"), serde_json::to_vec(&identity).unwrap()).unwrap();
    stray
}

/// Runs `scanner` with `args` while it lacks a descriptor whenever it does `what`, with the file `path` if one is named.
fn lacking(rig: &TestRig, (what, path): (&str, Option<&str>), args: &[&str]) -> Finished {
    let (trace, inject) = (format!("trace={what}"), format!("inject={what}:error=EMFILE"));
    let mut strace = vec!["strace", "-f", "-qq", "-o", "/dev/null", "-e", &trace, "-e", &inject];
    strace.extend(path.iter().flat_map(|path| ["-P", *path]));
    Finished::from(rig.command_by(&strace, args).output().unwrap())
}

#[test]
fn a_driver_that_cannot_be_looked_at_is_remembered_until_it_can() {
    if !have("strace", "this test") {
        return;
    }
    let rig = TestRig::new(&Recipe { angles: 1, ..Recipe::default() });
    let mut stray = stray(&rig);
    let pid_file = rig.dir.path().join("run/driver-old.pid");
    let stat = format!("/proc/{}/stat", stray.id());
    let boot = "/proc/sys/kernel/random/boot_id";
    for lack in [("openat", Some(stat.as_str())), ("openat", Some(boot)), ("pidfd_open", None)] {
        let scan = lacking(&rig, lack, &["scan"]);
        let says = "whether a driver of an earlier life still runs cannot be looked at";
        assert!(scan.stderr.contains(says), "{lack:?}: {:?} {}", scan.code, scan.stderr);
        assert!(stray.try_wait().unwrap().is_none(), "{lack:?}: {}", scan.stderr);
        assert!(pid_file.exists(), "{lack:?}: {}", scan.stderr);
    }
    let scan = rig.run(&["scan"]);
    assert_eq!(scan.code, Some(0), "{}", scan.stderr);
    assert!(!stray.wait().unwrap().success(), "{}", scan.stderr);
    assert!(!pid_file.exists());
}

#[test]
fn who_holds_a_camera_and_cannot_be_looked_at_is_not_said_to_be_nobody() {
    if !have("strace", "this test") {
        return;
    }
    // This process does not hold it.
    let device = tempfile::NamedTempFile::new().unwrap().into_temp_path();
    let driver = std::fs::canonicalize("/bin/false").unwrap();
    let rig = TestRig::new(&Recipe {
        driver: driver.to_str().unwrap(),
        options: &[&format!("device = {device:?}")],
        recovery: "may_end = [\"sleep\"]",
        ..Recipe::default()
    });
    let mut holder = sleeper(std::fs::File::open(&device).unwrap().into());
    let descriptors = format!("/proc/{}/fd", holder.id());
    let release = ["devices", "--release", "--json"];
    let looked = lacking(&rig, ("openat", Some(&descriptors)), &release);
    let camera = &looked.json()[0];
    assert!(camera["held_by"].is_null(), "{camera}");
    assert!(camera["held_by_error"].as_str().unwrap().contains("Too many open files"), "{camera}");
    assert!(looked.stderr.contains("who holds the camera cannot be looked at"), "{}", looked.stderr);
    assert!(holder.try_wait().unwrap().is_none(), "{}", looked.stderr);

    let looked = rig.run(&release);
    let camera = &looked.json()[0];
    assert_eq!(camera["held_by"], serde_json::json!([]), "{camera}");
    assert_eq!(holder.wait().unwrap().code(), None, "it was listed in recovery.may_end");
}

#[test]
fn a_scan_whose_writer_cannot_be_looked_at_is_not_taken_for_nobodys() {
    if !have("strace", "this test") {
        return;
    }
    let rig = TestRig::new(&Recipe { angles: 1, ..Recipe::default() });
    assert_eq!(rig.run(&["scan", "--id", "owl"]).code, Some(0));
    let note = rig.scans().join("owl/owner.json");
    let writer = sleeper(Stdio::null());
    let Identity { pid, start_ticks, boot } = Identity::of(writer.id() as i32).unwrap().unwrap();
    let owner = serde_json::json!({
        "machine": "this one", "host": "rig", "boot": boot, "pid": pid, "start": start_ticks,
        "beats": 0, "at": "2026-11-21T14:30:05Z",
    });
    std::fs::write(&note, owner.to_string()).unwrap();
    let stat = format!("/proc/{pid}/stat");
    let trace = ["-e", "trace=openat", "-e", "inject=openat:error=EMFILE", "-P", &stat];
    let strace = [&["strace", "-f", "-qq", "-o", "/dev/null"], &trace[..]].concat();
    let mut resume = rig.command_by(&strace, &["resume", "owl"]);
    let resume = Finished::from(resume.env("SCANNER_MACHINE_ID", "this one").output().unwrap());
    assert_ne!(resume.code, Some(0), "{}", resume.stderr);
    assert!(resume.stderr.contains("Too many open files"), "{}", resume.stderr);
    assert!(note.exists(), "{}", resume.stderr);
}
