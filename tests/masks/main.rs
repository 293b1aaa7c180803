//! Masks of whole scans of the simulated rig, against what its cameras truly saw.
#![expect(clippy::unwrap_used, clippy::panic, clippy::print_stdout, reason = "a test fails by panicking")]

mod backlight;
mod model;
#[path = "../support/mod.rs"]
mod support;

use std::fs;
use std::path::{Path, PathBuf};

use scanner::model::{Intrinsics, Lighting, Mount, Size};
use scanner::plan::Plan;
use scanner::sim::object::{SimOptions, silhouette};
use serde_json::Value;

use support::{Finished, Recipe, TestRig};

/// Two rings and a height between them, two cameras, each with its own seed of noise.
const OPTIONS: [&str; 2] = ["seed = 1", "seed = 2"];

/// A rig whose cameras see an owl that fills their images, from all around and from above.
fn rig(size: (u32, u32)) -> TestRig {
    // Large pictures take a while to be drawn by a program without optimisation.
    let recovery = "capture_timeout = \"60 s\"";
    let rig = TestRig::new(&Recipe { cameras: 2, size, options: &OPTIONS, recovery, ..Recipe::default() });
    let text = fs::read_to_string(&rig.config).unwrap();
    let pitch = format!("pixel_pitch = \"{} um\"", 70.0 * 64.0 / f64::from(size.0) * 0.9);
    let text = text
        .replace("pixel_pitch = \"70 um\"", &pitch)
        .replace("shape = \"ring\"\nangles = 3", "shape = \"sphere\"\ndistribution = \"rings\"\npoints = 12\nrings = 3\nmax_tilt = \"50 deg\"\nmin_tilt = \"0 deg\"")
        .replace("[plan.ring]", TILT);
    fs::write(&rig.config, text).unwrap();
    rig.without_model()
}

const TILT: &str = r#"[motion.tilt]
speed = "60 deg/s"
acceleration = "120 deg/s2"
travel = ["0 deg", "70 deg"]
[plan.ring]"#;

fn scan_empty(rig: &TestRig) -> Finished {
    let mut command = rig.command(&["reference", "--id", "2026-01-01-000000-empty"]);
    Finished::from(command.env("SCANNER_SIM_EMPTY", "1").output().unwrap())
}

fn scan(rig: &TestRig, id: &str) -> PathBuf {
    let scan = rig.run(&["scan", "--id", id]);
    assert_eq!(scan.code, Some(0), "{}", scan.stderr);
    rig.scans().join(id)
}

fn masks(rig: &TestRig, id: &str) -> Value {
    let made = rig.run(&["dataset", "masks", id, "--json"]);
    assert_eq!(made.code, Some(0), "{}", made.stderr);
    made.json()
}

/// The mask at `path`: white is inside. Its size, too.
fn read(path: &Path) -> (Vec<bool>, Size) {
    let mut reader = png::Decoder::new(std::io::Cursor::new(fs::read(path).unwrap())).read_info().unwrap();
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    let info = reader.next_frame(&mut pixels).unwrap();
    assert_eq!((info.color_type, info.bit_depth), (png::ColorType::Grayscale, png::BitDepth::Eight));
    assert!(pixels.iter().all(|value| [0, 255].contains(value)), "black and white");
    (pixels.iter().map(|value| *value == 255).collect(), Size { width: info.width, height: info.height })
}

/// Intersection over union of each mask in `dir` with what the simulated camera truly saw.
fn agreements(dir: &Path) -> Vec<(String, f64)> {
    let plan: Plan = serde_json::from_slice(&fs::read(dir.join("plan.json")).unwrap()).unwrap();
    let agreement = |shot| {
        let (camera, point) = (plan.camera(plan.camera_of(shot)), plan.point(plan.point_of(shot)));
        let (mount, intrinsics): (Mount, Intrinsics) =
            (camera.mount.unwrap(), camera.intrinsics.intrinsics().unwrap());
        let name = format!("masks/{}/{}.png", camera.name, point.label);
        let (mask, size) = read(&dir.join(&name));
        assert_eq!((size.width, size.height), (intrinsics.width, intrinsics.height), "{name}");
        let truth = silhouette(&SimOptions { mount, intrinsics, ..SimOptions::default() }, size, &point.pose);
        let count = |both: fn(bool, bool) -> bool| {
            mask.iter().zip(&truth).filter(|(mask, truth)| both(**mask, **truth)).count() as f64
        };
        (name, count(|mask, truth| mask && truth) / count(|mask, truth| mask || truth))
    };
    let fronts = plan.shots().filter(|shot| plan.lighting_of(*shot) == Lighting::Front);
    fronts.map(agreement).collect()
}

