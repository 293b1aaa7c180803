//! `[motion]` and its axes.

use std::time::Duration;

use super::gpio::Pins;
use super::stepper;
use crate::config::gpio::Stepper;
use crate::config::reader::Reader;
use crate::config::value::Choice;
use crate::config::{Motion, MotionBackend, SettleBy};
use crate::model::{Axis, AxisConfig, Limits, Shaper, ShaperChoice, SimulatedAxis, Swing, Tremble};
use crate::units::{
    Angle, AngularAcceleration, AngularJerk, AngularSpeed, Degrees, Dimension, Hertz, Length,
    LinearAcceleration, LinearJerk, LinearSpeed, Quantity,
};

#[derive(Clone, Copy)]
enum Backend {
    Sim,
    Gpio,
}

impl Choice for Backend {
    const CHOICES: &'static [(&'static str, Self)] = &[("sim", Self::Sim), ("gpio", Self::Gpio)];
}

/// Reads `[motion]`. A rig without one has no axes.
pub(super) fn motion(document: &mut Reader<'_, '_, '_>, pins: &mut Pins) -> Option<Motion> {
    let written = document.has("motion");
    let motion = document.section("motion", |motion| {
        // What moves real weights is not guessed.
        let backend = if written { motion.required("backend") } else { Some(Backend::Sim) };
        let settle_by = motion.or("settle_by", SettleBy::Time);
        let default = match settle_by {
            SettleBy::Time => DEFAULT_SETTLE,
            SettleBy::Frames => DEFAULT_LONGEST_SETTLE,
        };
        let settle = super::time(motion, "settle", 0.0..=60.0, default.as_secs_f64());
        let trembles = motion.has("tremble");
        let tremble = motion.section("tremble", tremble_of).filter(|_| trembles);
        let is_there = |axis: &Axis| motion.has(axis.name()) && !motion.is_off(axis.name());
        let written: Vec<Axis> = Axis::ALL.into_iter().filter(is_there).collect();
        if backend.is_none() {
            // Which of these belong here cannot be told.
            for key in ["time_scale", "emergency_stop", "max_late_steps", "max_step_delay"] {
                motion.has(key);
            }
        }
        let mut steppers = Vec::new();
        let axes: Vec<Option<AxisConfig>> =
            written.into_iter().map(|axis| axis_config(motion, axis, backend, pins, &mut steppers)).collect();
        let axes: Option<Vec<AxisConfig>> = axes.into_iter().collect();
        let backend = match backend? {
            Backend::Sim => {
                MotionBackend::Sim { time_scale: motion.or_in("time_scale", &(0.001..=1000.0), 1.0) }
            }
            Backend::Gpio => {
                MotionBackend::Gpio(stepper::gpio_motion(motion, pins, steppers, axes.as_deref()))
            }
        };
        Some(Motion { backend, settle, settle_by, tremble, axes: axes? })
    });
    motion.flatten()
}

const DEFAULT_SETTLE: Duration = Duration::from_millis(200);
const DEFAULT_LONGEST_SETTLE: Duration = Duration::from_secs(2);

/// Reads `[motion.tremble]`: how a simulated rig comes to rest.
fn tremble_of(reader: &mut Reader<'_, '_, '_>) -> Tremble {
    let degrees = Degrees::new;
    Tremble {
        amplitude: reader.or_in("amplitude", &(degrees(0.0)..=degrees(10.0)), degrees(1.0)).get(),
        period: super::time(reader, "period", 0.001..=10.0, 0.12),
        decay: super::time(reader, "decay", 0.001..=10.0, 0.15),
    }
}

impl Choice for SettleBy {
    const CHOICES: &'static [(&'static str, Self)] = &[("time", Self::Time), ("frames", Self::Frames)];
}

fn axis_config(
    motion: &mut Reader<'_, '_, '_>,
    axis: Axis,
    backend: Option<Backend>,
    pins: &mut Pins,
    steppers: &mut Vec<Stepper>,
) -> Option<AxisConfig> {
    let config = motion.section(axis.name(), |reader| {
        let (limits, travel, simulated) = match axis {
            Axis::Turntable => {
                (angular_limits(reader), no_travel(reader), simulated::<AngularAcceleration>(reader))
            }
            Axis::Tilt => {
                (angular_limits(reader), travel::<Angle>(reader), simulated::<AngularAcceleration>(reader))
            }
            Axis::Lift | Axis::Rail => {
                (linear_limits(reader), travel::<Length>(reader), simulated::<LinearAcceleration>(reader))
            }
        };
        let swing = swing(reader, Known::Measured);
        let shaper = shaper(reader);
        let Some(limits) = limits else {
            // What a motor can do is checked against them.
            reader.has("stepper");
            reader.has("homing");
            return None;
        };
        let config = AxisConfig { axis, limits, travel, swing, shaper, simulated };
        match backend {
            Some(Backend::Gpio) => steppers.push(stepper::stepper(reader, pins, &config)?),
            Some(Backend::Sim) => {}
            None => {
                reader.has("stepper");
                reader.has("homing");
            }
        }
        Some(config)
    });
    config.flatten()
}

