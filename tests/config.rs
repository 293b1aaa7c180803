//! Configuration files: those shipped load and say what their comments say; broken ones tell every mistake.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use proptest::prelude::*;
use scanner::config::{Config, ConfigErrors, PlanOrder, PlanShape};
use scanner::plan::Axis;
use scanner::units::{Degrees, Millimetres};

const SHIPPED: &str = include_str!("../config/scanner.toml");

fn shipped(name: &str) -> Config {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("config").join(name);
    Config::load(&path).unwrap_or_else(|errors| panic!("{errors}"))
}

fn messages(errors: &ConfigErrors) -> Vec<&str> {
    errors.problems().iter().map(|problem| problem.message.as_str()).collect()
}

/// A folder with `scanner.toml` and drop-ins.
fn folder(main: &str, drop_ins: &[(&str, &[u8])]) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("scanner.toml");
    fs::write(&path, main).unwrap();
    fs::create_dir(folder.path().join("scanner.toml.d")).unwrap();
    for (name, text) in drop_ins {
        fs::write(folder.path().join("scanner.toml.d").join(name), text).unwrap();
    }
    (folder, path)
}

#[test]
fn the_standard_configuration_is_two_cameras_144_points() {
    for name in ["scanner.toml", "demo.toml"] {
        let config = shipped(name);
        assert_eq!(config.cameras.len(), 2, "{name}");
        let PlanShape::Cylinder { angles, heights } = &config.plans[0].shape else { panic!("{name}") };
        assert_eq!(*angles as usize * heights.len(), 144, "{name}");
        let axes: Vec<Axis> = config.motion.axes.iter().map(|axis| axis.axis).collect();
        assert_eq!(axes, [Axis::Turntable, Axis::Lift], "{name}");
    }
}

#[test]
fn the_demo_has_a_fault_for_each_camera_at_its_own_shots() {
    let config = shipped("demo.toml");
    let faults = |camera: usize| -> Vec<(String, u64)> {
        let faults = config.cameras[camera].options["faults"].as_array().unwrap();
        let fault = |fault: &serde_json::Value| {
            (fault["kind"].as_str().unwrap().into(), fault["shot"].as_u64().unwrap())
        };
        faults.iter().map(fault).collect()
    };
    assert_eq!(faults(0), [("hang".into(), 20), ("queue_buffer".into(), 120)]);
    assert_eq!(faults(1), [("abort".into(), 61), ("stop_hangs".into(), 201)]);
    // A fault at a shot of the other camera would never come.
    assert!(
        faults(0).iter().all(|(_, shot)| shot % 2 == 0) && faults(1).iter().all(|(_, shot)| shot % 2 == 1)
    );
    assert_eq!(config.recovery.capture_timeout, Duration::from_secs(3));
}

#[test]
fn the_examples_are_what_their_comments_say() {
    let one = shipped("examples/one-camera-turntable.toml");
    assert_eq!(one.cameras.len(), 1);
    let ring = |angles| PlanShape::Ring { angles, height: Millimetres::ZERO, tilt: Degrees::ZERO };
    assert_eq!(one.plans[0].shape, ring(72));

    let sphere = shipped("examples/turntable-tilt-sphere.toml");
    let (min_tilt, max_tilt) = (Degrees::ZERO, Degrees::new(80.0));
    assert_eq!(sphere.plans[0].shape, PlanShape::FibonacciSphere { points: 200, min_tilt, max_tilt });
    let max_tilt = Degrees::new(75.0);
    assert_eq!(
        sphere.plans[1].shape,
        PlanShape::LatitudeSphere { points: 120, rings: 6, min_tilt, max_tilt }
    );
    assert_eq!(sphere.cameras[0].intrinsics.fy, 1692.6);

    let four = shipped("examples/four-cameras.toml");
    assert_eq!(four.cameras.len(), 4);
    assert_eq!(four.plans[0].shape, ring(48));
}

#[test]
fn every_shipped_file_is_loaded_by_a_test() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("config");
    let count = |folder: &Path| {
        let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        entries.filter(|path| path.extension().is_some_and(|extension| extension == "toml")).count()
    };
    assert_eq!((count(&root), count(&root.join("examples"))), (2, 3), "a new file needs a test above");
}