#[test]
fn masks_are_the_true_silhouettes_with_noise_and_shadows_from_every_side() {
    let size = std::env::var("SCANNER_TEST_MASK_SIZE").ok();
    let size = size.map_or((640, 480), |size| {
        let (width, height) = size.split_once('x').unwrap();
        (width.parse().unwrap(), height.parse().unwrap())
    });
    let rig = rig(size);
    let reference = scan_empty(&rig);
    assert_eq!(reference.code, Some(0), "{}", reference.stderr);
    let id = "2026-01-02-000000-owl";
    let dir = scan(&rig, id);
    let report = masks(&rig, id);
    assert_eq!(report["masks"].as_array().unwrap().len(), 24, "{report}");
    assert_eq!(report["without"], serde_json::json!([]), "{report}");
    let agreements = agreements(&dir);
    for (name, agreement) in &agreements {
        println!("{name}: {agreement:.4}");
    }
    let worst = agreements.iter().min_by(|a, b| a.1.total_cmp(&b.1)).unwrap();
    println!("{size:?}: the worst of {} is {} with {:.4}", agreements.len(), worst.0, worst.1);
    assert!(worst.1 >= 0.97, "{agreements:?}");
    rig.assert_complete(id, "masks are no unrecorded files");
}

#[test]
fn a_mask_is_of_its_image_and_none_where_there_is_nothing_to_see() {
    let rig = rig((320, 240));
    let id = "2026-01-02-000000-owl";
    let before = scan(&rig, "2026-01-01-000000-early");
    assert_eq!(scan_empty(&rig).code, Some(0));
    let dir = scan(&rig, id);

    // One from before the empty rig was scanned has none, unless a person says that nothing has changed.
    let refused = rig.run(&["dataset", "masks", "2026-01-01-000000-early"]);
    assert_eq!(refused.code, Some(10), "{}", refused.stdout);
    assert!(refused.stderr.contains("scanner reference"), "{}", refused.stderr);
    let args =
        ["dataset", "masks", "2026-01-01-000000-early", "--reference", "2026-01-01-000000-empty", "--json"];
    assert_eq!(rig.run(&args).json()["masks"].as_array().unwrap().len(), 24);
    assert!(before.join("masks/cam1").is_dir());

    // The empty rig itself shows nothing; an image of the object that takes the place of one is not believed.
    let empty = Finished::from(
        rig.command(&["scan", "--id", "2026-01-03-000000-nothing"])
            .env("SCANNER_SIM_EMPTY", "1")
            .output()
            .unwrap(),
    );
    assert_eq!(empty.code, Some(0), "{}", empty.stderr);
    let nothing = masks(&rig, "2026-01-03-000000-nothing");
    assert_eq!(nothing["masks"], serde_json::json!([]), "{nothing}");
    assert_eq!(nothing["without"].as_array().unwrap().len(), 24);
    assert!(nothing["without"][0]["reason"].as_str().unwrap().contains("empty rig"), "{nothing}");
    assert!(!rig.scans().join("2026-01-03-000000-nothing/masks").exists());

    // What is there and right is kept; of an image that was taken again, it is made again.
    let first = masks(&rig, id);
    let kept = |report: &Value| {
        report["masks"].as_array().unwrap().iter().filter(|mask| mask["kept"] == Value::Bool(true)).count()
    };
    assert_eq!((kept(&first), kept(&masks(&rig, id))), (0, 24));
    assert_eq!(rig.run(&["retake", id, "3"]).code, Some(0));
    assert_eq!(rig.run(&["resume", id]).code, Some(0));
    assert_eq!(kept(&masks(&rig, id)), 23);
    // So is one that was damaged.
    let path = dir.join(first["masks"][5]["mask"].as_str().unwrap());
    let whole = fs::read(&path).unwrap();
    fs::write(&path, &whole[..whole.len() / 2]).unwrap();
    assert_eq!(kept(&masks(&rig, id)), 23);
    assert_eq!(fs::read(&path).unwrap(), whole);
}

