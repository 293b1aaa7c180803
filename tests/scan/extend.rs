//! `scanner extend`, without a service and with one.

use rustix::process::Signal;

use crate::interrupted::{begin, end, signal, slow_rig};
use crate::support::{Recipe, TestRig};

fn labels(rig: &TestRig, id: &str) -> Vec<String> {
    let entries = std::fs::read_dir(rig.scans().join(id).join("images/cam1")).unwrap();
    let stem = |path: std::path::PathBuf| path.file_stem().unwrap().to_string_lossy().into_owned();
    let mut labels: Vec<_> = entries.map(|entry| stem(entry.unwrap().path())).collect();
    labels.sort();
    labels
}

#[test]
fn points_are_added_without_a_service() {
    let rig = TestRig::new(&Recipe { cameras: 2, ..Recipe::default() });
    assert_eq!(rig.run(&["scan"]).code, Some(0));
    let id = rig.scan_id().unwrap();
    let own = labels(&rig, &id);
    let list = rig.scans().parent().unwrap().join("points.csv");
    let file = list.to_str().unwrap();
    for (text, code, said) in [
        ("turntable,tilt\n5,40 deg\n", 12, "x0001: the rig has no tilt"),
        ("label,turntable\nr01_a001,5\n", 12, "the label r01_a001 is taken"),
        ("label,turntable\n,5\n", 12, "line 2: the label \"\""),
        ("turntable\n", 12, "no points to add"),
    ] {
        std::fs::write(&list, text).unwrap();
        let refused = rig.run(&["extend", &id, "--points", file]);
        assert_eq!(refused.code, Some(code), "{text}: {}", refused.stderr);
        assert!(refused.stderr.contains(said), "{text}: {}", refused.stderr);
        rig.assert_complete(&id, "nothing was added");
    }
    std::fs::write(&list, "# where too little was seen\nturntable\n200\n100\n").unwrap();
    let asked = rig.run(&["extend", &id, "--points", file]);
    assert_eq!(asked.code, Some(0), "{}", asked.stderr);
    let said = format!("6 of 10 shots are stored; take the others with: scanner resume {id}");
    assert!(asked.stdout.contains(&said), "{}", asked.stdout);
    let shown = rig.run(&["dataset", "show", &id, "--json"]).json();
    assert_eq!(shown["scan"]["state"], "paused", "{shown}");
    assert_eq!(shown["scan"]["shots"]["planned"], 10, "{shown}");
    assert_eq!(rig.run(&["resume", &id]).code, Some(0));
    rig.assert_complete(&id, "two points more");
    let all = labels(&rig, &id);
    assert_eq!(all.len(), own.len() + 2);
    assert!(own.iter().chain([&"x0001".to_owned(), &"x0002".to_owned()]).all(|label| all.contains(label)));
    // What reads a scan has the points of it, whoever it is.
    let exported = rig.run(&["dataset", "export", &id, "--to", "nerfstudio"]);
    assert_eq!(exported.code, Some(0), "{}", exported.stderr);
    let report = rig.run(&["dataset", "report", &id]);
    assert_eq!(report.code, Some(0), "{}", report.stderr);
    let page = std::fs::read_to_string(rig.scans().join(&id).join("report.html")).unwrap();
    assert!(page.contains("2 points were added"), "the report does not say it");
    let again = rig.run(&["extend", &id, "--points", file]);
    assert_eq!(again.code, Some(0), "labels that are free: {}", again.stderr);
    assert_eq!(rig.run(&["resume", &id]).code, Some(0));
    rig.assert_complete(&id, "and two more");
    assert!(labels(&rig, &id).contains(&"x0004".to_owned()));
}

#[test]
fn points_that_were_added_under_way_survive_kill_9() {
    let rig = slow_rig(24);
    let (scan, log) = begin(&rig, &["scan"], "stored");
    let id = rig.scan_id().unwrap();
    let list = rig.scans().parent().unwrap().join("points.csv");
    std::fs::write(&list, "label,turntable\nhere,200\nthere,100\n").unwrap();
    let asked = rig.run(&["extend", &id, "--points", list.to_str().unwrap()]);
    assert_eq!(asked.code, Some(0), "{}", asked.stderr);
    let said = format!("2 points were added to scan {id}: it has 52 shots now");
    assert!(asked.stdout.contains(&said), "{}", asked.stdout);
    let again = rig.run(&["extend", &id, "--points", list.to_str().unwrap()]);
    assert_eq!(again.code, Some(12), "{}", again.stderr);
    assert!(again.stderr.contains("is taken"), "{}", again.stderr);
    signal(&scan, Signal::KILL);
    let killed = end(scan, log);
    assert!(killed.code.is_none() && killed.stderr.contains("2 points were added"), "{}", killed.stderr);
    let verify = rig.run(&["dataset", "verify", &id, "--json"]);
    assert_eq!(verify.code, Some(0), "{}", verify.stdout);
    assert_eq!(verify.json()["shots"]["planned"], 52, "{}", verify.stdout);
    assert_eq!(rig.run(&["resume", &id]).code, Some(0));
    rig.assert_complete(&id, "with the points of before");
    for label in ["here", "there"] {
        assert!(rig.scans().join(&id).join(format!("images/cam0/{label}.jpg")).is_file(), "{label}");
    }
}
