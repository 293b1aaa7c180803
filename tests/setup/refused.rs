//! What is in the way of a setup is named before anything is asked; what would not load is not written.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use rustix::process::geteuid;

use crate::support::{Finished, Running, TestRig, have, skipped};
use crate::{FOLDERS, configuration, drop_in, rig, setup};

fn asked_nothing(refused: &Finished) {
    assert!(!refused.stdout.contains("]: "), "{}", refused.stdout);
}

#[test]
fn a_broken_configuration_is_named_before_the_first_question() {
    let rig = rig(&format!("{FOLDERS}[recovery]\natempts = 5\n"));
    let refused = setup(&rig, &"\n".repeat(40));
    assert_eq!(refused.code, Some(3), "{}", refused.stdout);
    assert!(refused.stderr.contains("scanner.toml:7:1"), "{}", refused.stderr);
    assert!(refused.stderr.contains("did you mean `attempts`?"), "{}", refused.stderr);
    asked_nothing(&refused);
    assert!(!drop_in(&rig).exists());
}

#[test]
fn a_configuration_that_is_not_there_is_named() {
    let rig = rig(FOLDERS);
    fs::remove_file(&rig.config).unwrap();
    let refused = setup(&rig, &"\n".repeat(40));
    assert_eq!(refused.code, Some(3), "{}", refused.stdout);
    assert!(refused.stderr.contains("the file is missing"), "{}", refused.stderr);
    asked_nothing(&refused);
    // As it is told there, an empty one will do.
    fs::write(&rig.config, "").unwrap();
    let begun = setup(&rig, "quit\n");
    assert!(begun.stdout.contains("]: "), "{}{}", begun.stdout, begun.stderr);
}

#[test]
fn a_folder_that_is_not_there_is_no_matter_of_another_user() {
    let rig = rig(FOLDERS);
    fs::remove_file(&rig.config).unwrap();
    let nowhere = rig.dir.path().join("none/scanner.toml");
    let refused = setup(&TestRig { dir: rig.dir, config: nowhere }, "quit\n");
    assert_eq!(refused.code, Some(3), "{}{}", refused.stdout, refused.stderr);
    assert!(
        refused.stderr.contains("there is no folder") && !refused.stderr.contains("sudo"),
        "{}",
        refused.stderr
    );
    asked_nothing(&refused);
}

#[test]
fn what_would_not_load_is_not_written_and_told_with_its_place() {
    // What is real cannot be made faster.
    let rig = rig(&format!("{FOLDERS}[motion]\nbackend = \"sim\"\ntime_scale = 100\n"));
    let before = configuration(&rig);
    let done = setup(&rig, &format!("simulated\n\nturntable\nsim\n{}", "\n".repeat(40)));
    assert_eq!(done.code, Some(3), "{}{}", done.stdout, done.stderr);
    assert!(done.stderr.contains("scanner.toml:8:1"), "{}", done.stderr);
    assert!(done.stderr.contains("nothing was written"), "{}", done.stderr);
    assert_eq!(configuration(&rig), before);
}

#[test]
fn an_earlier_file_of_its_own_that_is_broken_is_told_and_replaced() {
    let rig = rig(FOLDERS);
    assert_eq!(setup(&rig, &"\n".repeat(40)).code, Some(0));
    let written = fs::read_to_string(drop_in(&rig)).unwrap();
    fs::write(drop_in(&rig), format!("{written}\n[recovery]\natempts = 5\n")).unwrap();
    let before = configuration(&rig);
    let left = setup(&rig, "quit\n");
    assert!(left.stdout.contains("will be replaced") && left.stdout.contains("atempts"), "{}", left.stdout);
    assert_eq!(configuration(&rig), before);
    assert_eq!(setup(&rig, &"\n".repeat(40)).code, Some(0));
    assert_eq!(fs::read_to_string(drop_in(&rig)).unwrap(), written);
}

#[test]
fn who_may_not_write_is_told_before_the_first_question() {
    let rig = rig(FOLDERS);
    let dir = rig.dir.path();
    let folder = dir.join("scanner.toml.d");
    fs::create_dir(&folder).unwrap();
    let refused = if geteuid().is_root() {
        if !have("setpriv", "a user who is not root") {
            return;
        }
        // Where the program is built, others may not look.
        let built = Path::new(env!("CARGO_BIN_EXE_scanner"));
        fs::hard_link(built, dir.join("scanner"))
            .or_else(|_| fs::copy(built, dir.join("scanner")).map(drop))
            .unwrap();
        fs::set_permissions(dir, fs::Permissions::from_mode(0o755)).unwrap();
        let mut command = Command::new("setpriv");
        command.args(["--reuid=64001", "--regid=64001", "--clear-groups"]).arg(dir.join("scanner"));
        command.arg("--config").arg(&rig.config).arg("setup");
        Finished::from(command.output().unwrap())
    } else {
        skipped("only root can be another user: the folder is made read-only instead");
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o555)).unwrap();
        let mut command = rig.command(&["setup"]);
        Running::spawn(&mut command).finish()
    };
    assert_eq!(refused.code, Some(1), "{}{}", refused.stdout, refused.stderr);
    let say = format!("Say: sudo scanner --config {} setup", rig.config.display());
    assert!(refused.stderr.contains(&say), "{}", refused.stderr);
    asked_nothing(&refused);
    assert!(!drop_in(&rig).exists());
}
