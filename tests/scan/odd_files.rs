//! Files that are not what they should be, named on the command line and in the configuration.

use rustix::fs::{CWD, FileType, Mode, mknodat};

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::process::Command;

use crate::support::{Finished, Recipe, TestRig, have};

/// A FIFO would be waited for, and `/dev/zero` read until the memory is full.
#[test]
fn no_pipe_or_device_is_read_in_place_of_a_configuration_or_a_list_of_points() {
    if !have("prlimit", "a limit of memory") {
        return;
    }
    let rig = TestRig::new(&Recipe::default());
    let pipe = rig.dir.path().join("pipe");
    mknodat(CWD, &pipe, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
    let zero = rig.dir.path().join("zero");
    std::os::unix::fs::symlink("/dev/zero", &zero).unwrap();
    let whole = std::fs::read_to_string(&rig.config).unwrap();

    for odd in [&pipe, &zero] {
        let shown = odd.to_str().unwrap();
        let other = TestRig { dir: tempfile::tempdir().unwrap(), config: odd.clone() };
        let refused = limited(&other, &["check-config"]);
        assert_eq!(refused.code, Some(3), "{shown}: {}", refused.stderr);
        assert!(refused.stderr.contains("is no regular file"), "{shown}: {}", refused.stderr);

        let list =
            whole.replace("shape = \"ring\"\nangles = 3", &format!("shape = \"list\"\nfile = {shown:?}"));
        assert_ne!(list, whole);
        std::fs::write(&rig.config, list).unwrap();
        for command in [&["check-config"][..], &["plan"], &["scan"]] {
            let refused = limited(&rig, command);
            assert_ne!(refused.code, Some(0), "{shown} {command:?}");
            assert!(refused.stderr.contains("is no regular file"), "{shown} {command:?}: {}", refused.stderr);
        }
    }

    // A link to what it should be is as good.
    std::fs::write(rig.dir.path().join("points.csv"), "turntable\n0\n").unwrap();
    let link = rig.dir.path().join("link.csv");
    std::os::unix::fs::symlink("points.csv", &link).unwrap();
    let list = format!("shape = \"list\"\nfile = {:?}", link.to_str().unwrap());
    let real = rig.dir.path().join("real.toml");
    std::fs::write(&real, whole.replace("shape = \"ring\"\nangles = 3", &list)).unwrap();
    std::fs::remove_file(&rig.config).unwrap();
    std::os::unix::fs::symlink(&real, &rig.config).unwrap();
    let checked = rig.run(&["check-config"]);
    assert_eq!(checked.code, Some(0), "{}", checked.stderr);
}

/// Bytes of address space: several times what the commands want, and less than what is too long.
const MEMORY: &str = "--as=1600000000";

/// A command that ends, and by itself: whoever waits for a pipe waits for ever, and whoever reads a device needs all memory.
fn limited(rig: &TestRig, args: &[&str]) -> Finished {
    let launcher = ["timeout", "--signal=KILL", "300", "prlimit", MEMORY];
    in_words(Finished::from(rig.command_by(&launcher, args).output().unwrap()), args)
}

/// What stands in the place of a file of a dataset.
#[derive(Debug, Clone, Copy)]
enum Odd {
    Pipe,
    LinkToZero,
    /// Longer than any file of its kind, and all of it holes.
    TooLong,
}

impl Odd {
    fn put(self, path: &Path) {
        std::fs::remove_file(path).unwrap();
        match self {
            Self::Pipe => mknodat(CWD, path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap(),
            Self::LinkToZero => std::os::unix::fs::symlink("/dev/zero", path).unwrap(),
            Self::TooLong => std::fs::File::create_new(path).unwrap().set_len(2 << 30).unwrap(),
        }
    }
}

/// None of them is waited for or read until the memory is full, and all are told of.
#[test]
fn what_is_odd_in_a_dataset_ends_no_command_late_or_without_memory() {
    if !have("prlimit", "a limit of memory") {
        return;
    }
    let rig = TestRig::new(&Recipe { angles: 2, ..Recipe::default() });
    assert_eq!(rig.run(&["scan", "--id", "one"]).code, Some(0));
    let whole = rig.dir.path().join("whole");
    std::fs::rename(rig.scans().join("one"), &whole).unwrap();
    let run = |args: &[&str]| limited(&rig, args);
    for (file, verified, resumed) in [
        ("images/cam0/r01_a001.jpg", 9, 0),
        ("metadata/cam0/r01_a001.json", 9, 0),
        ("scan.json", 9, 0),
        // Without these, nobody knows what to go on with.
        ("plan.json", 9, 9),
        ("journal.jsonl", 9, 9),
    ] {
        for odd in [Odd::Pipe, Odd::LinkToZero, Odd::TooLong] {
            let scan = rig.scans().join("one");
            let copied = Command::new("cp").arg("-r").arg(&whole).arg(&scan).status().unwrap();
            assert!(copied.success());
            odd.put(&scan.join(file));
            let list = run(&["dataset", "list"]);
            let state = if resumed == 0 { "complete" } else { "damaged" };
            assert_eq!(list.code, Some(0), "{file} {odd:?}: {}", list.stderr);
            assert!(list.stdout.contains(state), "{file} {odd:?}: {}", list.stdout);
            let verify = run(&["dataset", "verify", "one"]);
            let said = format!("{}{}", verify.stdout, verify.stderr);
            assert_eq!(verify.code, Some(verified), "{file} {odd:?}: {said}");
            assert!(said.contains(file), "{file} {odd:?}: {said}");
            let resume = run(&["resume", "one"]);
            assert_eq!(resume.code, Some(resumed), "{file} {odd:?}: {}", resume.stderr);
            if resumed == 0 {
                rig.assert_complete("one", file);
            }
            std::fs::remove_dir_all(&scan).unwrap();
        }
    }
}

/// Such names are rare, and every program is to say what it cannot do with them.
#[test]
fn a_folder_whose_name_is_no_text_is_used_or_refused_in_words() {
    let rig = TestRig::new(&Recipe::default());
    let scan = rig.run(&["scan", "--id", "one"]);
    assert_eq!(scan.code, Some(0), "{}", scan.stderr);
    let odd = rig.dir.path().join(OsStr::from_bytes(b"sc\xff\xfean"));
    std::fs::create_dir(&odd).unwrap();
    std::fs::rename(rig.scans(), odd.join("scans")).unwrap();
    let there = TestRig { dir: tempfile::tempdir().unwrap(), config: odd.join("scanner.toml") };
    std::fs::copy(&rig.config, &there.config).unwrap();
    let run = |args: &[&str]| in_words(there.run(args), args);

    for args in [
        &["check-config"][..],
        &["plan"],
        &["dataset", "list"],
        &["dataset", "list", "--json"],
        &["dataset", "show", "one", "--json"],
        &["dataset", "verify", "one", "--json"],
        &["dataset", "verify", "one"],
    ] {
        let done = run(args);
        assert_eq!(done.code, Some(0), "{args:?}: {}", done.stderr);
    }
    // A simulated camera hears of folders in JSON, which is text.
    for args in [
        &["devices"][..],
        &["devices", "--json"],
        &["check-config", "--devices"],
        &["scan"],
        &["resume", "one"],
    ] {
        let refused = run(args);
        assert!(refused.stderr.contains("not UTF-8 text"), "{args:?}: {}", refused.stderr);
    }
    for args in [&["status"][..], &["doctor"], &["doctor", "--json"], &["safe-state"]] {
        run(args);
    }
    let mut demo = rig.command(&["demo", "--json", "--directory"]);
    demo.arg(rig.dir.path().join("demo")).env("TMPDIR", &odd);
    let refused = in_words(Finished::from(demo.output().unwrap()), &["demo"]);
    assert!(refused.stderr.contains("not UTF-8 text"), "{}", refused.stderr);
}

fn in_words(finished: Finished, args: &[&str]) -> Finished {
    let Finished { code, stderr, .. } = &finished;
    assert!(
        code.is_some_and(|code| code < 100) && !stderr.contains("panicked"),
        "{args:?}: {code:?} {stderr}"
    );
    finished
}
