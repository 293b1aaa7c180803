//! One image says whether the table or the camera is elsewhere.

mod support;

use scanner_marks::geometry::Axes;
use scanner_marks::locate::{Answer, Request, Verdict, locate};
use support::*;

const NOISE: f64 = 0.15;

/// The rig as it was measured: a little beside what it is.
fn measured(rig: &Rig, random: &mut Random) -> Rig {
    let mut measured = rig.clone();
    for mark in &mut measured.lying.marks {
        mark.x_mm += random.normal() * 0.01;
        mark.y_mm += random.normal() * 0.01;
        mark.heading_deg += random.normal() * 0.05;
    }
    for eye in &mut measured.eyes {
        eye.stand.centre_mm = add(eye.stand.centre_mm, random.vector(0.02));
    }
    measured
}

/// What `rig` looks like to camera `eye`, to whoever takes it for `measured`; some marks are hidden.
fn request(rig: &Rig, measured: &Rig, eye: usize, axes: Axes, random: &mut Random) -> Request {
    let mut corners = rig.view(eye, axes, 0, NOISE / 1.5, random).corners;
    let hidden = random.part();
    corners.retain(|corner| match corner.which {
        scanner_marks::detect::Which::Board { .. } => true,
        scanner_marks::detect::Which::Ring { id, .. } => {
            scanner_pixels::random::hash(u64::from(id)) as f64 / u64::MAX as f64 > hidden * 0.8
        }
    });
    Request {
        lens: measured.eyes[eye].lens,
        stand: measured.eyes[eye].stand,
        turntable: measured.turntable,
        lift: measured.lift,
        ring: measured.lying.clone(),
        axes,
        corners,
        noise_px: Some(NOISE),
        tolerance_deg: 0.05,
        tolerance_px: 0.3,
    }
}

fn random_axes(random: &mut Random) -> Axes {
    Axes {
        turntable_deg: random.part() * 360.0,
        lift_mm: random.part() * 40.0,
        direction: if random.part() < 0.5 { -1 } else { 1 },
    }
}

#[track_caller]
fn assert_verdict(answer: &Answer, verdict: Verdict, what: &str) {
    assert_eq!(answer.verdict, verdict, "{what}: {answer:#?}");
}

#[test]
fn steps_are_told_and_none_is_invented() {
    let (mut steps, mut clean, mut moved) = (0, 0, 0);
    let mut worst: f64 = 0.0;
    for seed in 0..1000 {
        let mut random = Random(seed * 77);
        let rig = Rig::nominal(4).wrong(seed % 20, 1.0);
        let measured = measured(&rig, &mut random);
        let eye = seed as usize % 4;
        let axes = random_axes(&mut random);

        let as_is = request(&rig, &measured, eye, axes, &mut random);
        if as_is
            .corners
            .iter()
            .filter(|corner| matches!(corner.which, scanner_marks::detect::Which::Ring { .. }))
            .count()
            < 12
        {
            continue;
        }
        assert_verdict(&locate(&as_is).unwrap(), Verdict::AsCommanded, &format!("clean {seed}"));
        clean += 1;

        // A step of 0.2 degrees or more, up to a whole turn.
        let size = 0.2 * 900.0_f64.powf(random.part());
        let step = if random.part() < 0.5 { size } else { -size };
        let there = Axes { turntable_deg: axes.turntable_deg + step / rig.turntable.scale, ..axes };
        let mut stepped = request(&rig, &measured, eye, there, &mut random);
        stepped.axes = axes;
        let answer = locate(&stepped).unwrap();
        assert_verdict(&answer, Verdict::TableElsewhere, &format!("{step} {seed}"));
        let table = answer.table.unwrap();
        let off = (table.offset_deg - step + 180.0).rem_euclid(360.0) - 180.0;
        assert!(off.abs() < 0.05, "{step} was taken for {table:?} ({seed})");
        worst = worst.max(off.abs());
        steps += 1;

        // Pushed by 3 mm and turned by half a degree.
        let mut pushed = rig.clone();
        let push = scale(unit(random.vector(1.0)), 3.0);
        let stand = &mut pushed.eyes[eye].stand;
        stand.centre_mm = add(stand.centre_mm, push);
        stand.rotation = times(&turn(scale(unit(random.vector(1.0)), 0.5)), &stand.rotation);
        let answer = locate(&request(&pushed, &measured, eye, axes, &mut random)).unwrap();
        assert_verdict(&answer, Verdict::CameraMoved, &format!("pushed {seed}"));
        let camera = answer.camera.unwrap();
        for axis in 0..3 {
            let off = camera.moved_mm[axis] - push[axis];
            let allowed = 6.0 * camera.moved_deviation_mm[axis] + 0.1;
            assert!(off.abs() < allowed, "{push:?} was taken for {camera:?} ({seed})");
        }
        moved += 1;
    }
    println!("{clean} clean, {steps} steps, {moved} moved; steps off by {worst:.4} degrees at most");
    assert!(clean > 900, "only {clean} views have marks enough");
}

#[test]
fn what_is_hidden_or_wrong_is_left_out() {
    let mut random = Random(4);
    let rig = Rig::nominal(1).wrong(2, 1.0);
    let axes = Axes { turntable_deg: 30.0, lift_mm: 0.0, direction: 1 };
    let mut wrong = request(&rig, &rig, 0, axes, &mut random);
    wrong.corners = rig.view(0, axes, 0, NOISE / 1.5, &mut random).corners;
    // Two corners of one mark are not where they should be.
    let ring: Vec<usize> = (0..wrong.corners.len())
        .filter(|index| matches!(wrong.corners[*index].which, scanner_marks::detect::Which::Ring { .. }))
        .collect();
    wrong.corners[ring[4]].x += 3.0;
    wrong.corners[ring[5]].x += 3.0;
    let answer = locate(&wrong).unwrap();
    assert_verdict(&answer, Verdict::AsCommanded, "one mark is wrong");
    assert_eq!(answer.dropped, 1);
}

#[test]
fn nothing_seen_is_said_so() {
    let mut random = Random(4);
    let rig = Rig::nominal(1);
    let axes = Axes { turntable_deg: 30.0, lift_mm: 0.0, direction: 1 };
    let mut none = request(&rig, &rig, 0, axes, &mut random);
    none.corners.clear();
    let answer = locate(&none).unwrap();
    assert_verdict(&answer, Verdict::Unknown, "nothing is seen");
    assert_eq!((answer.marks, answer.says.as_str()), (0, "no mark of the ring is seen"));
    none.lens.fx = f64::NAN;
    assert_eq!(locate(&none).unwrap_err().to_string(), "the camera cannot be so: fx cannot be NaN");
}
