//! Drivers that an earlier life left behind, when they cannot be looked at.

use std::process::{Child, Command, Stdio};

use scanner::procfs::Identity;

use crate::support::{Finished, Recipe, TestRig, have};

/// What passes for a driver that was left behind, with its pid file.
fn stray(rig: &TestRig) -> Child {
    let stray = Command::new("sleep").arg("600").stdin(Stdio::null()).stdout(Stdio::null()).spawn().unwrap();
    let identity = Identity::of(stray.id() as i32).unwrap();
    let runtime = rig.dir.path().join("run");
    std::fs::create_dir_all(&runtime).unwrap();
    std::fs::write(runtime.join("driver-old.pid"), serde_json::to_vec(&identity).unwrap()).unwrap();
    stray
}

/// It has neither ended nor been forgotten because this process lacks a descriptor to look at it.
#[test]
fn a_driver_that_cannot_be_looked_at_is_remembered_until_it_can() {
    if !have("strace", "this test") {
        return;
    }
    let rig = TestRig::new(&Recipe { angles: 1, ..Recipe::default() });
    let mut stray = stray(&rig);
    let pid_file = rig.dir.path().join("run/driver-old.pid");
    let stat = format!("/proc/{}/stat", stray.id());
    let look = ["-e", "trace=openat", "-e", "inject=openat:error=EMFILE", "-P", &stat];
    let boot =
        ["-e", "trace=openat", "-e", "inject=openat:error=EMFILE", "-P", "/proc/sys/kernel/random/boot_id"];
    let handle = ["-e", "trace=pidfd_open", "-e", "inject=pidfd_open:error=EMFILE:when=1"];
    for injected in [&look[..], &boot, &handle] {
        let mut strace = vec!["strace", "-f", "-qq", "-o", "/dev/null"];
        strace.extend(injected);
        let scan = Finished::from(rig.command_by(&strace, &["scan"]).output().unwrap());
        let says = "whether a driver of an earlier life still runs cannot be looked at";
        assert!(scan.stderr.contains(says), "{injected:?}: {:?} {}", scan.code, scan.stderr);
        assert!(stray.try_wait().unwrap().is_none(), "{injected:?}: {}", scan.stderr);
        assert!(pid_file.exists(), "{injected:?}: {}", scan.stderr);
    }
    let scan = rig.run(&["scan"]);
    assert_eq!(scan.code, Some(0), "{}", scan.stderr);
    assert!(!stray.wait().unwrap().success(), "{}", scan.stderr);
    assert!(!pid_file.exists());
}
