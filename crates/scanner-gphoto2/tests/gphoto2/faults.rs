//! Faults in each phase: each is given up, recovered from, and costs no shot.

use serde_json::json;

use crate::bench::{Bench, points};

#[test]
fn a_fault_in_any_phase_costs_an_attempt_and_no_shot() {
    let recovery = "capture_timeout = \"2 s\"\nattempts = 5\nstart_timeout = \"6 s\"";
    let kinds = [
        ("busy", 1),
        ("hang_trigger", 3),
        ("no_file", 5),
        ("hang_event", 7),
        ("hang_download", 9),
        ("unplug", 11),
        ("wrong_file", 13),
        ("one_file", 15),
        ("card_full", 17),
        ("slow", 19),
        // Of openings: those that the faults above lead to.
        ("claimed", 1),
        ("hang_open", 3),
    ];
    let faults: Vec<_> = kinds.iter().map(|(kind, at)| json!({ "kind": kind, "at": at })).collect();
    let points = points(20);
    let mut bench = Bench::new(2, points, recovery);
    bench.set(0, "faults", json!(faults));
    let scan = bench.run(&["scan", "--json"]);
    assert_eq!(scan.code, Some(0), "{}", scan.stderr);
    let summary = scan.json();
    let failures: u64 =
        summary["failures"].as_object().unwrap().values().filter_map(serde_json::Value::as_u64).sum();
    println!("{failures} failed attempts: {}", summary["failures"]);
    for line in scan.stderr.lines().filter(|line| line.contains("WARN")) {
        println!("{line}");
    }
    assert!(failures >= 9, "only {failures} faults bit: {}\n{}", scan.stdout, scan.stderr);
    let id = bench.rig.scan_id().unwrap();
    bench.rig.assert_complete(&id, "after faults");
    bench.assert_as_on_cards(&id, points as usize);
    assert_eq!(bench.strays(), Vec::<String>::new());
}
