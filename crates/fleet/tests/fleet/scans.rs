//! Whole scans.

use crate::bench::{Differences, Fleet, find};
use crate::world::{Cable, World};

#[test]
fn a_scan_with_a_remote_camera_is_complete_and_verified() {
    let Some(fleet) = Fleet::new(&Differences { angles: 20, ..Differences::default() }) else { return };
    let scan = fleet.rig.run(&["scan", "--json"]);
    assert_eq!(scan.code, Some(0), "{}\n{}\n{}", scan.stdout, scan.stderr, fleet.log("node0.log"));
    let id = fleet.rig.scan_id().unwrap();
    fleet.rig.assert_complete(&id, "one node");
    let images = fleet.images(&id);
    assert_eq!(images.len(), 20, "{images:?}");
    for image in &images {
        assert!(
            find(image, "clock_uncertainty_us").is_some_and(|unsure| unsure.as_u64().unwrap() < 200_000),
            "{image}"
        );
    }
    assert!(!fleet.log("node0.log").contains("WARN"), "{}", fleet.log("node0.log"));
}

#[test]
fn two_nodes_take_their_images_side_by_side() {
    let what = Differences { angles: 6, nodes: Some(2), size: Some((640, 480)), ..Differences::default() };
    let Some(fleet) = Fleet::new(&what) else { return };
    let scan = fleet.rig.run(&["scan", "--json"]);
    assert_eq!(scan.code, Some(0), "{}\n{}", scan.stderr, fleet.log("node1.log"));
    let id = fleet.rig.scan_id().unwrap();
    fleet.rig.assert_complete(&id, "two nodes");
    assert_eq!(fleet.images(&id).len(), 12);
}

/// A rig that trembles, and waits by what live frames show: once it knows how long, an image is compared with the frames before it and
/// with its own, which the driver hands over while the image is on its way.
#[test]
fn images_of_a_node_are_seen_to_be_still_by_their_own_live_frames() {
    let Some(world) = World::new(1) else { return };
    let what = Differences {
        angles: 10,
        size: Some((960, 720)),
        time_scale: Some(1.0),
        places: Some(world.places()),
        ..Differences::default()
    };
    let Some(fleet) = Fleet::new(&what) else { return };
    // Live frames take little of it, and an image the time of several frames.
    world.set_rate(Cable::Node(0), Some(50_000));
    let mut config = std::fs::read_to_string(&fleet.rig.config).unwrap();
    for (from, to) in [
        ("settle = \"1 ms\"", "settle_by = \"frames\"\nsettle = \"1500 ms\""),
        // Seen from nearby: ten degrees are many pixels.
        ("pixel_pitch = \"70 um\"", "pixel_pitch = \"2.3 um\"\nlive = \"320x240\""),
        ("speed = \"60 deg/s\"", "speed = \"900 deg/s\""),
        ("acceleration = \"120 deg/s2\"", "acceleration = \"9000 deg/s2\""),
        (
            "[plan.ring]",
            "[motion.tremble]\namplitude = \"10 deg\"\nperiod = \"120 ms\"\ndecay = \"100 ms\"\n[plan.ring]",
        ),
    ] {
        assert!(config.contains(from), "{from}");
        config = config.replace(from, to);
    }
    std::fs::write(&fleet.rig.config, config).unwrap();
    // On a busy machine frames are missing, and then nothing is seen: so it scans again, a few times.
    let mut log = String::new();
    let is_seen = (0..4).any(|_| {
        let mut command = fleet.at_lead(&["scan"]);
        let scan = command.env("RUST_LOG", "info,scanner::run::still=debug").output().unwrap();
        log = String::from_utf8_lossy(&scan.stderr).into_owned();
        assert!(scan.status.success(), "{log}\n{}", fleet.log("node0.log"));
        log.contains("an image of cam0 is still ")
    });
    assert!(is_seen, "{log}");
}
