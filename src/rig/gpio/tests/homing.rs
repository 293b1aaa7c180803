//! Where axes stand, and how that is found out.

use super::*;
use crate::rig::Axes as _;
use crate::rig::axes::MotionError;

fn home(axes: &GpioAxes, which: &[Axis]) -> Result<(), MotionError> {
    axes.home(which).blocking_recv().unwrap()
}

#[test]
fn a_lift_is_unknown_until_it_has_found_its_endstop() {
    let bench = Bench::with(&[("# SIMULATION", "lift = \"13.37 mm\"")]);
    let axes = bench.axes();
    let refused = axes.start_move(at(0.0, 5.0)).unwrap_err();
    assert!(matches!(refused, MotionError::Unknown { axis: Axis::Lift }), "{refused}");
    assert!(refused.to_string().contains("scanner home lift"));
    assert!(bench.rises(LIFT_STEP).is_empty());
    home(&axes, &[]).unwrap();
    // Where it truly stands is where it believes to.
    axes.start_move(at(0.0, 5.0)).unwrap().done.blocking_recv().unwrap().unwrap();
    assert_eq!(bench.sim.true_steps(), [0, 500]);
    // Nothing is left to be done, and nothing moves.
    let pulses = bench.rises(LIFT_STEP).len();
    axes.make_ready().blocking_recv().unwrap().unwrap();
    assert_eq!(bench.rises(LIFT_STEP).len(), pulses);
}

#[test]
fn a_lift_that_stands_on_its_endstop_backs_off_first() {
    let bench = Bench::with(&[("# SIMULATION", "lift = \"-0.8 mm\"")]);
    let axes = bench.homed();
    axes.start_move(at(0.0, 1.0)).unwrap().done.blocking_recv().unwrap().unwrap();
    assert_eq!(bench.sim.true_steps()[1], 100);
}

#[test]
fn the_upper_end_and_another_position_are_as_good() {
    let addition = "method = \"endstop\"\ntowards = \"high\"\nposition = \"99 mm\"\nback_off = \"1 mm\"";
    let bench = Bench::with(&[("method = \"endstop\"", addition), ("# SIMULATION", "lift = \"90 mm\"")]);
    let axes = bench.homed();
    axes.start_move(at(0.0, 98.0)).unwrap().done.blocking_recv().unwrap().unwrap();
    assert_eq!(bench.sim.true_steps()[1], 9800);
}

#[test]
fn a_turntable_finds_its_mark() {
    let index = "method = \"index\"\nswitch = \"^!GPIO27\"\nposition = \"90 deg\"";
    let bench = Bench::with(&[("method = \"by_hand\"", index), ("# SIMULATION", "turntable = \"33 deg\"")]);
    let axes = bench.homed();
    axes.start_move(at(100.0, 0.0)).unwrap().done.blocking_recv().unwrap().unwrap();
    assert_eq!(bench.sim.true_steps()[0].rem_euclid(14_400), 4000);
}

#[test]
fn an_endstop_that_is_never_met_is_named_and_nothing_is_believed() {
    let bench = Bench::with(&[("# SIMULATION", "dead = [\"GPIO16\"]"), ("\"100 mm\"", "\"5 mm\"")]);
    let axes = bench.axes();
    let failed = home(&axes, &[]).unwrap_err().to_string();
    assert!(
        failed.contains("lift") && failed.contains("GPIO16") && failed.contains("check the switch"),
        "{failed}"
    );
    assert!(matches!(axes.start_move(at(0.0, 1.0)), Err(MotionError::Unknown { axis: Axis::Lift })));
}

#[test]
fn an_endstop_that_is_always_active_is_named() {
    let bench = Bench::new();
    bench.sim.set_level(LIFT_SWITCH, Some(false)).unwrap();
    let failed = home(&bench.axes(), &[]).unwrap_err().to_string();
    assert!(failed.contains("stays active") && failed.contains("GPIO16"), "{failed}");
}

