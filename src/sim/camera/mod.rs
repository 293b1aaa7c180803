//! Cameras without hardware: what the simulated and the replaying driver share.
//!
//! A [`Synthetic`] camera is a free-running sensor with the times of a real one: frame `k` is exposed from
//! `start + k * period` on and handed over when its last row is read out, whether anybody wants it or not. It
//! sees a [`Scene`]. [`Faulty`] wraps it, or any other device, and makes it fail as told.

use crate::camera_driver::host::DeviceError;
use crate::model::FileType;

mod device;
mod fault;
mod faulty;
mod forged;
mod mosaic;
mod picture;
mod properties;
mod run;
mod scene;
mod script;
mod sensor;
mod settings;
mod spoil;

pub use device::Synthetic;
pub(in crate::sim) use device::make_files;
pub use fault::{Fault, FaultKind};
pub use faulty::Faulty;
pub use mosaic::Mosaic;
pub use properties::Properties;
pub use scene::{MadeFile, Scene};
pub use script::{Script, ScriptOptions};
pub use sensor::{Shutter, Timing};
pub use settings::{Focus, Framing, NEAREST};

/// An error unless a shot may have these files; none at all are pixels.
pub fn check_deliver(files: &[FileType]) -> Result<(), DeviceError> {
    match FileType::objection(files).filter(|_| !files.is_empty()) {
        Some(objection) => Err(DeviceError::invalid(format!("option deliver: what it delivers {objection}"))),
        None => Ok(()),
    }
}

/// An error that names option `key` unless `value` is greater than 0.
pub fn positive(key: &str, value: f64) -> Result<(), DeviceError> {
    if value > 0.0 && value.is_finite() {
        Ok(())
    } else {
        Err(DeviceError::invalid(format!("option {key}: must be greater than 0")))
    }
}
