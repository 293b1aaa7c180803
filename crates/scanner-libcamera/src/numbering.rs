//! Whether the libcamera that runs numbers its controls as the one that this driver was built with. They are numbers in the
//! bindings, and a libcamera of the same version by other makers, with a control more, may count on from there.

use libcamera::camera::Camera;
use libcamera::control::{ControlIdMap, ControlList};
use libcamera::controls::ControlId;
use libcamera::version;
use scanner::camera_driver::host::DeviceError;

/// The controls of a camera that this driver sets.
const SET: [ControlId; 13] = [
    ControlId::AeEnable,
    ControlId::AeMeteringMode,
    ControlId::AfMetering,
    ControlId::AfMode,
    ControlId::AfTrigger,
    ControlId::AfWindows,
    ControlId::AnalogueGain,
    ControlId::AwbEnable,
    ControlId::ColourGains,
    ControlId::ExposureTime,
    ControlId::LensPosition,
    ControlId::NoiseReductionMode,
    ControlId::ScalerCrop,
];

/// An error unless `camera`'s controls are numbered as this driver has them.
pub(crate) fn check(camera: &Camera<'_>) -> Result<(), DeviceError> {
    let controls = camera.controls();
    // libcamera has no table of names for a camera without controls.
    if controls.size() == 0 {
        return Ok(());
    }
    let Some(list) = ControlList::from_info_map(controls) else { return Ok(()) };
    let named = list.id_map().and_then(ControlIdMap::iter).into_iter().flatten();
    compare(named.map(|(number, control)| (number, control.name().to_owned())))
}

/// The same for controls with these numbers and names.
fn compare(controls: impl Iterator<Item = (u32, String)>) -> Result<(), DeviceError> {
    for (number, name) in controls {
        for known in SET {
            if (known.id() == number) != (format!("{known:?}") == name) {
                return Err(DeviceError::invalid(format!(
                    "this libcamera ({}) calls its control {number} {name}, the one that this driver was built with ({}) had \
                     {known:?} as {}: build the driver on this machine (make deb-libcamera)",
                    version::runtime_version(),
                    version::VERSION,
                    known.id()
                )));
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_libcamera_that_counts_otherwise_is_told() {
        let own = || SET.into_iter().map(|control| (control.id(), format!("{control:?}")));
        assert!(compare(own()).is_ok());
        assert!(compare(own().chain([(999_999, "SomethingNew".to_owned())])).is_ok());
        // One was put in before them all.
        assert!(compare(own().map(|(number, name)| (number + 1, name))).is_err());
        assert!(compare([(ControlId::ExposureTime.id(), "SomethingElse".to_owned())].into_iter()).is_err());
    }
}