/// Whose swing it is: of the one that is measured it is told how sure it is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Known {
    Measured,
    Simulated,
}

/// Reads the `swing` of an axis, if it has one. None after a mistake, too, which has been reported.
fn swing(axis: &mut Reader<'_, '_, '_>, known: Known) -> Option<Swing> {
    if !axis.has("swing") {
        return None;
    }
    let swing = axis.section("swing", |swing| {
        let frequency = swing.required_in("frequency", &(Hertz::new(0.1)..=Hertz::new(1000.0)));
        let damping = swing.required_in("damping", &(0.001..=0.9));
        let spread = match known {
            Known::Measured => swing.or_in("spread", &(0.0..=0.5), 0.0),
            Known::Simulated => 0.0,
        };
        Some(Swing { frequency: frequency?, damping: damping?, spread })
    });
    swing.flatten()
}

/// Reads the `shaper` of an axis, for which its swing has to be known.
fn shaper(axis: &mut Reader<'_, '_, '_>) -> ShaperChoice {
    let shaper = axis.or("shaper", ShaperChoice::Auto);
    let shapes = match shaper {
        ShaperChoice::Auto | ShaperChoice::Always(Shaper::Off) => false,
        ShaperChoice::Always(Shaper::Zv | Shaper::Mzv | Shaper::Zvd | Shaper::Ei) => true,
    };
    if shapes && !axis.has("swing") {
        let hint = "add `swing = { frequency = \"12.4 Hz\", damping = 0.04 }`, as measured, or remove it";
        axis.reject("shaper", "cannot be made: it is not known how this axis swings", hint);
    }
    shaper
}

/// Reads `simulated` of an axis: what simulated cameras see.
fn simulated<A: Dimension>(axis: &mut Reader<'_, '_, '_>) -> SimulatedAxis {
    let simulated = axis.section("simulated", |simulated| {
        let holds = simulated.optional_in("holds", &(Quantity::<A>::new(0.001)..=Quantity::new(1e6)));
        SimulatedAxis { swing: swing(simulated, Known::Simulated), holds: holds.map(Quantity::get) }
    });
    simulated.unwrap_or_default()
}

impl Choice for ShaperChoice {
    const CHOICES: &'static [(&'static str, Self)] = &[
        ("auto", Self::Auto),
        (Shaper::Off.name(), Self::Always(Shaper::Off)),
        (Shaper::Zv.name(), Self::Always(Shaper::Zv)),
        (Shaper::Mzv.name(), Self::Always(Shaper::Mzv)),
        (Shaper::Zvd.name(), Self::Always(Shaper::Zvd)),
        (Shaper::Ei.name(), Self::Always(Shaper::Ei)),
    ];
}

fn angular_limits(axis: &mut Reader<'_, '_, '_>) -> Option<Limits> {
    limits::<AngularSpeed, AngularAcceleration, AngularJerk>(axis)
}

fn linear_limits(axis: &mut Reader<'_, '_, '_>) -> Option<Limits> {
    limits::<LinearSpeed, LinearAcceleration, LinearJerk>(axis)
}

fn limits<S: Dimension, A: Dimension, J: Dimension>(axis: &mut Reader<'_, '_, '_>) -> Option<Limits> {
    let speed = axis.required_in("speed", &(Quantity::<S>::new(0.001)..=Quantity::new(1e5)));
    let acceleration = axis.required_in("acceleration", &(Quantity::<A>::new(0.001)..=Quantity::new(1e6)));
    let jerk = axis.optional_in("jerk", &(Quantity::<J>::new(0.001)..=Quantity::new(1e9)));
    Some(Limits { speed: speed?.get(), acceleration: acceleration?.get(), jerk: jerk.map(Quantity::get) })
}

fn no_travel(turntable: &mut Reader<'_, '_, '_>) -> Option<(f64, f64)> {
    if turntable.has("travel") {
        turntable.reject("travel", "has no meaning: a turntable turns without end", "remove it");
    }
    None
}

/// Lowest and highest position: `["0 mm", "200 mm"]`. None after a mistake, which has been reported.
fn travel<D: Dimension>(axis: &mut Reader<'_, '_, '_>) -> Option<(f64, f64)> {
    let travel: Vec<Quantity<D>> = axis.required("travel")?;
    let unit = D::UNITS[0].0;
    let hint = format!("write the lowest and the highest position: [\"0 {unit}\", \"90 {unit}\"]");
    match travel.as_slice() {
        [low, high] if low < high => Some((low.get(), high.get())),
        [low, high] => {
            axis.reject("travel", &format!("cannot go from {low} to {high}"), &hint);
            None
        }
        other => {
            axis.reject("travel", &format!("cannot have {} positions", other.len()), &hint);
            None
        }
    }
}
