//! Rings of made-up numbers.

use scanner_pixels::tiles::TILES;

use super::*;
use crate::model::{Axis, Optics, Pose, Size};
use crate::plan::{PlanCamera, Point};
use crate::scan::budget::{Budget, flagged};
use crate::scan::measured::{Luma, Measured};
use crate::scan::record::RetakenFor;
use crate::units::{Dioptres, Seconds, Stops};

/// Two rings of twelve angles, two cameras.
fn plan() -> Arc<Plan> {
    let point = |index: u32| {
        let (ring, angle) = (index / 12, f64::from(index % 12) * 30.0);
        let pose = Pose::default().with(Axis::Turntable, angle).with(Axis::Lift, f64::from(ring) * 10.0);
        Point::new(format!("p{index:02}"), pose)
    };
    let camera = |name: &str| PlanCamera {
        name: name.into(),
        intrinsics: Optics::Size(Size { width: 64, height: 48 }),
        mount: None,
        extrinsics: None,
        files: PlanCamera::image_alone(),
    };
    Arc::new(Plan { points: (0..24).map(point).collect(), cameras: ["cam0", "cam1"].map(camera).into() })
}

/// An image of an object that is twice as rich in detail on one side as on the other.
fn facts(plan: &Plan, shot: u32) -> FrameFacts {
    let angle = plan.point(plan.point_of(ShotIndex(shot))).pose.turntable.get().to_radians();
    let detail = 150.0 + 50.0 * angle.cos();
    FrameFacts {
        taken_at: jiff::Timestamp::UNIX_EPOCH,
        sensor_timestamp_ns: u64::from(shot),
        exposure: Seconds::new(0.01),
        gain: 1.0,
        white_balance: None,
        focus: Some(Dioptres::new(3.0)),
        clock_uncertainty_us: None,
        sequence: 0,
        sharpness: 0.0,
        clipped_dark: 0.0,
        clipped_bright: 0.01,
        measured: Some(Box::new(Measured {
            detail: [detail, 0.9 * detail, 1.1 * detail, detail],
            luma: Luma([100; TILES]),
            luma_crc32c: shot + 1,
            tiles: None,
        })),
        verdict: None,
    }
}

/// An image with these facts, as it is stored at the first attempt.
fn stored(shot: u32, facts: FrameFacts) -> Stored {
    let (shot, image) = (ShotIndex(shot), String::new());
    Stored { shot, attempt: 1, image, bytes: 1, crc32c: 0, beside: Vec::new(), facts }
}

/// Stores images of `shots` as a run does, each changed by `spoil`; what is found of which.
fn scan(
    gate: &mut Gate,
    shots: impl IntoIterator<Item = u32>,
    spoil: impl Fn(u32, &mut FrameFacts),
) -> (Vec<(u32, FindingKind)>, Vec<Record>) {
    let plan = plan();
    let (mut found, mut records) = (Vec::new(), Vec::new());
    let kinds = |shot: u32, verdict: &Verdict| {
        verdict.findings.iter().map(|finding| (shot, finding.kind)).collect::<Vec<_>>()
    };
    for shot in shots {
        let mut facts = facts(&plan, shot);
        spoil(shot, &mut facts);
        facts.verdict = gate.judge(ShotIndex(shot), &facts).map(Box::new);
        found.extend(facts.verdict.iter().flat_map(|verdict| kinds(shot, verdict)));
        let stored = stored(shot, facts);
        let late = gate.add(&stored);
        records.push(Record::Stored(stored));
        for Late { shot, attempt, verdict } in late {
            found.extend(kinds(shot.0, &verdict));
            records.push(Record::Flagged { shot, attempt, verdict });
        }
    }
    (found, records)
}

fn gate() -> Gate {
    Gate::new(plan(), config::Gate::default(), References::default(), &[])
}

fn measured(facts: &mut FrameFacts) -> &mut Measured {
    facts.measured.as_mut().unwrap()
}

