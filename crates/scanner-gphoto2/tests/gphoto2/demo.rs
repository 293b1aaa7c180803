//! `scanner demo --dslr`: what people try first.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::support::{Finished, built};

const POINTS: u64 = 144;

fn demo(scanner: &Path, folder: &Path) -> Finished {
    let mut command = Command::new(scanner);
    command
        .args(["demo", "--dslr", "--json", "--time-scale", "100", "--directory"])
        .arg(folder.join("scans"));
    // Nothing else is found but what lies beside the program.
    command.env("PATH", "").env("RUST_LOG", "info").env_remove("IOLIBS").env_remove("SCANNER_DSLR");
    Finished::from(command.output().unwrap())
}

#[test]
fn the_demo_scans_with_a_dslr_that_fails_and_is_complete() {
    built("libscanner_dslr.so");
    built("scanner-gphoto2");
    let folder = tempfile::tempdir().unwrap();
    let demo = demo(&built("scanner"), folder.path());
    assert_eq!(demo.code, Some(0), "{}\n{}", demo.stdout, demo.stderr);
    let summary = &demo.json()["summary"];
    println!("{summary}");
    assert_eq!((&summary["stored"], &summary["shots"]), (&Value::from(POINTS), &Value::from(POINTS)));
    for said in ["busy", "was taken at f/2.8, set is f/8", "recovering camera dslr: reset"] {
        assert!(demo.stderr.contains(said), "{said}: {}", demo.stderr);
    }
    let scan = folder.path().join("scans").join(summary["scan"].as_str().unwrap());
    let bytes = |kind: &str| -> Vec<Vec<u8>> {
        let files = fs::read_dir(scan.join(kind).join("dslr")).unwrap();
        files.map(|file| fs::read(file.unwrap().path()).unwrap()).collect()
    };
    let (images, raw) = (bytes("images"), bytes("raw"));
    assert_eq!((images.len() as u64, raw.len() as u64), (POINTS, POINTS));
    // It sees the object from each side, and no photograph twice.
    let mut different: Vec<_> = images.iter().map(Vec::len).collect();
    different.sort_unstable();
    different.dedup();
    assert!(different.len() > 100, "{different:?}");
}

#[test]
fn what_is_not_installed_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let scanner = folder.path().join("scanner");
    fs::copy(built("scanner"), &scanner).unwrap();
    let without_driver = demo(&scanner, folder.path());
    assert_eq!(without_driver.code, Some(11), "{}", without_driver.stderr);
    assert!(
        without_driver.stderr.contains("install the package scanner-gphoto2"),
        "{}",
        without_driver.stderr
    );
    fs::copy(built("scanner-gphoto2"), folder.path().join("scanner-gphoto2")).unwrap();
    let without_camera = demo(&scanner, folder.path());
    assert_eq!(without_camera.code, Some(11), "{}", without_camera.stderr);
    let said = "the simulated DSLR is not installed: install the package scanner-gphoto2";
    assert!(without_camera.stderr.contains(said), "{}", without_camera.stderr);
}
