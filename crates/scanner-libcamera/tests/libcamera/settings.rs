//! Exposure, white balance and focus: found, held, set, and compared with what the frames say.

use serde_json::Value;

use crate::rig::{Isp, Recipe, Rig};

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
    let rig = Rig::new(&Recipe { points: 24, isp: Isp::Full, ..Recipe::default() });
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
    let rig =
        Rig::new(&Recipe { points: 24, isp: Isp::Full, camera: "hold = \"never\"", ..Recipe::default() });
    let log = complete(&rig);
    assert!(!log.contains("holds"), "{log}");
    let exposures = all(&rig.facts(), "exposure");
    assert!(spread(&exposures) > 0.1 * exposures[0], "{exposures:?}");
}

#[test]
fn a_resumed_scan_goes_on_with_the_same_settings() {
    let rig = Rig::new(&Recipe { points: 16, isp: Isp::Full, ..Recipe::default() });
    let mut scan = rig.begin();
    scan.until("(6/16");
    drop(scan);
    assert!(!rig.is_left_behind());
    let (code, log) = rig.run(&["resume", &rig.scan_id()]);
    assert!(code == Some(0) && !log.contains("holds"), "{log}");
    let exposures = all(&rig.facts(), "exposure");
    assert!(spread(&exposures) < 0.02 * exposures[0], "{exposures:?}");
}

/// Two rings of six points, which find their settings each.
fn two_rings(isp: Isp) -> Rig {
    let rig = Rig::new(&Recipe { isp, camera: "hold = \"ring\"", ..Recipe::default() });
    rig.reconfigure(
        "shape = \"ring\"\nangles = 8",
        "shape = \"cylinder\"\nangles = 6\nheights = [\"0 mm\", \"20 mm\"]\norder = \"given\"",
    );
    rig.reconfigure(
        "[plan.ring]",
        "[motion.lift]\nspeed = \"40 mm/s\"\nacceleration = \"100 mm/s2\"\ntravel = [\"0 mm\", \"50 mm\"]\n[plan.ring]",
    );
    rig.behave("fps 60\nlight 1");
    rig
}

#[test]
fn each_ring_finds_its_own_and_none_keeps_that_of_the_one_before() {
    // A lens that focuses takes its time, in which everything else has settled.
    for isp in [Isp::FixedLens, Isp::Full] {
        let rig = two_rings(isp);
        let mut scan = rig.begin();
        scan.until("camera cam0 holds exposure").until("(2/12");
        rig.behave("fps 60\nlight 0.5");
        let log = scan.until("camera cam0 holds exposure").complete().to_owned();
        let exposures = all(&rig.facts(), "exposure");
        for ring in exposures.chunks(6) {
            assert!(spread(ring) < 0.02 * ring[0], "{isp:?}: {exposures:?}");
        }
        assert!((exposures[6] / exposures[0] - 2.0).abs() < 0.2, "{isp:?}: {exposures:?} {log}");
    }
}

#[test]
fn a_ring_that_cannot_focus_fails_and_leaves_the_settings_of_the_other_alone() {
    let rig = two_rings(Isp::Full);
    let mut scan = rig.begin();
    scan.until("camera cam0 holds exposure").until("(2/12");
    rig.behave("fps 60\nlight 0.5\nblind");
    // All attempts of one shot; then it finds its focus after all, and the rest is taken.
    scan.until("gave up cam0/");
    rig.behave("fps 60\nlight 0.5");
    scan.complete();
    let facts = rig.facts();
    let exposures = all(&facts, "exposure");
    assert!(spread(&exposures[..6]) < 0.02 * exposures[0], "{exposures:?}");
    assert!(spread(&exposures[6..]) < 0.02 * exposures[6], "{exposures:?}");
    assert!(all(&facts, "focus").iter().all(|position| (position - 4.0).abs() < 0.01), "{facts:?}");
}

#[test]
fn what_a_camera_takes_is_known_only_once_it_is_configured() {
    let long = "controls = { exposure = \"100 ms\", gain = 2.0 }";
    let rig = Rig::new(&Recipe { isp: Isp::Full, camera: long, ..Recipe::default() });
    let (code, said) = rig.run(&["check-config", "--devices"]);
    assert_eq!(code, Some(0), "{said}");
    rig.reconfigure("100 ms", "20 s");
    let (code, said) = rig.run(&["check-config", "--devices"]);
    assert!(code == Some(11) && said.contains("exposure 20: this camera takes 0.00003 to 10"), "{said}");
}

/// Where there is one switch for both.
#[cfg(libcamera_0_4)]
#[test]
fn exposure_alone_is_refused_before_anything_moves() {
    let alone = "controls = { exposure = \"10 ms\" }";
    let rig = Rig::new(&Recipe { isp: Isp::Full, camera: alone, ..Recipe::default() });
    for command in [&["scan"][..], &["check-config", "--devices"]] {
        let (code, said) = rig.run(command);
        assert!(code != Some(0) && said.contains("set both or neither"), "{code:?}: {said}");
    }
    assert!(rig.asked().is_empty(), "{}", rig.asked());
}

#[test]
fn a_focus_stack_that_the_lens_cannot_take_is_an_error_before_anything_moves() {
    for (isp, message) in
        [(Isp::FixedLens, "no control focus"), (Isp::Full, "focus 40: this camera takes 0 to 15")]
    {
        for hold in ["scan", "never"] {
            let hold = format!("hold = \"{hold}\"");
            let plan = "focus = [\"2 dpt\", \"40 dpt\"]";
            let rig = Rig::new(&Recipe { isp, plan, camera: &hold, ..Recipe::default() });
            for command in [&["scan"][..], &["check-config", "--devices"]] {
                let (code, log) = rig.run(command);
                assert!(code == Some(11) && log.contains(message) && !log.contains("moving"), "{log}");
            }
        }
    }
}

#[test]
fn a_deep_focus_stack_with_many_buffers_needs_no_second_attempt() {
    let plan = "focus = [\"1 dpt\", \"14 dpt\"]";
    let rig = Rig::new(&Recipe { points: 6, isp: Isp::Full, plan, ..Recipe::default() });
    rig.reconfigure("[recovery]", "[scan]\nqueue_depth = 20\n[recovery]");
    let log = complete(&rig);
    assert!(!log.contains("failed:"), "{log}");
}

#[test]
fn what_is_set_is_asked_of_the_camera_and_what_frames_say_is_what_was_set() {
    let controls = "controls = { exposure = \"4 ms\", gain = 3.0, white_balance = [1.2, 2.5], focus = \"7 dpt\", \
                    metering = \"spot\", noise_reduction = \"high_quality\", \
                    crop = { x = 0.25, y = 0.25, width = 0.5, height = 0.5 }, \
                    focus_window = { x = 0.5, y = 0.0, width = 0.5, height = 1.0 } }";
    let rig = Rig::new(&Recipe { isp: Isp::Full, camera: controls, ..Recipe::default() });
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
        Rig::new(&Recipe { isp: Isp::Full, camera: "controls = { focus = \"7 dpt\" }", ..Recipe::default() });
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
    let rig = Rig::new(&Recipe { isp: Isp::Full, ..Recipe::default() });
    rig.behave("fps 60\nblind");
    let (code, log) = rig.run(&["scan"]);
    assert_ne!(code, Some(0), "{log}");
    assert!(log.contains("autofocus found nothing sharp") && !log.contains("captured"), "{log}");
}

#[test]
fn a_focus_stack_has_an_image_at_each_position() {
    let rig = Rig::new(&Recipe {
        points: 4,
        isp: Isp::Full,
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
