//! A camera that switches itself off while the axes take their time.

use std::fs;

use serde_json::{Value, json};

use crate::bench::Bench;
use crate::support::Finished;

const POINTS: u32 = 3;
/// A move takes more than twice as long as the camera waits.
const OFF_AFTER_MS: u64 = 2500;

fn bench(keep_alive: &str) -> Bench {
    let mut bench = Bench::with_options(
        1,
        POINTS,
        "capture_timeout = \"10 s\"",
        &format!("keep_alive = \"{keep_alive}\""),
    );
    let config = fs::read_to_string(&bench.rig.config).unwrap();
    assert!(config.contains("time_scale = 100.0"));
    fs::write(&bench.rig.config, config.replace("time_scale = 100.0", "time_scale = 0.4")).unwrap();
    bench.set(0, "off_after_ms", json!(OFF_AFTER_MS));
    bench
}

/// No attempt is lost, and no release; says how often the camera has switched itself off.
fn complete(bench: &Bench, scan: &Finished) -> usize {
    assert_eq!(scan.code, Some(0), "{}", scan.stderr);
    let summary = scan.json();
    assert_eq!(
        (&summary["attempts"], &summary["failures"]),
        (&Value::from(POINTS), &json!({})),
        "{}",
        scan.stderr
    );
    let id = bench.rig.scan_id().unwrap();
    bench.rig.assert_complete(&id, "with long moves");
    bench.assert_as_on_cards(&id, POINTS as usize);
    assert_eq!(bench.releases(0), POINTS as usize);
    bench.noted(0, "switched-off-1000").map_or(0, |noted| noted.len())
}

#[test]
fn a_camera_that_is_asked_something_stays_on_during_long_moves() {
    let bench = bench("300 ms");
    let scan = bench.run(&["scan", "--json"]);
    assert_eq!(complete(&bench, &scan), 0, "{}", scan.stderr);
}

#[test]
fn a_camera_that_has_switched_itself_off_is_opened_anew_and_costs_no_attempt() {
    let bench = bench("0 s");
    let scan = bench.run(&["scan", "--json"]);
    // Before each photograph but the first.
    assert_eq!(complete(&bench, &scan), POINTS as usize - 1, "{}", scan.stderr);
    assert!(scan.stderr.contains("has switched itself off"), "{}", scan.stderr);
}

/// The connection ends with it.
#[test]
fn so_is_one_at_a_network() {
    let bench = bench("0 s");
    let (_camera, _) = bench.listening(0, None);
    let scan = bench.rig.run(&["scan", "--json"]);
    assert!(complete(&bench, &scan) >= POINTS as usize - 1, "{}", scan.stderr);
}
