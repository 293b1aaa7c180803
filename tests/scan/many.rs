//! A folder with many scans: what a scan costs does not grow with them.

use std::process::{Command, Stdio};

use crate::support::{Finished, Recipe, TestRig, have};

/// How often `scanner` with `args` opens something in the folder of the scans, that folder included.
fn opens(rig: &TestRig, args: &[&str]) -> usize {
    let (scanner, trace) = (rig.command(args), rig.dir.path().join("trace"));
    let mut strace = Command::new("strace");
    strace.args(["-f", "-qq", "-e", "trace=openat", "-o"]).arg(&trace);
    strace.arg(scanner.get_program()).args(scanner.get_args());
    strace.env("RUST_LOG", "info").stdin(Stdio::null());
    let traced = Finished::from(strace.output().unwrap());
    assert_eq!(traced.code, Some(0), "{args:?}: {}", traced.stderr);
    let scans = rig.scans().to_str().unwrap().to_owned();
    std::fs::read_to_string(trace).unwrap().lines().filter(|line| line.contains(&scans)).count()
}

fn copy_scans(rig: &TestRig, names: impl Iterator<Item = String>) {
    for name in names {
        let copied =
            Command::new("cp").arg("-r").args([rig.scans().join("first"), rig.scans().join(name)]).status();
        assert!(copied.unwrap().success());
    }
}

#[test]
fn a_scan_among_many_opens_as_few_files_as_one_among_three() {
    if !have("strace", "counting what is opened") {
        return;
    }
    let rig = TestRig::new(&Recipe { angles: 1, ..Recipe::default() }).without_model();
    let first = rig.run(&["scan", "--id", "first"]);
    assert_eq!(first.code, Some(0), "{}", first.stderr);
    copy_scans(&rig, (0..2).map(|number| format!("copy-{number}")));
    opens(&rig, &["scan", "--id", "second"]);
    let among_few = opens(&rig, &["scan", "--id", "third"]);
    copy_scans(&rig, (2..300).map(|number| format!("copy-{number}")));
    let with_new_ones = opens(&rig, &["scan", "--id", "fourth"]);
    assert!(with_new_ones >= among_few + 298, "each copy is read once: {with_new_ones}, {among_few}");
    let among_many = opens(&rig, &["scan", "--id", "fifth"]);
    assert!(
        among_many <= among_few + 5,
        "{among_few} files are opened among few scans, {among_many} among many"
    );
    println!("opened: {among_few} among 4 scans, {with_new_ones} among 298 new ones, {among_many} among 303");
    // Manifest, plan and journal of each, its lock and its owner.
    let listed = opens(&rig, &["dataset", "list"]);
    assert!(listed <= 5 * 305 + 5, "{listed} files are opened to list 305 scans");
}

#[test]
fn looking_for_the_empty_rig_reads_no_scan_that_is_remembered_to_be_of_an_object() {
    if !have("strace", "counting what is opened") {
        return;
    }
    let rig = TestRig::new(&Recipe { angles: 1, ..Recipe::default() });
    for scan in [["reference", "--id", "empty"], ["scan", "--id", "first"]] {
        let done = rig.run(&scan);
        assert_eq!(done.code, Some(0), "{}", done.stderr);
    }
    let masks = ["dataset", "masks", "first"];
    opens(&rig, &masks);
    let among_few = opens(&rig, &masks);
    copy_scans(&rig, (0..100).map(|number| format!("copy-{number}")));
    let with_new_ones = opens(&rig, &masks);
    assert!(with_new_ones >= among_few + 100, "each copy may be of it: {with_new_ones}, {among_few}");
    assert_eq!(rig.run(&["scan", "--id", "second"]).code, Some(0));
    let among_many = opens(&rig, &masks);
    assert!(among_many <= among_few + 5, "{among_few} opened among few scans, {among_many} among many");
}
