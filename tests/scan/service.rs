//! The service, asked through its socket.

use rustix::process::Signal;

use crate::interrupted::{begin, begin_by, end, signal, slow_rig};
use crate::refused::edit;
use crate::support::{Recipe, SELDOM, TestRig, have, skipped};

#[test]
fn a_paused_scan_goes_on_where_the_service_is_asked_to() {
    let rig = slow_rig(16);
    let (service, log) = begin(&rig, &["run"], "ready");
    assert_eq!(rig.run(&["start"]).code, Some(0));
    let id = rig.scan_id().unwrap();
    let status = rig.run(&["status"]).stdout;
    assert!(status.contains("streaming (driver ") || status.contains("capturing (shot "), "{status}");
    let refused = rig.run(&["start", "--resume", &id]);
    assert_eq!(refused.code, Some(7), "{}", refused.stderr);
    assert!(refused.stderr.contains(&format!("scan {id} is under way")), "{}", refused.stderr);
    assert_eq!(rig.run(&["pause"]).code, Some(0));
    while rig.run(&["status", "--json"]).json()["scanning"] == true {
        std::thread::sleep(SELDOM);
    }
    // In the foreground, it is told how the service does it.
    let refused = rig.run(&["resume", &id]);
    assert_eq!(refused.code, Some(7), "{}", refused.stderr);
    assert!(refused.stderr.contains(&format!("scanner start --resume {id}")), "{}", refused.stderr);
    let resumed = rig.run(&["start", "--resume", &id]);
    assert_eq!(resumed.code, Some(0), "{}", resumed.stderr);
    while rig.run(&["status", "--json"]).json()["scanning"] == true {
        std::thread::sleep(SELDOM);
    }
    rig.assert_complete(&id, "resumed by the service");
    assert_eq!(rig.run(&["start", "--resume", "2020-01-01-000000-owl"]).code, Some(10));
    assert_eq!(rig.run(&["start", "--resume", "../../etc"]).code, Some(10));
    signal(&service, Signal::TERM);
    assert_eq!(end(service, log).code, Some(0));
}

#[test]
fn a_page_is_said_to_listen_only_where_it_does() {
    let rig = TestRig::new(&Recipe::default());
    let other = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let listen = format!("[api]\nlisten = \"{}\"\n[scan]", other.local_addr().unwrap());
    edit(&rig, "[scan]", &listen);
    let page = || {
        let findings = rig.run(&["doctor", "--json"]).json();
        findings.as_array().unwrap().iter().find(|finding| finding["check"] == "page").unwrap().clone()
    };
    let nobody = page();
    assert!(nobody["found"].as_str().unwrap().starts_with("no service answers"), "{nobody}");
    let (service, log) = begin(&rig, &["run"], "the API cannot listen");
    let taken = page();
    assert_eq!(taken["verdict"], "problem", "{taken}");
    assert!(taken["found"].as_str().unwrap().contains("the API cannot listen"), "{taken}");
    signal(&service, Signal::TERM);
    assert_eq!(end(service, log).code, Some(0));
}

/// As in a container: what a driver leaves behind becomes the child of the first process.
#[test]
fn as_the_first_process_it_takes_note_of_the_ends_of_orphans_and_of_its_drivers() {
    if !rustix::process::geteuid().is_root() || !have("unshare", "a process that is the first one") {
        skipped("only root can be the first process of a namespace");
        return;
    }
    let rig = TestRig::new(&Recipe { driver: "LEAVING", ..Recipe::default() });
    let driver = rig.dir.path().join("leaving");
    let sim = env!("CARGO_BIN_EXE_scanner-sim");
    // In a session of its own, or it would end with the driver's group.
    let script = format!("#!/bin/sh\n(setsid sleep 3 &)\nexec {sim} \"$@\"\n");
    std::fs::write(&driver, script).unwrap();
    std::fs::set_permissions(&driver, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let text = std::fs::read_to_string(&rig.config).unwrap().replace("LEAVING", driver.to_str().unwrap());
    std::fs::write(&rig.config, text).unwrap();
    let unshare = ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc", "--"];
    let (outer_guard, _log) = begin_by(rig.command_by(&unshare, &["run"]), "ready");
    let outer = outer_guard.id();
    let first = std::fs::read_to_string(format!("/proc/{outer}/task/{outer}/children")).unwrap();
    let first: u32 = first.trim().parse().unwrap();
    let zombies = || scanner::procfs::zombies_of(first).unwrap().len();
    let wait_until = |what: &str, is_so: &dyn Fn() -> bool| {
        let begun = std::time::Instant::now();
        while !is_so() {
            assert!(begun.elapsed().as_secs() < 60, "waited in vain until {what}");
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
    };
    assert_eq!(rig.run(&["start"]).code, Some(0));
    wait_until("an orphan has ended", &|| zombies() == 1);
    wait_until("the orphan is reaped", &|| zombies() == 0);
    wait_until("the scan has ended", &|| rig.run(&["status", "--json"]).json()["scanning"] == false);
    rig.assert_complete(&rig.scan_id().unwrap(), "the drivers' ends were theirs to tell");
}
