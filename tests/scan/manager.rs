//! The service as systemd sees it: what it says at its notify socket, and what becomes of a scan that was interrupted.

use std::os::unix::net::UnixDatagram;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use rustix::process::Signal;

use crate::interrupted::{assert_no_process_left, begin, end, read_until, signal, slow_rig};
use crate::pins::rig_on_pins;
use crate::refused::edit;
use crate::support::{Recipe, Running, TestRig};

/// The manager's end of the notify socket.
struct Manager {
    socket: UnixDatagram,
    path: PathBuf,
}

impl Manager {
    fn new(rig: &TestRig) -> Self {
        let path = rig.dir.path().join("notify");
        let socket = UnixDatagram::bind(&path).unwrap();
        // Only a test that fails waits for so long.
        socket.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        Self { socket, path }
    }

    fn start(&self, rig: &TestRig, watchdog: Option<Duration>) -> Running {
        let mut command = rig.command(&["run"]);
        command.env("NOTIFY_SOCKET", &self.path).stderr(Stdio::null());
        if let Some(time_out) = watchdog {
            command.env("WATCHDOG_USEC", time_out.as_micros().to_string());
        }
        Running::spawn(&mut command)
    }

    /// What is said next.
    fn hear(&self) -> String {
        let mut buffer = [0; 4096];
        let length = self.socket.recv(&mut buffer).unwrap();
        String::from_utf8(buffer[..length].to_vec()).unwrap()
    }

    /// What is said up to something that contains `wanted`.
    fn hear_until(&self, wanted: &str) -> String {
        loop {
            let said = self.hear();
            if said.contains(wanted) {
                return said;
            }
        }
    }
}

fn wait(child: Running) -> Option<i32> {
    child.finish().code
}

fn verdict(rig: &TestRig, id: &str) -> serde_json::Value {
    let verify = rig.run(&["dataset", "verify", id, "--json"]);
    assert_eq!(verify.code, Some(0), "{}", verify.stdout);
    verify.json()
}

#[test]
fn systemd_is_told_of_the_start_the_scan_the_reload_and_the_end() {
    let rig = slow_rig(8);
    let manager = Manager::new(&rig);
    let service = manager.start(&rig, None);
    let ready = manager.hear();
    assert!(ready.contains("READY=1\n") && ready.contains("STATUS=ready"), "{ready}");

    assert_eq!(rig.run(&["start"]).code, Some(0));
    manager.hear_until("STATUS=point 2/8");
    let text = std::fs::read_to_string(&rig.config).unwrap();
    std::fs::write(&rig.config, text.replace("angles = 8", "angles = 3")).unwrap();
    let refused = rig.run(&["reload"]);
    assert_eq!(refused.code, Some(7), "{}", refused.stderr);
    assert!(refused.stderr.contains("not read again in the middle of a scan"), "{}", refused.stderr);
    manager.hear_until("STATUS=ready; last scan complete, 16 of 16 shots stored");
    while rig.run(&["status", "--json"]).json()["scanning"] == true {
        std::thread::sleep(Duration::from_millis(10));
    }

    let reloaded = rig.run(&["reload"]);
    assert_eq!(reloaded.code, Some(0), "{}", reloaded.stderr);
    let reloading = manager.hear();
    assert!(reloading.contains("RELOADING=1\n") && reloading.contains("MONOTONIC_USEC="), "{reloading}");
    assert!(manager.hear().contains("READY=1"));
    let unchanged = rig.run(&["reload"]);
    assert!(unchanged.stdout.contains("has not changed"), "{}", unchanged.stdout);

    assert_eq!(rig.run(&["start"]).code, Some(0));
    manager.hear_until("STATUS=ready; last scan complete, 6 of 6 shots stored");
    signal(&service, Signal::TERM);
    manager.hear_until("STOPPING=1");
    assert_eq!(wait(service), Some(0));
    assert_no_process_left(&rig);
}

#[test]
fn what_is_set_during_a_scan_is_put_in_force_at_its_end() {
    let rig = slow_rig(8);
    let manager = Manager::new(&rig);
    let service = manager.start(&rig, None);
    manager.hear_until("READY=1");
    assert_eq!(rig.run(&["start"]).code, Some(0));
    manager.hear_until("STATUS=point 2/8");
    let set = rig.run(&["config", "set", "scan.max_failed_in_a_row", "3"]);
    assert_eq!(set.code, Some(0), "{}", set.stderr);
    assert!(set.stdout.contains("at the end of what is under way"), "{}", set.stdout);
    // Whoever is refused meanwhile takes no promise back.
    assert_eq!(rig.run(&["reload"]).code, Some(7));
    manager.hear_until("STATUS=ready; last scan complete, 16 of 16 shots stored");
    manager.hear_until("RELOADING=1\n");
    manager.hear_until("READY=1");
    let unchanged = rig.run(&["reload"]);
    assert!(unchanged.stdout.contains("has not changed"), "{}", unchanged.stdout);
    signal(&service, Signal::TERM);
    assert_eq!(wait(service), Some(0));
}

