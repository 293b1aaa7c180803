//! What a camera is set to.

use std::time::{Duration, Instant};

use scanner::camera_driver::host::DeviceError;

use super::{Gphoto, SHORT, open};
use crate::controls::{Chosen, Offered};
use crate::failure::Failure;

/// Some cameras say only some time later that they are set, if they are asked this often.
const LOOKS: u32 = 10;
const BETWEEN_LOOKS: Duration = Duration::from_millis(100);

impl Gphoto {
    /// Opens the camera if it is not open; says whether it did.
    pub(super) fn opened(&mut self) -> Result<bool, DeviceError> {
        if self.camera.is_some() {
            return Ok(false);
        }
        self.busy(self.longest_call());
        let camera = open(&self.found, &self.options)?;
        self.offered = Offered::by(&camera);
        self.camera = Some(camera);
        self.unfinished = Some(Instant::now());
        Ok(true)
    }

    /// Sets what is to be set, and reads it again.
    pub(super) fn adjust(&mut self) -> Result<(), DeviceError> {
        if self.camera.is_none() {
            // What comes next opens it, and sets this.
            return Ok(());
        }
        let (chosen, at) = self.offered.choose(&self.controls)?;
        for Chosen { setting, value } in chosen {
            self.busy(SHORT);
            let is = match self.put(setting, &value) {
                Ok(is) => is,
                Err(failure) => {
                    return Err(self.failed(&format!("setting {setting} to {value:?} of"), failure));
                }
            };
            if is != value {
                return Err(DeviceError::invalid(format!(
                    "{setting} of {} was set to {value:?}, and it says {is:?} after that: is its dial set to manual?",
                    self.found.model
                )));
            }
        }
        self.at = at;
        Ok(())
    }

    /// Sets `setting` unless it is at `value`: what it is at then.
    fn put(&self, setting: &str, value: &str) -> Result<String, Failure> {
        let Some(camera) = &self.camera else { return Ok(String::new()) };
        let mut is = camera.setting(setting)?;
        if is == value {
            return Ok(is);
        }
        camera.set(setting, value)?;
        for look in 0..LOOKS {
            is = camera.setting(setting)?;
            if is == value {
                break;
            }
            if look + 1 < LOOKS {
                std::thread::sleep(BETWEEN_LOOKS);
            }
        }
        Ok(is)
    }
}
