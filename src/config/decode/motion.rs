//! `[motion]` and its axes.

use std::time::Duration;

use crate::config::reader::Reader;
use crate::config::value::Choice;
use crate::config::{AxisConfig, Motion, MotionBackend};
use crate::motion::Limits;
use crate::plan::Axis;
use crate::units::{
    Angle, AngularAcceleration, AngularJerk, AngularSpeed, Dimension, Length, LinearAcceleration, LinearJerk,
    LinearSpeed, Quantity,
};

impl Choice for MotionBackend {
    const CHOICES: &'static [(&'static str, Self)] = &[("sim", Self::Sim { time_scale: 1.0 })];
}

/// Reads `[motion]`. A rig without one has no axes.
pub(super) fn motion(document: &mut Reader<'_, '_, '_>) -> Option<Motion> {
    let written = document.has("motion");
    let motion = document.section("motion", |motion| {
        // What moves real weights is not guessed.
        let backend =
            if written { motion.required("backend") } else { Some(MotionBackend::Sim { time_scale: 1.0 }) };
        let time_scale = motion.or_in("time_scale", &(0.001..=1000.0), 1.0);
        let settle = super::time(motion, "settle", 0.0..=60.0, DEFAULT_SETTLE.as_secs_f64());
        let written: Vec<Axis> = Axis::ALL.into_iter().filter(|axis| motion.has(axis.name())).collect();
        let axes: Vec<Option<AxisConfig>> =
            written.into_iter().map(|axis| axis_config(motion, axis)).collect();
        let axes: Option<Vec<AxisConfig>> = axes.into_iter().collect();
        let backend = match backend? {
            MotionBackend::Sim { .. } => MotionBackend::Sim { time_scale },
        };
        Some(Motion { backend, settle, axes: axes? })
    });
    motion.flatten()
}

const DEFAULT_SETTLE: Duration = Duration::from_millis(200);

fn axis_config(motion: &mut Reader<'_, '_, '_>, axis: Axis) -> Option<AxisConfig> {
    let config = motion.section(axis.name(), |reader| {
        let (limits, travel) = match axis {
            Axis::Turntable => (angular_limits(reader), no_travel(reader)),
            Axis::Tilt => (angular_limits(reader), travel::<Angle>(reader)),
            Axis::Lift | Axis::Rail => (linear_limits(reader), travel::<Length>(reader)),
        };
        Some(AxisConfig { axis, limits: limits?, travel })
    });
    config.flatten()
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
    Some(Limits { speed: speed?.get(), acceleration: acceleration?.get(), jerk: None })
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