#[test]
fn each_kind_is_found_at_its_shot_and_the_object_may_look_different_from_every_side() {
    let spoil = |shot: u32, facts: &mut FrameFacts| match shot {
        8 => measured(facts).detail.iter_mut().for_each(|detail| *detail *= 0.3),
        10 => measured(facts).detail[0] *= 0.1,
        12 => measured(facts).luma.0.iter_mut().for_each(|luma| *luma = 130),
        14 => measured(facts).luma.0.iter_mut().for_each(|luma| *luma = 77),
        16 => facts.clipped_bright = 0.2,
        18 => measured(facts).luma_crc32c = 17,
        20 => facts.focus = Some(Dioptres::new(2.2)),
        22 => facts.clipped_dark = 0.99,
        _ => {}
    };
    let (found, _) = scan(&mut gate(), (0..48).step_by(2), spoil);
    let expected = [
        (8, FindingKind::Blurred),
        (10, FindingKind::MotionBlurred),
        (12, FindingKind::Brighter),
        (14, FindingKind::Darker),
        (16, FindingKind::ClippedBright),
        (18, FindingKind::Duplicate),
        (20, FindingKind::LensMoved),
        (22, FindingKind::ClippedDark),
    ];
    assert_eq!(found, expected);
    assert_eq!(scan(&mut gate(), 0..48, |_, _| {}).0, []);
}

#[test]
fn of_two_pictures_that_are_the_same_the_later_one_is_the_duplicate_whichever_is_stored_first() {
    let same = |shot: u32, facts: &mut FrameFacts| {
        if shot == 14 {
            measured(facts).luma_crc32c = 13;
        }
    };
    for order in [[10, 12, 14, 16], [10, 14, 12, 16]] {
        assert_eq!(scan(&mut gate(), order, same).0, [(14, FindingKind::Duplicate)], "{order:?}");
    }
}

#[test]
fn a_part_that_turns_out_of_sight_is_no_change_of_the_light() {
    // A third of the picture is bright at some angles and dark at others.
    let object = |shot: u32, facts: &mut FrameFacts| {
        let bright = if (shot / 2).is_multiple_of(3) { 180 } else { 40 };
        measured(facts).luma.0[..TILES / 3].fill(bright);
    };
    assert_eq!(scan(&mut gate(), (0..24).step_by(2), object).0, []);
}

#[test]
fn a_bad_image_among_the_first_of_a_ring_is_found_once_there_are_others() {
    let dark = |bad: u32| {
        move |shot: u32, facts: &mut FrameFacts| {
            if shot == bad {
                measured(facts).luma.0.fill(60);
            }
        }
    };
    for bad in [0, 2, 4] {
        assert_eq!(scan(&mut gate(), (0..24).step_by(2), dark(bad)).0, [(bad, FindingKind::Darker)]);
    }
    // Three images of a ring say nothing of each other.
    assert_eq!(scan(&mut gate(), [0, 2, 4], dark(0)).0, []);
}

#[test]
fn a_light_that_stays_bumped_is_found_in_every_image_of_the_ring_and_the_next_ring_has_its_own_light() {
    let bumped = |shot: u32, facts: &mut FrameFacts| {
        if shot >= 16 {
            measured(facts).luma.0.fill(75);
        }
    };
    let (found, _) = scan(&mut gate(), (0..48).step_by(2), bumped);
    let darker: Vec<_> = (16..24).step_by(2).map(|shot| (shot, FindingKind::Darker)).collect();
    assert_eq!(found, darker);
}

