//! What a camera takes, and what it does not.

use super::*;
use crate::model::Metering;
use proptest::prelude::*;

fn control(name: &str, domain: Domain) -> Control {
    Control { name: name.into(), domain }
}

fn camera() -> Vec<Control> {
    vec![
        control("exposure", Domain::range(1e-4, 1.0)),
        control("white_balance", Domain::range(0.0, 8.0)),
        control("metering", Domain::Choice { choices: vec!["centre".into(), "spot".into()] }),
        control("crop", Domain::Region),
    ]
}

#[test]
fn what_a_camera_has_and_within_its_range_is_taken() {
    let crop = Region { x: 0.0, y: 0.0, width: 0.5, height: 0.5 };
    let wanted = Controls {
        exposure: Some(Seconds::new(1e-4)),
        white_balance: Some([8.0, 0.0].into()),
        metering: Some(Metering::Spot),
        crop: Some(crop),
        ..Controls::default()
    };
    wanted.check(&camera()).unwrap();
    Controls::default().check(&[]).unwrap();
}

#[test]
fn what_it_lacks_or_does_not_reach_is_named() {
    let refused = |wanted: Controls| wanted.check(&camera()).unwrap_err().to_string();
    let none = Controls::default();
    let said = refused(Controls { gain: Some(1.0), ..none });
    assert!(Controls { gain: Some(1.0), ..none }.check_present(&camera()).is_err());
    Controls { exposure: Some(Seconds::new(2.0)), ..none }.check_present(&camera()).unwrap();
    assert!(said.contains("no control gain") && said.contains("has: exposure, white_balance"), "{said}");
    let said = refused(Controls { exposure: Some(Seconds::new(2.0)), ..none });
    assert_eq!(said, "exposure 2: this camera takes 0.0001 to 1");
    let said = refused(Controls { white_balance: Some([1.0, 8.1].into()), ..none });
    assert_eq!(said, "white_balance 8.1: this camera takes 0 to 8");
    let said = refused(Controls { metering: Some(Metering::Matrix), ..none });
    assert_eq!(said, "metering matrix: this camera takes centre, spot");
}

#[test]
fn what_no_camera_takes_is_refused_before_one_is_known() {
    let none = Controls::default();
    let region = |width| Some(Region { x: 0.0, y: 0.0, width, height: 1.0 });
    none.check_unseen().unwrap();
    let fine = Controls {
        exposure: Some(Seconds::new(1.0)),
        gain: Some(1.0),
        white_balance: Some([1.0, 2.0].into()),
        focus: Some(Dioptres::new(2.0)),
        metering: Some(Metering::Spot),
        crop: region(1.0),
        focus_window: region(0.5),
        noise_reduction: Some(crate::model::NoiseReduction::Off),
    };
    fine.check_unseen().unwrap();
    for wrong in [
        Controls { exposure: Some(Seconds::ZERO), ..fine },
        Controls { gain: Some(-1.0), ..fine },
        Controls { white_balance: Some([1.0, -1.0].into()), ..fine },
        Controls { focus: Some(Dioptres::new(-0.1)), ..fine },
        Controls { crop: region(1.1), ..fine },
        Controls { focus_window: region(0.0), ..fine },
    ] {
        assert!(wrong.check_unseen().is_err(), "{wrong:?}");
    }
}

#[test]
fn a_region_lies_within_and_is_not_empty() {
    let check = |x, y, width, height| {
        let crop = Some(Region { x, y, width, height });
        Controls { crop, ..Controls::default() }.check(&camera())
    };
    check(0.0, 0.0, 1.0, 1.0).unwrap();
    check(0.9, 0.7, 0.1, 0.3).unwrap();
    for (x, y, width, height) in [
        (0.5, 0.0, 0.6, 1.0),
        (0.0, 0.5, 1.0, 0.6),
        (-0.1, 0.0, 0.5, 0.5),
        (0.0, -0.1, 0.5, 0.5),
        (0.0, 0.0, 0.0, 0.5),
        (0.0, 0.0, 0.5, -0.5),
        (f64::NAN, 0.0, 0.5, 0.5),
    ] {
        assert!(check(x, y, width, height).is_err(), "{x} {y} {width} {height}");
    }
    let said = check(0.5, 0.0, 0.6, 1.0).unwrap_err().to_string();
    assert!(said.starts_with("crop 0.6 x 1 at 0.5, 0: this camera takes a region"), "{said}");
}

