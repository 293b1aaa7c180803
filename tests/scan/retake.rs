//! `scanner retake`, without a service and with one.

use crate::support::{Recipe, TestRig};

#[test]
fn a_shot_is_taken_again_without_a_service() {
    let rig = TestRig::new(&Recipe { cameras: 2, ..Recipe::default() });
    assert_eq!(rig.run(&["scan"]).code, Some(0));
    let id = rig.scan_id().unwrap();
    let shown = rig.run(&["dataset", "show", &id, "--json"]).json();
    assert_eq!(shown["scan"]["state"], "complete", "{shown}");
    let images: Vec<_> = std::fs::read_dir(rig.scans().join(&id).join("images/cam1")).unwrap().collect();
    let label = images[0].as_ref().unwrap().path().file_stem().unwrap().to_string_lossy().into_owned();
    let asked = rig.run(&["retake", &id, &format!("cam1/{label}"), "0"]);
    assert_eq!(asked.code, Some(0), "{}", asked.stderr);
    assert!(
        asked.stdout.contains(&format!("4 of 6 shots are stored; take the others with: scanner resume {id}")),
        "{}",
        asked.stdout
    );
    for (shot, code) in [("cam1/nowhere", 10), ("6", 10), ("cam9/r01_a000", 10)] {
        let refused = rig.run(&["retake", &id, shot]);
        assert_eq!(refused.code, Some(code), "{shot}: {}", refused.stderr);
        assert!(refused.stderr.contains(shot) && refused.stderr.contains("below 6"), "{}", refused.stderr);
    }
    assert_eq!(rig.run(&["resume", &id]).code, Some(0));
    rig.assert_complete(&id, "two shots again");
    let facts = |path: String| {
        let text = std::fs::read_to_string(rig.scans().join(&id).join(path)).unwrap();
        serde_json::from_str::<serde_json::Value>(&text).unwrap()["stored"]["facts"].clone()
    };
    let (before, after) =
        (facts(format!("retaken/cam1/{label}.1.json")), facts(format!("metadata/cam1/{label}.json")));
    assert_ne!(before["taken_at"], after["taken_at"]);
    assert_eq!(before["exposure"], after["exposure"], "it fits the others");
    let kept = rig.scans().join(&id).join(format!("retaken/cam1/{label}.1.jpg"));
    assert!(kept.is_file(), "{}", kept.display());
}