#[test]
fn homing_can_be_given_up() {
    let bench = Bench::with(&[("# SIMULATION", "lift = \"90 mm\"")]);
    let axes = bench.axes();
    let homing = axes.home(&[]);
    while bench.rises(LIFT_STEP).len() < 100 {
        std::thread::yield_now();
    }
    assert!(matches!(axes.start_move(at(1.0, 0.0)), Err(MotionError::Moving)));
    axes.stop();
    assert!(matches!(homing.blocking_recv().unwrap(), Err(MotionError::Stopped)));
    home(&axes, &[]).unwrap();
}

#[test]
fn soft_limits_hold_and_the_play_is_taken_up_at_the_end_of_the_travel_too() {
    let bench = Bench::with(&[("# LIFT", "backlash = \"2 mm\"")]);
    let axes = bench.homed();
    assert!(axes.start_move(at(0.0, 101.0)).unwrap_err().to_string().contains("its travel is 0 to 100 mm"));
    axes.start_move(at(0.0, 3.0)).unwrap().done.blocking_recv().unwrap().unwrap();
    let before = bench.sim.changes().len();
    axes.start_move(at(0.0, 1.0)).unwrap().done.blocking_recv().unwrap().unwrap();
    // The motor goes to -1 mm; what it pushes downwards is then at 1 mm, where it is wanted.
    let (mut steps, mut upwards, mut lowest) = (300, true, 300);
    for change in &bench.sim.changes()[before..] {
        if change.pin == LIFT_DIRECTION {
            upwards = !change.high;
        } else if change.pin == LIFT_STEP && change.high {
            steps += if upwards { 1 } else { -1 };
            lowest = lowest.min(steps);
        }
    }
    assert_eq!((lowest, steps), (-100, 100));
}

#[test]
fn an_axis_that_was_home_is_not_any_more_if_homing_fails() {
    let bench = Bench::with(&[("\"100 mm\"", "\"5 mm\"")]);
    let axes = bench.homed();
    axes.start_move(at(0.0, 1.0)).unwrap().done.blocking_recv().unwrap().unwrap();
    // Its cable comes off.
    bench.sim.set_level(LIFT_SWITCH, Some(true)).unwrap();
    assert!(home(&axes, &[Axis::Lift]).unwrap_err().to_string().contains("check the switch"));
    assert!(matches!(axes.start_move(at(0.0, 1.0)), Err(MotionError::Unknown { axis: Axis::Lift })));
}

#[test]
fn an_endstop_that_sticks_once_it_was_met_is_named_and_nothing_is_believed() {
    let bench = Bench::with(&[("# SIMULATION", "lift = \"90 mm\"")]);
    let axes = bench.axes();
    let homing = axes.home(&[]);
    while bench.rises(LIFT_STEP).len() < 1000 {
        std::thread::yield_now();
    }
    bench.sim.set_level(LIFT_SWITCH, Some(false)).unwrap();
    let failed = homing.blocking_recv().unwrap().unwrap_err().to_string();
    assert!(failed.contains("stays active") && failed.contains("stick"), "{failed}");
    assert!(matches!(axes.start_move(at(0.0, 1.0)), Err(MotionError::Unknown { axis: Axis::Lift })));
}

#[test]
fn a_switch_that_is_met_while_it_brakes_already_is_no_second_brake() {
    let slow = ("acceleration = \"2000 mm/s2\"", "acceleration = \"200 mm/s2\"\njerk = \"2000 mm/s3\"");
    let fast = ("method = \"endstop\"", "method = \"endstop\"\nspeed = \"100 mm/s\"");
    let bench = Bench::with(&[slow, fast, ("# SIMULATION", "lift = \"105 mm\"")]);
    let axes = bench.axes();
    let homing = axes.home(&[]);
    // Shortly before the end of the search it slows down: then it is told to stop, and then it meets the switch.
    while bench.sim.true_steps()[1] > 500 {
        std::thread::yield_now();
    }
    axes.stop();
    let ended = homing.blocking_recv().unwrap();
    assert!(matches!(ended, Err(MotionError::Stopped)), "{ended:?}");
    assert_eq!(axes.fault(), None);
}
