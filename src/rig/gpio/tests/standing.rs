//! Where axes stand that a hand has put there, once the program has ended and starts again.

use super::*;
use crate::rig::Axes as _;

const HELD: &[(&str, &str)] = &[
    ("# TABLE", "hold_when_safe = true"),
    ("method = \"by_hand\"", "method = \"by_hand\"\ntrust_hold = true"),
];

/// The same rig, the program started anew.
fn again(bench: Bench) -> Bench {
    let Bench { folder, config, pins, sim } = bench;
    drop((pins, sim));
    let pins = open(&config, folder.path()).unwrap().unwrap();
    let sim = pins.sim.clone().unwrap();
    Bench { folder, config, pins, sim }
}

fn moved_to(axes: &GpioAxes, angle: f64) {
    axes.start_move(at(angle, 0.0)).unwrap().done.blocking_recv().unwrap().unwrap();
}

/// A table that somebody has put in its place and that was moved then.
fn at_30_degrees(additions: &[(&str, &str)]) -> (Bench, GpioAxes) {
    let bench = Bench::with(additions);
    let axes = bench.homed();
    axes.home(&[Axis::Turntable]).blocking_recv().unwrap().unwrap();
    moved_to(&axes, 30.0);
    (bench, axes)
}

#[test]
fn a_table_that_is_held_stands_after_a_restart_where_it_stood() {
    let (bench, axes) = at_30_degrees(HELD);
    drop(axes);
    assert_eq!(bench.level(TABLE_ENABLE), '0', "it is held");
    let bench = again(bench);
    assert_eq!(bench.sim.true_steps()[0], 1200);
    let axes = bench.homed();
    assert!(axes.assumed().is_empty());
    assert_eq!(axes.pose(), at(30.0, 0.0));
    moved_to(&axes, 31.0);
    assert_eq!(bench.sim.true_steps()[0], 1240);
    // And once more, without a move.
    drop(axes);
    let bench = again(bench);
    drop(bench.homed());
    let bench = again(bench);
    assert_eq!(bench.homed().pose(), at(31.0, 0.0));
}

#[test]
fn one_that_is_let_go_that_is_not_trusted_or_that_nobody_has_placed_is_asked_for() {
    let released = HELD[1];
    for (additions, placed) in [(&[HELD[0]][..], true), (&[][..], true), (HELD, false)] {
        let bench = Bench::with(additions);
        let axes = bench.homed();
        if placed {
            axes.home(&[Axis::Turntable]).blocking_recv().unwrap().unwrap();
        }
        moved_to(&axes, 30.0);
        drop(axes);
        let bench = again(bench);
        assert_eq!(bench.homed().assumed(), [(Axis::Turntable, 0.0)], "{additions:?}");
    }
    let text = RIG.replace(released.0, released.1);
    let errors = Config::from_text("rig.toml", &text).unwrap_err().to_string();
    assert!(errors.contains("the motor is released when the program ends"), "{errors}");
}

#[test]
fn after_an_emergency_stop_or_an_idle_release_it_is_asked_for() {
    let (bench, axes) = at_30_degrees(HELD);
    bench.sim.set_level(EMERGENCY_STOP, Some(true)).unwrap();
    while axes.fault().is_none() {
        std::thread::yield_now();
    }
    drop(axes);
    bench.sim.set_level(EMERGENCY_STOP, None).unwrap();
    let bench = again(bench);
    assert_eq!(bench.homed().assumed().len(), 1);

    let idle = [("# TABLE", "hold_when_safe = true\nidle_release = \"1 s\""), HELD[1]];
    let (bench, axes) = at_30_degrees(&idle);
    while bench.level(TABLE_ENABLE) == '0' {
        std::thread::yield_now();
    }
    // Powered again, it is no better known.
    moved_to(&axes, 31.0);
    assert_eq!(bench.level(TABLE_ENABLE), '0');
    drop(axes);
    let bench = again(bench);
    assert_eq!(bench.homed().assumed().len(), 1);
}

#[test]
fn a_program_that_is_killed_in_a_move_leaves_nothing_to_be_believed() {
    let (bench, axes) = at_30_degrees(HELD);
    let standing = bench.folder.path().join("standing");
    let before = std::fs::read(&standing).unwrap();
    let moved = axes.start_move(at(170.0, 0.0)).unwrap();
    while bench.sim.true_steps()[0] < 1300 {
        std::thread::yield_now();
    }
    // What SIGKILL would leave now.
    let left = std::fs::read(&standing).unwrap();
    moved.done.blocking_recv().unwrap().unwrap();
    drop(axes);
    assert_ne!(std::fs::read(&standing).unwrap(), before);
    for (note, is_asked) in [(&left, true), (&before, false)] {
        std::fs::write(&standing, note).unwrap();
        let axes = bench.axes();
        assert_eq!(axes.assumed().len(), usize::from(is_asked));
    }
}
