//! The report of scans that a dataset really holds.

use proptest::prelude::*;
use serde_json::json;

use super::make::of;
use super::{html, write};
use crate::camera_driver::protocol::ErrorKind;
use crate::dataset::{self, Contents, ScanId};
use crate::frame::File;
use crate::model::{Intrinsics, Mount, Optics, Pose};
use crate::plan::{Plan, PlanCamera, Point, ShotIndex};
use crate::scan::{FrameFacts, Record};
use crate::units::{Degrees, Millimetres};

fn plan(known: bool) -> Plan {
    let intrinsics = Intrinsics {
        width: 640,
        height: 480,
        fx: 1000.0,
        fy: 1000.0,
        cx: 320.0,
        cy: 240.0,
        pixel_pitch: None,
    };
    let mount = Mount {
        distance: Millimetres::new(300.0),
        height: Millimetres::new(60.0),
        azimuth: Degrees::ZERO,
        look_at_height: Millimetres::new(50.0),
    };
    let camera = |name: &str| PlanCamera {
        name: name.into(),
        intrinsics: if known { Optics::Intrinsics(intrinsics) } else { Optics::Unknown },
        mount: known.then_some(mount),
        files: PlanCamera::image_alone(),
    };
    let point = |index| {
        let pose = Pose { turntable: Degrees::new(90.0 * f64::from(index)), ..Pose::default() };
        Point::new(format!("r01_a{index:03}"), pose)
    };
    Plan { points: (0..4).map(point).collect(), cameras: vec![camera("low"), camera("high")] }
}

/// As the first versions wrote them.
fn facts(sharpness: f64) -> FrameFacts {
    let facts = json!({
        "taken_at": "2026-11-21T13:30:05Z", "sensor_timestamp_ns": 1, "exposure": "0.01 s", "gain": 1.5,
        "sequence": 1, "sharpness": sharpness, "clipped_dark": 0.0, "clipped_bright": 0.25,
    });
    serde_json::from_value(facts).unwrap()
}

/// A scan with images, a failed attempt, a shot that was given up for `reason`, and one that is pending.
fn contents(known: bool, reason: &str) -> (tempfile::TempDir, Contents) {
    let root = tempfile::tempdir().unwrap();
    let id: ScanId = "2026-11-21-143005-owl".parse().unwrap();
    let dataset = dataset::create(root.path(), &id, plan(known)).unwrap();
    let attempt = |shot, attempt| dataset.note(&Record::Attempted { shot, attempt }).unwrap();
    for index in 0..6 {
        let shot = ShotIndex(index);
        attempt(shot, 1);
        let jpeg = [0xFF, 0xD8, index as u8, 0xFF, 0xD9];
        dataset.store(shot, 1, &[File::jpeg(&jpeg)], facts(100.0 + f64::from(index))).unwrap();
    }
    let shot = ShotIndex(6);
    attempt(shot, 1);
    let message = reason.to_owned();
    dataset.note(&Record::AttemptFailed { shot, attempt: 1, kind: ErrorKind::Timeout, message }).unwrap();
    dataset.note(&Record::ShotFailed { shot, reason: reason.into() }).unwrap();
    drop(dataset);
    let contents = dataset::read_contents(&root.path().join(id.as_str())).unwrap();
    (root, contents)
}

/// What makes markup of text.
fn structure(page: &str) -> [usize; 3] {
    ['<', '>', '"'].map(|mark| page.matches(mark).count())
}

#[test]
fn everything_that_is_known_is_on_the_page_and_no_other_host() {
    let (_root, contents) = contents(true, "no answer");
    let page = of(&contents, |_| Some(b"\xFF\xD8\xFF\xD9".to_vec()));
    for text in [
        "2026-11-21-143005-owl",
        "high/r01_a001: 103",
        "Failed shots",
        "timeout: no answer",
        "From above",
        "0.0 % black, 25.0 % white",
        "data:image/jpeg;base64,/9j/2Q==",
        "1000 px",
    ] {
        assert!(page.contains(text), "no {text:?} in {page}");
    }
    assert!(!page.contains("http:") && !page.contains("https:") && !page.contains("<script"));
    assert!(!page.contains("NaN") && !page.contains("inf\"") && !page.contains("inf "));
}

#[test]
fn a_scan_of_which_little_is_known_has_a_report_as_well() {
    let (root, contents) = contents(false, "no answer");
    let page = of(&contents, |_| None);
    assert!(page.contains("not known") && page.contains("no thumbnail") && !page.contains("From above"));
    assert!(!page.contains("Brightness"));
    let dir = root.path().join("2026-11-21-143005-owl");
    let before = dataset::verify(&dir).unwrap();
    let path = write(&dir, None).unwrap();
    assert_eq!(std::fs::read_to_string(&path).unwrap(), html(&dir).unwrap());
    // Derived, so nothing of the dataset.
    assert_eq!(dataset::verify(&dir).unwrap(), before);
    // Again, in its place; and nothing is left beside it.
    write(&dir, None).unwrap();
    let left = std::fs::read_dir(&dir)
        .unwrap()
        .filter(|entry| entry.as_ref().unwrap().file_name().to_string_lossy().contains("report"));
    assert_eq!(left.count(), 1);
    let elsewhere = root.path().join("a/b.html");
    assert!(write(&dir, Some(&elsewhere)).unwrap_err().to_string().contains("b.html"));
}

#[test]
fn a_scan_without_any_image_has_a_report() {
    let root = tempfile::tempdir().unwrap();
    let id: ScanId = "2026-11-21-143005-owl".parse().unwrap();
    drop(dataset::create(root.path(), &id, plan(true)).unwrap());
    let page = html(&root.path().join(id.as_str())).unwrap();
    assert!(page.contains("From above") && !page.contains("Sharpness</b>"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// Whatever texts say, they stay texts: the page has as much markup as with harmless ones.
    #[test]
    fn no_text_becomes_markup(
        reason in "[ -~]{0,40}|<script>[a-z]{1,9}</script>|\"><img src=x>",
        name in "[<>&\"'a-z/ ]{1,20}",
        software in "[<>&\"'a-z/ ]{0,20}",
    ) {
        let (_root, mut harmless) = contents(true, &"x".repeat(usize::from(!reason.is_empty())));
        // How long something took decides how many lines a scale has.
        harmless.forget_times();
        let plain = structure(&of(&harmless, |_| None));
        let (_root, mut hostile) = contents(true, &reason);
        hostile.forget_times();
        hostile.plan.cameras[0].name.clone_from(&name);
        hostile.plan.points[1].label.clone_from(&name);
        hostile.manifest.software = software;
        let page = of(&hostile, |_| None);
        prop_assert_eq!(structure(&page), plain, "{}", page);
    }
}