/// Each program finds the masks where it looks for them, and they are those of the dataset.
#[test]
fn exports_have_masks() {
    let rig = rig((320, 240));
    let id = "2026-01-02-000000-owl";
    let none = scan(&rig, "2026-01-01-000000-early");
    assert_eq!(scan_empty(&rig).code, Some(0));
    let dir = scan(&rig, id);
    let export = |id: &str, format: &str, out: &str, more: &[&str]| {
        let out = rig.dir.path().join(out);
        let args = ["dataset", "export", id, "--to", format, "--json", "--out", out.to_str().unwrap()];
        let done = rig.run(&[&args, more].concat());
        assert_eq!(done.code, Some(0), "{}", done.stderr);
        (done.json()["masks"].as_u64().unwrap(), out)
    };
    let label = "r02_a003";
    let mask = || fs::read(dir.join(format!("masks/cam1/{label}.png"))).unwrap();
    let places = [
        ("colmap", format!("masks/cam1/{label}.jpg.png")),
        ("nerfstudio", format!("masks/cam1_{label}.png")),
        ("realityscan", format!("images/cam1_{label}.jpg.mask.png")),
        ("metashape", format!("masks/cam1_{label}_mask.png")),
        ("meshroom", format!("masks/cam1_{label}.png")),
    ];
    for (format, place) in &places {
        let (masks, out) = export(id, format, format, &[]);
        assert_eq!((masks, fs::read(out.join(place)).unwrap() == mask()), (24, true), "{format}");
    }
    let transforms: Value =
        serde_json::from_slice(&fs::read(rig.dir.path().join("nerfstudio/transforms.json")).unwrap())
            .unwrap();
    for frame in transforms["frames"].as_array().unwrap() {
        let path = frame["mask_path"].as_str().unwrap();
        assert_eq!(
            path,
            frame["file_path"].as_str().unwrap().replace("images/", "masks/").replace("jpg", "png")
        );
        assert!(rig.dir.path().join("nerfstudio").join(path).is_file(), "{path}");
    }
    assert_eq!(export(id, "colmap", "without", &["--no-masks"]).0, 0);
    assert!(!rig.dir.path().join("without/masks").exists());

    // No reference: an export without masks, unless they are wanted.
    assert_eq!(export("2026-01-01-000000-early", "colmap", "early", &[]).0, 0);
    assert!(!none.join("masks").exists());
    let out = rig.dir.path().join("wanted");
    let refused = rig.run(&[
        "dataset",
        "export",
        "2026-01-01-000000-early",
        "--to",
        "colmap",
        "--masks",
        "--out",
        out.to_str().unwrap(),
    ]);
    assert_eq!(refused.code, Some(10), "{}", refused.stdout);
    assert!(!out.exists());

    // With one image that has none, programs that take all or none get none, and others all that there are.
    let gone = rig.scans().join("2026-01-01-000000-empty").join(format!("images/cam1/{label}.jpg"));
    fs::remove_file(gone).unwrap();
    fs::remove_file(dir.join(format!("masks/cam1/{label}.png"))).unwrap();
    assert_eq!(export(id, "realityscan", "realityscan-23", &[]).0, 23);
    let (masks, out) = export(id, "colmap", "colmap-23", &[]);
    assert_eq!((masks, out.join("masks").exists()), (0, false));
}

#[test]
fn a_scan_of_the_empty_rig_is_kept_and_shown_as_one() {
    let rig = TestRig::new(&Recipe::default());
    let text = fs::read_to_string(&rig.config).unwrap();
    fs::write(&rig.config, text.replace("keep_free", "keep_scans = 1\nkeep_free")).unwrap();
    assert_eq!(scan_empty(&rig).code, Some(0));
    for day in 2..5 {
        scan(&rig, &format!("2026-01-0{day}-000000-owl"));
    }
    let ids = rig.scan_ids();
    assert_eq!(ids.first().map(String::as_str), Some("2026-01-01-000000-empty"), "{ids:?}");
    assert!(ids.len() <= 3, "the others are not kept: {ids:?}");
    let listed = rig.run(&["dataset", "list"]).stdout;
    let empty = listed.lines().filter(|line| line.contains("empty rig")).collect::<Vec<_>>();
    assert!(matches!(empty[..], [line] if line.contains("2026-01-01-000000-empty")), "{listed}");
    rig.assert_complete("2026-01-01-000000-empty", "a reference is a scan like any other");
}
