use super::*;
use crate::model::{Axis, Optics, Pose};
use crate::plan::PlanCamera;
use crate::scan::Stored;

const CAMERA: CameraIndex = CameraIndex(1);

/// Two rings of two points, two cameras.
fn plan(focus: &[Dioptres]) -> Plan {
    let point = |(turn, lift): (f64, f64)| {
        let pose = Pose::default().with(Axis::Turntable, turn).with(Axis::Lift, lift);
        Point::new(format!("t{turn}_l{lift}"), pose)
    };
    let points = [(0.0, 0.0), (180.0, 0.0), (0.0, 10.0), (180.0, 10.0)].map(point).to_vec();
    let files = PlanCamera::image_alone;
    let camera = |name: &str| PlanCamera {
        name: name.into(),
        intrinsics: Optics::Unknown,
        mount: None,
        extrinsics: None,
        files: files(),
    };
    Plan { points, cameras: vec![camera("cam0"), camera("cam1")] }.with_frames(focus, &[], false)
}

fn shot(point: u32) -> ShotIndex {
    ShotIndex(point * 2 + 1)
}

fn gain(gain: f64) -> Controls {
    Controls { gain: Some(gain), ..Controls::default() }
}

fn stored(shot: ShotIndex, gain: f64) -> Record {
    let facts = FrameFacts {
        taken_at: jiff::Timestamp::UNIX_EPOCH,
        sensor_timestamp_ns: 0,
        exposure: Seconds::ZERO,
        gain,
        white_balance: None,
        focus: Some(Dioptres::new(2.0)),
        clock_uncertainty_us: None,
        sequence: 0,
        sharpness: 0.0,
        clipped_dark: 0.0,
        clipped_bright: 0.0,
        measured: None,
        verdict: None,
    };
    Record::Stored(Stored {
        shot,
        attempt: 1,
        image: String::new(),
        bytes: 0,
        crc32c: 0,
        beside: Vec::new(),
        facts,
    })
}

#[test]
fn a_scan_converges_once_and_a_ring_each_time_until_it_is_known() {
    let plan = plan(&[]);
    let mut scan = HeldSettings::new(HoldSettings::Scan, None, &plan, CAMERA, &[]);
    assert_eq!(scan.prepare(&plan, shot(0)), Prepare::Converge(Controls::default()));
    scan.found(&plan, shot(0), gain(2.0));
    for point in 0..4 {
        assert_eq!(scan.prepare(&plan, shot(point)), Prepare::Nothing);
    }
    let mut ring = HeldSettings::new(HoldSettings::Ring, None, &plan, CAMERA, &[]);
    ring.found(&plan, shot(1), gain(2.0));
    assert_eq!(ring.prepare(&plan, shot(2)), Prepare::Converge(Controls::default()));
    ring.found(&plan, shot(2), gain(3.0));
    assert_eq!(ring.prepare(&plan, shot(3)), Prepare::Nothing);
    // A camera that was to find its settings and did not has those of nobody.
    ring.changing();
    assert_eq!(ring.prepare(&plan, shot(3)), Prepare::Set(gain(3.0)));
    // On the way back to a failed shot.
    assert_eq!(ring.prepare(&plan, shot(0)), Prepare::Set(gain(2.0)));
    ring.is_set(&plan, shot(0));
    assert_eq!(ring.prepare(&plan, shot(1)), Prepare::Nothing);
    let never = HeldSettings::new(HoldSettings::Never, None, &plan, CAMERA, &[stored(shot(0), 2.0)]);
    assert_eq!(never.prepare(&plan, shot(1)), Prepare::Nothing);
}

#[test]
fn points_that_are_added_have_the_settings_of_their_ring() {
    let mut plan = plan(&[]);
    let mut ring = HeldSettings::new(HoldSettings::Ring, None, &plan, CAMERA, &[]);
    ring.found(&plan, shot(2), gain(3.0));
    let at = |lift| Point::new(format!("x{lift}"), Pose::default().with(Axis::Lift, lift));
    plan.add(&[at(10.0), at(20.0)]);
    ring.follow(&plan);
    assert_eq!(ring.prepare(&plan, shot(2)), Prepare::Nothing);
    assert_eq!(ring.prepare(&plan, shot(4)), Prepare::Nothing);
    assert_eq!(ring.prepare(&plan, shot(5)), Prepare::Converge(Controls::default()));
}

#[test]
fn a_resumed_scan_goes_on_with_what_was_recorded_of_this_camera() {
    let plan = plan(&[]);
    let other = ShotIndex(0);
    let records = [stored(shot(0), 2.0), stored(other, 9.0)];
    let scan = HeldSettings::new(HoldSettings::Scan, None, &plan, CAMERA, &records);
    let Prepare::Set(set) = scan.prepare(&plan, shot(3)) else { panic!() };
    assert_eq!((set.gain, set.focus, set.exposure), (Some(2.0), Some(Dioptres::new(2.0)), None));
    let ring = HeldSettings::new(HoldSettings::Ring, None, &plan, CAMERA, &records);
    assert_eq!(ring.prepare(&plan, shot(3)), Prepare::Converge(Controls::default()));
    assert!(matches!(ring.prepare(&plan, shot(1)), Prepare::Set(_)));
}

