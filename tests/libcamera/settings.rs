//! Exposure, white balance and focus: found, held, set, and compared with what the frames say.

use serde_json::Value;

use crate::rig::{Recipe, Rig};

fn number(facts: &Value, key: &str) -> f64 {
    let value = &facts[key];
    let text = value.as_str().map(|text| text.split(' ').next().unwrap().parse().unwrap());
    text.or_else(|| value.as_f64()).unwrap_or_else(|| panic!("no {key} in {facts}"))
}

fn all(facts: &[Value], key: &str) -> Vec<f64> {
    facts.iter().map(|facts| number(facts, key)).collect()
}

fn spread(values: &[f64]) -> f64 {
    let (min, max) = values.iter().fold((f64::MAX, f64::MIN), |(min, max), v| (min.min(*v), max.max(*v)));
    max - min
}

fn complete(rig: &Rig) -> String {
    let (code, log) = rig.run(&["scan"]);
    assert_eq!(code, Some(0), "{log}");
    log
}

#[test]
fn what_is_automatic_is_found_once_and_held_through_recoveries() {
    let rig = Rig::new(&Recipe { points: 24, isp: true, ..Recipe::default() });
    let mut scan = rig.begin();
    scan.until("camera cam0 holds exposure ").until("(6/24");
    rig.behave("stall");
    scan.until("failed: timeout");
    rig.behave("fps 60");
    scan.until("is back: restart").until("(12/24");
    rig.behave("wedge");
    scan.until("failed: timeout").until("restart of camera cam0 failed");
    rig.behave("fps 60");
    scan.until("is back: respawn");
    scan.complete();
    let facts = rig.facts();
    assert_eq!(facts.len(), 24);
    for key in ["exposure", "gain", "focus"] {
        let values = all(&facts, key);
        assert!(spread(&values) < 0.04 * values[0], "{key}: {values:?}");
    }
    assert!((number(&facts[0], "focus") - 4.0).abs() < 0.01);
    let gains: Vec<_> = facts.iter().map(|facts| facts["white_balance"].clone()).collect();
    assert!(gains.iter().all(|gains| (gains[0].as_f64().unwrap() - 1.9).abs() < 0.1), "{gains:?}");
}

#[test]
fn what_is_not_held_follows_the_light() {
    let rig = Rig::new(&Recipe { points: 24, isp: true, camera: "hold = \"never\"", ..Recipe::default() });
    let log = complete(&rig);
    assert!(!log.contains("holds"), "{log}");
    let exposures = all(&rig.facts(), "exposure");
    assert!(spread(&exposures) > 0.1 * exposures[0], "{exposures:?}");
}

#[test]
fn a_resumed_scan_goes_on_with_the_same_settings() {
    let rig = Rig::new(&Recipe { points: 16, isp: true, ..Recipe::default() });
    let mut scan = rig.begin();
    scan.until("(6/16");
    drop(scan);
    assert!(!rig.is_left_behind());
    let id = std::fs::read_dir(rig.dir.path().join("scans")).unwrap().next().unwrap().unwrap().file_name();
    let (code, log) = rig.run(&["resume", id.to_str().unwrap()]);
    assert!(code == Some(0) && !log.contains("holds"), "{log}");
    let exposures = all(&rig.facts(), "exposure");
    assert!(spread(&exposures) < 0.02 * exposures[0], "{exposures:?}");
}

#[test]
fn each_ring_finds_its_own() {
    let rig = Rig::new(&Recipe { isp: true, camera: "hold = \"ring\"", ..Recipe::default() });
    rig.reconfigure(
        "shape = \"ring\"\nangles = 8",
        "shape = \"cylinder\"\nangles = 6\nheights = [\"0 mm\", \"20 mm\"]\norder = \"given\"",
    );
    rig.reconfigure(
        "[plan.ring]",
        "[motion.lift]\nspeed = \"40 mm/s\"\nacceleration = \"100 mm/s2\"\ntravel = [\"0 mm\", \"50 mm\"]\n[plan.ring]",
    );
    let log = complete(&rig);
    assert_eq!(log.matches("camera cam0 holds exposure").count(), 2, "{log}");
    let exposures = all(&rig.facts(), "exposure");
    for ring in exposures.chunks(6) {
        assert!(spread(ring) < 0.02 * ring[0], "{exposures:?}");
    }
}

