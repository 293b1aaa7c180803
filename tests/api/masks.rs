//! Scans of the empty rig, and the masks that are made by them.

use serde_json::{Value, json};

use crate::client::{Daemon, wait_for};
use crate::scans::check_parts;
use crate::support::{Recipe, TestRig};

/// A rig with two cameras and nothing on its table.
fn empty_rig(recipe: &Recipe<'_>) -> Daemon {
    Daemon::start_with(TestRig::new(recipe).without_model(), &[("SCANNER_SIM_EMPTY", "1")])
}

/// Scans what is on the table, and says its id.
fn scan(daemon: &Daemon, wish: &Value) -> String {
    let begun = daemon.post("/api/v1/scans", wish);
    assert_eq!(begun.status, 201, "{}", begun.json());
    daemon.wait_until_idle();
    begun.json()["id"].as_str().unwrap().to_owned()
}

/// Writes another configuration, with which the service starts again.
fn reconfigure(daemon: &mut Daemon, from: &str, to: &str) {
    let path = daemon.rig.config.clone();
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.contains(from), "{text}");
    daemon.restart_after(|| std::fs::write(&path, text.replace(from, to)).unwrap());
    daemon.wait_until_ready();
}

/// What there is of the empty rig for the only plan.
fn of_ring(daemon: &Daemon) -> Value {
    let answer = daemon.get("/api/v1/references");
    assert_eq!(answer.status, 200, "{}", answer.json());
    let plan = answer.json()["plans"][0].clone();
    assert_eq!((&plan["plan"], &plan["unknown"]), (&json!("ring"), &Value::Null), "{plan}");
    plan["reference"].clone()
}

#[test]
fn each_plan_tells_which_scan_of_the_empty_rig_it_has_and_whether_that_still_fits() {
    let mut daemon = empty_rig(&Recipe { cameras: 2, ..Recipe::default() });
    assert_eq!(of_ring(&daemon), Value::Null, "nothing was scanned");
    scan(&daemon, &json!({}));
    assert_eq!(of_ring(&daemon), Value::Null, "a scan of something is no scan of the empty rig");
    let id = scan(&daemon, &json!({ "plan": "ring", "reference": true, "name": "empty" }));
    let summary = daemon.get(&format!("/api/v1/scans/{id}")).json();
    assert_eq!((&summary["scan"]["reference"], &summary["name"]), (&json!(true), &json!("empty")));
    assert!(daemon.rig.run(&["dataset", "list"]).stdout.contains("empty rig"));
    let found = of_ring(&daemon);
    assert_eq!(
        (&found["scan"], &found["created"], &found["fits"], &found["images"], &found["matched"]),
        (&json!(id), &summary["scan"]["created"], &json!(true), &json!(6), &json!(6)),
        "{found}"
    );
    assert_eq!((&found["lacking"], &found["notes"]), (&json!([]), &json!([])), "{found}");

    // What masks can make up for is said, and no reason to scan again.
    reconfigure(
        &mut daemon,
        "[camera.mount]",
        "[camera.controls]\nexposure = \"40 ms\"\ngain = 1.0\n[camera.mount]",
    );
    let found = of_ring(&daemon);
    assert_eq!(found["fits"], true, "{found}");
    assert!(found["notes"][0].as_str().unwrap().starts_with("cam0 is exposed "), "{found}");
    // A camera elsewhere, and a plan with other places.
    reconfigure(&mut daemon, "distance = \"300 mm\"", "distance = \"310 mm\"");
    let found = of_ring(&daemon);
    assert_eq!((&found["fits"], &found["matched"]), (&json!(false), &json!(0)), "{found}");
    assert!(found["lacking"][0].as_str().unwrap().starts_with("cam0 is mounted"), "{found}");
    reconfigure(&mut daemon, "distance = \"310 mm\"", "distance = \"300 mm\"");
    reconfigure(&mut daemon, "angles = 3", "angles = 6");
    let found = of_ring(&daemon);
    assert_eq!((&found["fits"], &found["images"], &found["matched"]), (&json!(false), &json!(12), &json!(6)));
    assert!(found["lacking"][0].as_str().unwrap().starts_with("6 of 12 images"), "{found}");
    reconfigure(&mut daemon, "angles = 6", "angles = 7");
    assert_eq!(of_ring(&daemon)["matched"], 2, "the place at 0 degrees");
    let refused = daemon.post("/api/v1/scans", &json!({ "reference": "yes" }));
    assert_eq!((refused.status, &refused.json()["type"]), (422, &json!("/problems/bad_request")));
}

