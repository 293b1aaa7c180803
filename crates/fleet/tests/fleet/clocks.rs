//! Nodes whose clocks go wrong.

use scanner::units::Seconds;

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

/// Four cameras that expose at known times, by clocks that differ by minutes and drift apart: what is recorded is when they did, no further
/// off than is said, and so is what the dataset says of how far apart that was.
#[test]
fn the_recorded_shutter_spread_is_the_true_one() {
    const PERIOD_NS: u64 = 100_000_000;
    const DELAYS_MS: [u64; 4] = [0, 7, 31, 12];
    let what = Differences {
        angles: 12,
        nodes: Some(4),
        time_scale: Some(1.0),
        options: "frame_period = \"100 ms\"",
        own_options: DELAYS_MS.map(|ms| format!("synced = \"{ms} ms\"")).to_vec(),
        clocks: [
            "offset_ms=0",
            "offset_ms=90000,drift_ppm=150",
            "offset_ms=-200000",
            "offset_ms=4000,drift_ppm=-200",
        ]
        .map(str::to_owned)
        .to_vec(),
        ..Differences::default()
    };
    let Some(fleet) = Fleet::new(&what) else { return };
    let scan = fleet.rig.run(&["scan", "--json"]);
    assert_eq!(scan.code, Some(0), "{}", scan.stderr);
    let id = fleet.rig.scan_id().unwrap();
    fleet.rig.assert_complete(&id, "four clocks");
    let mut points = std::collections::BTreeMap::<u64, Vec<u64>>::new();
    let (mut furthest_ns, mut unsure_ns) = (0, 0);
    for image in fleet.images(&id) {
        let number = |key: &str| find(&image, key).unwrap().as_u64().unwrap();
        let exposure: Seconds = serde_json::from_value(find(&image, "exposure").unwrap().clone()).unwrap();
        let exposure_ns = (exposure.get() * 1e9).round() as u64;
        let said_ns = number("sensor_timestamp_ns") - exposure_ns;
        let (shot, delay_ns) = (number("shot"), DELAYS_MS[number("shot") as usize % 4] * 1_000_000);
        // The nearest time at which this camera began a frame.
        let true_ns = (said_ns + PERIOD_NS / 2 - delay_ns) / PERIOD_NS * PERIOD_NS + delay_ns;
        let uncertainty_ns = find(&image, "clock_uncertainty_us").unwrap().as_u64().unwrap() * 1000;
        // Of a time as a number of seconds, and of microseconds.
        let slack_ns = 2_000;
        assert!(said_ns.abs_diff(true_ns) <= uncertainty_ns + slack_ns, "{said_ns} {true_ns} {image}");
        furthest_ns = said_ns.abs_diff(true_ns).max(furthest_ns);
        unsure_ns = uncertainty_ns.max(unsure_ns);
        points.entry(shot / 4).or_default().push(true_ns);
    }
    let mut spreads: Vec<_> =
        points.values().map(|times| times.iter().max().unwrap() - times.iter().min().unwrap()).collect();
    spreads.sort_unstable();
    let manifest = std::fs::read_to_string(fleet.rig.scans().join(&id).join("scan.json")).unwrap();
    let manifest: serde_json::Value = serde_json::from_str(&manifest).unwrap();
    let spread = &manifest["shutter_spread"];
    let said = |key: &str| spread[key].as_u64().unwrap() * 1000;
    println!(
        "true spreads {spreads:?} ns; said {spread}; furthest off {furthest_ns} ns, unsure by {unsure_ns} ns at most"
    );
    assert_eq!((&spread["points"], &spread["apart"]), (&12.into(), &0.into()));
    let slack_ns = said("uncertainty_us") + 4_000;
    assert!(said("median_us").abs_diff(spreads[6]) <= slack_ns, "{spreads:?} {spread}");
    assert!(said("most_us").abs_diff(spreads[11]) <= slack_ns, "{spreads:?} {spread}");
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
