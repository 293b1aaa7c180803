//! Poses, and exports as archives.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::client::Daemon;
use crate::scans::check_parts;
use crate::support::{Recipe, TestRig};

const FORMATS: [&str; 5] = ["colmap", "nerfstudio", "realityscan", "metashape", "meshroom"];

/// Every file below a folder, by its path in it.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    fn walk(folder: &Path, within: &Path, found: &mut BTreeMap<String, Vec<u8>>) {
        for entry in std::fs::read_dir(within).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(folder, &path, found);
            } else {
                let name = path.strip_prefix(folder).unwrap().to_str().unwrap().to_owned();
                found.insert(name, std::fs::read(&path).unwrap());
            }
        }
    }
    let mut found = BTreeMap::new();
    walk(folder, folder, &mut found);
    found
}

fn python(script: &str, arguments: &[&Path]) -> String {
    let output = Command::new("python3").args(["-c", script]).args(arguments).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// The archive is the folder that the command line makes, byte for byte.
#[test]
fn an_archive_of_each_format_is_what_the_command_line_exports() {
    let daemon = Daemon::start(&Recipe { cameras: 2, ..Recipe::default() });
    let id = daemon.begin();
    daemon.wait_until_idle();
    let folder = |name: &str| daemon.rig.dir.path().join(name);
    for format in FORMATS {
        let archive = check_parts(&daemon, &format!("/api/v1/scans/{id}/exports/{format}.zip"));
        let (zip, unpacked, exported) =
            (folder("a.zip"), folder(&format!("unpacked-{format}")), folder(&format!("folder-{format}")));
        std::fs::write(&zip, archive).unwrap();
        let script = "import sys, zipfile; z = zipfile.ZipFile(sys.argv[1]); assert z.testzip() is None; \
                      z.extractall(sys.argv[2]); \
                      print(*[i.filename for i in z.infolist() if i.external_attr >> 16 & 0o111])";
        let programs = python(script, &[&zip, &unpacked]);
        let to = exported.to_str().unwrap();
        let made = daemon.rig.run(&["dataset", "export", &id, "--to", format, "--out", to]);
        assert_eq!(made.code, Some(0), "{}{}", made.stdout, made.stderr);
        let unpacked = unpacked.join(format!("{id}-{format}"));
        let (mut one, mut other) = (files(&unpacked), files(&exported));
        assert_eq!(one.keys().filter(|name| name.contains(".jpg")).count(), 6, "{format}");
        if format == "meshroom" {
            // Which wants whole paths: those of where it was unpacked.
            one.remove("place.py");
            let (_, _) = (one.remove("scene.sfm"), other.remove("scene.sfm"));
            let placed = Command::new("python3").arg(unpacked.join("place.py")).status().unwrap();
            assert!(placed.success());
            let read = |folder: &Path| -> Value {
                serde_json::from_slice(&std::fs::read(folder.join("scene.sfm")).unwrap()).unwrap()
            };
            let (mut here, there) = (read(&unpacked), read(&exported));
            for (view, other) in
                here["views"].as_array_mut().unwrap().iter_mut().zip(there["views"].as_array().unwrap())
            {
                let path = Path::new(view["path"].as_str().unwrap()).to_owned();
                assert!(path.is_absolute() && path.is_file(), "{}", path.display());
                view["path"] = other["path"].clone();
            }
            assert_eq!(here, there);
        }
        assert!(one == other, "{format}: {:?} and {:?}", one.keys(), other.keys());
        let runs = programs.contains("reconstruct.sh");
        assert_eq!(runs, format == "colmap", "{programs}");
    }
}

#[test]
fn archives_have_the_masks_of_the_scan_where_each_program_looks_for_them() {
    let size = (320, 240);
    let recovery = "capture_timeout = \"60 s\"";
    let rig = TestRig::new(&Recipe { size, recovery, ..Recipe::default() }).without_model();
    let text = std::fs::read_to_string(&rig.config).unwrap();
    // The object fills the image.
    std::fs::write(&rig.config, text.replace("pixel_pitch = \"70 um\"", "pixel_pitch = \"12.6 um\""))
        .unwrap();
    let mut empty = rig.command(&["reference", "--id", "2026-01-01-000000-empty"]);
    assert!(empty.env("SCANNER_SIM_EMPTY", "1").output().unwrap().status.success());
    let id = "2026-01-02-000000-owl";
    for command in [&["scan", "--id", id][..], &["dataset", "masks", id]] {
        let done = rig.run(command);
        assert_eq!(done.code, Some(0), "{}", done.stderr);
    }
    let made = files(&rig.scans().join(id).join("masks"));
    assert_eq!(made.len(), 3);
    let daemon = Daemon::start_in(rig);
    for (format, place) in [
        ("colmap", "masks/cam0/LABEL.jpg.png"),
        ("nerfstudio", "masks/cam0_LABEL.png"),
        ("realityscan", "images/cam0_LABEL.jpg.mask.png"),
        ("metashape", "masks/cam0_LABEL_mask.png"),
        ("meshroom", "masks/cam0_LABEL.png"),
    ] {
        let zip = daemon.rig.dir.path().join("masks.zip");
        let unpacked = daemon.rig.dir.path().join(format!("masks-{format}"));
        let archive = daemon.get(&format!("/api/v1/scans/{id}/exports/{format}.zip"));
        assert_eq!(archive.status, 200, "{format}");
        std::fs::write(&zip, archive.body).unwrap();
        python(
            "import sys, zipfile; zipfile.ZipFile(sys.argv[1]).extractall(sys.argv[2])",
            &[&zip, &unpacked],
        );
        let unpacked = files(&unpacked.join(format!("{id}-{format}")));
        for (name, mask) in &made {
            let label = name.strip_prefix("cam0/").and_then(|name| name.strip_suffix(".png")).unwrap();
            let place = place.replace("LABEL", label);
            assert!(unpacked.get(&place) == Some(mask), "{format}: {place} of {:?}", unpacked.keys());
        }
    }
}

#[test]
fn poses_are_what_the_command_line_prints() {
    let daemon = Daemon::start(&Recipe { cameras: 2, ..Recipe::default() });
    let id = daemon.begin();
    daemon.wait_until_idle();
    let poses = daemon.get(&format!("/api/v1/scans/{id}/poses"));
    assert_eq!(poses.status, 200);
    let poses = poses.json();
    let printed = daemon.rig.run(&["dataset", "poses", &id, "--json"]).json();
    assert_eq!(poses["views"], printed);
    assert_eq!((poses["views"].as_array().unwrap().len(), &poses["lacking"]), (6, &json!([])));
    // The first camera stands 300 mm from the axis, and the turntable at 0.
    let first = &poses["views"][0];
    let at = |index: usize| first["centre"][index].as_f64().unwrap();
    assert!((at(0).hypot(at(1)) - 300.0).abs() < 1e-6 && (at(2) - 60.0).abs() < 1e-6, "{first}");
}

#[test]
fn what_cannot_be_exported_is_refused_and_why_is_said() {
    let daemon = Daemon::start(&Recipe::default());
    let empty = scanner::plan::Plan { points: Vec::new(), cameras: Vec::new() };
    let id = daemon.begin();
    daemon.wait_until_idle();
    drop(scanner::dataset::create(&daemon.rig.scans(), &"empty".parse().unwrap(), empty).unwrap());
    let ask = |path: &str| {
        let answer = daemon.get(&format!("/api/v1/scans/{path}"));
        assert_eq!(answer.header("content-type"), "application/problem+json", "{path}");
        (answer.status, answer.json())
    };
    for (path, says) in [
        ("2020-01-01-000000-owl/poses", "2020-01-01-000000-owl"),
        ("2020-01-01-000000-owl/exports/colmap.zip", "2020-01-01-000000-owl"),
        ("..%2f..%2fetc/exports/colmap.zip", "etc"),
        ("empty/exports/colmap.zip", "nothing to export"),
        (&format!("{id}/exports/blender.zip"), "colmap, nerfstudio, realityscan, metashape, meshroom"),
        (&format!("{id}/exports/colmap"), "FORMAT.zip"),
    ] {
        let (status, problem) = ask(path);
        assert_eq!((status, &problem["type"]), (404, &json!("/problems/not_found")), "{path}: {problem}");
        assert!(problem["detail"].as_str().unwrap().contains(says), "{path}: {problem}");
    }
    let (status, problem) = ask("empty/poses");
    assert_eq!((status, &problem["type"]), (409, &json!("/problems/no_poses")), "{problem}");
    // An archive that leaves something out would look whole.
    let image = daemon.rig.scans().join(&id).join("images/cam0/r01_a002.jpg");
    std::fs::remove_file(&image).unwrap_or_else(|error| panic!("{}: {error}", image.display()));
    let (status, problem) = ask(&format!("{id}/exports/nerfstudio.zip"));
    assert_eq!((status, &problem["type"]), (409, &json!("/problems/dataset")), "{problem}");
    assert!(problem["detail"].as_str().unwrap().contains("r01_a002"), "{problem}");
}

/// A rig of which nobody said where its camera is mounted.
#[test]
fn without_a_mount_there_are_exports_without_poses_and_what_is_missing_is_said() {
    // A simulated camera cannot do without, but one that plays photographs can, if nobody knows it by its name.
    let simulated = TestRig::new(&Recipe::default());
    assert_eq!(simulated.run(&["scan"]).code, Some(0));
    let photos = simulated.scans().join(simulated.scan_id().unwrap()).join("images/cam0");
    let options = format!("directory = {photos:?}");
    let driver = simulated.dir.path().join("webcam");
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_scanner-replay"), &driver).unwrap();
    let driver = driver.to_str().unwrap();
    let rig = TestRig::new(&Recipe { driver, options: &[&options], ..Recipe::default() });
    let config = std::fs::read_to_string(&rig.config).unwrap();
    let (before, mount) = config.split_once("[camera.mount]").unwrap();
    let (_, behind) = mount.split_once("[camera.options]").unwrap();
    std::fs::write(&rig.config, format!("{before}[camera.options]{behind}")).unwrap();
    let daemon = Daemon::start_in(rig);
    let id = daemon.begin();
    daemon.wait_until_idle();
    let poses = daemon.get(&format!("/api/v1/scans/{id}/poses"));
    assert_eq!((poses.status, &poses.json()["type"]), (409, &json!("/problems/no_poses")));
    let detail = poses.json()["detail"].as_str().unwrap().to_owned();
    assert!(detail.contains("cam0 has no pose, since its [camera.mount] is not configured"), "{detail}");
    let archive = daemon.get(&format!("/api/v1/scans/{id}/exports/colmap.zip"));
    assert_eq!(archive.status, 200);
    let zip = daemon.rig.dir.path().join("a.zip");
    std::fs::write(&zip, archive.body).unwrap();
    let names = python("import sys, zipfile; print(*zipfile.ZipFile(sys.argv[1]).namelist())", &[&zip]);
    assert!(!names.contains("sparse/") && names.contains("/images/cam0/r01_a001.jpg"), "{names}");
}

#[test]
fn an_archive_has_merged_images_in_place_of_the_single_ones() {
    let rig = TestRig::new(&Recipe::default());
    let config = std::fs::read_to_string(&rig.config).unwrap();
    let stacked = config.replace("shape = \"ring\"", "shape = \"ring\"\nfocus = [\"3 dpt\", \"4 dpt\"]");
    std::fs::write(&rig.config, stacked).unwrap();
    let daemon = Daemon::start_in(rig);
    let id = daemon.begin();
    daemon.wait_until_idle();
    let zip = daemon.rig.dir.path().join("a.zip");
    let names = || {
        let archive = check_parts(&daemon, &format!("/api/v1/scans/{id}/exports/colmap.zip"));
        std::fs::write(&zip, archive).unwrap();
        let names = python("import sys, zipfile; print(*zipfile.ZipFile(sys.argv[1]).namelist())", &[&zip]);
        let mut images: Vec<_> = names.split_whitespace().filter(|name| name.contains("/images/")).collect();
        images.sort_unstable();
        images.iter().map(|name| name.rsplit('/').next().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(names()[..2], ["r01_a001_f1.jpg", "r01_a001_f2.jpg"]);
    let merged = daemon.rig.run(&["dataset", "merge", &id]);
    assert_eq!(merged.code, Some(0), "{}{}", merged.stdout, merged.stderr);
    assert_eq!(names(), ["r01_a001.jpg", "r01_a002.jpg", "r01_a003.jpg"]);
    let script = "import sys, zipfile; z = zipfile.ZipFile(sys.argv[1]); n = [n for n in z.namelist() if n.endswith('a002.jpg')]; \
                  assert z.read(n[0]) == open(sys.argv[2], 'rb').read()";
    python(script, &[&zip, &daemon.rig.scans().join(&id).join("merged/cam0/r01_a002.jpg")]);
}
