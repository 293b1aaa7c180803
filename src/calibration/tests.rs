//! Calibrations as they are kept, compared and used.

use jiff::Timestamp;

use super::record::FORMAT;
use super::*;
use crate::model::{Distortion, Intrinsics, Mount, Optics, Pose, Size};
use crate::plan::PlanCamera;
use crate::plan::geometry::{CameraPose, extrinsics};
use crate::units::{Degrees, Dioptres, Millimetres};

const LENS: Intrinsics = Intrinsics {
    width: 640,
    height: 480,
    fx: 700.0,
    fy: 701.0,
    cx: 322.0,
    cy: 238.0,
    pixel_pitch: None,
    distortion: Some(Distortion { k1: -0.1, k2: 0.01, p1: 0.0, p2: 0.0 }),
};

fn mount(distance: f64) -> Mount {
    Mount {
        distance: Millimetres::new(distance),
        height: Millimetres::new(160.0),
        azimuth: Degrees::ZERO,
        look_at_height: Millimetres::new(65.0),
    }
}

fn calibration(lenses: &[(Option<f64>, f64)]) -> Calibration {
    let lens = |(position, fx): &(Option<f64>, f64)| CalibratedLens {
        position: position.map(Dioptres::new),
        intrinsics: Intrinsics { fx: *fx, ..LENS },
        deviations: [0.1; 8],
        measured: vec!["fx".into()],
    };
    let camera = CalibratedCamera {
        name: "cam0".into(),
        mount: mount(400.0),
        extrinsics: extrinsics(&mount(408.0)),
        deviations: Deviations { centre_mm: [0.02; 3], turn_deg: [0.005; 3] },
        lenses: lenses.iter().map(lens).collect(),
        rms_px: 0.2,
        used: 1000,
    };
    Calibration {
        format: FORMAT,
        made: Timestamp::UNIX_EPOCH,
        scan: "2026-11-30-080000".into(),
        software: "scanner".into(),
        cameras: vec![camera],
        rig: RigGeometry {
            turntable: 1.0,
            turntable_deviation: None,
            backlash_deg: Some(0.1),
            backlash_deviation_deg: Some(0.01),
            lift: None,
            lift_deviation: None,
        },
        ring: None,
        targets: Targets::default(),
        rms_px: 0.2,
        used: 1000,
        dropped: 3,
        warnings: Vec::new(),
    }
}

fn planned(intrinsics: Optics) -> PlanCamera {
    let files = PlanCamera::image_alone();
    PlanCamera { name: "cam0".into(), intrinsics, mount: Some(mount(400.0)), extrinsics: None, files }
}

#[test]
fn the_newest_counts_until_it_is_taken_back_and_a_damaged_one_is_named() {
    let state = tempfile::tempdir().unwrap();
    let history = History::of(state.path());
    assert_eq!(history.newest().unwrap(), None);
    assert_eq!(history.take_back().unwrap(), None);
    let (first, second) = (calibration(&[(None, 700.0)]), calibration(&[(None, 710.0)]));
    assert_eq!(history.keep(first.clone()).unwrap().number, 1);
    assert_eq!(history.keep(second.clone()).unwrap().number, 2);
    assert_eq!(history.newest().unwrap().unwrap(), Kept { number: 2, calibration: second });
    assert_eq!(history.take_back().unwrap(), Some(2));
    assert_eq!(history.newest().unwrap().unwrap().calibration, first);

    let path = state.path().join("calibration/000001.json");
    let text = std::fs::read_to_string(&path).unwrap();
    for damaged in ["", "{}", &text.replace("\"format\": 1", "\"format\": 2")] {
        std::fs::write(&path, damaged).unwrap();
        let error = history.newest().unwrap_err().to_string();
        assert!(error.contains("000001.json is no calibration"), "{error}");
    }
}

#[test]
fn a_camera_counts_as_measured_while_it_is_configured_as_it_was() {
    let calibration = calibration(&[(None, 710.0)]);
    let mut camera = planned(Optics::Intrinsics(Intrinsics { distortion: None, ..LENS }));
    apply(&calibration, &mut camera, None).unwrap();
    assert_eq!(camera.intrinsics.intrinsics().unwrap().fx.to_bits(), 710.0_f64.to_bits());
    let pose = camera.pose(&Pose::default()).unwrap();
    let measured = CameraPose::new(&mount(408.0), &Pose::default());
    assert!((pose.centre()[0] - measured.centre()[0]).abs() < 1e-9);

    let mut elsewhere = PlanCamera { mount: Some(mount(390.0)), ..planned(Optics::Unknown) };
    assert_eq!(apply(&calibration, &mut elsewhere, None), Err(Unfit::Moved { then: mount(400.0) }));
    let mut other = PlanCamera { name: "cam9".into(), ..planned(Optics::Unknown) };
    assert_eq!(apply(&calibration, &mut other, None), Err(Unfit::New));
    let mut larger = planned(Optics::Size(Size { width: 1280, height: 960 }));
    assert!(matches!(apply(&calibration, &mut larger, None), Err(Unfit::Size { .. })));
    assert_eq!((elsewhere.extrinsics, larger.extrinsics), (None, None), "nothing is changed");
}

#[test]
fn a_lens_that_moves_counts_as_it_is_nearest_to_where_it_stands() {
    let calibration = calibration(&[(Some(2.0), 700.0), (Some(3.0), 690.0)]);
    let focal = |position: Option<f64>| {
        let mut camera = planned(Optics::Unknown);
        apply(&calibration, &mut camera, position.map(Dioptres::new)).unwrap();
        camera.intrinsics.intrinsics().unwrap().fx.to_bits()
    };
    let wanted = [700.0_f64, 690.0, 700.0].map(f64::to_bits);
    assert_eq!([Some(2.2), Some(9.0), None].map(focal), wanted);
}

#[test]
fn what_is_more_than_chance_has_changed() {
    let before = calibration(&[(None, 700.0)]);
    assert_eq!(changes(&before, &before), []);
    let mut now = calibration(&[(None, 704.0)]);
    now.cameras[0].extrinsics.centre[1] += 3.0;
    now.rig.backlash_deg = Some(0.45);
    let told: Vec<_> = changes(&before, &now).iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        [
            "cam0 has moved by 3.0 mm (x +0.0, y +3.0, z +0.0)",
            "the lens of cam0 has +0.57 % focal length",
            "the turntable's backlash is 0.45°, 0.10° before",
        ]
    );
    // As far, but by measurements that do not know it as well.
    now.cameras[0].deviations.centre_mm = [0.8; 3];
    assert!(!changes(&before, &now).iter().any(|change| matches!(change, Change::Moved { .. })));
}
