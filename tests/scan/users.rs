//! A rig that root, a member of the group and the service use in turn.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::Path;
use std::process::Command;

use rustix::process::{Signal, geteuid};

use crate::interrupted::{begin_by, end, read_until, signal};
use crate::refused::edit;
use crate::support::{Finished, Recipe, Running, TestRig, have, skipped};

/// The service's user, and the group of those who may use the rig.
const SERVICE: u32 = 64_001;
const GROUP: u32 = 64_000;
/// Somebody in that group.
const PI: u32 = 64_002;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum User {
    Root,
    Pi,
    Service,
}

const USERS: [User; 3] = [User::Root, User::Pi, User::Service];

/// None where there is only one user to be.
fn shared_rig(angles: u32, time_scale: f64) -> Option<TestRig> {
    if !geteuid().is_root() || !have("setpriv", "a rig of several users") {
        skipped("only root can be several users");
        return None;
    }
    let rig = TestRig::new(&Recipe { angles, time_scale, ..Recipe::default() });
    let dir = rig.dir.path();
    fs::set_permissions(dir, fs::Permissions::from_mode(0o755)).unwrap();
    edit(&rig, "[storage]", "[storage]\nstate_directory = \"state\"");
    // As the package has them.
    for folder in ["run", "state", "scans"].map(|name| dir.join(name)) {
        fs::create_dir(&folder).unwrap();
        chown(&folder, Some(SERVICE), Some(GROUP)).unwrap();
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o2770)).unwrap();
    }
    // Where the programs are built, others may not look.
    let (built, bin) = (Path::new(env!("CARGO_BIN_EXE_scanner")), dir.join("bin"));
    fs::create_dir(&bin).unwrap();
    for name in ["scanner", "scanner-sim"] {
        let (from, to) = (built.with_file_name(name), bin.join(name));
        fs::hard_link(&from, &to).or_else(|_| fs::copy(&from, &to).map(drop)).unwrap();
    }
    Some(rig)
}

/// A command of the rig by somebody, with the mask that they have: that of a login, or of the unit.
fn command(rig: &TestRig, user: User, args: &[&str]) -> Command {
    let (uid, gid, groups, mask) = match user {
        User::Root => (0, 0, 0, "022"),
        User::Pi => (PI, PI, GROUP, "022"),
        User::Service => (SERVICE, GROUP, GROUP, "007"),
    };
    let scanner = rig.dir.path().join("bin/scanner");
    let script = format!("umask {mask}; shift; exec {} \"$@\"", scanner.display());
    let [uid, gid, groups] = [("--reuid", uid), ("--regid", gid), ("--groups", groups)]
        .map(|(option, id)| format!("{option}={id}"));
    rig.command_by(&["setpriv", &uid, &gid, &groups, "sh", "-c", &script, "sh"], args)
}

fn run(rig: &TestRig, user: User, args: &[&str]) -> Finished {
    Running::spawn(&mut command(rig, user, args)).finish()
}

#[test]
fn commands_of_all_users_work_in_every_order() {
    for first in USERS {
        for second in USERS.into_iter().filter(|second| *second != first) {
            let Some(rig) = shared_rig(2, 100.0) else { return };
            for user in [first, second, User::Service, first] {
                for args in [&["check-config", "--devices"][..], &["devices"], &["scan"], &["storage"]] {
                    let done = run(&rig, user, args);
                    let context = format!("{first:?}, {second:?}: {user:?} {args:?}");
                    assert_eq!(done.code, Some(0), "{context}: {}{}", done.stdout, done.stderr);
                    assert!(!done.stderr.contains("ermission denied"), "{context}: {}", done.stderr);
                }
            }
        }
    }
}

#[test]
fn a_scan_that_one_user_paused_or_that_was_killed_goes_on_by_any_other() {
    let Some(rig) = shared_rig(12, 10.0) else { return };
    for first in USERS {
        for second in USERS.into_iter().filter(|second| *second != first) {
            for how in [Signal::INT, Signal::KILL] {
                let context = format!("{first:?} ({how:?}), {second:?}");
                let (scan, log) = begin_by(command(&rig, first, &["scan"]), "(3/12");
                signal(&scan, how);
                let id = newest(&rig);
                end(scan, log);
                let resumed = run(&rig, second, &["resume", &id]);
                assert_eq!(resumed.code, Some(0), "{context}: {}", resumed.stderr);
                rig.assert_complete(&id, &context);
            }
        }
    }
}

fn newest(rig: &TestRig) -> String {
    rig.run(&["dataset", "list", "--json"]).json()[0]["id"].as_str().unwrap().to_owned()
}

#[test]
fn the_service_starts_and_is_asked_by_others_after_whoever_was_there() {
    let Some(rig) = shared_rig(2, 100.0) else { return };
    for before in [User::Root, User::Pi] {
        assert_eq!(run(&rig, before, &["scan"]).code, Some(0));
        let (service, mut log) = begin_by(command(&rig, User::Service, &["run"]), "ready");
        for user in USERS {
            let asked = run(&rig, user, &["start"]);
            assert_eq!(asked.code, Some(0), "{user:?}: {}", asked.stderr);
            read_until(&mut log, "the rig is free");
            let token = run(&rig, user, &["token", &format!("{before:?}-{user:?}")]);
            assert_eq!(token.code, Some(0), "{user:?}: {}", token.stderr);
        }
        signal(&service, Signal::TERM);
        let ended = end(service, log);
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    }
}
