//! Reads `[motion.AXIS.stepper]` and `[motion.AXIS.homing]`: a motor on pins, and how its axis is found.

use std::ops::RangeInclusive;

use super::gpio::Pins;
use super::uart;
use crate::config::gpio::{GpioMotion, Homing, Pin, Pull, Seek, Stepper, StepperDriver};
use crate::config::reader::Reader;
use crate::config::value::Choice;
use crate::model::{Axis, AxisConfig};
use crate::motion::StepScale;
use crate::units::{Angle, AngularSpeed, Dimension, Length, LinearSpeed, Quantity, Seconds};

/// Steps a second that can be asked of a motor: at twice as many, most of a processor would go into waiting.
const MOST_STEPS_PER_SECOND: f64 = 20_000.0;
/// Of all motors together: at 20,000 steps/s, two thirds of a processor went into making them (docs/figures.md).
const MOST_STEPS_TOGETHER: f64 = 30_000.0;
/// Seconds. A guess, measured on no motor: a rotor of some hundred g cm2 swings at about 100 Hz, and so has come to
/// rest, or swung back, after as long.
const DEFAULT_MAX_STEP_DELAY: f64 = 0.01;

impl Choice for StepperDriver {
    const CHOICES: &'static [(&'static str, Self)] =
        &[("a4988", Self::A4988), ("drv8825", Self::Drv8825), ("tmc2209", Self::Tmc2209)];
}

#[derive(Clone, Copy)]
enum Method {
    ByHand,
    Endstop,
    Index,
    Stall,
}

impl Choice for Method {
    const CHOICES: &'static [(&'static str, Self)] = &[
        ("by_hand", Self::ByHand),
        ("endstop", Self::Endstop),
        ("index", Self::Index),
        ("stall", Self::Stall),
    ];
}

#[derive(Clone, Copy)]
enum End {
    Low,
    High,
}

impl Choice for End {
    const CHOICES: &'static [(&'static str, Self)] = &[("low", Self::Low), ("high", Self::High)];
}

/// What `[motion]` says of axes on pins, their motors apart.
pub(super) fn gpio_motion(
    motion: &mut Reader<'_, '_, '_>,
    pins: &mut Pins,
    steppers: Vec<Stepper>,
    axes: Option<&[AxisConfig]>,
) -> GpioMotion {
    let rate = |(stepper, axis): (&Stepper, &AxisConfig)| axis.limits.speed * stepper.scale.steps_per_unit();
    // After a mistake, which motor is whose cannot be told.
    let together: f64 = steppers.iter().zip(axes.unwrap_or_default()).map(rate).sum();
    if together > MOST_STEPS_TOGETHER {
        let message = format!(
            "`motion` needs {together:.0} steps/s of its axes together, and the program makes {MOST_STEPS_TOGETHER:.0} at most"
        );
        motion.reject_table(&message, "lower a speed, or use fewer microsteps");
    }
    let emergency_stop = pins.optional(motion, "emergency_stop", "emergency stop");
    if let Some(pin) = emergency_stop {
        check_emergency_stop(motion, pin);
    }
    let max_late_steps = motion.or_in("max_late_steps", &(0..=1_000_000), 100);
    let max_step_delay = super::time(motion, "max_step_delay", 0.0005..=60.0, DEFAULT_MAX_STEP_DELAY);
    GpioMotion { steppers, emergency_stop, max_late_steps, max_step_delay }
}

/// A broken line has to look like a pressed button.
fn check_emergency_stop(motion: &mut Reader<'_, '_, '_>, pin: Pin) {
    let hint = format!("wire a normally closed contact between {pin} and ground, and write \"^{pin}\"");
    if pin.active_low {
        motion.reject("emergency_stop", "is inverted: a broken line would not stop the rig", &hint);
    } else if pin.pull != Pull::Up {
        motion.reject("emergency_stop", "is not pulled up: a broken line might not stop the rig", &hint);
    }
}

/// Reads the motor of the axis that `reader` is at.
pub(super) fn stepper(
    reader: &mut Reader<'_, '_, '_>,
    pins: &mut Pins,
    config: &AxisConfig,
) -> Option<Stepper> {
    match config.axis {
        Axis::Turntable | Axis::Tilt => of_kind::<Angle, AngularSpeed>(reader, pins, config),
        Axis::Lift | Axis::Rail => of_kind::<Length, LinearSpeed>(reader, pins, config),
    }
}

