//! What a camera can be told (`[camera.options]`).

use std::collections::BTreeMap;

use scanner::camera_driver::host::DeviceError;
use scanner::model::{FileType, Size};
use scanner::units::{Millimetres, Seconds};
use serde::Deserialize;

use super::wishes::{Wishes, check_setting};

/// Options of `scanner-gphoto2`. Each has a default.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Options {
    /// What the camera makes of each release: `["jpeg"]`, or `["jpeg", "raw"]`. Its image format has to be set to that, in
    /// its menu or in `settings`.
    pub(crate) files: Vec<FileType>,
    /// The size of its JPEGs; asked of the camera if absent, which not all can tell.
    pub(crate) size: Option<Size>,
    /// Distance between the centres of pixels, if known.
    pub(crate) pixel_pitch: Option<Millimetres>,
    /// A white balance by the camera's own name, `"Daylight"`, or a colour temperature, `"5600 K"`.
    pub(crate) white_balance: Option<String>,
    /// F-number.
    pub(crate) aperture: Option<f64>,
    /// A focus mode by the camera's own name: `"Manual"`.
    pub(crate) focus_mode: Option<String>,
    /// Any other entries of its tree of settings, by name and value, as `gphoto2 --list-all-config` shows them. Set before all else,
    /// in the order of their names. All of these are read again, and so before each release.
    pub(crate) settings: BTreeMap<String, String>,
    /// How long it takes from release to release: as long as the files of one take to come.
    pub(crate) release_time: Seconds,
    /// The longest call into it: an exposure, or a file that comes in one piece.
    pub(crate) longest_call: Seconds,
    /// How often it is asked something while no photograph is wanted, so that it does not switch itself off; 0 leaves it alone.
    pub(crate) keep_alive: Seconds,
    /// With less in its battery, in percent, no scan asks for a photograph; 0 leaves that alone.
    pub(crate) least_battery: u8,
    /// Whether files are left in the camera once they are here.
    pub(crate) keep_in_camera: bool,
    /// In place of a camera, one that is simulated: what it is like.
    pub(crate) simulated: Option<serde_json::Map<String, serde_json::Value>>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            files: FileType::IMAGE_ALONE.to_vec(),
            size: None,
            pixel_pitch: None,
            white_balance: None,
            aperture: None,
            focus_mode: None,
            settings: BTreeMap::new(),
            release_time: Seconds::new(5.0),
            longest_call: Seconds::new(60.0),
            keep_alive: Seconds::new(5.0),
            least_battery: 0,
            keep_in_camera: false,
            simulated: None,
        }
    }
}

impl Options {
    /// Checks what types alone do not say.
    pub(crate) fn check(&self) -> Result<(), DeviceError> {
        if let Some(objection) = FileType::objection(&self.files) {
            return Err(DeviceError::invalid(format!("option files: what it makes {objection}")));
        }
        let positive = |time: Seconds| time.get() > 0.0 && time.get().is_finite();
        if !positive(self.release_time) || !positive(self.longest_call) {
            return Err(DeviceError::invalid(
                "options release_time and longest_call: must be greater than 0",
            ));
        }
        if !(self.keep_alive.get() >= 0.0 && self.keep_alive.get().is_finite()) {
            return Err(DeviceError::invalid("option keep_alive: must be 0 or greater"));
        }
        if self.size.is_some_and(|size| size.width == 0 || size.height == 0) {
            return Err(DeviceError::invalid("option size: an image without pixels"));
        }
        if self.least_battery > 100 {
            return Err(DeviceError::invalid("option least_battery: must be 0 to 100, in percent"));
        }
        self.wishes().check()?;
        self.settings.keys().try_for_each(|name| check_setting(name))
    }

    /// What the camera is set to besides.
    pub(crate) fn wishes(&self) -> Wishes {
        Wishes {
            white_balance: self.white_balance.clone(),
            aperture: self.aperture,
            focus_mode: self.focus_mode.clone(),
        }
    }
}
