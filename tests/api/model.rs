//! The model of a scan, over the network.

use serde_json::json;

use crate::client::{Daemon, wait_for};
use crate::scans::check_parts;
use crate::support::{Recipe, TestRig};

#[test]
fn a_model_follows_the_scan_and_is_sent_as_other_files_are() {
    let rig = TestRig::new(&Recipe { size: (320, 240), cameras: 2, angles: 6, ..Recipe::default() });
    let text = std::fs::read_to_string(&rig.config).unwrap();
    // The object fills the pictures.
    std::fs::write(&rig.config, text.replace("pixel_pitch = \"70 um\"", "pixel_pitch = \"14 um\"")).unwrap();
    let mut daemon = Daemon::start_with(rig, &[("SCANNER_SIM_EMPTY", "1")]);
    let scan = |daemon: &Daemon, wish: &serde_json::Value| {
        assert_eq!(daemon.post("/api/v1/scans", wish).status, 201);
        daemon.wait_until_idle();
    };
    scan(&daemon, &json!({ "reference": true, "id": "empty" }));
    daemon.restart();
    daemon.wait_until_ready();
    scan(&daemon, &json!({ "id": "owl" }));
    let made = wait_for("the model of all images", || {
        let answer = daemon.get("/api/v1/scans/owl/preview");
        (answer.status == 200 && answer.json()["images"] == 12).then(|| answer.json())
    });
    assert!(made["well_covered_percent"].is_number() && made["volume_mm3"].as_f64() > Some(2e5), "{made}");

    let model = check_parts(&daemon, "/api/v1/scans/owl/preview.glb");
    assert_eq!((&model[..4], Some(model.len() as u64)), (&b"glTF"[..], made["bytes"].as_u64()));
    let whole = daemon.get("/api/v1/scans/owl/preview.glb");
    assert_eq!(whole.header("content-type"), "model/gltf-binary");

    for (scan, path) in
        [("empty", "preview"), ("empty", "preview.glb"), ("nothing", "preview"), ("..%2fowl", "preview.glb")]
    {
        let answer = daemon.get(&format!("/api/v1/scans/{scan}/{path}"));
        assert_eq!(answer.status, 404, "{scan} {path}");
        assert_eq!(answer.json()["type"], "/problems/not_found");
    }
    let missing = daemon.get("/api/v1/scans/empty/preview").json();
    assert!(missing["detail"].as_str().unwrap().contains("scanner dataset hull empty"), "{missing}");
}
