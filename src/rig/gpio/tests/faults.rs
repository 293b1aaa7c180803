//! What must not happen, and what comes of it.

use std::time::Duration;

use super::*;
use crate::config::gpio::{Pin, SafeOutput};
use crate::rig::Axes as _;
use crate::rig::axes::MotionError;

#[test]
fn the_emergency_stop_stops_within_a_step_releases_the_motors_and_latches() {
    let bench = Bench::new();
    let axes = bench.homed();
    let running = axes.start_move(at(170.0, 0.0)).unwrap();
    let before = bench.rises(TABLE_STEP).len();
    while bench.rises(TABLE_STEP).len() < before + 400 {
        std::thread::yield_now();
    }
    bench.sim.set_level(EMERGENCY_STOP, Some(true)).unwrap();
    let pressed_ns = crate::clock::now_ns();
    let fault = running.done.blocking_recv().unwrap().unwrap_err().to_string();
    assert!(fault.contains("emergency stop") && fault.contains("scanner clear"), "{fault}");
    let after = bench.rises(TABLE_STEP).into_iter().filter(|pulse| pulse.at_ns > pressed_ns).count();
    assert!(after <= 1, "{after} steps after the emergency stop");
    assert_eq!((bench.level(TABLE_ENABLE), bench.level(LIFT_ENABLE)), ('1', '1'), "released: active low");

    // It latches: not even when the button is let go does anything move.
    bench.sim.set_level(EMERGENCY_STOP, Some(false)).unwrap();
    assert!(matches!(axes.start_move(at(0.0, 0.0)), Err(MotionError::Fault { .. })));
    let pulses = bench.rises(TABLE_STEP).len();
    axes.clear().unwrap();
    assert_eq!(axes.fault(), None);
    // What coasted and was released is nowhere known; clearing moves nothing.
    assert!(matches!(axes.start_move(at(0.0, 0.0)), Err(MotionError::Unknown { axis: Axis::Turntable })));
    assert_eq!(bench.rises(TABLE_STEP).len(), pulses);
    // A person says where the turntable stands, and the lift finds out.
    let not_ready = axes.make_ready().blocking_recv().unwrap();
    assert!(matches!(not_ready, Err(MotionError::Unknown { axis: Axis::Turntable })), "{not_ready:?}");
    assert!(matches!(axes.start_move(at(0.0, 0.0)), Err(MotionError::Unknown { axis: Axis::Turntable })));
    axes.home(&[Axis::Turntable]).blocking_recv().unwrap().unwrap();
    axes.make_ready().blocking_recv().unwrap().unwrap();
    axes.start_move(at(1.0, 1.0)).unwrap().done.blocking_recv().unwrap().unwrap();
}

#[test]
fn an_emergency_stop_that_is_open_at_the_start_is_a_fault_until_it_is_closed_and_cleared() {
    let bench = Bench::new();
    bench.sim.set_level(EMERGENCY_STOP, Some(true)).unwrap();
    let axes = bench.axes();
    let refused = axes.make_ready().blocking_recv().unwrap().unwrap_err().to_string();
    assert!(refused.contains("pressed, or its line is broken"), "{refused}");
    assert!(axes.clear().unwrap_err().to_string().contains("emergency stop"), "it is still open");
    assert!(bench.rises(LIFT_STEP).is_empty());
    bench.sim.set_level(EMERGENCY_STOP, Some(false)).unwrap();
    axes.clear().unwrap();
    axes.home(&[Axis::Lift]).blocking_recv().unwrap().unwrap();
}

