//! Drivers on a UART: the real code on a pseudo-terminal, simulated chips at its other end.

use super::*;
use crate::rig::Axes as _;

const GCONF: u8 = 0x00;
const IHOLD_IRUN: u8 = 0x10;
const TCOOLTHRS: u8 = 0x14;
const CHOPCONF: u8 = 0x6C;

/// A table at address 0 and a lift at address 3 of the same wire, the lift without a switch.
const UARTS: [(&str, &str); 4] = [
    ("driver = \"drv8825\"", "driver = \"tmc2209\""),
    ("driver = \"a4988\"", "driver = \"tmc2209\""),
    ("# TABLE", "[motion.turntable.stepper.uart]\ncurrent = \"0.8 A\"\nhold_current = \"400 mA\""),
    ("# LIFT", "microsteps = 32\n[motion.lift.stepper.uart]\naddress = 3\ncurrent = \"1.2 A\""),
];

const STALL: (&str, &str) = (
    "method = \"endstop\"\nswitch = \"^!GPIO16\"",
    "method = \"stall\"\ndiag = \"GPIO16\"\nthreshold = 60\nback_off = \"10 mm\"",
);

fn bench(more: &[(&str, &str)]) -> Bench {
    Bench::with(&[&UARTS[..], more].concat())
}

