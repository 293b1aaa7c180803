//! Settings in libcamera's words. What a camera lacks is an error: libcamera would drop it without a word.

use libcamera::camera::Camera;
use libcamera::control::{Control, ControlList};
use libcamera::control_value::ControlValue;
use libcamera::controls::ControlId;
use libcamera::controls::{AeEnable, AfMode, AnalogueGain, ExposureTime, FrameDurationLimits, LensPosition};
use scanner::camera_driver::host::DeviceError;
use scanner::camera_driver::protocol::{ControlRange, Controls};
use scanner::units::{Dioptres, FramesPerSecond, Seconds};

/// The controls of `camera` that can be set, with their ranges.
pub(crate) fn ranges(camera: &Camera<'_>) -> Vec<ControlRange> {
    let range = |name: &str, id: ControlId, unit: f64| {
        let info = camera.controls().find(id as u32).ok()?;
        let (min, max) = (number(&info.min())? * unit, number(&info.max())? * unit);
        Some(ControlRange { name: name.into(), min, max })
    };
    [
        // Microseconds.
        range("exposure", ControlId::ExposureTime, 1e-6),
        range("gain", ControlId::AnalogueGain, 1.0),
        range("focus", ControlId::LensPosition, 1.0),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Checks that every setting is one that the camera has, within its range.
pub(crate) fn check(ranges: &[ControlRange], wanted: &Controls) -> Result<(), DeviceError> {
    let values = [
        ("exposure", wanted.exposure.map(Seconds::get)),
        ("gain", wanted.gain),
        ("focus", wanted.focus.map(Dioptres::get)),
    ];
    for (name, value) in values {
        let Some(value) = value else { continue };
        let Some(range) = ranges.iter().find(|range| range.name == name) else {
            return Err(DeviceError::invalid(format!(
                "this camera has no control {name}: remove it from [camera.controls]"
            )));
        };
        if !(range.min..=range.max).contains(&value) {
            let (min, max) = (range.min, range.max);
            return Err(DeviceError::invalid(format!("{name} {value}: this camera takes {min} to {max}")));
        }
    }
    Ok(())
}

/// Puts checked settings into `list`.
pub(crate) fn write(
    list: &mut ControlList,
    wanted: &Controls,
    rate: Option<FramesPerSecond>,
) -> Result<(), DeviceError> {
    if wanted.exposure.is_some() && wanted.gain.is_some() {
        put(list, AeEnable(false))?;
    }
    if let Some(exposure) = wanted.exposure {
        put(list, ExposureTime((exposure.get() * 1e6).round() as i32))?;
    }
    if let Some(gain) = wanted.gain {
        put(list, AnalogueGain(gain as f32))?;
    }
    if let Some(focus) = wanted.focus {
        put(list, AfMode::Manual)?;
        put(list, LensPosition(focus.get() as f32))?;
    }
    if let Some(rate) = rate {
        let us = (1e6 / rate.get()).round() as i64;
        put(list, FrameDurationLimits([us, us]))?;
    }
    Ok(())
}

fn put<C: Control>(list: &mut ControlList, value: C) -> Result<(), DeviceError> {
    list.set(value).map_err(|error| DeviceError::invalid(format!("a setting was refused: {error}")))
}

fn number(value: &ControlValue) -> Option<f64> {
    match value {
        ControlValue::Int32(values) => values.first().map(|&value| f64::from(value)),
        ControlValue::Int64(values) => values.first().map(|&value| value as f64),
        ControlValue::Float(values) => values.first().map(|&value| f64::from(value)),
        ControlValue::None
        | ControlValue::Bool(_)
        | ControlValue::Byte(_)
        | ControlValue::Uint16(_)
        | ControlValue::Uint32(_)
        | ControlValue::String(_)
        | ControlValue::Rectangle(_)
        | ControlValue::Size(_)
        | ControlValue::Point(_) => None,
    }
}