#[test]
fn pins_that_cannot_be_had_are_errors_that_name_pin_and_holder_or_group() {
    let message = |addition: &str| {
        let config = config(&[("# SIMULATION", addition)]);
        let folder = tempfile::tempdir().unwrap();
        open(&config, folder.path()).map(drop).unwrap_err().to_string()
    };
    assert!(message("fault = \"missing\"").contains("there is no /dev/gpiochip0"));
    let denied = message("fault = \"denied\"");
    assert!(denied.contains("group gpio") && denied.contains("usermod -aG gpio"), "{denied}");

    let bench = Bench::with(&[("# SIMULATION", "busy = [\"GPIO12\"]")]);
    let busy = bench.try_axes(bench.pins.board.as_ref()).map(drop).unwrap_err().to_string();
    assert!(busy.contains("GPIO12 (lift step) is held by \"somebody-else\""), "{busy}");
    // What was taken before has been given back, safe.
    assert_eq!(bench.level(TABLE_ENABLE), '1');
    assert_eq!((bench.level(TABLE_STEP), bench.level(TABLE_DIRECTION)), ('0', '0'));

    let missing = cdev::CdevBoard::open(Path::new("/dev/no-such-gpiochip")).map(drop).unwrap_err();
    assert!(missing.to_string().contains("/dev/no-such-gpiochip"), "{missing}");
    let other = cdev::CdevBoard::open(Path::new("/dev/null")).map(drop).unwrap_err();
    assert!(other.to_string().contains("no GPIO chip"), "{other}");
}

/// Pins of which one can fail, or take its time.
struct Faulty {
    board: Arc<dyn Board>,
    pin: u32,
    fault: Fault,
}

#[derive(Clone, Copy)]
enum Fault {
    Slow(Duration),
    Fails,
    Panics,
    /// An input reads active once in a while, and not the next time.
    Twitches,
}

struct FaultyOutput(Box<dyn Output>, Option<Fault>);

impl Output for FaultyOutput {
    fn set(&mut self, active: bool, due_ns: u64) -> Result<(), PinError> {
        match self.1 {
            Some(Fault::Slow(time)) => std::thread::sleep(time),
            Some(Fault::Fails) if active => {
                let pin = Pin { number: TABLE_STEP, active_low: false, pull: crate::config::gpio::Pull::Off };
                let source = std::io::Error::other("unplugged");
                return Err(PinError::Io { action: "set", pin, purpose: "turntable step".into(), source });
            }
            Some(Fault::Panics) if active => panic!("as the test wants it"),
            Some(Fault::Fails | Fault::Panics | Fault::Twitches) | None => {}
        }
        self.0.set(active, due_ns)
    }
}

struct FaultyInput {
    input: Box<dyn Input>,
    twitches: bool,
    reads: u32,
}

impl Input for FaultyInput {
    fn is_active(&mut self) -> Result<bool, PinError> {
        self.reads += 1;
        // Twice in a row, of every ten times.
        Ok(self.input.is_active()? || (self.twitches && self.reads % 10 < 2))
    }
}

impl Board for Faulty {
    fn output(&self, pin: Pin, purpose: &str, active: bool) -> Result<Box<dyn Output>, PinError> {
        let output = self.board.output(pin, purpose, active)?;
        Ok(Box::new(FaultyOutput(output, (pin.number == self.pin).then_some(self.fault))))
    }

    fn input(&self, pin: Pin, purpose: &str) -> Result<Box<dyn Input>, PinError> {
        let input = self.board.input(pin, purpose)?;
        let twitches = matches!(self.fault, Fault::Twitches) && pin.number == self.pin;
        Ok(Box::new(FaultyInput { input, twitches, reads: 0 }))
    }

    fn edges(&self, pin: Pin, purpose: &str, debounce: Duration) -> Result<Option<Box<dyn Edges>>, PinError> {
        self.board.edges(pin, purpose, debounce)
    }
}

fn fault_of(bench: &Bench, fault: Fault) -> (GpioAxes, String) {
    let faulty = Faulty { board: bench.pins.board.clone(), pin: TABLE_STEP, fault };
    let axes = bench.try_axes(&faulty).unwrap();
    axes.make_ready().blocking_recv().unwrap().unwrap();
    let running = axes.start_move(at(5.0, 0.0)).unwrap();
    let failed = running.done.blocking_recv().unwrap().unwrap_err();
    assert!(matches!(failed, MotionError::Fault { .. }), "{failed}");
    (axes, failed.to_string())
}