fn of_kind<P: Dimension, S: Dimension>(
    reader: &mut Reader<'_, '_, '_>,
    pins: &mut Pins,
    config: &AxisConfig,
) -> Option<Stepper> {
    let axis = config.axis;
    let mut rate = None;
    let stepper = reader.section("stepper", |reader| {
        let stepper = motor::<P>(reader, pins, axis);
        rate = stepper.as_ref().map(|stepper| config.limits.speed * stepper.scale.steps_per_unit());
        stepper
    });
    let stealthy = |stepper: &Stepper| stepper.uart.as_ref().is_some_and(|uart| uart.stealth);
    let feels = stepper.as_ref().and_then(Option::as_ref).is_some_and(stealthy);
    let homing = reader.section("homing", |reader| homing::<P, S>(reader, pins, config, feels)).flatten();
    if let Some(rate) = rate.filter(|rate| *rate > MOST_STEPS_PER_SECOND) {
        reader.reject(
            "speed",
            &format!("needs {rate:.0} steps/s, and the program makes {MOST_STEPS_PER_SECOND:.0} at most"),
            "lower it, or use fewer microsteps",
        );
    }
    let (stepper, homing) = (stepper.flatten()?, homing?);
    if homing.trusts_hold() {
        check_hold(reader, pins, &stepper);
    }
    Some(Stepper { homing, ..stepper })
}

/// A motor that is to hold its axis while no program runs has to stay powered then.
fn check_hold(reader: &mut Reader<'_, '_, '_>, pins: &Pins, stepper: &Stepper) {
    let key = "homing";
    if stepper.enable.is_some() && !stepper.hold_when_safe {
        reader.reject(
            key,
            "has `trust_hold`, and the motor is released when the program ends",
            "add `hold_when_safe = true` to its `stepper`, or remove `trust_hold`",
        );
    }
    if !pins.outlive() {
        reader.reject(
            key,
            "has `trust_hold`, and it is up to the kernel what a pin of \"gpiocdev\" does when the program ends",
            "use the backend \"rppal\", or remove `trust_hold`",
        );
    }
}

fn motor<P: Dimension>(reader: &mut Reader<'_, '_, '_>, pins: &mut Pins, axis: Axis) -> Option<Stepper> {
    let quantity = Quantity::<P>::new;
    let driver = reader.required("driver");
    let step = pins.required(reader, "step", &format!("{axis} step"));
    let direction = pins.required(reader, "direction", &format!("{axis} direction"));
    let enable = pins.optional(reader, "enable", &format!("{axis} enable"));
    let microsteps: u32 = reader.or_in("microsteps", &(1..=256), 16);
    let selectors: Vec<Pin> = reader.or("microstep_pins", Vec::new());
    for &pin in &selectors {
        pins.take(reader, "microstep_pins", pin, &format!("{axis} microsteps"));
    }
    let microstep_pins = driver.and_then(|driver| microstep_levels(reader, driver, microsteps, &selectors));
    let full_steps: u32 = reader.or_in("full_steps_per_rotation", &(1..=100_000), 200);
    let per_rotation = reader.required_in("rotation_distance", &(quantity(1e-4)..=quantity(1e5)));
    let written = reader.has("uart");
    let uart = reader.section("uart", |reader| uart::uart(reader, pins, axis, microsteps, written)).flatten();
    if uart.is_some() {
        check_uart(reader, driver, &selectors, microsteps);
    }
    let backlash = reader.or_in("backlash", &(quantity(0.0)..=quantity(1e3)), quantity(0.0));
    let second = Seconds::new;
    let idle_release = reader.optional_in("idle_release", &(second(1.0)..=second(86_400.0)));
    let hold_when_safe = reader.or("hold_when_safe", false);
    if enable.is_none() && (idle_release.is_some() || hold_when_safe) {
        let key = if hold_when_safe { "hold_when_safe" } else { "idle_release" };
        reader.reject(key, "needs a pin that powers the motor", "add `enable`, or remove it");
    }
    let steps = f64::from(full_steps) * f64::from(microsteps);
    Some(Stepper {
        axis,
        driver: driver?,
        step: step?,
        direction: direction?,
        enable,
        microstep_pins: microstep_pins?,
        uart,
        scale: StepScale::new(steps / per_rotation?.get()),
        backlash: backlash.get(),
        idle_release: idle_release.map(Seconds::duration),
        hold_when_safe,
        homing: Homing::ByHand { position: 0.0, trust_hold: false },
    })
}

/// What a driver on a UART leaves to its registers.
fn check_uart(
    reader: &mut Reader<'_, '_, '_>,
    driver: Option<StepperDriver>,
    selectors: &[Pin],
    microsteps: u32,
) {
    if driver.is_some_and(|driver| driver != StepperDriver::Tmc2209) {
        reader.reject(
            "uart",
            "is there, and this driver has none",
            "write driver = \"tmc2209\", or remove it",
        );
    }
    if !selectors.is_empty() {
        reader.reject(
            "microstep_pins",
            "are MS1 and MS2, which select the address of a driver with a UART",
            "remove them: microsteps are set over the UART",
        );
    }
    if !microsteps.is_power_of_two() {
        reader.reject("microsteps", &format!("cannot be {microsteps}"), "write a power of two, 1 to 256");
    }
}

