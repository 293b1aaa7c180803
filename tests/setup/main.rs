//! `scanner setup` as a person or a script says it: lines on standard input, the configuration on disk.
#![expect(clippy::unwrap_used, clippy::panic, clippy::print_stdout, reason = "a test fails by panicking")]

mod largest;
mod left;
mod refused;
#[path = "../support/mod.rs"]
mod support;
mod trying;

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use largest::FOLDERS;
use support::{Finished, Running, TestRig};

/// A rig whose configuration is `text`.
fn rig(text: &str) -> TestRig {
    let dir = tempfile::Builder::new().prefix("scanner-test-").tempdir().unwrap();
    let config = dir.path().join("scanner.toml");
    fs::write(&config, text).unwrap();
    TestRig { dir, config }
}

fn drop_in(rig: &TestRig) -> PathBuf {
    rig.dir.path().join("scanner.toml.d/50-setup.toml")
}

/// `scanner setup` hears these lines, and then the end of its input.
fn setup(rig: &TestRig, lines: &str) -> Finished {
    hears(rig.command(&["setup"]), lines)
}

fn hears(mut command: Command, lines: &str) -> Finished {
    let mut running = Running::spawn(command.stdin(Stdio::piped()).env("RUST_LOG", "warn"));
    // Who leaves early does not hear the rest.
    let _ = running.stdin.take().unwrap().write_all(lines.as_bytes());
    running.finish()
}

/// Every file of the configuration, byte for byte.
fn configuration(rig: &TestRig) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = BTreeMap::new();
    read(&rig.config, &mut files);
    let folder = rig.dir.path().join("scanner.toml.d");
    for entry in folder.read_dir().into_iter().flatten() {
        read(&entry.unwrap().path(), &mut files);
    }
    files
}

fn read(path: &Path, files: &mut BTreeMap<PathBuf, Vec<u8>>) {
    files.insert(path.to_owned(), fs::read(path).unwrap());
}

#[test]
fn from_nothing_to_a_finished_scan() {
    let rig = rig(&format!("{FOLDERS}[motion]\nbackend = \"sim\"\ntime_scale = 100\n"));
    let lines = "simulated 2\nlow, high\nsimulated\n300 mm\n60, 260\n0\n35\n2\n0 mm, 40\n\nnetwork\nyes\n";
    let done = setup(&rig, lines);
    assert_eq!(done.code, Some(0), "{}{}", done.stdout, done.stderr);
    assert!(done.stdout.contains("4 points, 8 shots"), "{}", done.stdout);
    assert!(done.stdout.contains("sudo systemctl restart scanner"), "{}", done.stdout);
    assert!(done.stdout.contains("With port 80, the page is http://"), "{}", done.stdout);
    let written = fs::read_to_string(drop_in(&rig)).unwrap();
    assert!(done.stdout.contains(&written), "what is written is shown");
    assert!(!rig.dir.path().join("state/setup.toml").exists(), "there is nothing to go on with");

    let checked = rig.run(&["check-config"]);
    assert_eq!(checked.code, Some(0), "{}", checked.stderr);
    assert!(checked.stdout.contains("cameras: low, high; plans: setup"), "{}", checked.stdout);
    let scanned = rig.run(&["scan"]);
    assert_eq!(scanned.code, Some(0), "{}", scanned.stderr);
    let id = rig.scan_id().unwrap();
    rig.assert_complete(&id, "after the setup");

    // A second time, its values are in brackets, and Enter alone changes nothing.
    let before = configuration(&rig);
    let again = setup(&rig, &"\n".repeat(40));
    assert_eq!(again.code, Some(0), "{}{}", again.stdout, again.stderr);
    assert!(again.stdout.contains("[low, high]: "), "{}", again.stdout);
    assert_eq!(configuration(&rig), before);
}

#[test]
fn answers_of_a_file_ask_nothing_and_missing_ones_are_named() {
    let rig = rig(FOLDERS);
    let file = rig.dir.path().join("answers.toml");
    let say = |text: &str| {
        fs::write(&file, text).unwrap();
        rig.run(&["setup", "--answers", file.to_str().unwrap()])
    };
    let few = say("cameras = \"simulated\"\nrig = \"turntable\"\n");
    assert_eq!(few.code, Some(3), "{}", few.stdout);
    assert!(few.stderr.contains("\n  turntable_gear = \"80 deg\"\n"), "{}", few.stderr);
    assert!(!drop_in(&rig).exists());
    // What is named is what was missing.
    let named = few.stderr.lines().filter_map(|line| line.strip_prefix("  ")).collect::<Vec<_>>().join("\n");
    let all = say(&format!("cameras = \"simulated\"\nrig = \"turntable\"\n{named}"));
    assert_eq!(all.code, Some(0), "{}", all.stderr);
    let written = fs::read_to_string(drop_in(&rig)).unwrap();
    assert!(written.contains("emergency_stop = \"^GPIO26\""), "{written}");
    assert_eq!(rig.run(&["check-config"]).code, Some(0));
    // Where no scan could ever be kept.
    let others: String = named.split_inclusive('\n').filter(|line| !line.starts_with("directory")).collect();
    let odd = say(&format!(
        "cameras = \"simulated\"\nrig = \"turntable\"\ndirectory = \"/dev/null/scans\"\n{others}\n"
    ));
    for told in [odd.stdout, rig.run(&["check-config"]).stdout] {
        assert!(told.contains("warning: no scan can be kept in /dev/null/scans"), "{told}");
    }
}

#[test]
fn who_may_read_the_configuration_may_read_what_is_added_whatever_the_mask() {
    let rig = rig(FOLDERS);
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    fs::set_permissions(&rig.config, fs::Permissions::from_mode(0o644)).unwrap();
    fs::set_permissions(rig.dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let masked = rig.command_by(&["sh", "-c", "umask 077; exec \"$@\"", "sh"], &["setup"]);
    let done = hears(masked, &"\n".repeat(40));
    assert_eq!(done.code, Some(0), "{}{}", done.stdout, done.stderr);
    assert_eq!((mode(&drop_in(&rig)), mode(drop_in(&rig).parent().unwrap())), (0o644, 0o755));
}

#[test]
fn plans_and_axes_that_the_rig_does_not_have_are_taken_away_and_told() {
    let text = include_str!("../../config/scanner.toml").replace("[storage]", FOLDERS);
    let rig = rig(&text);
    let done = setup(&rig, &format!("simulated\n\nturntable\nsim\n{}", "\n".repeat(40)));
    assert_eq!(done.code, Some(0), "{}{}", done.stdout, done.stderr);
    let written = fs::read_to_string(drop_in(&rig)).unwrap();
    assert!(written.contains("lift = false") && written.contains("cylinder = false"), "{written}");
    let told = done.stdout.lines().find(|line| line.contains("stays as it is")).unwrap();
    assert!(told.contains("scanner.toml") && told.contains("plan.cylinder"), "{told}");
    let checked = rig.run(&["check-config"]);
    assert!(checked.stdout.contains("plans: setup)"), "{}{}", checked.stdout, checked.stderr);
}