#[test]
fn a_scan_of_the_empty_rig_from_before_there_was_a_backlight_lacks_silhouettes() {
    let mut daemon = empty_rig(&Recipe::default());
    scan(&daemon, &json!({ "reference": true }));
    let counts = |daemon: &Daemon| {
        let found = of_ring(daemon);
        (found["fits"].clone(), found["images"].clone(), found["matched"].clone())
    };
    assert_eq!(counts(&daemon), (json!(true), json!(3), json!(3)));
    let panel = "[[light]]\nname = \"panel\"\nrole = \"backlight\"\n[plan.ring]";
    reconfigure(&mut daemon, "[plan.ring]", panel);
    assert_eq!(counts(&daemon), (json!(false), json!(6), json!(3)));
    let lacking = of_ring(&daemon)["lacking"].clone();
    assert!(lacking[0].as_str().unwrap().starts_with("3 of 3 silhouettes"), "{lacking}");
    scan(&daemon, &json!({ "reference": true }));
    assert_eq!(counts(&daemon), (json!(true), json!(6), json!(6)));
}

/// Of a size at which masks are good; the owl fills the pictures as it does those of the other tests.
fn with_larger_pictures(recipe: &Recipe<'_>) -> TestRig {
    let rig = TestRig::new(&Recipe { size: (320, 240), ..*recipe });
    let text = std::fs::read_to_string(&rig.config).unwrap();
    std::fs::write(&rig.config, text.replace("pixel_pitch = \"70 um\"", "pixel_pitch = \"12.6 um\""))
        .unwrap();
    rig.without_model()
}

/// A service with a scan of an owl, before which the empty rig was scanned; the ids of both.
fn with_owl(recipe: &Recipe<'_>) -> (Daemon, String, String) {
    let mut daemon = Daemon::start_with(with_larger_pictures(recipe), &[("SCANNER_SIM_EMPTY", "1")]);
    let empty = scan(&daemon, &json!({ "reference": true, "id": "empty" }));
    daemon.restart();
    daemon.wait_until_ready();
    let owl = scan(&daemon, &json!({ "id": "owl" }));
    (daemon, empty, owl)
}

fn make(daemon: &Daemon, scan: &str, wish: &Value) {
    let begun = daemon.post(&format!("/api/v1/scans/{scan}/masks"), wish);
    assert_eq!(begun.status, 202, "{}", begun.json());
    assert_eq!(begun.json()["scan"], scan, "{}", begun.json());
}

/// How the masks of `scan` stand once none are being made.
fn made(daemon: &Daemon, scan: &str) -> Value {
    wait_for("no masks are being made", || {
        daemon.get("/api/v1/status").json()["masks"].is_null().then_some(())
    });
    listed(daemon, scan)
}

fn listed(daemon: &Daemon, scan: &str) -> Value {
    let listed = daemon.get(&format!("/api/v1/scans/{scan}/masks"));
    assert_eq!(listed.status, 200, "{}", listed.json());
    listed.json()
}

/// How many have a mask, and how many have none.
fn counts(list: &Value) -> (usize, usize) {
    (list["masks"].as_array().unwrap().len(), list["without"].as_array().unwrap().len())
}

