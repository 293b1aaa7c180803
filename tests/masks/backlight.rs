//! Masks by silhouettes: with a scan of the empty rig, and without one.

use std::fs;
use std::process::Command;

use serde_json::Value;

use crate::support::{Recipe, TestRig, have};
use crate::{agreements, masks, rig, scan, scan_empty};

const LIGHTS: &str = r#"
[[light]]
name = "ring"
[[light]]
name = "panel"
role = "backlight"
"#;

fn with_lights(rig: TestRig) -> TestRig {
    let text = fs::read_to_string(&rig.config).unwrap();
    fs::write(&rig.config, text + LIGHTS).unwrap();
    rig
}

fn worst(agreements: &[(String, f64)], of: usize, what: &str) -> f64 {
    for (name, agreement) in agreements {
        println!("{name}: {agreement:.4}");
    }
    assert_eq!(agreements.len(), of);
    let worst = agreements.iter().min_by(|a, b| a.1.total_cmp(&b.1)).unwrap();
    println!("{what}: the worst of {of} is {} with {:.4}", worst.0, worst.1);
    worst.1
}

/// How many masks were made by a silhouette, and by the empty rig.
fn sources(report: &Value) -> (usize, usize) {
    let masks = report["masks"].as_array().unwrap();
    let count = |source: &str| masks.iter().filter(|mask| mask[source].is_string()).count();
    (count("silhouette"), count("reference"))
}

#[test]
fn masks_by_silhouette_and_empty_rig_are_the_true_ones_from_every_side() {
    let rig = with_lights(rig((480, 360)));
    let reference = scan_empty(&rig);
    assert_eq!(reference.code, Some(0), "{}", reference.stderr);
    let id = "2026-01-02-000000-owl";
    let dir = scan(&rig, id);
    let report = masks(&rig, id);
    assert_eq!(report["without"], serde_json::json!([]), "{report}");
    assert_eq!(sources(&report), (24, 24), "{report}");
    let found = agreements(&dir);
    assert!(worst(&found, 24, "both") >= 0.97, "{found:?}");
    rig.assert_complete(id, "with silhouettes and masks");

    // A silhouette that is taken again makes its masks anew, and no others.
    let kept = |report: &Value| {
        report["masks"].as_array().unwrap().iter().filter(|mask| mask["kept"] == Value::Bool(true)).count()
    };
    assert_eq!(kept(&masks(&rig, id)), 24);
    assert_eq!(rig.run(&["retake", id, "cam1/r02_a003_b"]).code, Some(0));
    assert_eq!(rig.run(&["resume", id]).code, Some(0));
    assert_eq!(kept(&masks(&rig, id)), 23);

    // Silhouettes are no photographs: an export has none of them.
    let out = rig.dir.path().join("colmap");
    let args = ["dataset", "export", id, "--to", "colmap", "--json", "--out", out.to_str().unwrap()];
    let exported = rig.run(&args).json();
    assert_eq!((exported["images"].as_u64(), exported["masks"].as_u64()), (Some(24), Some(24)), "{exported}");
    let pairs = fs::read_to_string(out.join("pairs.txt")).unwrap();
    assert!(!pairs.contains("_b.jpg") && !pairs.is_empty(), "{pairs}");
}

/// The last of a ring, which tells with all others where the panel is.
fn a_silhouette_that_cannot_be_read_now_is_not_left_out(rig: &TestRig, id: &str) {
    if !have("strace", "a silhouette that cannot be read") {
        return;
    }
    let scanner = rig.command(&["dataset", "masks", id]);
    let made = Command::new("strace")
        .args(["-f", "-qq", "-o", "/dev/null", "-e", "trace=openat", "-e", "inject=openat:error=EIO"])
        .args(["-P", "r01_a008_b.jpg"])
        .arg(scanner.get_program())
        .args(scanner.get_args())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&made.stderr);
    assert!(!made.status.success() && said.contains("r01_a008_b.jpg"), "{:?} {said}", made.status);
}

#[test]
fn masks_by_silhouettes_alone_are_the_true_ones_where_the_panel_is_behind_the_object() {
    let recovery = "capture_timeout = \"60 s\"";
    let recipe =
        Recipe { angles: 8, size: (480, 360), recovery, options: &["seed = 3"], ..Recipe::default() };
    let rig = with_lights(TestRig::new(&recipe)).without_model();
    let text = fs::read_to_string(&rig.config).unwrap();
    // Low, so that hardly any table is seen.
    let text = text
        .replace("pixel_pitch = \"70 um\"", "pixel_pitch = \"8.4 um\"")
        .replace("height = \"60 mm\"", "height = \"5 mm\"");
    fs::write(&rig.config, text).unwrap();
    let id = "2026-01-02-000000-owl";
    let dir = scan(&rig, id);
    a_silhouette_that_cannot_be_read_now_is_not_left_out(&rig, id);
    let report = masks(&rig, id);
    assert_eq!(report["without"], serde_json::json!([]), "{report}");
    assert_eq!(sources(&report), (8, 0), "{report}");
    let made_before = report["masks"].as_array().unwrap().iter().filter(|mask| mask["kept"] == true).count();
    assert_eq!(made_before, 0, "no mask was made by a part of the ring: {report}");
    assert!(report["notes"][0].as_str().unwrap().contains("before the table"), "{report}");
    let found = agreements(&dir);
    assert!(worst(&found, 8, "silhouettes alone") >= 0.97, "{found:?}");
    let said = rig.run(&["dataset", "masks", id]).stdout;
    assert!(said.contains("8 masks (8 by silhouette), 8 of which were there"), "{said}");
}
