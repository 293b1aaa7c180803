//! Whole scans.

use crate::bench::{Differences, Fleet, find};

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
