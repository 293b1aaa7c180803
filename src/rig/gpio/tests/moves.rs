//! Moves, pulse by pulse.

use proptest::test_runner::Config as ProptestConfig;

use super::*;
use crate::model::Limits;
use crate::motion::{StepCourse, StepScale};
use crate::rig::Axes as _;
use crate::rig::axes::MotionError;

/// The pulses came in the spacing of `course`; where one was late, all behind it came later by as much.
fn assert_spacing(pulses: &[Change], course: &StepCourse, late: u64) {
    assert_eq!(pulses.len() as u64, course.steps());
    let mut slips = 0;
    for (index, pair) in pulses.windows(2).enumerate() {
        let planned =
            course.due(index as u64 + 1).unwrap().as_nanos() - course.due(index as u64).unwrap().as_nanos();
        let really = pair[1].due_ns - pair[0].due_ns;
        assert!(really >= planned as u64, "pulse {index} is too close to the next: {really} ns");
        slips += u64::from(really > planned as u64);
    }
    assert!(slips <= late, "{slips} pulses were delayed, and {late} late");
    assert!(pulses.iter().all(|pulse| pulse.at_ns >= pulse.due_ns), "a pulse came too early");
}

#[test]
fn every_pulse_of_a_move_of_two_axes_follows_its_profile() {
    for jerk in [None, Some(20_000.0)] {
        let jerk_line = jerk
            .map_or(String::new(), |jerk| format!("acceleration = \"900 deg/s2\"\njerk = \"{jerk} deg/s3\""));
        let bench = Bench::with(
            &jerk
                .map(|_| ("acceleration = \"900 deg/s2\"", jerk_line.as_str()))
                .into_iter()
                .collect::<Vec<_>>(),
        );
        let axes = bench.homed();
        let (table, lift) = (bench.rises(TABLE_STEP).len(), bench.rises(LIFT_STEP).len());
        let running = axes.start_move(at(30.0, 7.5)).unwrap();
        let rested = running.done.blocking_recv().unwrap().unwrap();
        let late = axes.late_steps();
        let limits = Limits { speed: 90.0, acceleration: 900.0, jerk };
        let table_course = StepCourse::new(1200, StepScale::new(40.0).limits(limits));
        assert_spacing(&bench.rises(TABLE_STEP)[table..], &table_course, late);
        let limits = Limits { speed: 100.0, acceleration: 2000.0, jerk: None };
        let lift_course = StepCourse::new(750, StepScale::new(100.0).limits(limits));
        assert_spacing(&bench.rises(LIFT_STEP)[lift..], &lift_course, late);
        assert!(rested >= bench.rises(TABLE_STEP).last().unwrap().at_ns);
        assert_eq!(bench.sim.true_steps(), [1200, 750]);
        assert_eq!(axes.pose(), at(30.0, 7.5));
    }
}

#[test]
fn a_direction_is_set_and_a_motor_powered_before_the_first_step() {
    let bench = Bench::new();
    let axes = bench.homed();
    assert_eq!(bench.level(TABLE_ENABLE), '1', "active low, and not needed yet");
    axes.start_move(at(-1.0, 0.0)).unwrap().done.blocking_recv().unwrap().unwrap();
    let changes = bench.sim.changes();
    let last = |pin| changes.iter().rev().find(|change| change.pin == pin).unwrap();
    let first = bench.rises(TABLE_STEP)[0];
    assert!(!last(TABLE_ENABLE).high && last(TABLE_ENABLE).at_ns + 1_000_000 < first.at_ns);
    assert!(!last(TABLE_DIRECTION).high && last(TABLE_DIRECTION).at_ns < first.at_ns);
    assert_eq!(bench.sim.true_steps()[0], -40);
    assert_eq!(axes.pose(), at(359.0, 0.0));
}

#[test]
fn no_pulse_pause_or_direction_is_shorter_than_the_board_needs() {
    // As fast as the program makes steps, and to and fro.
    let fast = [("90 deg/s", "500 deg/s"), ("900 deg/s2", "200000 deg/s2"), ("2000 mm/s2", "100000 mm/s2")];
    let bench = Bench::with(&fast);
    let axes = bench.homed();
    for angle in [20.0, 0.0, 20.0, 0.0] {
        axes.start_move(at(angle, angle)).unwrap().done.blocking_recv().unwrap().unwrap();
    }
    let motors = [(TABLE_STEP, TABLE_DIRECTION, 1_900, 650), (LIFT_STEP, LIFT_DIRECTION, 1_000, 200)];
    for (step, direction, half, setup) in motors {
        let mut last: Option<Change> = None;
        for change in bench.sim.changes().iter().filter(|change| [step, direction].contains(&change.pin)) {
            let gap = last.map_or(u64::MAX, |last| change.at_ns - last.at_ns);
            let least = match last {
                Some(last) if change.pin == step && last.pin == step => half,
                Some(_) if change.pin == step => setup,
                Some(_) | None => 0,
            };
            assert!(gap >= least, "{change:?} {gap} ns after {last:?}");
            last = Some(*change);
        }
    }
}