#[test]
fn a_scan_that_goes_on_has_the_gate_that_it_had() {
    let spoil = |shot: u32, facts: &mut FrameFacts| {
        if [0, 10, 22].contains(&shot) {
            measured(facts).luma.0.fill(60);
        }
    };
    let (whole, records) = scan(&mut gate(), (0..24).step_by(2), spoil);
    assert_eq!(whole.len(), 3);
    for cut in 0..records.len() {
        let mut resumed = Gate::new(plan(), config::Gate::default(), References::default(), &records[..cut]);
        let left = (0..24_u32).step_by(2).filter(|shot| {
            !records[..cut]
                .iter()
                .any(|record| matches!(record, Record::Stored(stored) if stored.shot.0 == *shot))
        });
        let late = resumed.left_over();
        let mut found = scan(&mut resumed, left, spoil).0;
        found.extend(late.iter().map(|late| (late.shot.0, FindingKind::Darker)));
        let before = flagged(&records[..cut]);
        found.extend(before.iter().map(|shot| (shot.0, FindingKind::Darker)));
        found.sort_unstable();
        found.dedup();
        let mut expected = whole.clone();
        expected.sort_unstable();
        assert_eq!(found, expected, "after {cut} records");
    }
}

#[test]
fn an_image_that_is_taken_again_is_judged_anew_and_the_old_one_is_no_neighbour() {
    let mut gate = gate();
    scan(&mut gate, (0..24).step_by(2), |_, _| {});
    let all_new = |_: u32, facts: &mut FrameFacts| {
        measured(facts).luma.0.fill(70);
        measured(facts).luma_crc32c = 99;
    };
    assert_eq!(scan(&mut gate, [6], all_new).0, [(6, FindingKind::Darker)]);
    assert_eq!(scan(&mut gate, [6], |_, _| {}).0, []);
}

#[test]
fn nobody_looks_where_the_policy_is_off_or_nothing_was_measured() {
    let off = config::Gate { policy: GatePolicy::Off, ..config::Gate::default() };
    let dark = |shot: u32, facts: &mut FrameFacts| {
        if shot == 0 {
            measured(facts).luma.0.fill(60);
        }
    };
    assert_eq!(scan(&mut Gate::new(plan(), off, References::default(), &[]), (0..24).step_by(2), dark).0, []);
    assert_eq!(scan(&mut gate(), (0..24).step_by(2), |_, facts| facts.measured = None).0, []);
}

#[test]
fn the_budget_is_that_of_the_scan_and_of_each_shot_and_outlives_a_run() {
    let limits = config::Gate {
        policy: GatePolicy::Retake,
        retakes_per_shot: 2,
        retakes_per_scan: 3,
        ..config::Gate::default()
    };
    let retake = |shot, by| Record::Retake { shot: ShotIndex(shot), by };
    let mut records = vec![retake(1, RetakenFor::Person), retake(1, RetakenFor::Gate)];
    let mut budget = Budget::new(&limits, &records);
    assert!(budget.allows(ShotIndex(1)));
    budget.spend(ShotIndex(1));
    assert!(!budget.allows(ShotIndex(1)) && budget.allows(ShotIndex(2)));
    records.extend([retake(1, RetakenFor::Gate), retake(2, RetakenFor::Gate)]);
    assert!(!Budget::new(&limits, &records).allows(ShotIndex(3)));
    let flag = config::Gate { policy: GatePolicy::Flag, ..limits };
    assert!(!Budget::new(&flag, &[]).allows(ShotIndex(0)));
}

