//! What is told of scans that are brought to where they are kept.

use std::fs;

use serde_json::{Value, json};

use crate::client::{Daemon, wait_for};
use crate::support::{Recipe, TestRig, built};

#[test]
fn each_scan_says_where_it_is_and_the_rig_what_is_in_the_way() {
    built("scanner-deliver");
    let rig = TestRig::new(&Recipe::default()).without_model();
    let (folder, nas) = (rig.dir.path().join("scanner.toml.d"), rig.dir.path().join("nas"));
    fs::create_dir_all(&folder).unwrap();
    let deliver = "[[deliver]]\nname = \"nas\"\nto = \"folder\"\npath = \"nas\"\n";
    fs::write(folder.join("deliver.toml"), deliver).unwrap();
    let daemon = Daemon::start_in(rig);
    let target = || daemon.get("/api/v1/status").json()["deliveries"][0].clone();
    assert_eq!((&target()["target"], &target()["waiting"]), (&json!("nas"), &json!(0)));
    let id = daemon.begin();
    daemon.wait_until_idle();
    let of = |path: &str| daemon.get(path).json();
    let detail = || of(&format!("/api/v1/scans/{id}"))["deliveries"].clone();
    assert_eq!(detail(), json!([{"target": "nas", "to": "folder", "state": "waiting", "at": null}]));
    // The folder does not exist.
    let trouble = wait_for("that is told", || target()["trouble"].as_str().map(str::to_owned));
    assert!(trouble.contains("does not exist") && target()["waiting"] == 1, "{trouble}");
    let preflight = daemon.post("/api/v1/preflight", &json!({})).json();
    let findings = preflight["findings"].as_array().unwrap();
    let finding = findings.iter().find(|finding| finding["check"] == "delivery").unwrap();
    assert!(
        finding["verdict"] == "advice" && finding["found"].as_str().unwrap().contains("nas now"),
        "{finding}"
    );
    fs::create_dir(&nas).unwrap();
    wait_for("it is there", || (target()["waiting"] == 0).then_some(()));
    assert_eq!(target()["trouble"], Value::Null);
    let there = detail();
    assert!(there[0]["state"] == "delivered" && there[0]["at"].is_string(), "{there}");
    assert_eq!(of("/api/v1/scans")["scans"][0]["deliveries"], there);
    let metrics = String::from_utf8(daemon.get("/metrics").body).unwrap();
    for outcome in ["delivered", "failed"] {
        let line = format!("scanner_deliveries_total{{target=\"nas\",outcome=\"{outcome}\"}} 1");
        assert!(metrics.contains(&line), "{line}: {metrics}");
    }
    // With another name it is another one.
    let path = format!("/api/v1/scans/{id}");
    let renamed = daemon.patch(&path, &json!({"name": "Owl"})).json();
    assert_eq!(renamed["deliveries"][0]["state"], "waiting", "{renamed}");
}
