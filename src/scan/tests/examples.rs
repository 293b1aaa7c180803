//! Moves one by one: the last allowed try and the one after, and what may not happen.

use crate::camera_driver::protocol::ErrorKind;
use crate::config::{CaptureOrder, OnFailedShot, OnWedgedCamera, Rung};
use crate::plan::{CameraIndex, PointIndex, ShotIndex};

use super::super::tests_support::{plan, policy};
use super::super::{Action, End, IllegalInput, Input, Outcome, Policy, Record, State, WaitsFor};

const CAM0: CameraIndex = CameraIndex(0);

fn started(points: u32, cameras: u16, policy: Policy) -> (State, Vec<Action>) {
    let mut state = State::new(plan(points, cameras), policy);
    let actions = state.step(Input::Start).unwrap();
    (state, actions)
}

fn captures(actions: &[Action]) -> Vec<u32> {
    let capture = |action: &Action| match action {
        Action::Capture { shot, .. } => Some(shot.0),
        Action::Record(_)
        | Action::Move { .. }
        | Action::Recover { .. }
        | Action::Interrupt
        | Action::End(_) => None,
    };
    actions.iter().filter_map(capture).collect()
}

fn fail(state: &mut State, shot: u32, kind: ErrorKind) -> Vec<Action> {
    state.step(Input::CaptureFailed { shot: ShotIndex(shot), kind, message: "test".into() }).unwrap()
}

fn store(state: &mut State, shot: u32) -> Vec<Action> {
    let mut actions = state.step(Input::Captured { shot: ShotIndex(shot) }).unwrap();
    actions.extend(state.step(Input::Stored { shot: ShotIndex(shot) }).unwrap());
    actions
}

fn end(actions: &[Action]) -> Option<&End> {
    match actions.last() {
        Some(Action::End(end)) => Some(end),
        _ => None,
    }
}

#[test]
fn all_cameras_of_a_point_at_once_or_one_after_the_other() {
    let (_, actions) = started(2, 2, policy());
    assert_eq!(actions[0], Action::Move { point: PointIndex(0) });
    assert_eq!(captures(&actions), [0, 1]);

    let mut sequential = policy();
    sequential.scan.capture = CaptureOrder::Sequential;
    let (mut state, actions) = started(2, 2, sequential);
    assert_eq!(captures(&actions), [0]);
    assert_eq!(captures(&state.step(Input::Captured { shot: ShotIndex(0) }).unwrap()), [1]);
}

#[test]
fn the_axes_move_on_when_the_last_frame_is_in_hand_not_when_it_is_stored() {
    let (mut state, _) = started(2, 2, policy());
    assert!(state.step(Input::Captured { shot: ShotIndex(1) }).unwrap().is_empty());
    let actions = state.step(Input::Captured { shot: ShotIndex(0) }).unwrap();
    assert_eq!(actions[0], Action::Move { point: PointIndex(1) });
    assert_eq!(state.counts().in_hand, 2);
}

#[test]
fn a_shot_is_given_up_after_its_last_try_and_tried_once_more_at_the_end() {
    let (mut state, _) = started(2, 1, policy());
    for rung in [Rung::Restart, Rung::Respawn] {
        let actions = fail(&mut state, 0, ErrorKind::Timeout);
        assert!(matches!(&actions[1], Action::Recover { rung: is, .. } if *is == rung), "{actions:?}");
        assert_eq!(captures(&state.step(Input::Recovered { camera: CAM0 }).unwrap()), [0]);
    }
    let actions = fail(&mut state, 0, ErrorKind::Timeout);
    assert!(matches!(&actions[1], Action::Record(Record::ShotFailed { shot: ShotIndex(0), .. })));
    assert!(actions.contains(&Action::Move { point: PointIndex(1) }));
    assert_eq!(captures(&actions), [] as [u32; 0], "a camera that failed comes back first");
    assert_eq!(captures(&state.step(Input::Recovered { camera: CAM0 }).unwrap()), [1]);

    let actions = store(&mut state, 1);
    assert_eq!(captures(&actions), [0]);
    let fourth = Action::Capture { shot: ShotIndex(0), attempt: 4 };
    assert!(actions.contains(&fourth), "attempts are counted over the life of the scan: {actions:?}");
    assert_eq!(end(&store(&mut state, 0)), Some(&End::Finished(Outcome::Complete)));
}