#[test]
fn masks_are_made_in_the_background_told_of_and_sent() {
    let (daemon, empty, owl) = with_owl(&Recipe { cameras: 2, ..Recipe::default() });
    let before = listed(&daemon, &owl);
    assert_eq!((&before["making"], counts(&before)), (&json!({ "state": "idle" }), (0, 6)), "{before}");
    assert_eq!(before["without"][0], json!({ "shot": 0, "reason": null }));
    let path = |shot: u32| format!("/api/v1/scans/{owl}/shots/{shot}/mask");
    assert_eq!(daemon.get(&path(3)).status, 404);

    make(&daemon, &owl, &json!({}));
    let list = made(&daemon, &owl);
    assert_eq!((&list["making"], counts(&list)), (&json!({ "state": "made" }), (6, 0)), "{list}");
    for (shot, mask) in list["masks"].as_array().unwrap().iter().enumerate() {
        let covered = mask["covered"].as_f64().unwrap();
        assert!((0.05..0.75).contains(&covered), "{mask}");
        assert_eq!((&mask["shot"], &mask["reference"]), (&json!(shot), &json!(empty)));
    }
    let sent = check_parts(&daemon, &path(3));
    let answer = daemon.get(&path(3));
    assert_eq!(answer.header("content-type"), "image/png");
    let small = check_parts(&daemon, &format!("{}/thumbnail", path(3)));
    assert!(small.starts_with(b"\x89PNG"));
    let files = daemon.rig.scans().join(&owl).join("masks");
    let file = files.join("cam1/r01_a002.png");
    assert!(sent == std::fs::read(&file).unwrap(), "shot 3 is that of cam1 at the second point");
    // The command line finds them right as they are.
    let report = daemon.rig.run(&["dataset", "masks", &owl, "--json"]).json();
    assert!(report["masks"].as_array().unwrap().iter().all(|mask| mask["kept"] == true), "{report}");

    // Whatever else stands in a mask's place is none.
    for shot in [6, u32::MAX] {
        assert_eq!(daemon.get(&path(shot)).status, 404);
    }
    let whole = std::fs::read(&file).unwrap();
    std::fs::rename(&file, files.join("elsewhere.png")).unwrap();
    std::os::unix::fs::symlink(files.join("elsewhere.png"), &file).unwrap();
    assert_eq!(daemon.get(&path(3)).status, 404, "a link");
    std::fs::remove_file(&file).unwrap();
    std::fs::write(&file, &whole[..whole.len() - 1]).unwrap();
    assert_eq!(daemon.get(&path(3)).status, 404, "half of one");
    std::fs::copy(files.join("cam1/r01_a001.png"), &file).unwrap();
    assert_eq!(daemon.get(&path(3)).status, 404, "that of another image");
    assert_eq!(daemon.get(&format!("{}/thumbnail", path(3))).status, 404, "that of another image");
    assert_eq!(counts(&listed(&daemon, &owl)), (5, 1));
    make(&daemon, &owl, &json!({}));
    assert_eq!(counts(&made(&daemon, &owl)), (6, 0));
    assert!(daemon.get(&path(3)).body == whole);
    // Nor is that of an image which was taken again.
    let again = daemon.post(&format!("/api/v1/scans/{owl}/retake"), &json!({ "shots": [3] }));
    assert_eq!(again.status, 200, "{}", again.json());
    assert_eq!(daemon.get(&path(3)).status, 404);
    assert_eq!(counts(&listed(&daemon, &owl)), (5, 0));
    assert_eq!(daemon.post(&format!("/api/v1/scans/{owl}/resume"), &json!({})).status, 201);
    daemon.wait_until_idle();
    assert_eq!(daemon.get(&path(3)).status, 404);
    assert_eq!(counts(&listed(&daemon, &owl)), (5, 1));
}

#[test]
fn an_image_without_a_mask_says_why() {
    let (daemon, empty, owl) = with_owl(&Recipe::default());
    let lost = daemon.rig.scans().join(&empty).join("images/cam0/r01_a002.jpg");
    std::fs::remove_file(lost).unwrap();
    make(&daemon, &owl, &json!({}));
    let list = made(&daemon, &owl);
    assert_eq!((&list["making"], counts(&list)), (&json!({ "state": "made" }), (2, 1)), "{list}");
    assert_eq!(list["without"][0]["shot"], 1);
    assert!(list["without"][0]["reason"].as_str().unwrap().contains("r01_a002.jpg of empty"), "{list}");
}

#[test]
fn what_can_have_no_masks_is_refused_and_why_is_said() {
    let mut daemon = Daemon::start_in(with_larger_pictures(&Recipe::default()));
    let early = scan(&daemon, &json!({ "id": "early" }));
    daemon.restart_with(&[("SCANNER_SIM_EMPTY", "1")]);
    daemon.wait_until_ready();
    let empty = scan(&daemon, &json!({ "id": "empty", "reference": true }));
    let ask = |scan: &str, what: &str, wish: &Value| {
        let answer = daemon.post(&format!("/api/v1/scans/{scan}/{what}"), wish);
        assert_eq!(answer.header("content-type"), "application/problem+json");
        let problem = answer.json();
        (answer.status, problem["type"].as_str().unwrap().to_owned(), problem["detail"].to_string())
    };
    for (id, what, wish, status, kind, says) in [
        (&early, "masks", json!({}), 409, "no_masks", "name that one as `reference`"),
        (&empty, "masks", json!({}), 409, "no_masks", "scan of the empty rig"),
        (&"nothing".to_owned(), "masks", json!({}), 404, "not_found", "nothing"),
        (&"..%2fearly".to_owned(), "masks", json!({}), 404, "not_found", "early"),
        (&early, "masks", json!({ "reference": "nothing" }), 404, "not_found", "nothing"),
        (&early, "masks", json!({ "reference": "../empty" }), 404, "not_found", "empty"),
        (&early, "masks", json!({ "references": [] }), 422, "bad_request", "references"),
        (&early, "masks", json!({ "again": "yes" }), 422, "bad_request", "again"),
        (&early, "masks/cancel", json!({}), 404, "not_found", "no masks of scan early"),
    ] {
        let (found, problem, detail) = ask(id, what, &wish);
        assert_eq!((found, problem), (status, format!("/problems/{kind}")), "{id} {wish}: {detail}");
        assert!(detail.contains(says), "{id} {wish}: {detail}");
    }
    assert_eq!(daemon.get("/api/v1/scans/nothing/masks").status, 404);
    // A person who knows that nothing has changed since may name it.
    make(&daemon, &early, &json!({ "reference": empty }));
    assert_eq!(counts(&made(&daemon, &early)), (3, 0));
    // Who may only look sees them, and has none made.
    let look = daemon.rig.run(&["token", "looker", "--look-only"]).stdout.trim().to_owned();
    let bearer = format!("Bearer {look}");
    let headers = [("Authorization", bearer.as_str()), ("Content-Type", "application/json")];
    let as_looker = |method: &str, path: &str| {
        let body = if method == "GET" { "" } else { "{}" };
        daemon.anonymous(method, &format!("/api/v1/{path}"), &headers, body).status
    };
    for path in ["references", "scans/early/masks", "scans/early/shots/0/mask"] {
        assert_eq!(as_looker("GET", path), 200, "{path}");
    }
    for path in ["scans/early/masks", "scans/early/masks/cancel"] {
        assert_eq!(as_looker("POST", path), 403, "{path}");
    }
}