#[test]
fn after_144_points_the_motors_stand_where_arithmetic_says() {
    // 200 * 16 steps to 77 degrees: no point of the ring is a whole number of steps.
    let bench =
        Bench::with(&[("80 deg", "77 deg"), ("90 deg/s", "400 deg/s"), ("900 deg/s2", "80000 deg/s2")]);
    let axes = bench.homed();
    for point in 1..=144_u32 {
        let angle = f64::from(point) * 2.5;
        let moved = axes.start_move(at(angle, f64::from(point % 3) * 0.333)).unwrap();
        moved.done.blocking_recv().unwrap().unwrap();
        let exact = angle * 3200.0 / 77.0;
        assert_eq!(bench.sim.true_steps()[0], exact.round() as i64, "point {point}");
    }
}

#[test]
fn a_stop_brakes_and_the_axes_know_where_they_are() {
    let bench = Bench::new();
    let axes = bench.homed();
    let before = bench.rises(TABLE_STEP).len();
    let running = axes.start_move(at(170.0, 0.0)).unwrap();
    while bench.rises(TABLE_STEP).len() < before + 600 {
        std::thread::yield_now();
    }
    assert!(matches!(axes.start_move(at(0.0, 0.0)), Err(MotionError::Moving)));
    axes.stop();
    assert!(matches!(running.done.blocking_recv().unwrap(), Err(MotionError::Stopped)));
    let pulses = bench.rises(TABLE_STEP).split_off(before);
    assert!(pulses.len() < 6800);
    let spacing: Vec<u64> = pulses.windows(2).map(|pair| pair[1].due_ns - pair[0].due_ns).collect();
    let end = spacing.len() - 1;
    assert!(spacing[end] > 4 * spacing[end - 100], "it brakes: {:?}", &spacing[end - 100..]);
    assert_eq!(bench.sim.true_steps()[0], pulses.len() as i64);
    // It goes on from there, and nothing is lost.
    axes.start_move(at(20.0, 0.0)).unwrap().done.blocking_recv().unwrap().unwrap();
    assert_eq!(bench.sim.true_steps()[0], 800);
}

#[test]
fn play_is_taken_up_upwards() {
    let bench = Bench::with(&[("# LIFT", "backlash = \"0.5 mm\"")]);
    let axes = bench.homed();
    let turns =
        |bench: &Bench| bench.sim.changes().iter().filter(|change| change.pin == LIFT_DIRECTION).count();
    axes.start_move(at(0.0, 20.0)).unwrap().done.blocking_recv().unwrap().unwrap();
    let before = (bench.rises(LIFT_STEP).len(), turns(&bench));
    let running = axes.start_move(at(0.0, 10.0)).unwrap();
    let rested = running.done.blocking_recv().unwrap().unwrap();
    assert!(rested + 1_000 >= running.rest_ns);
    // Down to 9.5 mm, and up again.
    assert_eq!((bench.rises(LIFT_STEP).len() - before.0, turns(&bench) - before.1), (1100, 2));
    assert_eq!(axes.pose().lift.get().to_bits(), 10.0_f64.to_bits());
    let before = bench.rises(LIFT_STEP).len();
    axes.start_move(at(0.0, 12.0)).unwrap().done.blocking_recv().unwrap().unwrap();
    assert_eq!(bench.rises(LIFT_STEP).len() - before, 200, "upwards there is nothing to take up");
}

/// Where a turntable of 40 steps a degree stands after `angles`, each by the shortest way: turns in whole numbers.
fn modelled(angles: &[i32]) -> i64 {
    let tenth_of_turn = 3600;
    let mut tenths = 0;
    for angle in angles {
        let turn = (angle - tenths).rem_euclid(tenth_of_turn);
        tenths += if turn > tenth_of_turn / 2 { turn - tenth_of_turn } else { turn };
    }
    i64::from(tenths) * 4
}

proptest::proptest! {
    // Each takes as long as twenty of others.
    #![proptest_config(ProptestConfig::with_cases(ProptestConfig::default().cases.div_ceil(20)))]

    #[test]
    fn whatever_the_moves_the_motors_stand_where_they_should(
        moves in proptest::collection::vec((-7200..7200_i32, 0..200_u32), 1..8), backlash in 0..2_u32,
    ) {
        let fast = [("90 deg/s", "450 deg/s"), ("900 deg/s2", "100000 deg/s2"), ("2000 mm/s2", "100000 mm/s2")];
        let play = format!("backlash = \"{backlash} mm\"");
        let bench = Bench::with(&[&fast[..], &[("# LIFT", play.as_str())]].concat());
        let axes = bench.homed();
        let mut angles = Vec::new();
        for (tenths, height) in moves {
            angles.push(tenths);
            let target = at(f64::from(tenths) / 10.0, f64::from(height) / 10.0);
            axes.start_move(target).unwrap().done.blocking_recv().unwrap().unwrap();
            proptest::prop_assert_eq!(bench.sim.true_steps()[0], modelled(&angles));
            // Where the gear has play, the motor's steps are those of a carriage that it pushes upwards.
            proptest::prop_assert_eq!(bench.sim.true_steps()[1], i64::from(height) * 10 + 100 * i64::from(backlash));
        }
    }
}

#[test]
fn simulated_cameras_see_the_move() {
    let bench = Bench::new();
    let axes = bench.homed();
    let running = axes.start_move(at(10.0, 5.0)).unwrap();
    let world = WorldReader::new(bench.folder.path().join("world.json")).world().unwrap();
    assert!(world.is_moving(running.rest_ns - 20_000_000));
    assert!(world.rests_during(running.rest_ns, u64::MAX));
    running.done.blocking_recv().unwrap().unwrap();
    assert_eq!(world.target(), at(10.0, 5.0));
}
