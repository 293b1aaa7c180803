//! Focus stacks and exposure brackets, from the plan to merged images in exports.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use serde_json::Value;

use crate::refused::edit;
use crate::support::{Recipe, TestRig};

const CONTROLS: &str = "[camera.controls]\nexposure = \"10 ms\"\ngain = 1.0";
/// A lens that blurs what it is not focused at, and breathes.
const LENS: &str = "defocus_by_depth = true\nbreathing = 0.01\n";

/// A rig whose plan has `stack` at each of two points.
fn rig(stack: &str, options: &str, size: (u32, u32)) -> TestRig {
    let rig = TestRig::new(&Recipe { angles: 2, size, options: &[options], ..Recipe::default() });
    edit(&rig, "shape = \"ring\"", &format!("shape = \"ring\"\n{stack}"));
    edit(&rig, "[camera.mount]", &format!("{CONTROLS}\n[camera.mount]"));
    edit(&rig, "pixel_pitch = \"70 um\"", &format!("pixel_pitch = \"{} um\"", 4480 / size.0));
    edit(&rig, "keep_free = \"1 MB\"", "keep_free = \"1 MB\"\njpeg_quality = 95");
    rig
}

fn scan(rig: &TestRig, code: i32) -> String {
    let scan = rig.run(&["scan"]);
    assert_eq!(scan.code, Some(code), "{}", scan.stderr);
    rig.scan_id().unwrap()
}

fn merge(rig: &TestRig, id: &str) -> Value {
    rig.run(&["dataset", "merge", id, "--json"]).json()
}

/// Luma of a JPEG.
fn luma(path: &Path) -> Vec<u8> {
    turbojpeg::decompress(&fs::read(path).unwrap(), turbojpeg::PixelFormat::GRAY).unwrap().pixels
}

/// In decibels.
fn psnr(a: &[u8], b: &[u8]) -> f64 {
    assert_eq!(a.len(), b.len());
    let squares = a.iter().zip(b).map(|(a, b)| (f64::from(*a) - f64::from(*b)).powi(2));
    10.0 * (255.0 * 255.0 * a.len() as f64 / squares.sum::<f64>()).log10()
}