#[test]
fn what_is_set_is_asked_of_the_camera_and_what_frames_say_is_what_was_set() {
    let controls = "controls = { exposure = \"4 ms\", gain = 3.0, white_balance = [1.2, 2.5], focus = \"7 dpt\", \
                    metering = \"spot\", noise_reduction = \"high_quality\", \
                    crop = { x = 0.25, y = 0.25, width = 0.5, height = 0.5 }, \
                    focus_window = { x = 0.5, y = 0.0, width = 0.5, height = 1.0 } }";
    let rig = Rig::new(&Recipe { isp: true, camera: controls, ..Recipe::default() });
    let (code, said) = rig.run(&["devices"]);
    assert!(code == Some(0) && said.contains("noise_reduction off, fast, high_quality, minimal"), "{said}");
    complete(&rig);
    for facts in rig.facts() {
        assert!((number(&facts, "exposure") - 0.004).abs() < 1e-4, "{facts}");
        assert!(
            (number(&facts, "gain") - 3.0).abs() < 0.01 && (number(&facts, "focus") - 7.0).abs() < 0.01,
            "{facts}"
        );
        assert!((facts["white_balance"][1].as_f64().unwrap() - 2.5).abs() < 1e-6, "{facts}");
    }
    let asked = rig.asked();
    for (control, value) in [
        ("AwbEnable", "false"),
        ("AeMeteringMode", "1"),
        ("NoiseReductionMode", "2"),
        ("ScalerCrop", "(160, 120)/320x240"),
        ("AfWindows", "(320, 0)/320x480"),
        ("AfMode", "0"),
    ] {
        let line = |line: &str| line.starts_with(&format!("{control} ")) && line.contains(value);
        assert!(asked.lines().any(line), "no {control} {value} in {asked}");
    }
    rig.reconfigure("gain = 3.0", "gain = 20.0");
    let (code, said) = rig.run(&["check-config", "--devices"]);
    assert!(code == Some(11) && said.contains("gain 20: this camera takes 1 to 16"), "{said}");
}

#[test]
fn a_lens_that_does_not_move_is_not_believed() {
    let rig =
        Rig::new(&Recipe { isp: true, camera: "controls = { focus = \"7 dpt\" }", ..Recipe::default() });
    rig.behave("fps 60\njammed");
    let (code, log) = rig.run(&["scan"]);
    assert_ne!(code, Some(0), "{log}");
    assert!(
        log.contains("bad_frame") && log.contains("focus is 1.000 dpt, asked for was 7.000 dpt"),
        "{log}"
    );
}

#[test]
fn autofocus_that_finds_nothing_says_so_and_takes_no_blurred_image() {
    let rig = Rig::new(&Recipe { isp: true, ..Recipe::default() });
    rig.behave("fps 60\nblind");
    let (code, log) = rig.run(&["scan"]);
    assert_ne!(code, Some(0), "{log}");
    assert!(log.contains("autofocus found nothing sharp") && !log.contains("captured"), "{log}");
}

#[test]
fn a_focus_stack_has_an_image_at_each_position() {
    let rig = Rig::new(&Recipe {
        points: 4,
        isp: true,
        plan: "focus = [\"2 dpt\", \"6 dpt\"]",
        ..Recipe::default()
    });
    let log = complete(&rig);
    assert_eq!(log.matches("camera cam0 holds exposure").count(), 1, "{log}");
    let focus: Vec<_> = all(&rig.facts(), "focus").iter().map(|position| position.round()).collect();
    assert_eq!(focus, [2.0, 6.0, 6.0, 2.0, 2.0, 6.0, 6.0, 2.0]);
    let exposures = all(&rig.facts(), "exposure");
    assert!(spread(&exposures) < 0.02 * exposures[0], "{exposures:?}");
    assert!(rig.images(0).iter().any(|image| image.to_string_lossy().contains("_f2")));
}
