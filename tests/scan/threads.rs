//! A system that has no threads to give.

use std::process::{Command, Stdio};

use crate::support::{Recipe, Running, TestRig, have, skipped};

/// `scanner` as `user`, of whom nothing else runs, and who may have so many processes and threads; none where that cannot
/// be.
fn limited(rig: &TestRig, user: u32, limit: u32, args: &[&str]) -> Option<Command> {
    if !rustix::process::geteuid().is_root() || !have("setpriv", "a limit of threads") {
        skipped("a limit of threads binds no root, and only root can be somebody else");
        return None;
    }
    let user = user.to_string();
    let launcher =
        ["prlimit", &format!("--nproc={limit}"), "setpriv", "--reuid", &user, "--clear-groups", "--"];
    let owned = Command::new("chown").args(["-R", &user]).arg(rig.dir.path()).status().unwrap();
    assert!(owned.success());
    Some(rig.command_by(&launcher, args))
}

/// An error and an exit code, or a scan that goes on with fewer threads; never a panic, and never no end.
#[test]
fn too_few_threads_are_an_error_and_no_panic() {
    let rig = TestRig::new(&Recipe { cameras: 2, ..Recipe::default() });
    let mut ended = Vec::new();
    for limit in [1, 4, 6, 8, 10, 12, 14, 16, 18, 20, 24, 28, 32, 40, 64] {
        let Some(mut command) = limited(&rig, 58_213, limit, &["scan"]) else { return };
        let scan = Running::spawn(&mut command).finish();
        assert!(!scan.stderr.contains("panicked"), "with {limit} threads: {}", scan.stderr);
        // 101 is a panic, none a signal.
        assert!(
            scan.code.is_some_and(|code| code < 100),
            "with {limit} threads: {:?}: {}",
            scan.code,
            scan.stderr
        );
        if scan.code != Some(0) {
            assert!(
                scan.stderr.contains("rror") || scan.stderr.contains("paused"),
                "with {limit}: {}",
                scan.stderr
            );
        }
        ended.push((limit, scan.code.unwrap()));
    }
    println!("{ended:?}");
    assert!(ended[0].1 != 0 && ended.last().unwrap().1 == 0, "{ended:?}");
}

/// The API, too, which has threads of its own.
#[test]
fn a_service_with_too_few_threads_says_so_or_serves() {
    let rig = TestRig::new(&Recipe::default());
    let drop_ins = rig.dir.path().join("scanner.toml.d");
    std::fs::create_dir_all(&drop_ins).unwrap();
    std::fs::write(drop_ins.join("api.toml"), "[api]\nlisten = \"127.0.0.1:0\"\n").unwrap();
    let mut served = false;
    for limit in [8, 10, 12, 13, 14, 15, 16, 17, 18, 20, 32] {
        let log = rig.dir.path().join(format!("log-{limit}"));
        let Some(mut command) = limited(&rig, 58_214, limit, &["run"]) else { return };
        let mut service =
            Running::spawn(command.stdout(Stdio::null()).stderr(std::fs::File::create(&log).unwrap()));
        let said = || std::fs::read_to_string(&log).unwrap();
        let ended = loop {
            if let Some(status) = service.try_wait().unwrap() {
                break Some(status.code());
            }
            if said().contains("the API listens") {
                break None;
            }
            std::thread::sleep(std::time::Duration::from_millis(20));
        };
        assert!(!said().contains("panicked"), "with {limit} threads: {}", said());
        if let Some(code) = ended {
            assert!(code.is_some_and(|code| code > 0 && code < 100), "with {limit}: {code:?}: {}", said());
            assert!(said().contains("rror"), "with {limit} threads: {}", said());
        }
        served = ended.is_none();
    }
    assert!(served, "with as many threads as it wants");
}
