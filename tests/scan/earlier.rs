//! Scans that an earlier program made, of format 1, before scans had numbers, names and many facts.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::support::{Recipe, TestRig};

/// A line of a journal without its checksum, and with a new one.
fn line(mut entry: Value) -> String {
    entry.as_object_mut().unwrap().remove("crc32c");
    let mut text = serde_json::to_string(&entry).unwrap();
    text.pop();
    format!("{text},\"crc32c\":\"{:08x}\"}}\n", crc32c::crc32c(text.as_bytes()))
}

/// Takes away what earlier programs did not write.
fn make_earlier(dir: &Path, without_mount: bool) {
    let plan = dir.join("plan.json");
    let mut written: Value = serde_json::from_slice(&fs::read(&plan).unwrap()).unwrap();
    for camera in written["cameras"].as_array_mut().unwrap() {
        if without_mount {
            camera["mount"] = Value::Null;
        }
    }
    let bytes = serde_json::to_vec_pretty(&written).unwrap();
    fs::write(&plan, &bytes).unwrap();
    let crc = crc32c::crc32c(&bytes);
    let journal = dir.join("journal.jsonl");
    let mut lines = String::new();
    for text in fs::read_to_string(&journal).unwrap().lines() {
        let mut entry: Value = serde_json::from_str(text).unwrap();
        let record = entry["record"].as_object_mut().unwrap();
        for key in ["order", "rig"] {
            record.remove(key);
        }
        if record["type"] == "opened" {
            record["plan_crc32c"] = json!(crc);
        }
        if let Some(facts) = record.get_mut("facts").and_then(Value::as_object_mut) {
            let known = [
                "taken_at",
                "sensor_timestamp_ns",
                "exposure",
                "gain",
                "sequence",
                "sharpness",
                "clipped_dark",
                "clipped_bright",
            ];
            facts.retain(|key, _| known.contains(&key.as_str()));
        }
        lines += &line(entry);
    }
    fs::write(journal, lines).unwrap();
    let manifest = dir.join("scan.json");
    let mut written: Value = serde_json::from_slice(&fs::read(&manifest).unwrap()).unwrap();
    let known = ["format", "id", "created", "updated", "state", "shots", "cameras", "software"];
    written.as_object_mut().unwrap().retain(|key, _| known.contains(&key.as_str()));
    fs::write(manifest, serde_json::to_vec_pretty(&written).unwrap()).unwrap();
}

#[test]
fn earlier_scans_are_listed_exported_and_given_names() {
    let rig = TestRig::new(&Recipe::default());
    assert_eq!(rig.run(&["scan"]).code, Some(0));
    let id = rig.scan_id().unwrap();
    let dir = rig.scans().join(&id);
    make_earlier(&dir, false);
    let listed = rig.run(&["dataset", "list", "--json"]).json();
    assert_eq!(listed[0]["scan"]["state"], "complete", "{listed}");
    let poses = rig.run(&["dataset", "poses", &id, "--json"]).json();
    assert_eq!(poses.as_array().unwrap().len(), 3);
    assert!(poses[0]["centre"][0].is_f64(), "{poses}");
    for format in ["colmap", "nerfstudio", "realityscan", "metashape", "meshroom"] {
        let exported = rig.run(&["dataset", "export", &id, "--to", format, "--json"]);
        assert_eq!(exported.code, Some(0), "{}", exported.stderr);
        assert_eq!(exported.json()["images"], 3);
    }
    assert_eq!(rig.run(&["dataset", "list", "--search", "eule", "--json"]).json(), json!([]));
    let described = rig.run(&["dataset", "describe", &id, "--name", "Große Eule", "--tag", "Holz"]);
    assert_eq!(described.code, Some(0), "{}", described.stderr);
    let found = rig.run(&["dataset", "list", "--search", "holz EULE"]);
    assert!(found.stdout.contains(&id) && found.stdout.contains("Große Eule"), "{}", found.stdout);
    assert_eq!(rig.run(&["dataset", "show", &dir.to_string_lossy()]).code, Some(0));
}

#[test]
fn earlier_scans_without_mounts_are_exported_as_far_as_they_can_be() {
    let rig = TestRig::new(&Recipe::default());
    assert_eq!(rig.run(&["scan"]).code, Some(0));
    let id = rig.scan_id().unwrap();
    make_earlier(&rig.scans().join(&id), true);
    let exported = rig.run(&["dataset", "export", &id, "--to", "colmap", "--json"]).json();
    let lacking = exported["lacking"].to_string();
    assert!(exported["images"] == 3 && lacking.contains("cam0 has no pose"), "{exported}");
}

#[test]
fn a_scan_has_a_name_from_its_beginning_and_keeps_it_through_a_resume() {
    let rig = TestRig::new(&Recipe::default());
    let refused = rig.run(&["scan", "--name", "two\nlines"]);
    assert!(refused.code != Some(0) && refused.stderr.contains("U+000A"), "{}", refused.stderr);
    assert_eq!(rig.scan_id(), None, "nothing is left of it");
    let scan = rig.run(&["scan", "--name", "Owl", "--note", "of wood", "--tag", "b", "--tag", "a"]);
    assert_eq!(scan.code, Some(0), "{}", scan.stderr);
    let id = rig.scan_id().unwrap();
    assert_eq!(rig.run(&["retake", &id, "0"]).code, Some(0));
    assert_eq!(rig.run(&["resume", &id]).code, Some(0));
    rig.assert_complete(&id, "with a name");
    let described = rig.run(&["dataset", "describe", &id, "--json"]).json();
    assert_eq!(described, json!({ "name": "Owl", "note": "of wood", "tags": ["a", "b"] }));
    let described = rig.run(&["dataset", "describe", &id, "--note", "", "--json"]).json();
    assert_eq!(described, json!({ "name": "Owl", "tags": ["a", "b"] }));
}
