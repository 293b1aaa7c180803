//! The simulated rig's state.

use super::*;
use crate::model::{Limits, Shaper, ShaperChoice, SimulatedAxis};
use crate::sim::{WorldFile, WorldReader};
use crate::units::Hertz;
use proptest::prelude::*;

const AXES: [AxisConfig; 2] = [
    AxisConfig::new(Axis::Turntable, Limits { speed: 90.0, acceleration: 180.0, jerk: None }, None),
    AxisConfig::new(Axis::Lift, Limits { speed: 50.0, acceleration: 200.0, jerk: None }, Some((0.0, 300.0))),
];
const MS: u64 = 1_000_000;

fn at(turntable: f64, lift: f64) -> Pose {
    Pose::default().with(Axis::Turntable, turntable).with(Axis::Lift, lift)
}

#[test]
fn a_turn_over_zero_is_continuous_and_ends_where_it_should() {
    let mut world = World::new(at(350.0, 0.0));
    world.push_move(1000 * MS, at(35.0, 0.0), &AXES, 1.0); // 45 degrees take one second
    assert_eq!(world.rest_ns(), 2000 * MS);
    assert_eq!(world.pose_at(0), at(350.0, 0.0));
    assert_eq!(world.pose_at(1500 * MS), at(372.5, 0.0));
    assert_eq!(world.pose_at(2000 * MS), at(395.0, 0.0));
    assert_eq!(world.target(), at(35.0, 0.0));
}

#[test]
fn it_rests_before_between_and_after_moves_only() {
    let mut world = World::new(Pose::default());
    assert!(world.rests_during(0, u64::MAX) && !world.is_moving(7));
    world.push_move(1000 * MS, at(45.0, 0.0), &AXES, 1.0);
    world.push_move(3000 * MS, at(90.0, 0.0), &AXES, 2.0);
    assert_eq!(world.rest_ns(), 3500 * MS);
    assert!(world.rests_during(0, 1000 * MS) && world.rests_during(2000 * MS, 3000 * MS));
    assert!(world.rests_during(3500 * MS, u64::MAX));
    assert!(!world.rests_during(0, 1001 * MS) && !world.rests_during(1999 * MS, 2500 * MS));
    assert!(!world.rests_during(2500 * MS, 4000 * MS));
    assert!(world.is_moving(1500 * MS) && !world.is_moving(2500 * MS) && world.is_moving(3400 * MS));
}

#[test]
fn only_the_last_moves_are_remembered() {
    let mut world = World::new(Pose::default());
    for i in 1..=10 {
        world.push_move(world.rest_ns() + MS, at(f64::from(i) * 100.0, 0.0), &AXES, 1.0);
    }
    assert_eq!(world.segments.len(), REMEMBERED);
    assert_eq!(world.target(), at(280.0, 0.0));
    assert_eq!(world.pose_at(0), at(240.0, 0.0)); // after six moves
}

#[test]
fn a_file_reads_back_as_written_and_a_missing_one_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("world.json");
    let mut reader = WorldReader::new(path.clone());
    let error = reader.world().unwrap_err().to_string();
    assert!(error.contains("world.json"), "{error}");
    let file = WorldFile::create(path, World::new(at(12.5, 1.0 / 3.0))).unwrap();
    assert_eq!(*reader.world().unwrap(), file.world());
    file.update(|world| world.push_move(5, at(17.1, 100.0), &AXES, 10.0)).unwrap();
    file.update(|world| world.set_light("left", Lighting::Front, 0.75)).unwrap();
    assert_eq!(*reader.world().unwrap(), file.world());
    assert_eq!(*reader.world().unwrap(), file.world(), "the same again");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "no temporary file is left");
}

#[test]
fn what_cannot_be_written_has_not_happened() {
    let folder = tempfile::tempdir().unwrap();
    let file = WorldFile::create(folder.path().join("world.json"), World::default()).unwrap();
    drop(folder);
    file.update(|world| world.set_light("left", Lighting::Front, 1.0)).unwrap_err();
    assert_eq!(file.world(), World::default());
}

/// A turntable whose load truly swings.
fn swinging(holds: Option<f64>) -> AxisConfig {
    let swing = Swing { frequency: Hertz::new(10.0), damping: 0.05, spread: 0.0 };
    AxisConfig { simulated: SimulatedAxis { swing: Some(swing), holds }, ..AXES[0] }
}