#[test]
fn a_scan_with_a_shot_missing_never_says_complete() {
    let mut once = policy();
    once.recovery.attempts = 1;
    let (mut state, _) = started(1, 2, once);
    store(&mut state, 1);
    let actions = fail(&mut state, 0, ErrorKind::Gone);
    assert!(actions.contains(&Action::Move { point: PointIndex(0) }), "once more at the end");
    state.step(Input::Recovered { camera: CAM0 }).unwrap();
    let actions = fail(&mut state, 0, ErrorKind::Gone);
    assert_eq!(end(&actions), Some(&End::Finished(Outcome::Incomplete)));
}

#[test]
fn a_restart_that_fails_is_followed_by_a_respawn_of_the_same_try() {
    let (mut state, _) = started(1, 1, policy());
    fail(&mut state, 0, ErrorKind::Timeout);
    let failed = Input::RecoveryFailed { camera: CAM0, kind: ErrorKind::Timeout, message: "stop".into() };
    let actions = state.step(failed).unwrap();
    assert!(matches!(&actions[..], [Action::Recover { rung: Rung::Respawn, .. }]), "{actions:?}");
}

/// Each rung that fails is followed by the next one of the same try, up to the reset; only then has the try failed.
#[test]
fn a_camera_on_usb_that_a_new_driver_does_not_find_has_its_port_reset() {
    let (state, _) = started(1, 1, policy());
    let mut state = state.resetting([true]);
    fail(&mut state, 0, ErrorKind::Timeout);
    let failed = || Input::RecoveryFailed { camera: CAM0, kind: ErrorKind::Gone, message: "gone".into() };
    for rung in [Rung::Respawn, Rung::Reset] {
        let actions = state.step(failed()).unwrap();
        assert!(matches!(&actions[..], [Action::Recover { rung: is, .. }] if *is == rung), "{actions:?}");
    }
    let again = state.clone().step(Input::Recovered { camera: CAM0 }).unwrap();
    assert_eq!(captures(&again), [0]);
    let actions = state.step(failed()).unwrap();
    assert!(actions.iter().any(|action| matches!(action, Action::Record(Record::AttemptFailed { .. }))));
    assert!(
        matches!(actions.last(), Some(Action::Recover { rung: Rung::Reset, .. })),
        "the last try: {actions:?}"
    );
}

#[test]
fn failed_shots_end_or_pause_the_scan_as_configured() {
    let ends = [
        (OnFailedShot::Abort, End::Finished(Outcome::Aborted)),
        (OnFailedShot::Pause, End::paused("shot cam0/a000 failed, and scan.on_failed_shot is \"pause\"")),
    ];
    for (on_failed_shot, expected) in ends {
        let mut policy = policy();
        policy.scan.on_failed_shot = on_failed_shot;
        policy.recovery.attempts = 1;
        let (mut state, _) = started(3, 1, policy);
        assert_eq!(end(&fail(&mut state, 0, ErrorKind::Cancelled)), Some(&expected));
    }
}

#[test]
fn a_camera_that_fails_too_many_shots_in_a_row_pauses_the_scan() {
    let mut policy = policy();
    policy.recovery.attempts = 1;
    policy.scan.max_failed_in_a_row = 2;
    let (mut state, _) = started(5, 1, policy);
    assert_eq!(end(&fail(&mut state, 0, ErrorKind::Timeout)), None);
    state.step(Input::Recovered { camera: CAM0 }).unwrap();
    assert!(matches!(end(&fail(&mut state, 1, ErrorKind::Timeout)), Some(End::Paused { .. })));
}