fn wait_for_fault(axes: &GpioAxes) -> String {
    loop {
        if let Some(fault) = axes.fault() {
            return fault;
        }
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
}

#[test]
fn drivers_get_the_settings_of_the_configuration() {
    let bench = bench(&[]);
    let _axes = bench.axes();
    let [table, lift] = &bench.sim.chips()[..] else { panic!("two drivers") };
    // 16 and 32 microsteps; 0.8 A with high sensitivity, 1.2 A without.
    assert_eq!([table, lift].map(|chip| chip.register(CHOPCONF) >> 24 & 0xF), [4, 3]);
    assert_eq!([table, lift].map(|chip| chip.register(CHOPCONF) >> 17 & 1), [1, 0]);
    assert_eq!([table, lift].map(|chip| chip.register(GCONF)), [0x1C0; 2]);
    assert_eq!(table.register(IHOLD_IRUN) & 0x1F1F, 0x190C);
    assert_eq!(lift.register(IHOLD_IRUN) & 0x1F1F, 0x1409);
}

#[test]
fn a_driver_that_does_not_answer_is_named_and_nothing_moves() {
    let bench = bench(&[]);
    bench.sim.chips()[1].silence(true);
    let Err(error) = bench.try_axes(bench.pins.board.as_ref()) else { panic!("it is silent") };
    let error = error.to_string();
    for text in ["driver of the lift", "address 3", "/dev/serial0", "does not answer", "MS1 and MS2"] {
        assert!(error.contains(text), "{error}");
    }
    assert_eq!(bench.level(TABLE_ENABLE), '1', "released");
    // The pins are free again, and it can be tried anew.
    bench.sim.chips()[1].silence(false);
    bench.axes();
}

#[test]
fn a_short_stops_everything_and_is_named_until_it_is_gone_and_cleared() {
    let bench = bench(&[]);
    let axes = bench.homed();
    bench.sim.chips()[0].fail(1 << 2);
    let fault = wait_for_fault(&axes);
    assert!(fault.contains("driver of the turntable has a short to ground at coil A"), "{fault}");
    assert_eq!(bench.level(TABLE_ENABLE), '1', "released");
    assert!(matches!(axes.start_move(at(1.0, 0.0)), Err(crate::rig::axes::MotionError::Fault { .. })));
    // Its supply was taken away to mend it: what it had been told is gone.
    bench.sim.chips()[0].reset();
    assert_ne!(bench.sim.chips()[0].register(GCONF), 0x1C0);
    axes.clear().unwrap();
    assert_eq!(bench.sim.chips()[0].register(GCONF), 0x1C0);
    assert!(axes.start_move(at(1.0, 0.0)).unwrap_err().to_string().contains("it is not known where"));
}

#[test]
fn a_supply_that_fails_at_rest_is_a_fault_and_so_is_a_driver_that_is_gone() {
    let bench = bench(&[]);
    let axes = bench.homed();
    let before = axes.disturbances();
    bench.sim.chips()[1].reset();
    let fault = wait_for_fault(&axes);
    assert!(fault.contains("driver of the lift has lost its settings"), "{fault}");
    assert!(axes.disturbances() > before, "what was shot meanwhile does not count");
    axes.clear().unwrap();
    bench.sim.chips()[1].silence(true);
    let fault = wait_for_fault(&axes);
    assert!(fault.contains("does not answer"), "{fault}");
    let refused = axes.clear().unwrap_err().to_string();
    assert!(refused.contains("does not answer"), "it is still gone: {refused}");
}

#[test]
fn a_lift_without_a_switch_finds_its_end_by_pushing_at_it() {
    for towards in ["low", "high"] {
        let method = format!("{}\ntowards = \"{towards}\"", STALL.1);
        let bench = bench(&[(STALL.0, method.as_str()), ("# SIMULATION", "lift = \"37.7 mm\"")]);
        let axes = bench.homed();
        axes.start_move(at(0.0, 50.0)).unwrap().done.blocking_recv().unwrap().unwrap();
        // Where it believes to be is where it is: the first push lost steps, the second one counts.
        assert_eq!(bench.sim.true_steps()[1], 50 * 200, "{towards}");
        assert_eq!(bench.sim.chips()[1].register(TCOOLTHRS), 0, "stalls are of no interest any more");
    }
}

#[test]
fn a_lift_that_never_stalls_is_named() {
    let bench = bench(&[STALL, ("# SIMULATION", "dead = [\"GPIO16\"]"), ("\"100 mm\"", "\"20 mm\"")]);
    let axes = bench.axes();
    let failed = axes.home(&[]).blocking_recv().unwrap().unwrap_err().to_string();
    assert!(failed.contains("lift") && failed.contains("GPIO16"), "{failed}");
    assert_eq!(bench.sim.chips()[1].register(TCOOLTHRS), 0);
}

#[test]
fn a_held_table_whose_driver_lost_its_supply_is_asked_for() {
    let held = [
        ("rotation_distance = \"80 deg\"", "rotation_distance = \"80 deg\"\nhold_when_safe = true"),
        ("method = \"by_hand\"", "method = \"by_hand\"\ntrust_hold = true"),
    ];
    let bench = bench(&held);
    let axes = bench.homed();
    axes.home(&[Axis::Turntable]).blocking_recv().unwrap().unwrap();
    axes.start_move(at(30.0, 0.0)).unwrap().done.blocking_recv().unwrap().unwrap();
    drop(axes);
    let axes = bench.axes();
    assert!(axes.assumed().is_empty(), "it was held");
    drop(axes);
    bench.sim.chips()[0].reset();
    assert_eq!(bench.axes().assumed(), [(Axis::Turntable, 0.0)]);
}

#[test]
fn uarts_that_cannot_be_are_mistakes() {
    let errors = |more: &[(&str, &str)]| {
        let text = [&UARTS[..], more]
            .concat()
            .iter()
            .fold(RIG.to_owned(), |text, (mark, lines)| text.replace(mark, lines));
        Config::from_text("rig.toml", &text).map(drop).unwrap_err().to_string()
    };
    let cases = [
        (("address = 3", "address = 0"), "is 0, which is that of the turntable at the same port already"),
        (("address = 3", "address = 4"), "`motion.lift.stepper.uart.address` cannot be 4"),
        (("\"1.2 A\"", "\"1.9 A\""), "with sense resistors of 0.11 ohm it is 1.77 A at most"),
        (("\"1.2 A\"", "\"1.2 A\"\nboard_limit = \"1 A\""), "current` cannot be 1.2 A"),
        (("\"1.2 A\"", "\"2.5 A\"\nsense_resistor = \"50 mohm\""), "current` cannot be 2.5 A"),
        (("\"0.8 A\"", "\"0.3 A\""), "hold_current` cannot be 0.4 A"),
        (("microsteps = 32", "microsteps = 24"), "microsteps` cannot be 24"),
        (
            ("microsteps = 32", "microstep_pins = [\"GPIO30\", \"GPIO31\"]"),
            "MS1 and MS2, which select the address",
        ),
        (("\"1.2 A\"", "\"1.2 A\"\nport = \"serial0\""), "is no whole path"),
    ];
    for (change, wanted) in cases {
        let errors = errors(&[change]);
        assert!(errors.contains(wanted), "{change:?}: {errors}");
    }
    let silent = errors(&[STALL, ("\"1.2 A\"", "\"1.2 A\"\nstealth = false")]);
    assert!(silent.contains("the driver does not feel that the motor stalls"), "{silent}");
}