#[test]
fn the_documented_defaults_are_the_defaults() {
    // A default is a line "#key = value"; those with no default say so, in the comment above them.
    let no_default = ["keep_scans", "frame_rate", "focus"];
    let mut uncommented = 0;
    let mut comment = String::new();
    let mut lines = Vec::new();
    for line in SHIPPED.lines() {
        let default =
            line.strip_prefix('#').filter(|rest| rest.starts_with(|c: char| c.is_ascii_lowercase()));
        let key = default.and_then(|rest| rest.split(" =").next()).unwrap_or("");
        if no_default.contains(&key) {
            assert!(comment.to_lowercase().contains("no default"), "{line}: {comment}");
        }
        match default {
            // Options belong to the driver.
            Some(rest) if !no_default.contains(&key) && key != "frame_period" => {
                uncommented += 1;
                lines.push(rest);
            }
            _ => lines.push(line),
        }
        comment = if line.starts_with("# ") { line.to_owned() } else { String::new() };
    }
    assert!(uncommented >= 24, "only {uncommented} defaults found");
    let written =
        Config::from_text("scanner.toml", &lines.join("\n")).unwrap_or_else(|errors| panic!("{errors}"));
    assert_eq!(written, Config::from_text("scanner.toml", SHIPPED).unwrap());
}

#[test]
fn defaults_and_derived_values() {
    let config = Config::from_text("/etc/scanner/scanner.toml", SHIPPED).unwrap();
    assert_eq!(config.storage.directory, Path::new("/var/lib/scanner/scans"));
    assert_eq!(config.storage.keep_free.bytes(), 500_000_000);
    assert_eq!(config.plans[0].order, PlanOrder::Fastest);
    assert_eq!(config.cameras[0].options, serde_json::json!({}));
    let intrinsics = config.cameras[0].intrinsics;
    assert_eq!((intrinsics.cx, intrinsics.cy), (1152.0, 648.0));
    assert!((intrinsics.fx - 4740.0 / 2.8).abs() < 1e-9 && intrinsics.fx == intrinsics.fy);
}

#[test]
fn all_mistakes_are_told_at_once_with_line_and_caret() {
    golden(include_str!("config/broken.toml"), include_str!("config/broken.txt"));
}

#[test]
fn plans_that_the_axes_cannot_follow_are_mistakes() {
    golden(include_str!("config/unreachable.toml"), include_str!("config/unreachable.txt"));
}

#[test]
fn all_syntax_errors_are_told_and_nothing_else() {
    golden(include_str!("config/syntax.toml"), include_str!("config/syntax.txt"));
}

fn golden(text: &str, expected: &str) {
    let errors = Config::from_text("scanner.toml", text).unwrap_err();
    let rendered = errors.to_string();
    assert!(rendered.trim_end() == expected.trim_end(), "not as expected, but:\n{rendered}\n");
}

#[test]
fn problems_serialize_for_programs() {
    let errors = Config::from_text("a.toml", "[storage]\njpeg_quality = 0\n").unwrap_err();
    let json = serde_json::to_value(errors.problems()).unwrap();
    let problem = json.as_array().unwrap().iter().find(|problem| problem["line"] == 2).unwrap();
    assert_eq!(problem["file"], "a.toml");
    assert_eq!(problem["column"], 16);
    assert_eq!(problem["message"], "`storage.jpeg_quality` cannot be 0");
    assert_eq!(problem["hint"], "write a value from 1 to 100");
}

#[test]
fn drop_ins_override_key_by_key_in_the_order_of_their_names() {
    let (folder, path) = folder(
        SHIPPED,
        &[
            ("20-b.toml", b"[recovery]\nattempts = 5\n[plan.extra]\nshape = 'list'\nfile = 'points.csv'"),
            ("10-a.toml", b"[recovery]\nattempts = 4\nbackoff = '1 s'\n[plan.cylinder]\nheights = ['10 mm']"),
            (".hidden.toml", b"[recovery]\nattempts = 9"),
            ("30-c.toml.off", b"[recovery]\nattempts = 8"),
        ],
    );
    let config = Config::load(&path).unwrap_or_else(|errors| panic!("{errors}"));
    assert_eq!((config.recovery.attempts, config.recovery.backoff), (5, Duration::from_secs(1)));
    assert_eq!(config.recovery.capture_timeout, Duration::from_secs(10));
    // Lists are replaced, the rest of the table stays.
    let heights = vec![Millimetres::new(10.0)];
    assert_eq!(config.plans[0].shape, PlanShape::Cylinder { angles: 36, heights });
    // A path starts from the folder of the file that names it.
    let file = folder.path().join("scanner.toml.d/points.csv");
    assert_eq!(config.plans[1].shape, PlanShape::List { file });
}