#[test]
fn a_reload_that_cannot_be_leaves_the_service_as_it_was() {
    let rig = slow_rig(2);
    let (service, mut log) = begin(&rig, &["run"], "ready");
    let text = std::fs::read_to_string(&rig.config).unwrap();
    let wrong = [
        ("angles = 2", "angels = 2", "the new one has errors"),
        ("runtime_directory = \"run\"", "runtime_directory = \"elsewhere\"", "restart it"),
    ];
    for (old, new, reason) in wrong {
        std::fs::write(&rig.config, text.replace(old, new)).unwrap();
        // As a command could not ask: it would read the same file.
        signal(&service, Signal::HUP);
        let line = read_until(&mut log, "reload: ");
        assert!(line.contains("ERROR") && line.contains(reason), "{line}");
    }
    std::fs::write(&rig.config, &text).unwrap();
    assert_eq!(rig.run(&["start"]).code, Some(0));
    while rig.run(&["status", "--json"]).json()["scanning"] == true {
        std::thread::sleep(Duration::from_millis(10));
    }
    rig.assert_complete(&rig.scan_id().unwrap(), "after reloads that were refused");
    signal(&service, Signal::TERM);
    assert_eq!(end(service, log).code, Some(0));
}

#[test]
fn the_watchdog_is_fed_while_the_service_answers_and_scans() {
    let rig = slow_rig(4);
    let manager = Manager::new(&rig);
    let service = manager.start(&rig, Some(Duration::from_secs(3)));
    manager.hear_until("READY=1");
    manager.hear_until("WATCHDOG=1");
    assert_eq!(rig.run(&["start"]).code, Some(0));
    manager.hear_until("last scan complete");
    manager.hear_until("WATCHDOG=1");
    // Nobody is answered where there is no socket: whatever else goes on, that is no progress. It would be put back, so
    // something that is not removed as easily takes its place.
    let socket = rig.dir.path().join("run/control.sock");
    loop {
        let _ = std::fs::remove_file(&socket);
        if std::fs::create_dir(&socket).is_ok() {
            break;
        }
    }
    manager.socket.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    let mut buffer = [0; 4096];
    let starved = (0..20).any(|_| manager.socket.recv(&mut buffer).is_err());
    assert!(starved, "it is fed although nobody is answered");
    signal(&service, Signal::TERM);
    assert_eq!(wait(service), Some(0));
}

#[test]
fn a_runtime_directory_that_is_emptied_is_put_in_order_and_the_rig_stays_taken() {
    let rig = slow_rig(4);
    let (service, log) = begin(&rig, &["run"], "ready");
    let runtime = rig.dir.path().join("run");
    std::fs::remove_file(runtime.join("rig.lock")).unwrap();
    std::fs::remove_file(runtime.join("control.sock")).unwrap();
    let second = rig.run(&["scan"]);
    assert_eq!(second.code, Some(7), "{}", second.stderr);
    while rig.run(&["status"]).code != Some(0) {
        std::thread::sleep(Duration::from_millis(50));
    }
    signal(&service, Signal::TERM);
    assert_eq!(end(service, log).code, Some(0));
}

#[test]
fn a_thread_of_steps_that_hangs_is_not_fed_for_and_the_rest_of_the_program_says_so() {
    let rig = rig_on_pins(60);
    edit(&rig, "[gpio.simulation]", "[gpio.simulation]\nhang = 500");
    let manager = Manager::new(&rig);
    let log = rig.dir.path().join("log");
    let mut command = rig.command(&["run"]);
    command.env("NOTIFY_SOCKET", &manager.path).env("WATCHDOG_USEC", "3000000");
    let mut service = Running::spawn(command.stderr(std::fs::File::create(&log).unwrap()));
    manager.hear_until("READY=1");
    manager.hear_until("WATCHDOG=1");
    assert_eq!(rig.run(&["start"]).code, Some(0));
    // The control socket answers, and the scan's own patience is a minute longer.
    manager.socket.set_read_timeout(Some(Duration::from_secs(8))).unwrap();
    let mut buffer = [0; 4096];
    let starved = (0..200).any(|_| manager.socket.recv(&mut buffer).is_err());
    assert!(starved, "it is fed although no step is made");
    assert_eq!(rig.run(&["status", "--json"]).json()["scanning"], true);
    let said = std::fs::read_to_string(&log).unwrap();
    assert!(said.contains("no progress of the thread that makes steps: the watchdog is not fed"), "{said}");
    signal(&service, Signal::KILL);
    service.wait().unwrap();
    assert_eq!(rig.run(&["safe-state"]).code, Some(0));
}