fn names(folder: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn a_focus_stack_is_merged_after_the_scan_and_exported_as_one_sharp_image() {
    let focus = "focus = [\"2.6 dpt\", \"3.1 dpt\", \"3.6 dpt\", \"4.1 dpt\", \"4.6 dpt\"]";
    let stacked = rig(focus, LENS, (960, 720));
    edit(&stacked, "[recovery]", "[merge]\nafter_scan = true\n[export]\nformats = [\"colmap\"]\n[recovery]");
    let id = scan(&stacked, 0);
    stacked.assert_complete(&id, "with merged images in its folder");
    let dir = stacked.scans().join(&id);
    assert_eq!(names(&dir.join("merged/cam0")), ["r01_a001.jpg", "r01_a002.jpg"]);
    let export = dir.join("exports/colmap");
    assert_eq!(names(&export.join("images/cam0")), ["r01_a001.jpg", "r01_a002.jpg"]);
    let poses = fs::read_to_string(export.join("sparse/0/images.txt")).unwrap();
    assert_eq!(poses.matches(".jpg\n").count(), 2, "{poses}");
    let all = stacked.run(&["dataset", "export", &id, "--to", "metashape", "--singles"]);
    assert_eq!(all.code, Some(0), "{}", all.stderr);
    assert_eq!(names(&dir.join("exports/metashape/images")).len(), 10);

    // The same with a lens that is sharp everywhere, where the middle of the stack is.
    let sharp = rig("", &format!("{LENS}aperture = \"0 mm\"\n"), (960, 720));
    edit(&sharp, "gain = 1.0", "gain = 1.0\nfocus = \"3.6 dpt\"");
    let truth = luma(&sharp.scans().join(scan(&sharp, 0)).join("images/cam0/r01_a001.jpg"));
    let of = |path: &str| psnr(&luma(&dir.join(path)), &truth);
    let singles = [1, 2, 3, 4, 5].map(|step| of(&format!("images/cam0/r01_a001_f{step}.jpg")));
    let (best, merged) = (singles.iter().copied().fold(0.0, f64::max), of("merged/cam0/r01_a001.jpg"));
    // In so small an image, details are as small as a pixel, and lose some when it is scaled: in 12 megapixels it is 42 dB.
    assert!(merged > best + 1.5 && merged > 36.0, "merged {merged:.1} dB, single {singles:.1?} dB");

    // What is there stays, and one that is taken again makes it anew.
    let kept = merge(&stacked, &id);
    assert!(kept["merged"].as_array().unwrap().iter().all(|made| made["kept"] == true), "{kept}");
    assert_eq!(stacked.run(&["retake", &id, "cam0/r01_a001_f2"]).code, Some(0));
    let outdated = stacked.run(&["dataset", "export", &id, "--to", "nerfstudio"]);
    assert!(outdated.stdout.contains("are not merged"), "{}", outdated.stdout);
    assert_eq!(names(&dir.join("exports/nerfstudio/images")).len(), 5, "four single ones, one merged");
    assert_eq!(stacked.run(&["resume", &id]).code, Some(0));
    assert_eq!(names(&dir.join("exports/colmap-2/images/cam0")).len(), 2);
    assert_eq!(stacked.run(&["dataset", "verify", &id]).code, Some(0));
}

#[test]
fn a_bracket_is_exposed_as_planned_and_found_to_be_well_by_the_gate_and_gives_one_image() {
    let rig = rig("bracket = [\"-2 EV\", \"0 EV\", \"2 EV\"]", "", (320, 240));
    edit(&rig, "angles = 2", "angles = 6");
    let run = rig.run(&["scan"]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let id = rig.scan_id().unwrap();
    let dir = rig.scans().join(&id);
    for angle in 1..=6 {
        for (step, exposure) in [(1, "0.0025 s"), (2, "0.01 s"), (3, "0.04 s")] {
            let metadata = dir.join(format!("metadata/cam0/r01_a00{angle}_e{step}.json"));
            let metadata: Value = serde_json::from_slice(&fs::read(metadata).unwrap()).unwrap();
            let facts = &metadata["stored"]["facts"];
            assert_eq!(facts["exposure"], exposure);
            let findings = facts["verdict"]["findings"].as_array().map_or(0, Vec::len);
            assert_eq!(findings, 0, "{facts}");
        }
    }
    assert_eq!(merge(&rig, &id)["merged"].as_array().unwrap().len(), 6);
    let white = |path: &str| {
        let luma = luma(&dir.join(path));
        luma.iter().filter(|value| **value > 250).count() as f64 / luma.len() as f64
    };
    let dark = |path: &str| {
        let luma = luma(&dir.join(path));
        luma.iter().filter(|value| **value < 30).count() as f64 / luma.len() as f64
    };
    let single = (white("images/cam0/r01_a001_e3.jpg"), dark("images/cam0/r01_a001_e1.jpg"));
    assert!(single.0 > 0.1 && single.1 > 0.2, "{single:?}");
    let merged = "merged/cam0/r01_a001.jpg";
    assert!(white(merged) < 0.01 && dark(merged) < 0.1, "{} {}", white(merged), dark(merged));
    // No exposure can be held where each image finds its own.
    edit(&rig, "exposure = \"10 ms\"\n", "");
    edit(&rig, "pixel_pitch", "hold = \"never\"\npixel_pitch");
    let refused = rig.run(&["scan"]);
    assert_eq!(refused.code, Some(11), "{}", refused.stderr);
    assert!(refused.stderr.contains("bracket cannot be taken"), "{}", refused.stderr);
}

#[test]
fn a_stack_with_images_missing_is_merged_from_what_there_is() {
    let faults = "faults = [\n    { kind = \"invalid_argument\", shot = 1, times = 100 },\n    \
                  { kind = \"invalid_argument\", shot = 3, times = 100 },\n    \
                  { kind = \"invalid_argument\", shot = 4, times = 100 },\n]";
    let rig = rig("focus = [\"3 dpt\", \"4 dpt\", \"5 dpt\"]", faults, (160, 120));
    let id = scan(&rig, 4);
    let report = merge(&rig, &id);
    let merged = report["merged"].as_array().unwrap();
    assert_eq!(
        (merged.len(), &merged[0]["from"], &merged[0]["missing"]),
        (1, &2.into(), &1.into()),
        "{report}"
    );
    assert_eq!(report["without"][0]["stack"], "cam0/r01_a002");
    let said = rig.run(&["dataset", "merge", &id]).stdout;
    assert!(
        said.contains("is merged from 2 of 3 images") && said.contains("1 of its 3 images are there"),
        "{said}"
    );
    let export = rig.run(&["dataset", "export", &id, "--to", "colmap"]);
    assert_eq!(export.code, Some(0), "{}", export.stderr);
    // The one that is left of the other stack goes along as it is.
    let images = names(&rig.scans().join(&id).join("exports/colmap/images/cam0"));
    assert_eq!((images.len(), images[0].as_str()), (2, "r01_a001.jpg"));
}

#[test]
fn a_scan_without_stacks_has_nothing_to_be_merged() {
    let rig = TestRig::new(&Recipe::default());
    let id = scan(&rig, 0);
    let refused = rig.run(&["dataset", "merge", &id]);
    assert_eq!(refused.code, Some(1));
    assert!(refused.stderr.contains("has no stacks"), "{}", refused.stderr);
}

/// Has `enfuse` be this script, and merges with it.
fn with_enfuse(rig: &TestRig, id: &str, script: Option<&str>) -> (Option<i32>, String) {
    let folder = rig.dir.path().join("programs");
    fs::create_dir_all(&folder).unwrap();
    let program = folder.join("enfuse");
    let _ = fs::remove_file(&program);
    if let Some(script) = script {
        fs::write(&program, format!("#!/bin/sh\nPATH=/usr/bin:/bin\n{script}\n")).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    }
    let mut command = rig.command(&["dataset", "merge", id, "--program", "enfuse", "--again"]);
    let run = command.env("PATH", &folder).output().unwrap();
    let said = [run.stdout, run.stderr].concat();
    (run.status.code(), String::from_utf8(said).unwrap())
}

#[test]
fn what_enfuse_makes_is_checked_and_without_it_the_package_is_named() {
    let rig = rig("focus = [\"3 dpt\", \"4 dpt\"]", "", (160, 120));
    edit(&rig, "angles = 2", "angles = 1");
    let id = scan(&rig, 0);
    let dir = rig.scans().join(&id);
    let (code, said) = with_enfuse(&rig, &id, None);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("install the package enfuse"), "{said}");

    // It is given its options, where to write, and the images behind `--`; the last one stands for what it makes.
    let good = "while [ \"$1\" != -- ]; do [ \"$1\" = --output ] && out=$2; echo \"$1\" >> \"${out%/*}/../../asked\"; shift; done\n\
                [ \"$OMP_NUM_THREADS\" = 1 ] && cp \"$3\" \"$out\"";
    let (code, said) = with_enfuse(&rig, &id, Some(good));
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("1 merged images, 0 of which were there"), "{said}");
    let merged = dir.join("merged/cam0/r01_a001.jpg");
    let [made, like] = [merged.clone(), dir.join("images/cam0/r01_a001_f2.jpg")].map(|path| luma(&path));
    assert!(psnr(&made, &like) > 40.0);
    assert_eq!(names(&dir.join("merged")), ["cam0"], "nothing is left beside it");

    for (script, what) in [
        ("echo no room for it >&2; exit 3", "enfuse failed (exit status: 3): no room for it"),
        ("exit 0", "enfuse failed (exit status: 0)"),
        ("while [ \"$1\" != --output ]; do shift; done; echo rubbish > \"$2\"", "what enfuse made:"),
    ] {
        let (code, said) = with_enfuse(&rig, &id, Some(script));
        assert_eq!(code, Some(0), "{said}");
        assert!(said.contains(what) && said.contains("0 merged images"), "{said}");
        assert!(!merged.exists(), "what was there is not what was asked for");
        assert_eq!(names(&dir.join("merged")), ["cam0"]);
    }
}
