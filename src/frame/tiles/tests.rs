//! Pictures of made-up pixels.

use super::*;
use crate::frame::test_picture::with_luma;

fn measured(width: u32, height: u32, luma: impl Fn(u32, u32) -> u8) -> Measured {
    with_luma(width, height, luma, measure)
}

fn noise(x: u32, y: u32) -> u8 {
    ((x.wrapping_mul(2_654_435_761) ^ y.wrapping_mul(2_246_822_519)).wrapping_mul(3_266_489_917) >> 24) as u8
}

#[test]
fn only_the_parts_with_most_detail_count() {
    let all = measured(320, 240, noise);
    let corner = measured(320, 240, |x, y| if x < 120 && y < 80 { noise(x, y) } else { 90 });
    for (part, whole) in corner.detail.iter().zip(all.detail) {
        assert!((part / whole - 1.0).abs() < 0.1, "{corner:?} {all:?}");
    }
}

/// What the gate finds of images of twelve angles, by the empty rig or without.
mod object {
    use std::ops::Range;
    use std::sync::Arc;

    use super::*;
    use crate::config;
    use crate::model::{Axis, Optics, Pose};
    use crate::plan::{Plan, PlanCamera, Point, ShotIndex};
    use crate::scan::{FindingKind, FrameFacts, Gate, References, Stored, Verdict};
    use crate::units::Seconds;

    const ANGLES: u32 = 12;
    /// Columns and rows of the object: it fills four tiles of 80 by 80 pixels, and parts of twelve others.
    const OBJECT: (Range<u32>, Range<u32>) = (200..440, 120..360);

    #[derive(Clone, Copy)]
    struct Picture {
        angle: u32,
        /// Pixels over which the object is blurred, and the room.
        object: u32,
        room: u32,
        /// How bright everything is.
        light: f64,
    }

    const SHARP: Picture = Picture { angle: 0, object: 0, room: 0, light: 1.0 };

    /// Noise around a middle, blurred.
    fn texture(x: u32, y: u32, middle: f64, blur: u32) -> f64 {
        let around = |at: u32| at..=at + blur;
        let sum: f64 = around(y).flat_map(|y| around(x).map(move |x| f64::from(noise(x, y)))).sum();
        let mean = sum / f64::from((blur + 1) * (blur + 1));
        middle + (mean - 127.5) / 4.0
    }

    fn facts(picture: Option<Picture>) -> FrameFacts {
        let Picture { angle, object, room, light } = picture.unwrap_or(SHARP);
        let measured = measured(640, 480, |x, y| {
            let is_object = picture.is_some() && OBJECT.0.contains(&x) && OBJECT.1.contains(&y);
            let luma = if is_object {
                // Another side of it, which is not as bright.
                let side = 70.0 + 10.0 * (f64::from(angle) / 2.0).sin();
                texture(x + 1000 * angle, y, side, object)
            } else {
                texture(x, y, 140.0, room)
            };
            // The noise of no two pictures is the same.
            (luma * light + f64::from(noise(x + 7777 * (angle + 1), y) / 128)) as u8
        });
        FrameFacts {
            taken_at: jiff::Timestamp::UNIX_EPOCH,
            sensor_timestamp_ns: u64::from(angle),
            exposure: Seconds::new(0.01),
            gain: 1.0,
            white_balance: None,
            focus: None,
            clock_uncertainty_us: None,
            sequence: 0,
            sharpness: 0.0,
            clipped_dark: 0.0,
            clipped_bright: 0.0,
            measured: Some(Box::new(measured)),
            verdict: None,
        }
    }

    fn gate(references: References) -> Gate {
        let point = |index: u32| {
            let pose = Pose::default().with(Axis::Turntable, f64::from(index) * 30.0);
            Point::new(format!("p{index:02}"), pose)
        };
        let camera = PlanCamera {
            name: "cam0".into(),
            intrinsics: Optics::Unknown,
            mount: None,
            extrinsics: None,
            files: PlanCamera::image_alone(),
        };
        let plan = Plan { points: (0..ANGLES).map(point).collect(), cameras: vec![camera] };
        Gate::new(Arc::new(plan), config::Gate::default(), references, &[])
    }

    fn empty() -> References {
        let facts = facts(None);
        References::new((0..ANGLES).map(|shot| (ShotIndex(shot), &facts)))
    }

    /// What is found of images of which the ninth is another one, and its verdict.
    fn found(references: References, ninth: Picture) -> (Vec<(u32, FindingKind)>, Verdict) {
        let mut gate = gate(references);
        let (mut found, mut verdicts) = (Vec::new(), Vec::new());
        for angle in 0..ANGLES {
            let picture = Picture { angle, ..if angle == 8 { ninth } else { SHARP } };
            let mut facts = facts(Some(picture));
            let shot = ShotIndex(angle);
            let verdict = gate.judge(shot, &facts).unwrap();
            found.extend(verdict.findings.iter().map(|finding| (angle, finding.kind)));
            verdicts.push(verdict.clone());
            facts.verdict = Some(Box::new(verdict));
            let stored = Stored {
                shot,
                attempt: 1,
                image: String::new(),
                bytes: 1,
                crc32c: 0,
                beside: Vec::new(),
                facts,
            };
            for late in gate.add(&stored) {
                found.extend(late.verdict.findings.iter().map(|finding| (late.shot.0, finding.kind)));
            }
        }
        (found, verdicts.swap_remove(8))
    }

    #[test]
    fn an_object_that_is_blurred_before_a_room_that_is_sharp_is_found_by_the_empty_rig_alone() {
        let blurred = Picture { object: 3, ..SHARP };
        let (found_without, whole) = found(References::default(), blurred);
        let (found_with, object) = found(empty(), blurred);
        println!("{whole:?} {object:?}");
        assert_eq!((found_without, whole.tiles), (vec![], None));
        assert_eq!((found_with, object.tiles), (vec![(8, FindingKind::Blurred)], Some(16)));
        assert!(object.sharpness.unwrap() < 0.2, "{object:?}");
    }

    #[test]
    fn by_the_empty_rig_nothing_is_found_of_good_images_and_a_room_that_is_blurred_is_none_of_its_business() {
        assert_eq!(found(empty(), SHARP).0, []);
        let (none, verdict) = found(empty(), Picture { room: 3, ..SHARP });
        assert_eq!((none, verdict.tiles), (vec![], Some(16)));
    }

    #[test]
    fn light_that_changes_everywhere_leaves_no_object_and_is_found_in_the_whole() {
        for light in [0.75, 1.3] {
            let (all, verdict) = found(empty(), Picture { light, ..SHARP });
            let kind = if light < 1.0 { FindingKind::Darker } else { FindingKind::Brighter };
            assert_eq!((all, verdict.tiles), (vec![(8, kind)], None), "{verdict:?}");
        }
    }

    #[test]
    fn a_reference_with_another_exposure_is_left_alone() {
        let other = FrameFacts { gain: 1.5, ..facts(None) };
        let references = References::new((0..ANGLES).map(|shot| (ShotIndex(shot), &other)));
        let of = facts(Some(SHARP));
        assert_eq!(
            gate(references.clone()).other_settings(ShotIndex(3), &of).map(|camera| camera.0),
            Some(0)
        );
        assert_eq!(gate(empty()).other_settings(ShotIndex(3), &of), None);
        let (none, verdict) = found(references, Picture { object: 3, ..SHARP });
        assert_eq!((none, verdict.tiles), (vec![], None));
    }
}