#[test]
fn silhouettes_are_compared_with_silhouettes_and_only_in_light_and_lens() {
    let plan = Arc::new(Plan::clone(&plan()).with_frames(&[], &[], true));
    let mut gate = Gate::new(plan.clone(), config::Gate::default(), References::default(), &[]);
    let mut found = Vec::new();
    // Of the first camera: photographs at even points, silhouettes at odd ones.
    for shot in (0..46_u32).step_by(2) {
        let mut facts = facts(&plan, shot);
        if plan.lighting_of(ShotIndex(shot)) == Lighting::Backlight {
            // Hardly any detail, much black and white, another brightness: nothing that a photograph could be.
            measured(&mut facts).detail = [0.5 / f64::from(shot); 4];
            measured(&mut facts).luma = Luma([if shot == 34 { 70 } else { 220 }; TILES]);
            (facts.clipped_dark, facts.clipped_bright) = (0.99, 0.9);
            measured(&mut facts).luma_crc32c = 7;
            facts.focus = Some(Dioptres::new(if shot == 38 { 1.0 } else { 5.0 }));
        }
        if shot == 44 {
            // The camera hands over the silhouette before it again.
            measured(&mut facts).luma_crc32c = 7;
        }
        facts.verdict = gate.judge(ShotIndex(shot), &facts).map(Box::new);
        let findings = facts.verdict.iter().flat_map(|verdict| &verdict.findings);
        found.extend(findings.map(|finding| (shot, finding.kind)));
        let stored = stored(shot, facts);
        found.extend(gate.add(&stored).into_iter().map(|late| (late.shot.0, late.verdict.findings[0].kind)));
    }
    assert_eq!(
        found,
        [(34, FindingKind::Darker), (38, FindingKind::LensMoved), (44, FindingKind::Duplicate)]
    );
}

#[test]
fn points_that_are_added_are_compared_with_their_ring_and_change_nothing_of_the_others() {
    let before = plan();
    let at = |label: &str, lift: f64| {
        let pose = Pose::default().with(Axis::Turntable, 15.0).with(Axis::Lift, lift);
        Point::new(label.into(), pose)
    };
    let after = Arc::new(before.with_added(&[at("beside", 0.0), at("elsewhere", 99.0)]));
    let mut gate = gate();
    assert_eq!(scan(&mut gate, (0..48).step_by(2), |_, _| {}).0, []);
    let of_before: Vec<_> = before.shots().map(|shot| gate.key(shot)).collect();
    gate.follow(&after);
    assert_eq!(before.shots().map(|shot| gate.key(shot)).collect::<Vec<_>>(), of_before);
    let judged = |shot: u32, spoilt: bool| {
        let mut facts = facts(&after, shot);
        if spoilt {
            measured(&mut facts).detail.iter_mut().for_each(|detail| *detail *= 0.3);
        }
        gate.judge(ShotIndex(shot), &facts).unwrap()
    };
    assert!(judged(48, true).is_bad() && !judged(48, false).is_bad());
    assert!(!judged(50, true).is_bad(), "nothing to compare it with");
    // A gate of the whole plan, as a resumed scan has it, has the same groups.
    let resumed = Gate::new(after.clone(), config::Gate::default(), References::default(), &[]);
    assert_eq!(resumed.groups, gate.groups);
}

#[test]
fn the_dark_and_the_bright_image_of_a_bracket_are_compared_with_their_like_alone() {
    let plan = Arc::new(Plan::clone(&plan()).with_frames(&[], &[-3.0, 0.0, 3.0].map(Stops::new), false));
    let mut gate = Gate::new(plan.clone(), config::Gate::default(), References::default(), &[]);
    let mut found = Vec::new();
    // Of the first camera: dark, usual and bright in turn.
    for shot in (0..72_u32).step_by(2) {
        let mut facts = facts(&plan, shot);
        let (luma, dark, white) =
            [(14, 0.97, 0.0), (110, 0.01, 0.01), (240, 0.0, 0.7)][shot as usize / 2 % 3];
        measured(&mut facts).luma = Luma([if shot == 36 { 2 * luma } else { luma }; TILES]);
        (facts.clipped_dark, facts.clipped_bright) = (dark, if shot == 46 { 0.9 } else { white });
        facts.verdict = gate.judge(ShotIndex(shot), &facts).map(Box::new);
        let findings = facts.verdict.iter().flat_map(|verdict| &verdict.findings);
        found.extend(findings.map(|finding| (shot, finding.kind)));
        let stored = stored(shot, facts);
        found.extend(gate.add(&stored).into_iter().map(|late| (late.shot.0, late.verdict.findings[0].kind)));
    }
    // One of the dark ones was exposed twice as long as the others, one of the bright ones is much whiter.
    assert_eq!(found, [(36, FindingKind::Brighter), (46, FindingKind::ClippedBright)]);
}