#[test]
fn what_another_camera_had_is_taken_as_far_as_this_one_goes() {
    let other = Controls { exposure: Some(Seconds::new(9.0)), gain: Some(2.0), ..Controls::default() };
    let taken = other.within(&camera());
    assert_eq!(taken, Controls { exposure: Some(Seconds::new(1.0)), ..Controls::default() });
    taken.check(&camera()).unwrap();
}

/// A camera that takes its own steps only: by how many times they differ, exposures and gains, and else by how much.
#[test]
fn what_is_between_steps_is_at_the_nearest() {
    let steps = |name: &str, steps: &[f64]| control(name, Domain::steps(steps.to_vec()).unwrap());
    let camera = [steps("gain", &[16.0, 1.0, 2.0, 4.0]), steps("focus", &[0.0, 1.0, 10.0])];
    let near = |gain, focus| {
        let wanted = Controls { gain: Some(gain), focus: Some(Dioptres::new(focus)), ..Controls::default() };
        let near = wanted.within(&camera);
        near.check(&camera).unwrap();
        (near.gain.unwrap(), near.focus.unwrap().get())
    };
    assert_eq!(near(7.9, 5.4), (4.0, 1.0));
    assert_eq!(near(8.1, 5.6), (16.0, 10.0));
    assert_eq!(near(0.1, -1.0), (1.0, 0.0));
    let refused = Controls { gain: Some(17.0), ..Controls::default() }.check(&camera).unwrap_err();
    assert!(refused.to_string().contains("this camera takes 1, 2, 4, 16"), "{refused}");
    assert_eq!(Domain::steps(Vec::new()), None);
    // As it was before there were steps.
    let range = serde_json::to_string(&control("gain", Domain::range(1.0, 4.0))).unwrap();
    assert_eq!(range, r#"{"name":"gain","domain":"range","min":1.0,"max":4.0}"#);
    assert_eq!(serde_json::from_str::<Control>(&range).unwrap(), control("gain", Domain::range(1.0, 4.0)));
}

/// Any number there is, the odd ones often.
fn number() -> impl Strategy<Value = f64> {
    let odd = [f64::INFINITY, f64::NEG_INFINITY, f64::NAN, f64::MAX, f64::MIN_POSITIVE, 0.0, -0.0];
    prop_oneof![1 => prop::sample::select(odd.to_vec()), 3 => -1e4..1e4_f64, 1 => any::<f64>()]
}

proptest! {
    #[test]
    fn what_is_near_is_finite_and_near_the_other_way_round(
        a in number(), b in number(), relative in 0.0..0.1_f64, absolute in 0.0..0.1_f64,
    ) {
        prop_assert_eq!(is_near(a, b, relative, absolute), is_near(b, a, relative, absolute));
        prop_assert_eq!(is_near(a, a, relative, absolute), a.is_finite());
        if is_near(a, b, relative, absolute) {
            prop_assert!(a.is_finite() && b.is_finite());
            // The larger one is more than the double of neither, or both are close to nothing.
            prop_assert!((a - b).abs() <= 0.1 * a.abs().max(b.abs()) + 0.1);
        }
    }

    #[test]
    fn a_frame_differs_unless_it_says_what_was_asked_for_or_nothing(
        wanted in 1e-3..100.0_f64, got in number(), which in 0..5_usize,
    ) {
        let of = |value: f64| {
            let mut controls = Controls::default();
            match which {
                0 => controls.exposure = Some(Seconds::new(value)),
                1 => controls.gain = Some(value),
                2 => controls.focus = Some(Dioptres::new(value)),
                3 => controls.white_balance = Some(ColourGains { red: value, blue: 1.0 }),
                _ => controls.white_balance = Some(ColourGains { red: 1.0, blue: value }),
            }
            controls
        };
        prop_assert_eq!(of(wanted).differ_from(&of(wanted)), None);
        prop_assert_eq!(of(wanted).differ_from(&Controls::default()), None);
        prop_assert_eq!(Controls::default().differ_from(&of(got)), None);
        let far = !got.is_finite() || (wanted - got).abs() > 0.07 * wanted.max(got.abs()) + 0.07;
        prop_assert!(!far || of(wanted).differ_from(&of(got)).is_some());
    }
}