#[test]
fn a_camera_in_a_drop_in_replaces_all_cameras() {
    let camera = b"[[camera]]\nname='top'\ndriver='/opt/drv'\nid='x'\nwidth=640\nheight=480\nfx=500\n\
        mount = { distance = '1 m', height = '0 mm' }";
    let (_folder, path) = folder(SHIPPED, &[("camera.toml", camera)]);
    let names: Vec<String> =
        Config::load(&path).unwrap().cameras.into_iter().map(|camera| camera.name).collect();
    assert_eq!(names, ["top"]);
}

#[test]
fn a_mistake_in_a_drop_in_is_shown_there() {
    let (_folder, path) = folder(SHIPPED, &[("a.toml", b"\n[recovery]\natempts = 5")]);
    let errors = Config::load(&path).unwrap_err();
    let [problem] = errors.problems() else { panic!("{errors}") };
    assert!(problem.file.ends_with("scanner.toml.d/a.toml"), "{problem:?}");
    assert_eq!((problem.line, problem.column), (Some(3), Some(1)));
    assert_eq!(problem.hint.as_deref(), Some("did you mean `attempts`?"));
}

#[test]
fn files_that_cannot_be_read_are_named() {
    let (folder, path) = folder(SHIPPED, &[("a.toml", b"[storage] # \xc3\xa4\n# \xff\n")]);
    let errors = Config::load(&path).unwrap_err();
    assert_eq!(messages(&errors), ["the file is not UTF-8 text"]);
    assert_eq!((errors.problems()[0].line, errors.problems()[0].column), (Some(2), Some(3)));

    fs::create_dir(folder.path().join("scanner.toml.d/b.toml")).unwrap();
    let errors = Config::load(&path).unwrap_err();
    assert_eq!(errors.problems().len(), 2, "{errors}");
    assert!(errors.problems()[1].file.ends_with("b.toml"), "{errors}");

    let missing = folder.path().join("none.toml");
    let errors = Config::load(&missing).unwrap_err();
    assert_eq!(errors.problems()[0].file, missing.display().to_string());
    assert!(errors.problems()[0].message.contains("No such file"), "{errors}");
}

#[test]
fn the_start_button_starts_the_named_plan_or_the_first_one() {
    let plans = "[plan.zebra]\nshape='ring'\nangles=1\n[plan.ant]\nshape='ring'\nangles=2\n";
    let names = |text: &str| -> Vec<String> {
        let config = Config::from_text("a.toml", text).unwrap_or_else(|errors| panic!("{errors}"));
        config.plans.into_iter().map(|plan| plan.name).collect()
    };
    let (before, after) = SHIPPED.split_once("[scan]").unwrap();
    assert_eq!(names(&format!("{before}{plans}[scan]{after}")), ["cylinder", "zebra", "ant"]);
    assert_eq!(names(&format!("{before}{plans}[scan]\nplan='ant'{after}")), ["ant", "cylinder", "zebra"]);
}

#[test]
fn relative_folders_start_from_the_file() {
    let text = SHIPPED.replace("[storage]", "[storage]\ndirectory = 'scans'\nruntime_directory = '/tmp/run'");
    let storage = Config::from_text("/srv/scanner/a.toml", &text).unwrap().storage;
    assert_eq!(storage.directory, Path::new("/srv/scanner/scans"));
    assert_eq!(storage.runtime_directory, Path::new("/tmp/run"));
}

proptest! {
    #[test]
    fn no_text_panics(text in "\\PC*") {
        let _ = Config::from_text("a.toml", &text);
    }

    #[test]
    fn no_toml_like_text_panics(parts in prop::collection::vec(
        prop::sample::select(vec![
            "[", "]", "[[", "]]", "{", "}", "=", ".", ",", "\n", "\r\n", "\"", "'", "\"\"\"", " ", "#", "\t", "é", "\u{feff}",
            "camera", "plan", "a", "motion", "options", "shape", "\"list\"", "0x_", "1e400", "nan", "99999999999999999999",
            "2025-01-01", "true", "\\u0000", "\"10 s\"", "[[camera]]\n", "[camera.mount]\n", "[plan.a]\n", "width = ",
        ]), 0..40)) {
        let _ = Config::from_text("a.toml", &parts.concat());
    }

    #[test]
    fn no_damage_to_a_real_file_panics(
        start in 0..SHIPPED.len(), length in 0..200_usize, insert in "\\PC{0,4}",
    ) {
        let mut bytes = SHIPPED.as_bytes().to_vec();
        let end = (start + length).min(bytes.len());
        bytes.splice(start..end, insert.bytes());
        let text = String::from_utf8_lossy(&bytes);
        if let Err(errors) = Config::from_text("a.toml", &text) {
            prop_assert!(!errors.problems().is_empty());
        }
    }
}