#[test]
fn an_interrupted_scan_goes_on_by_itself_and_one_that_was_paused_does_not() {
    let rig = slow_rig(8);
    let (child, log) = begin(&rig, &["scan"], "(3/16");
    signal(&child, Signal::KILL);
    end(child, log);
    let id = rig.scan_id().unwrap();
    // Whoever asks first: the rig was taken before anybody could ask.
    let (service, mut log) = begin(&rig, &["run"], "ready");
    let refused = rig.run(&["start"]);
    assert_eq!(refused.code, Some(7), "{}", refused.stderr);
    read_until(&mut log, "stored images");
    assert_eq!(rig.run(&["pause"]).code, Some(0));
    while rig.run(&["status", "--json"]).json()["scanning"] == true {
        std::thread::sleep(Duration::from_millis(10));
    }
    signal(&service, Signal::TERM);
    assert!(end(service, log).stderr.contains("scan paused"), "it went on, and was paused");
    assert!(!rig.scans().join("automatic-resumes.json").exists(), "it ended in an orderly way");

    let (service, log) = begin(&rig, &["run"], "ready");
    assert_eq!(rig.run(&["status", "--json"]).json()["scanning"], false);
    signal(&service, Signal::TERM);
    let log = end(service, log).stderr;
    assert!(!log.contains("going on with it"), "{log}");
    assert_eq!(verdict(&rig, &id)["state"], "paused");
}

#[test]
fn a_scan_goes_on_by_itself_after_part_of_the_service_broke_down_and_not_for_ever() {
    let scan = "max_automatic_resumes = 2";
    let rig = TestRig::new(&Recipe { angles: 200, time_scale: 4.0, scan, ..Recipe::default() });
    let trigger = rig.dir.path().join("break-down");
    let start = |until: &str| {
        let mut command = rig.command(&["run"]);
        command.env("SCANNER_SIM_BREAKDOWN", &trigger);
        crate::interrupted::begin_by(command, until)
    };
    let break_down = |(service, mut log)| {
        read_until(&mut log, "stored images");
        std::fs::write(&trigger, "").unwrap();
        let ended = end(service, log);
        // Not 0, or systemd would leave it at that.
        assert_eq!(ended.code, Some(1), "{}", ended.stderr);
        assert!(
            ended.stderr.contains("the simulated breakdown ended, which it never should"),
            "{}",
            ended.stderr
        );
        assert_no_process_left(&rig);
    };
    let first = start("ready");
    assert_eq!(rig.run(&["start"]).code, Some(0));
    break_down(first);
    let id = rig.scan_id().unwrap();
    assert_eq!(verdict(&rig, &id)["state"], "paused", "in order");
    for resume in 1..=2 {
        break_down(start(&format!("(automatic resume {resume})")));
    }
    let (service, mut log) = start("again after 2 automatic resumes");
    read_until(&mut log, "ready");
    assert_eq!(rig.run(&["status", "--json"]).json()["scanning"], false);
    // A person's pause is a person's to end.
    assert_eq!(rig.run(&["start", "--resume", &id]).code, Some(0));
    signal(&service, Signal::TERM);
    assert_eq!(end(service, log).code, Some(0));
    let (service, log) = start("ready");
    assert_eq!(rig.run(&["status", "--json"]).json()["scanning"], false);
    signal(&service, Signal::TERM);
    assert!(!end(service, log).stderr.contains("going on with it"));
}

#[test]
fn a_scan_that_brings_the_service_down_is_not_resumed_for_ever() {
    let recipe = Recipe {
        cameras: 2,
        angles: 40,
        time_scale: 10.0,
        scan: "max_automatic_resumes = 2",
        ..Recipe::default()
    };
    let rig = TestRig::new(&recipe);
    let (child, log) = begin(&rig, &["scan"], "stored images");
    signal(&child, Signal::KILL);
    end(child, log);
    let id = rig.scan_id().unwrap();
    for resume in 1..=2 {
        let (service, log) = begin(&rig, &["run"], &format!("(automatic resume {resume})"));
        signal(&service, Signal::KILL);
        end(service, log);
        assert_no_process_left(&rig);
    }
    let (service, mut log) = begin(&rig, &["run"], "again after 2 automatic resumes");
    read_until(&mut log, "ready");
    assert_eq!(rig.run(&["status", "--json"]).json()["scanning"], false);
    assert_eq!(verdict(&rig, &id)["state"], "running", "interrupted, and left alone");
    // A person may know better.
    assert_eq!(rig.run(&["start", "--resume", &id]).code, Some(0));
    signal(&service, Signal::TERM);
    assert_eq!(end(service, log).code, Some(0));
    assert_eq!(verdict(&rig, &id)["state"], "paused");
}
