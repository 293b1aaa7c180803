//! Settings and what frames say of them, in libcamera's words.

use libcamera::camera::Camera;
use libcamera::control::{Control, ControlList};
use libcamera::control_value::ControlValue;
use libcamera::controls::{
    self, AeEnable, AeMeteringMode, AeState, AfMetering, AfMode, AfState, AfTrigger, AfWindows, AnalogueGain,
    AwbEnable, ControlId, ExposureTime, FrameDurationLimits, LensPosition, NoiseReductionMode, ScalerCrop,
};
#[cfg(not(libcamera_0_4))]
use libcamera::controls::{AnalogueGainMode, ExposureTimeMode};
use libcamera::geometry::Rectangle;
use scanner::camera_driver::host::DeviceError;
use scanner::model::{ColourGains, Controls, Metering, NoiseReduction, Region};
use scanner::units::{Dioptres, FramesPerSecond, Seconds};

use super::automatic::{Autofocus, Seen};

/// What becomes of the lens where its position is not set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lens {
    /// Autofocus follows the scene.
    Follows,
    /// Autofocus is started, once.
    Starts,
    /// It stays as it is.
    Stays,
}

/// Puts settings, which were checked, into `list`; what is not set is automatic.
pub(crate) fn write(
    list: &mut ControlList,
    camera: &Camera<'_>,
    wanted: &Controls,
    lens: Lens,
    rate: Option<FramesPerSecond>,
) -> Result<(), DeviceError> {
    let has = |id: ControlId| camera.controls().find(id as u32).is_ok();
    let (exposure, gain) = (wanted.exposure, wanted.gain);
    if !put_modes(list, camera, exposure.is_some(), gain.is_some())? && has(ControlId::AeEnable) {
        put(list, AeEnable(automatic_exposure(exposure.is_some(), gain.is_some())?))?;
    }
    if let Some(exposure) = exposure {
        put(list, ExposureTime((exposure.get() * 1e6).round() as i32))?;
    }
    if let Some(gain) = gain {
        put(list, AnalogueGain(gain as f32))?;
    }
    if has(ControlId::AwbEnable) {
        put(list, AwbEnable(wanted.white_balance.is_none()))?;
    }
    if let Some(ColourGains { red, blue }) = wanted.white_balance {
        put(list, controls::ColourGains([red as f32, blue as f32]))?;
    }
    if let Some(metering) = wanted.metering {
        put(list, self::metering(metering))?;
    }
    if let Some(mode) = wanted.noise_reduction {
        put(list, noise_reduction(mode))?;
    }
    // Both are in pixels of the largest crop, which depends on the mode of the sensor.
    let whole = camera.controls().find(ControlId::ScalerCrop as u32).ok().and_then(|info| whole(&info.max()));
    if let (Some(region), Some(whole)) = (wanted.crop, whole) {
        put(list, ScalerCrop(part(whole, region)))?;
    }
    if let (Some(region), Some(whole)) = (wanted.focus_window, whole) {
        put(list, AfMetering::Windows)?;
        put(list, AfWindows(vec![part(whole, region)]))?;
    }
    if let Some(position) = wanted.focus {
        put(list, AfMode::Manual)?;
        put(list, LensPosition(position.get() as f32))?;
    } else if has(ControlId::AfMode) {
        match lens {
            Lens::Follows => put(list, AfMode::Continuous)?,
            Lens::Starts => {
                put(list, AfMode::Auto)?;
                put(list, AfTrigger::Start)?;
            }
            Lens::Stays => {}
        }
    }
    if let Some(rate) = rate {
        // A longer exposure that was set since makes longer frames.
        let exposure_us = exposure.map_or(0, |time| (time.get() * 1e6).ceil() as i64);
        let us = ((1e6 / rate.get()).round() as i64).max(exposure_us);
        put(list, FrameDurationLimits([us, us]))?;
    }
    Ok(())
}

/// Says of exposure and of gain whether it is fixed, to a camera that takes each by itself; whether it does.
#[cfg(not(libcamera_0_4))]
fn put_modes(
    list: &mut ControlList,
    camera: &Camera<'_>,
    exposure: bool,
    gain: bool,
) -> Result<bool, DeviceError> {
    let has = |id: ControlId| camera.controls().find(id as u32).is_ok();
    if !has(ControlId::ExposureTimeMode) || !has(ControlId::AnalogueGainMode) {
        return Ok(false);
    }
    put(list, if exposure { ExposureTimeMode::Manual } else { ExposureTimeMode::Auto })?;
    put(list, if gain { AnalogueGainMode::Manual } else { AnalogueGainMode::Auto })?;
    Ok(true)
}