/// The level that each microstep pin gets.
fn microstep_levels(
    reader: &mut Reader<'_, '_, '_>,
    driver: StepperDriver,
    microsteps: u32,
    selectors: &[Pin],
) -> Option<Vec<(Pin, bool)>> {
    if selectors.is_empty() {
        return Some(Vec::new());
    }
    let known = driver.microstep_levels();
    let Some((_, levels)) = known.iter().find(|(steps, _)| *steps == microsteps) else {
        let all: Vec<String> = known.iter().map(|(steps, _)| steps.to_string()).collect();
        let hint = format!(
            "write one of {}, or select them on the board and remove `microstep_pins`",
            all.join(", ")
        );
        reader.reject("microsteps", &format!("cannot be {microsteps} by this driver's pins"), &hint);
        return None;
    };
    if levels.len() != selectors.len() {
        let message = format!("has {} pins, and this driver has {}", selectors.len(), levels.len());
        reader.reject("microstep_pins", &message, "write them in their order: MS1, MS2, ... or M0, M1, ...");
        return None;
    }
    Some(selectors.iter().copied().zip(levels.iter().copied()).collect())
}

fn homing<P: Dimension, S: Dimension>(
    reader: &mut Reader<'_, '_, '_>,
    pins: &mut Pins,
    config: &AxisConfig,
    feels: bool,
) -> Option<Homing> {
    let AxisConfig { axis, limits, travel, .. } = *config;
    let method = reader.required("method");
    let positions: RangeInclusive<Quantity<P>> = match travel {
        Some((low, high)) => Quantity::new(low)..=Quantity::new(high),
        None => Quantity::new(-360.0)..=Quantity::new(360.0),
    };
    let position = reader.optional_in("position", &positions).map(Quantity::get);
    let default_position = travel.map_or(0.0, |(low, high)| 0.0_f64.max(low).min(high));
    let Some(method) = method else {
        // Which of the other keys belong here cannot be told.
        reader.pass_unknown();
        return None;
    };
    if matches!(method, Method::ByHand) {
        let trust_hold = reader.or("trust_hold", false);
        return Some(Homing::ByHand { position: position.unwrap_or(default_position), trust_hold });
    }
    let stall = matches!(method, Method::Stall);
    let switch = pins.required(reader, if stall { "diag" } else { "switch" }, &format!("{axis} switch"));
    let threshold = if stall { reader.required_in("threshold", &(1..=255_u32)) } else { None };
    if stall && !feels {
        let hint = "give its `stepper` a driver \"tmc2209\" with a [...stepper.uart] and `stealth`, or write \"endstop\"";
        reader.reject("method", "cannot be \"stall\": the driver does not feel that the motor stalls", hint);
    }
    let end = reader.or("towards", if travel.is_some() { End::Low } else { End::High });
    let upwards = matches!(end, End::High);
    let speed = |value: f64| Quantity::<S>::new(value);
    let speeds = speed(0.001)..=speed(limits.speed);
    let fast = reader.or_in("speed", &speeds, speed(limits.speed / 4.0)).get();
    // A motor that goes slowly does not feel its load.
    let slow =
        if stall { fast } else { reader.or_in("slow_speed", &speeds, speed(limits.speed / 20.0)).get() };
    let lengths = Quantity::<P>::new(0.001)..=Quantity::new(travel.map_or(180.0, |(low, high)| high - low));
    let back_off = reader.or_in("back_off", &lengths, Quantity::new(travel.map_or(10.0, |_| 2.0))).get();
    let end_of_travel = travel.map_or(0.0, |(low, high)| if upwards { high } else { low });
    let seek = Seek {
        switch: switch?,
        upwards,
        position: position.unwrap_or(end_of_travel),
        speed: fast,
        slow_speed: slow,
        back_off,
        // A tenth more than the whole way, for a travel that is written down too short.
        farthest: travel.map_or(396.0, |(low, high)| 1.1 * (high - low) + back_off),
    };
    match (method, travel.is_some()) {
        (Method::Index, true) => {
            reader.reject("method", "cannot be \"index\": the axis does not go round", "write \"endstop\"");
            None
        }
        (Method::Endstop | Method::Stall, false) => {
            reader.reject("method", "needs an end, and a turntable has none", "write \"index\"");
            None
        }
        (Method::Stall, true) => Some(Homing::Stall { seek, threshold: threshold? as u8 }),
        (Method::Endstop, true) => Some(Homing::Endstop(seek)),
        (Method::Index | Method::ByHand, _) => Some(Homing::Index(seek)),
    }
}
