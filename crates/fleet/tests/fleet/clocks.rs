//! Nodes whose clocks go wrong.

use crate::bench::{Differences, Fleet, find};
use crate::support::Running;

/// By the lead's clock, whatever the node's shows: no image is of another time than that of the scan.
#[test]
fn a_clock_that_is_ahead_and_drifts_is_seen_through() {
    for clock in ["offset_ms=3600000,drift_ppm=120", "offset_ms=-200000,drift_ppm=-300"] {
        let what = Differences { angles: 8, clock, ..Differences::default() };
        let Some(fleet) = Fleet::new(&what) else { return };
        let begun = scanner::clock::now_ns();
        let scan = fleet.rig.run(&["scan", "--json"]);
        let ended = scanner::clock::now_ns();
        assert_eq!(scan.code, Some(0), "{clock}: {}\n{}", scan.stderr, fleet.log("node0.log"));
        let id = fleet.rig.scan_id().unwrap();
        fleet.rig.assert_complete(&id, clock);
        for image in fleet.images(&id) {
            let at = find(&image, "sensor_timestamp_ns").unwrap().as_u64().unwrap();
            assert!((begun..ended).contains(&at), "{clock}: {at} is not within {begun} to {ended}");
        }
    }
}

#[test]
fn a_clock_that_jumps_costs_a_session_and_no_image() {
    let what = Differences {
        angles: 40,
        clock: "offset_ms=50000,jump_ms=7000,jump_after_s=6",
        time_scale: Some(3.0),
        ..Differences::default()
    };
    let Some(fleet) = Fleet::new(&what) else { return };
    let scan = Running::spawn(&mut fleet.rig.command(&["scan", "--json"])).finish();
    assert_eq!(scan.code, Some(0), "{}\n{}", scan.stderr, fleet.log("node0.log"));
    assert!(scan.stderr.contains("clock has jumped by"), "{}", scan.stderr);
    fleet.rig.assert_complete(&fleet.rig.scan_id().unwrap(), "a jump");
}

#[test]
fn a_capture_is_refused_when_the_clock_is_less_sure_than_is_allowed() {
    let what = Differences { angles: 2, clock_limit: Some("0.001 ms"), ..Differences::default() };
    let Some(fleet) = Fleet::new(&what) else { return };
    let config = std::fs::read_to_string(&fleet.rig.config).unwrap().replace("attempts = 12", "attempts = 2");
    std::fs::write(&fleet.rig.config, config).unwrap();
    let scan = fleet.rig.run(&["scan", "--json"]);
    assert_eq!(scan.code, Some(4), "{}", scan.stderr);
    assert!(scan.stderr.contains("clock_limit is 0.00 ms"), "{}", scan.stderr);
    assert_eq!(fleet.images(&fleet.rig.scan_id().unwrap()).len(), 0);
}