#[test]
fn too_many_late_steps_are_a_fault_and_a_few_only_delay_the_move() {
    let slow = Fault::Slow(Duration::from_millis(2));
    let bench = Bench::with(&[("max_late_steps = 1000000", "max_late_steps = 10000")]);
    let faulty = Faulty { board: bench.pins.board.clone(), pin: TABLE_STEP, fault: slow };
    let axes = bench.try_axes(&faulty).unwrap();
    axes.make_ready().blocking_recv().unwrap().unwrap();
    let running = axes.start_move(at(1.0, 0.0)).unwrap();
    let rested = running.done.blocking_recv().unwrap().unwrap();
    assert!(rested > running.rest_ns && axes.late_steps() > 0);
    assert_eq!(bench.sim.true_steps()[0], 40, "none is left out");

    let by_hand = ("method = \"endstop\"\nswitch = \"^!GPIO16\"", "method = \"by_hand\"");
    let bench = Bench::with(&[("max_late_steps = 1000000", "max_late_steps = 5"), by_hand]);
    let (axes, message) = fault_of(&bench, slow);
    assert!(message.contains("6 steps of a move were late"), "{message}");
    assert_eq!(axes.late_steps(), 6);
}

#[test]
fn a_pin_that_fails_while_moving_is_the_fault_that_is_told_and_all_is_released() {
    let bench = Bench::new();
    let (axes, message) = fault_of(&bench, Fault::Fails);
    assert!(message.contains("turntable step") && message.contains("unplugged"), "{message}");
    assert!(axes.fault().unwrap().contains("unplugged"));
    assert_eq!((bench.level(TABLE_ENABLE), bench.level(LIFT_ENABLE)), ('1', '1'));
}

#[test]
fn a_disturbance_of_the_emergency_stop_stops_nothing() {
    let bench = Bench::new();
    let faulty = Faulty { board: bench.pins.board.clone(), pin: EMERGENCY_STOP, fault: Fault::Twitches };
    let axes = bench.try_axes(&faulty).unwrap();
    axes.make_ready().blocking_recv().unwrap().unwrap();
    axes.start_move(at(20.0, 0.0)).unwrap().done.blocking_recv().unwrap().unwrap();
    assert_eq!(axes.fault(), None);
}

#[test]
fn a_disturbance_of_a_switch_is_not_taken_for_the_switch() {
    let bench = Bench::new();
    let faulty = Faulty { board: bench.pins.board.clone(), pin: LIFT_SWITCH, fault: Fault::Twitches };
    let axes = bench.try_axes(&faulty).unwrap();
    axes.make_ready().blocking_recv().unwrap().unwrap();
    axes.start_move(at(0.0, 5.0)).unwrap().done.blocking_recv().unwrap().unwrap();
    assert_eq!(bench.sim.true_steps()[1], 500);
}

#[test]
fn a_panic_of_the_thread_leaves_every_output_safe() {
    let bench = Bench::new();
    let faulty = Faulty { board: bench.pins.board.clone(), pin: TABLE_STEP, fault: Fault::Panics };
    let axes = bench.try_axes(&faulty).unwrap();
    axes.make_ready().blocking_recv().unwrap().unwrap();
    let running = axes.start_move(at(5.0, 0.0)).unwrap();
    assert!(running.done.blocking_recv().is_err(), "nobody answers");
    // But everybody is told.
    while axes.fault().is_none() {
        std::thread::yield_now();
    }
    assert!(axes.fault().unwrap().contains("restart the program"));
    assert!(matches!(axes.start_move(at(6.0, 0.0)), Err(MotionError::Fault { .. })));
    while let Err(error) = axes.clear() {
        if matches!(error, MotionError::Ended) {
            break;
        }
    }
    assert!(axes.fault().is_some(), "it cannot be cleared");
    drop(axes);
    assert_eq!((bench.level(TABLE_ENABLE), bench.level(LIFT_ENABLE)), ('1', '1'));
}

