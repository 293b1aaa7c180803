//! Cameras that make files: what they make is stored as it is, all of it or nothing.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::refused::edit;
use crate::support::{Recipe, TestRig};

/// The files below `folder`, by their paths in it.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(at) = folders.pop() {
        for entry in fs::read_dir(at).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(folder).unwrap().to_string_lossy().into_owned();
                found.insert(name, fs::read(&path).unwrap());
            }
        }
    }
    found
}

/// Three photographs of 64 by 48 pixels, each with a raw file, as a camera's card has them.
fn card(rig: &TestRig) -> PathBuf {
    let card = rig.dir.path().join("card");
    fs::create_dir(&card).unwrap();
    for number in 0..3_u8 {
        let pixels: Vec<u8> = (0..64 * 48 * 3_u32).map(|i| (i * 7 % 251) as u8 ^ number).collect();
        let format = turbojpeg::PixelFormat::RGB;
        let image = turbojpeg::Image { pixels: &pixels[..], width: 64, pitch: 192, height: 48, format };
        let mut jpeg = turbojpeg::compress(image, 90, turbojpeg::Subsamp::Sub2x1).unwrap().to_vec();
        // Some cameras fill up the last block.
        jpeg.resize(jpeg.len() + usize::from(number) * 100, 0);
        fs::write(card.join(format!("IMG_{number}.JPG")), jpeg).unwrap();
        fs::write(card.join(format!("IMG_{number}.CR2")), vec![number + 1; 10_000]).unwrap();
    }
    card
}

#[test]
fn files_of_a_camera_are_in_the_scan_byte_for_byte() {
    let options = ["directory = \"CARD\"\ndeliver = [\"jpeg\", \"raw\"]"];
    let rig = TestRig::new(&Recipe { driver: "scanner-replay", options: &options, ..Recipe::default() });
    let card = card(&rig);
    edit(&rig, "CARD", card.to_str().unwrap());
    let scan = rig.run(&["scan"]);
    assert_eq!(scan.code, Some(0), "{}", scan.stderr);
    let id = rig.scan_id().unwrap();
    rig.assert_complete(&id, "of files");
    let on_card = files(&card);
    let folder = rig.scans().join(&id);
    let (images, raw) = (files(&folder.join("images/cam0")), files(&folder.join("raw/cam0")));
    assert_eq!((images.len(), raw.len()), (3, 3));
    for (number, (name, image)) in images.iter().enumerate() {
        assert!(*image == on_card[&format!("IMG_{number}.JPG")], "{name} is not what was on the card");
        let beside = name.replace(".jpg", ".cr2");
        assert!(
            raw[&beside] == on_card[&format!("IMG_{number}.CR2")],
            "{beside} is not what was on the card"
        );
    }
    assert_eq!(files(&folder.join("thumbnails/cam0")).len(), 3);
    // A scan goes on only with what it began with.
    fs::write(folder.join("raw/cam0/r01_a001.cr2"), "damaged").unwrap();
    edit(&rig, "deliver = [\"jpeg\", \"raw\"]", "deliver = [\"jpeg\"]");
    let other = rig.run(&["resume", &id]);
    assert_ne!(other.code, Some(0));
    assert!(other.stderr.contains("with raw files"), "{}", other.stderr);
    edit(&rig, "deliver = [\"jpeg\"]", "deliver = [\"jpeg\", \"raw\"]");
    let resumed = rig.run(&["resume", &id]);
    assert_eq!(resumed.code, Some(0), "{}", resumed.stderr);
    rig.assert_complete(&id, "after resume");
    assert!(files(&folder.join("raw/cam0")) == raw);
    // Another size than the files have cannot be had.
    edit(&rig, "width = 64", "width = 32");
    let wrong = rig.run(&["scan"]);
    assert!(wrong.stderr.contains("have 64x48, so configure that"), "{}", wrong.stderr);
}

#[test]
fn what_a_camera_makes_badly_is_taken_again() {
    let kinds = ["wrong_size", "wrong_stride", "short_descriptor", "abort", "cancelled", "hang"];
    let fault = |(n, kind): (usize, &&str)| format!("{{ kind = \"{kind}\", shot = {} }}", 2 * n);
    let faults = kinds.iter().enumerate().map(fault).collect::<Vec<_>>().join(", ");
    let deliver = "deliver = [\"jpeg\", \"raw\", \"raw\"]\ntimestamps = \"trigger\"";
    let options = [format!("{deliver}\nfaults = [{faults}]"), "deliver = [\"jpeg\"]".to_owned()];
    let options = options.each_ref().map(String::as_str);
    let angles = kinds.len() as u32;
    let rig = TestRig::new(&Recipe { cameras: 2, angles, options: &options, ..Recipe::default() });
    let scan = rig.run(&["scan", "--json"]);
    assert_eq!(scan.code, Some(0), "{}", scan.stderr);
    let failures = scan.json()["failures"].clone();
    assert!(failures["bad_frame"].as_u64() >= Some(3), "{failures}\n{}", scan.stderr);
    let id = rig.scan_id().unwrap();
    rig.assert_complete(&id, "after faults");
    let folder = rig.scans().join(&id);
    assert_eq!(files(&folder.join("raw")).len(), 2 * kinds.len());
    assert!(!folder.join("raw/cam1").exists());
    let report = rig.run(&["dataset", "report", &id]);
    assert_eq!(report.code, Some(0), "{}", report.stderr);
    let report = fs::read_to_string(folder.join("report.html")).unwrap();
    assert_eq!(report.matches("with raw files").count(), 1);
}
