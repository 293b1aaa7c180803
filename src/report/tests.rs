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
use crate::scan::{Finding, FindingKind, FrameFacts, Record, RetakenFor, Verdict};
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
        distortion: None,
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
        extrinsics: None,
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

/// A scan of which the gate flagged three images: one at once, one later, and one that was taken again, for `message`.
fn judged(message: &str) -> (tempfile::TempDir, Contents) {
    let root = tempfile::tempdir().unwrap();
    let id: ScanId = "2026-11-21-143005-owl".parse().unwrap();
    let dataset = dataset::create(root.path(), &id, plan(true)).unwrap();
    let verdict = |sharpness: f64| {
        let findings = vec![Finding {
            kind: FindingKind::Blurred,
            value: sharpness,
            limit: 0.5,
            message: format!("{message} {sharpness}"),
        }];
        Verdict { neighbours: 6, tiles: Some(17), sharpness: Some(sharpness), findings, ..Verdict::default() }
    };
    let store = |shot, attempt, verdict: Option<Verdict>| {
        let (facts, shot) = (FrameFacts { verdict: verdict.map(Box::new), ..facts(100.0) }, ShotIndex(shot));
        dataset.note(&Record::Attempted { shot, attempt }).unwrap();
        let jpeg = [0xFF, 0xD8, attempt as u8, 0xFF, 0xD9];
        dataset.store(shot, attempt, &[File::jpeg(&jpeg)], facts).unwrap();
    };
    store(0, 1, Some(verdict(0.25)));
    store(1, 1, None);
    dataset.note(&Record::Flagged { shot: ShotIndex(1), attempt: 1, verdict: verdict(0.375) }).unwrap();
    store(2, 1, Some(verdict(0.125)));
    dataset.retake(ShotIndex(2), RetakenFor::Gate).unwrap();
    store(2, 2, Some(Verdict { neighbours: 6, ..Verdict::default() }));
    store(3, 1, None);
    dataset.retake(ShotIndex(3), RetakenFor::Person).unwrap();
    drop(dataset);
    let contents = dataset::read_contents(&root.path().join(id.as_str())).unwrap();
    (root, contents)
}

#[test]
fn what_the_gate_found_is_told_with_its_numbers_and_what_was_taken_again_with_the_reason() {
    let (_root, contents) = judged("blurred by");
    let page = of(&contents, |_| None);
    let section = |title: &str| {
        let (_, from) = page.split_once(title).unwrap();
        from.split_once("</section>").unwrap().0.to_owned()
    };
    let flagged = section("Not like the others");
    for text in ["low/r01_a000", "blurred by 0.25", "25 %", "6 by 17", "high/r01_a000", "blurred by 0.375"] {
        assert!(flagged.contains(text), "no {text:?} in {flagged}");
    }
    assert!(!flagged.contains("low/r01_a001"), "it was taken again, and is good now: {flagged}");
    let again = section("Taken again");
    for text in
        ["low/r01_a001", "the gate wanted it", "blurred by 0.125", "high/r01_a001", "a person wanted it"]
    {
        assert!(again.contains(text), "no {text:?} in {again}");
    }
    assert!(section("What happened").contains("flagged later: blurred by 0.375"));
    // How long something took decides how many lines a scale has.
    let [harmless, hostile] = ["x", "<b>\""].map(|message| {
        let (_root, mut contents) = judged(message);
        contents.forget_times();
        structure(&of(&contents, |_| None))
    });
    assert_eq!(hostile, harmless);
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
        let plan = std::sync::Arc::make_mut(&mut hostile.plan);
        plan.cameras[0].name.clone_from(&name);
        plan.points[1].label.clone_from(&name);
        hostile.manifest.software = software;
        let page = of(&hostile, |_| None);
        prop_assert_eq!(structure(&page), plain, "{}", page);
    }
}