#[test]
fn a_wedged_camera_pauses_the_scan_or_leaves_it_to_the_others() {
    let wedge = |on_wedged_camera| {
        let mut policy = policy();
        policy.scan.on_wedged_camera = on_wedged_camera;
        let (mut state, _) = started(2, 2, policy);
        fail(&mut state, 0, ErrorKind::Crashed);
        let wedged = Input::Wedged { camera: CAM0, message: "stuck in state D".into() };
        let actions = state.step(wedged).unwrap();
        (state, actions)
    };

    let (mut state, actions) = wedge(OnWedgedCamera::Pause);
    assert_eq!(actions, [Action::Interrupt]);
    let actions = state.step(Input::Interrupted { camera: CameraIndex(1) }).unwrap();
    assert!(matches!(end(&actions), Some(End::Paused { .. })));

    let (mut state, actions) = wedge(OnWedgedCamera::Continue);
    let given_up = actions.iter().filter(|a| matches!(a, Action::Record(Record::ShotFailed { .. }))).count();
    assert_eq!(given_up, 2);
    assert_eq!(captures(&store(&mut state, 1)), [3], "no more is asked of the wedged one");
    assert_eq!(end(&store(&mut state, 3)), Some(&End::Finished(Outcome::Incomplete)));
}

#[test]
fn a_frame_that_cannot_be_stored_pauses_the_scan_and_stays_pending() {
    let (mut state, _) = started(2, 1, policy());
    state.step(Input::Captured { shot: ShotIndex(0) }).unwrap();
    let full = Input::StoreFailed { shot: ShotIndex(0), message: "disk full".into() };
    assert_eq!(state.step(full).unwrap(), [Action::Interrupt]);
    let actions = state.step(Input::Interrupted { camera: CAM0 }).unwrap();
    assert_eq!(end(&actions), Some(&End::paused("disk full")));
    assert_eq!(state.counts().stored, 0);
}

#[test]
fn a_person_who_pauses_comes_before_the_hours_and_not_the_other_way_round() {
    let for_hours = || Input::Pause { reason: "hours".into(), waits_for: WaitsFor::Hours, wanted: true };
    let paused = |inputs: [Input; 2]| {
        let (mut state, _) = started(2, 1, policy());
        for input in inputs {
            // Whatever is not obeyed changes nothing.
            let _ = state.step(input);
        }
        end(&state.step(Input::Interrupted { camera: CAM0 }).unwrap()).cloned()
    };
    assert_eq!(paused([for_hours(), Input::pause("button")]), Some(End::paused("button")));
    assert_eq!(paused([Input::pause("button"), for_hours()]), Some(End::paused("button")));
    let hours = Some(End::Paused { reason: "hours".into(), waits_for: WaitsFor::Hours, wanted: true });
    assert_eq!(paused([for_hours(), for_hours()]), hours);
    // The axes were braked by the stop itself.
    assert_eq!(paused([for_hours(), Input::MotionFailed { message: "stopped".into() }]), hours);
}

#[test]
fn a_frame_already_in_hand_is_kept_when_the_scan_stops() {
    let (mut state, _) = started(2, 2, policy());
    state.step(Input::Captured { shot: ShotIndex(0) }).unwrap();
    state.step(Input::pause("button")).unwrap();
    assert_eq!(state.step(Input::pause("again")), Err(IllegalInput::AlreadyHalting));
    state.step(Input::Cancel).unwrap();
    assert!(state.step(Input::Captured { shot: ShotIndex(1) }).unwrap().is_empty(), "it won the race");
    state.step(Input::Stored { shot: ShotIndex(1) }).unwrap();
    let actions = state.step(Input::Stored { shot: ShotIndex(0) }).unwrap();
    assert_eq!(end(&actions), Some(&End::Finished(Outcome::Cancelled)));
    assert_eq!(state.counts().stored, 2);
}