#[test]
fn masks_wait_for_a_scan_under_way_and_can_be_given_up() {
    let (mut daemon, _, owl) = with_owl(&Recipe { angles: 24, time_scale: 4.0, ..Recipe::default() });
    let progress = |daemon: &Daemon| daemon.get("/api/v1/status").json()["masks"].clone();
    let begun = daemon.post("/api/v1/scans", &json!({ "id": "other" }));
    assert_eq!(begun.status, 201, "{}", begun.json());
    let refused = daemon.post("/api/v1/scans/other/masks", &json!({}));
    assert_eq!((refused.status, &refused.json()["type"]), (409, &json!("/problems/in_use")));
    make(&daemon, &owl, &json!({}));
    assert_eq!(listed(&daemon, &owl)["making"]["state"], "under_way");
    // One at a time.
    for id in [&owl, &"empty".to_owned()] {
        let refused = daemon.post(&format!("/api/v1/scans/{id}/masks"), &json!({}));
        assert_eq!((refused.status, &refused.json()["type"]), (409, &json!("/problems/in_use")), "{id}");
    }
    let stored = |daemon: &Daemon| daemon.get("/api/v1/status").json()["scan"]["stored"].as_u64().unwrap();
    let so_far = stored(&daemon);
    wait_for("the scan goes on", || (stored(&daemon) > so_far + 1).then_some(()));
    let waits = json!({ "scan": owl, "done": 0, "images": 24, "waiting": true });
    let (seen, scanning) = (progress(&daemon), daemon.get("/api/v1/status").json()["scanning"].clone());
    assert_eq!((seen, scanning), (waits, json!(true)));
    assert!(!daemon.rig.scans().join(&owl).join("masks").exists());
    assert_eq!(daemon.post(&format!("/api/v1/scans/{owl}/masks/cancel"), &json!({})).status, 204);
    let list = listed(&daemon, &owl);
    assert_eq!((&list["making"], counts(&list)), (&json!({ "state": "cancelled" }), (0, 24)), "{list}");

    // What a service that ends has not made is made when it is wanted again.
    make(&daemon, &owl, &json!({}));
    daemon.restart();
    daemon.wait_until_ready();
    assert_eq!(listed(&daemon, &owl)["making"], json!({ "state": "idle" }));
    assert_eq!(progress(&daemon), Value::Null);
    wait_for("the other scan goes on by itself, or is paused", || {
        let state = daemon.get("/api/v1/scans/other").json()["scan"]["state"].clone();
        (state == "paused" || state == "running").then_some(())
    });
    make(&daemon, &owl, &json!({}));
    // A pause frees the rig; here it may never have gone on.
    let _ = daemon.post("/api/v1/rig/pause", &json!({}));
    daemon.wait_until_idle();
    let list = made(&daemon, &owl);
    assert_eq!((&list["making"], counts(&list)), (&json!({ "state": "made" }), (24, 0)), "{list}");

    // A scan that is removed takes its masks along, and nothing of it comes back.
    assert_eq!(daemon.post("/api/v1/scans/other/resume", &json!({})).status, 201);
    make(&daemon, &owl, &json!({ "again": true }));
    assert_eq!(daemon.delete(&format!("/api/v1/scans/{owl}")).status, 204);
    assert_eq!(progress(&daemon), Value::Null);
    assert!(!daemon.rig.scans().join(&owl).exists());
}