#[test]
fn what_is_carried_swings_and_comes_to_rest() {
    let mut world = World::new(Pose::default());
    world.push_move(1000 * MS, at(20.0, 0.0), &[swinging(None)], 1.0);
    let rest_ns = world.rest_ns();
    let off = |ns: u64| world.seen_at(ns).turntable.get() - world.pose_at(ns).turntable.get();
    assert!(off(1000 * MS).abs() < 1e-9 && off(500 * MS) == 0.0, "it begins at rest");
    assert!(off(1040 * MS) < -0.01, "it lags behind");
    // What the acceleration stretches is 180 / (2 pi 10)^2 = 0.0456 degrees.
    let farthest = (0..100).map(|step| off(rest_ns + step * MS).abs()).fold(0.0, f64::max);
    assert!((0.0456..0.2).contains(&farthest), "{farthest}");
    assert_eq!(world.pose_at(rest_ns), at(20.0, 0.0), "the axis itself rests");
    assert!(!world.rests_during(rest_ns, rest_ns + 10 * MS));
    assert!(world.rests_during(rest_ns + 2000 * MS, u64::MAX));
    assert_eq!(world.seen_at(rest_ns + 3000 * MS), at(20.0, 0.0));
    assert_eq!(world.seen_at(u64::MAX), at(20.0, 0.0));
}

#[test]
fn a_heavier_object_swings_more_slowly() {
    let zero_crossings = |world: World| {
        let mut world = world;
        world.push_move(1000 * MS, at(20.0, 0.0), &[swinging(None)], 1.0);
        let off = |ns: u64| world.seen_at(ns).turntable.get() - 20.0;
        let times: Vec<u64> = (0..400).map(|step| world.rest_ns() + step * MS).collect();
        times.windows(2).filter(|pair| off(pair[0]) * off(pair[1]) < 0.0).count()
    };
    assert_eq!(zero_crossings(World::default()), 8);
    assert_eq!(zero_crossings(World::default().heavier(0.5)), 4);
    assert_eq!(zero_crossings(World::default().heavier(0.5).heavier_from(1)), 4);
    assert_eq!(zero_crossings(World::default().heavier(0.5).heavier_from(2)), 8);
}

#[test]
fn a_shaped_move_is_longer_and_leaves_nothing_swinging() {
    let known = |shaper| AxisConfig {
        swing: swinging(None).simulated.swing,
        shaper: ShaperChoice::Always(shaper),
        ..swinging(None)
    };
    let rests = |axis: AxisConfig| {
        let mut world = World::new(Pose::default());
        world.push_move(1000 * MS, at(20.0, 0.0), &[axis], 1.0);
        assert_eq!(world.rest_ns(), 1000 * MS + motion::profile(&axis, 20.0).duration().as_nanos() as u64);
        world.rests_during(world.rest_ns(), u64::MAX)
    };
    assert!(!rests(known(Shaper::Off)));
    assert!(rests(known(Shaper::Zv)) && rests(known(Shaper::Mzv)) && rests(known(Shaper::Zvd)));
}

#[test]
fn what_forgotten_moves_have_left_swings_on() {
    // Quick moves one after the other, and the same with as many as are forgotten behind them.
    let axes = [swinging(None)];
    let mut world = World::new(Pose::default());
    let mut all = Vec::new();
    for i in 1..=10 {
        world.push_move(world.rest_ns() + 5 * MS, at(f64::from(i) * 2.0, 0.0), &axes, 1.0);
        all.extend(world.segments.back().cloned());
    }
    assert_eq!(world.segments.len(), REMEMBERED);
    let remembering = World { segments: all.into(), swinging: Vec::new(), ..world.clone() };
    for ns in (0..200).map(|step| world.rest_ns() - 300 * MS + step * 3 * MS) {
        let (a, b) = (world.seen_at(ns).turntable.get(), remembering.seen_at(ns).turntable.get());
        assert!((a - b).abs() < 1e-9, "{a} {b}");
    }
}

#[test]
fn a_motor_that_cannot_hold_loses_steps_and_nobody_tells() {
    for (holds, slips) in [(None, false), (Some(180.0), false), (Some(179.0), true)] {
        let mut world = World::new(Pose::default());
        world.push_move(1000 * MS, at(20.0, 0.0), &[swinging(holds)], 1.0);
        world.push_move(world.rest_ns(), at(10.0, 0.0), &[swinging(None)], 1.0);
        assert_eq!(world.target(), at(10.0, 0.0));
        let seen = world.seen_at(u64::MAX).turntable.get();
        assert_eq!(seen < 10.0, slips, "{holds:?}: {seen}");
    }
}

proptest! {
    #[test]
    fn a_stop_is_a_shorter_way_with_the_same_past(
        target in (-400.0..400.0, 0.0..300.0), scale in 0.5..20.0, stop in 0.0..1.1_f64, past in 0.0..1.0_f64,
    ) {
        let mut world = World::default();
        world.push_move(MS, at(target.0, target.1), &AXES, scale);
        let mut stopped = world.clone();
        let stop_ns = MS + ((world.rest_ns() - MS) as f64 * stop) as u64;
        stopped.stop(stop_ns);
        prop_assert!(stopped.rest_ns() <= world.rest_ns() + 1000);
        let past_ns = (stop_ns as f64 * past) as u64;
        let (a, b) = (world.pose_at(past_ns), stopped.pose_at(past_ns));
        prop_assert!(Axis::ALL.iter().all(|&axis| (a.get(axis) - b.get(axis)).abs() < 1e-3), "{a:?} {b:?}");
    }
}