/// libcamera 0.4 has no such controls.
#[cfg(libcamera_0_4)]
#[expect(clippy::unnecessary_wraps, reason = "later versions of libcamera may refuse a control")]
fn put_modes(_: &mut ControlList, _: &Camera<'_>, _: bool, _: bool) -> Result<bool, DeviceError> {
    Ok(false)
}

/// Whether automatic exposure is on, for a camera that sets exposure and gain by it together or not at all. What such a
/// one does if only one of them is fixed differs from camera to camera, so it is not asked for.
fn automatic_exposure(exposure: bool, gain: bool) -> Result<bool, DeviceError> {
    if exposure == gain {
        return Ok(!exposure);
    }
    Err(DeviceError::invalid(
        "with this libcamera, this camera can fix exposure and gain together only: set both or neither; cameras that libcamera \
         0.5 or later knows take each by itself",
    ))
}

/// What a frame's `metadata` says of the settings it was taken with. An exposure or a gain of 0 says nothing.
pub(crate) fn seen(metadata: &ControlList) -> Seen {
    Seen {
        exposure: metadata
            .get::<ExposureTime>()
            .ok()
            .filter(|time| time.0 > 0)
            .map(|time| Seconds::new(f64::from(time.0) * 1e-6)),
        gain: metadata.get::<AnalogueGain>().ok().map(|gain| f64::from(gain.0)).filter(|gain| *gain > 0.0),
        white_balance: metadata
            .get::<controls::ColourGains>()
            .ok()
            .map(|gains| ColourGains { red: f64::from(gains.0[0]), blue: f64::from(gains.0[1]) }),
        focus: metadata.get::<LensPosition>().ok().map(|position| Dioptres::new(f64::from(position.0))),
        exposure_settles: matches!(metadata.get::<AeState>(), Ok(AeState::Searching)),
        autofocus: match metadata.get::<AfState>() {
            Ok(AfState::Scanning) => Autofocus::Scanning,
            Ok(AfState::Focused) => Autofocus::Focused,
            Ok(AfState::Failed) => Autofocus::Failed,
            Ok(AfState::Idle) => Autofocus::Idle,
            Err(_) => Autofocus::None,
        },
    }
}

/// Whether the camera has autofocus.
pub(crate) fn has_autofocus(camera: &Camera<'_>) -> bool {
    camera.controls().find(ControlId::AfTrigger as u32).is_ok()
}

/// How libcamera calls a way of metering.
pub(crate) const fn metering(metering: Metering) -> AeMeteringMode {
    match metering {
        Metering::Centre => AeMeteringMode::MeteringCentreWeighted,
        Metering::Spot => AeMeteringMode::MeteringSpot,
        Metering::Matrix => AeMeteringMode::MeteringMatrix,
    }
}

/// How libcamera calls a way of smoothing.
pub(crate) const fn noise_reduction(mode: NoiseReduction) -> NoiseReductionMode {
    match mode {
        NoiseReduction::Off => NoiseReductionMode::Off,
        NoiseReduction::Fast => NoiseReductionMode::Fast,
        NoiseReduction::HighQuality => NoiseReductionMode::HighQuality,
        NoiseReduction::Minimal => NoiseReductionMode::Minimal,
    }
}

fn put<C: Control>(list: &mut ControlList, value: C) -> Result<(), DeviceError> {
    list.set(value).map_err(|error| DeviceError::invalid(format!("a setting was refused: {error}")))
}

fn whole(value: &ControlValue) -> Option<Rectangle> {
    if let ControlValue::Rectangle(values) = value { values.first().copied() } else { None }
}

fn part(whole: Rectangle, region: Region) -> Rectangle {
    let (width, height) = (f64::from(whole.width), f64::from(whole.height));
    Rectangle {
        x: whole.x + (region.x * width).round() as i32,
        y: whole.y + (region.y * height).round() as i32,
        width: (region.width * width).round() as u32,
        height: (region.height * height).round() as u32,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exposure_and_gain_are_fixed_together_or_not_at_all_where_there_is_one_switch() {
        assert!(automatic_exposure(false, false).unwrap());
        assert!(!automatic_exposure(true, true).unwrap());
        for (exposure, gain) in [(true, false), (false, true)] {
            let refused = automatic_exposure(exposure, gain).unwrap_err();
            assert!(refused.message.contains("set both or neither"), "{}", refused.message);
        }
    }
}