#[test]
fn a_focus_stack_sets_each_position_and_keeps_the_rest() {
    let steps = [Dioptres::new(1.0), Dioptres::new(4.0)];
    let plan = plan(&steps);
    let focus = |position| Controls { focus: Some(position), ..Controls::default() };
    let mut scan = HeldSettings::new(HoldSettings::Scan, None, &plan, CAMERA, &[]);
    assert_eq!(scan.prepare(&plan, shot(0)), Prepare::Converge(focus(steps[0])));
    scan.found(&plan, shot(0), focus(steps[0]).over(gain(2.0)));
    assert_eq!(scan.prepare(&plan, shot(0)), Prepare::Nothing);
    assert_eq!(scan.prepare(&plan, shot(1)), Prepare::Set(focus(steps[1]).over(gain(2.0))));
    let mut never = HeldSettings::new(HoldSettings::Never, None, &plan, CAMERA, &[]);
    assert_eq!(never.prepare(&plan, shot(0)), Prepare::Set(focus(steps[0])));
    never.is_set(&plan, shot(0));
    assert_eq!(never.prepare(&plan, shot(1)), Prepare::Set(focus(steps[1])));
    let resumed = HeldSettings::new(HoldSettings::Scan, None, &plan, CAMERA, &[stored(shot(0), 2.0)]);
    assert_eq!(resumed.prepare(&plan, shot(1)), Prepare::Set(focus(steps[1]).over(gain(2.0))));
}

#[test]
fn a_bracket_is_of_the_usual_exposure_whether_that_is_found_recorded_or_configured() {
    let stops = [-1.0, 2.0].map(Stops::new);
    let plan = plan(&[]).with_frames(&[], &stops, true);
    let exposed = |ms: f64| Controls { exposure: Some(Seconds::new(ms / 1e3)), ..Controls::default() };
    let mut found = HeldSettings::new(HoldSettings::Scan, None, &plan, CAMERA, &[]);
    assert_eq!(found.prepare(&plan, shot(0)), Prepare::Converge(Controls::default()));
    found.found(&plan, shot(0), exposed(8.0).over(gain(2.0)));
    assert_eq!(found.prepare(&plan, shot(0)), Prepare::Set(exposed(4.0).over(gain(2.0))));
    found.is_set(&plan, shot(0));
    assert_eq!(found.prepare(&plan, shot(0)), Prepare::Nothing);
    assert_eq!(found.prepare(&plan, shot(1)), Prepare::Set(exposed(32.0).over(gain(2.0))));
    assert_eq!(found.prepare(&plan, shot(2)), Prepare::Converge(Controls::default()), "a silhouette");

    let Record::Stored(mut earlier) = stored(shot(1), 2.0) else { panic!() };
    earlier.facts.exposure = Seconds::new(0.032);
    let records = [Record::Stored(earlier)];
    let resumed = HeldSettings::new(HoldSettings::Scan, None, &plan, CAMERA, &records);
    let Prepare::Set(set) = resumed.prepare(&plan, shot(0)) else { panic!() };
    assert!((set.exposure.unwrap().get() - 0.004).abs() < 1e-9, "{set}");

    let never = |configured| HeldSettings::new(HoldSettings::Never, configured, &plan, CAMERA, &[]);
    assert_eq!(never(Some(Seconds::new(0.01))).prepare(&plan, shot(1)), Prepare::Set(exposed(40.0)));
    assert_eq!(never(None).prepare(&plan, shot(1)), Prepare::Unknown);
}

#[test]
fn a_silhouette_has_an_exposure_of_its_own_and_the_lens_where_it_is_for_the_surface() {
    let plan = plan(&[]).with_frames(&[], &[], true);
    let focus = |position| Controls { focus: Some(Dioptres::new(position)), ..Controls::default() };
    let mut scan = HeldSettings::new(HoldSettings::Scan, None, &plan, CAMERA, &[]);
    scan.found(&plan, shot(0), focus(3.0).over(gain(2.0)));
    assert_eq!(scan.prepare(&plan, shot(1)), Prepare::Converge(focus(3.0)));
    scan.found(&plan, shot(1), focus(3.0).over(gain(1.0)));
    assert_eq!(scan.prepare(&plan, shot(2)), Prepare::Set(focus(3.0).over(gain(2.0))));
    scan.is_set(&plan, shot(2));
    assert_eq!(scan.prepare(&plan, shot(3)), Prepare::Set(focus(3.0).over(gain(1.0))));
    // Each ring its own; and what was recorded of a silhouette is for silhouettes.
    let mut ring = HeldSettings::new(HoldSettings::Ring, None, &plan, CAMERA, &[stored(shot(1), 4.0)]);
    assert_eq!(ring.prepare(&plan, shot(0)), Prepare::Converge(Controls::default()));
    ring.found(&plan, shot(0), focus(3.0));
    assert_eq!(ring.prepare(&plan, shot(3)), Prepare::Set(focus(2.0).over(gain(4.0))));
    assert_eq!(ring.prepare(&plan, shot(5)), Prepare::Converge(Controls::default()));
}