#[test]
fn a_motor_that_rests_for_long_is_released_and_homed_again_if_it_can_be() {
    let idle = "idle_release = \"1 s\"";
    let bench = Bench::with(&[("# TABLE", idle), ("# LIFT", idle)]);
    let axes = bench.homed();
    axes.start_move(at(5.0, 1.0)).unwrap().done.blocking_recv().unwrap().unwrap();
    assert_eq!((bench.level(TABLE_ENABLE), bench.level(LIFT_ENABLE)), ('0', '0'), "held");
    while (bench.level(TABLE_ENABLE), bench.level(LIFT_ENABLE)) != ('1', '1') {
        std::thread::sleep(Duration::from_millis(20));
    }
    // The turntable stands where it was put; the lift may have come down.
    assert!(matches!(axes.start_move(at(6.0, 1.0)), Err(MotionError::Unknown { axis: Axis::Lift })));
    axes.make_ready().blocking_recv().unwrap().unwrap();
    axes.start_move(at(6.0, 1.0)).unwrap().done.blocking_recv().unwrap().unwrap();
    assert_eq!(bench.sim.true_steps(), [240, 100]);
}

#[test]
fn every_output_is_safe_after_an_end() {
    let bench = Bench::new();
    let axes = bench.homed();
    axes.start_move(at(170.0, 0.0)).map(drop).unwrap();
    drop(axes);
    for SafeOutput { pin, purpose, safe } in crate::config::gpio::safe_outputs(&bench.config) {
        if purpose.starts_with("lift") || purpose.starts_with("turntable") {
            let level = bench.level(pin.number);
            assert_eq!(level, if pin.level(safe) { '1' } else { '0' }, "{purpose}");
        }
    }
}

#[test]
fn a_motor_that_is_held_is_not_released_and_each_loss_of_power_counts() {
    let idle = "idle_release = \"1 s\"";
    let bench = Bench::with(&[("# TABLE", idle), ("# LIFT", idle)]);
    let axes = bench.homed();
    axes.keep_powered(true);
    axes.start_move(at(5.0, 1.0)).unwrap().done.blocking_recv().unwrap().unwrap();
    std::thread::sleep(Duration::from_millis(1300));
    assert_eq!((bench.level(TABLE_ENABLE), bench.level(LIFT_ENABLE)), ('0', '0'), "held");
    assert_eq!(axes.disturbances(), 0);
    axes.keep_powered(false);
    while axes.disturbances() < 2 {
        std::thread::sleep(Duration::from_millis(5));
    }
    bench.sim.set_level(EMERGENCY_STOP, Some(true)).unwrap();
    while axes.disturbances() < 3 {
        std::thread::sleep(Duration::from_millis(5));
    }
    assert!(axes.fault().unwrap().contains("emergency stop"));
}

#[test]
fn a_step_that_is_very_late_at_speed_is_a_fault_by_itself() {
    let by_hand = ("method = \"endstop\"\nswitch = \"^!GPIO16\"", "method = \"by_hand\"");
    let bench = Bench::with(&[("max_step_delay = \"60 s\"", "max_step_delay = \"30 ms\""), by_hand]);
    let (_, message) = fault_of(&bench, Fault::Slow(Duration::from_millis(40)));
    assert!(message.contains("has probably lost steps"), "{message}");
}

#[test]
fn an_end_is_safe_whoever_still_holds_the_axes() {
    let bench = Bench::new();
    let axes = bench.homed();
    axes.start_move(at(170.0, 0.0)).map(drop).unwrap();
    axes.end();
    assert_eq!((bench.level(TABLE_ENABLE), bench.level(LIFT_ENABLE)), ('1', '1'));
    assert!(matches!(axes.start_move(at(0.0, 0.0)), Err(MotionError::Ended)));
}