#[test]
fn what_cannot_happen_is_an_error_and_changes_nothing() {
    let mut state = State::new(plan(1, 1), policy());
    assert_eq!(state.step(Input::Cancel), Err(IllegalInput::NotStarted));
    state.step(Input::Start).unwrap();
    let before = state.clone();
    let illegal = [
        (Input::Start, IllegalInput::AlreadyStarted),
        (Input::Captured { shot: ShotIndex(7) }, IllegalInput::NotAsked(CAM0)),
        (Input::Recovered { camera: CAM0 }, IllegalInput::NotAsked(CAM0)),
        (Input::Interrupted { camera: CAM0 }, IllegalInput::NotAsked(CAM0)),
        (Input::Interrupted { camera: CameraIndex(9) }, IllegalInput::NotAsked(CameraIndex(9))),
        (Input::Stored { shot: ShotIndex(0) }, IllegalInput::NotInHand(ShotIndex(0))),
        (Input::Stored { shot: ShotIndex(99) }, IllegalInput::NotInHand(ShotIndex(99))),
    ];
    for (input, error) in illegal {
        assert_eq!(state.step(input), Err(error));
        assert_eq!(state, before);
    }
    store(&mut state, 0);
    assert_eq!(state.step(Input::Cancel), Err(IllegalInput::Ended));
}

#[test]
fn a_journal_of_another_plan_is_refused() {
    let records = [Record::Attempted { shot: ShotIndex(5), attempt: 1 }];
    let error = State::replay(plan(2, 1), policy(), &records).unwrap_err();
    assert!(error.to_string().contains("shot 5"), "{error}");
}

#[test]
fn a_shot_that_a_person_wants_again_is_taken_before_the_scan_goes_on() {
    let (mut state, _) = started(3, 1, policy());
    store(&mut state, 0);
    // At point 1 by now; the camera is not called away from it.
    assert!(captures(&state.step(Input::Retake { shot: ShotIndex(0) }).unwrap()).is_empty());
    let actions = store(&mut state, 1);
    assert_eq!(actions.first(), Some(&Action::Move { point: PointIndex(0) }));
    // Attempts are counted in the life of the scan.
    assert!(actions.contains(&Action::Capture { shot: ShotIndex(0), attempt: 2 }));
    assert_eq!(captures(&store(&mut state, 0)), [2]);
    assert_eq!(end(&store(&mut state, 2)), Some(&End::Finished(Outcome::Complete)));
    assert_eq!(state.step(Input::Retake { shot: ShotIndex(0) }), Err(IllegalInput::Ended));
}

#[test]
fn a_shot_can_be_wanted_again_until_the_last_frame_is_on_the_disk() {
    let (mut state, _) = started(2, 1, policy());
    store(&mut state, 0);
    state.step(Input::Captured { shot: ShotIndex(1) }).unwrap();
    // On its way to the disk, it cannot be called back.
    let last = Input::Retake { shot: ShotIndex(1) };
    assert_eq!(state.step(last), Err(IllegalInput::NotRetakeable(ShotIndex(1))));
    let actions = state.step(Input::Retake { shot: ShotIndex(0) }).unwrap();
    assert_eq!(captures(&actions), [0]);
    assert_eq!(end(&state.step(Input::Stored { shot: ShotIndex(1) }).unwrap()), None);
    assert_eq!(end(&store(&mut state, 0)), Some(&End::Finished(Outcome::Complete)));
}

#[test]
fn a_shot_of_a_wedged_camera_that_is_wanted_again_has_failed() {
    let mut policy = policy();
    policy.scan.on_wedged_camera = OnWedgedCamera::Continue;
    policy.recovery.attempts = 1;
    let (mut state, _) = started(3, 2, policy);
    store(&mut state, 0);
    store(&mut state, 1);
    fail(&mut state, 2, ErrorKind::Timeout);
    store(&mut state, 3);
    // The next point begins with a respawn of the camera that failed.
    state.step(Input::Wedged { camera: CAM0, message: "in state D".into() }).unwrap();
    let actions = state.step(Input::Retake { shot: ShotIndex(0) }).unwrap();
    assert!(
        matches!(&actions[..], [Action::Record(Record::ShotFailed { shot: ShotIndex(0), .. })]),
        "{actions:?}"
    );
    assert_eq!(end(&store(&mut state, 5)), Some(&End::Finished(Outcome::Incomplete)));
}
