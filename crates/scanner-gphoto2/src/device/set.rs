//! What a camera is set to.

use std::time::Duration;

use scanner::camera_driver::host::DeviceError;

use super::{Gphoto, SHORT};
use crate::camera::Camera;
use crate::controls::Chosen;
use crate::failure::Failure;
use crate::options::Options;
use crate::wishes::is_at;

/// Some cameras say only some time later that they are set, if they are asked this often.
const LOOKS: u32 = 10;
const BETWEEN_LOOKS: Duration = Duration::from_millis(100);

impl Gphoto {
    /// Sets what is to be set and is not, and reads it again.
    pub(super) fn adjust(&mut self) -> Result<(), DeviceError> {
        let (chosen, at) = match &self.camera {
            // What comes next opens it, and sets this.
            None => return Ok(()),
            Some(_) => self.offered.choose(&self.controls)?,
        };
        for wanted in self.others.iter().chain(&chosen) {
            self.busy(SHORT);
            let Some(camera) = &self.camera else { break };
            if let Err(failure) = put(camera, wanted) {
                let (doing, model) = (failure.doing(wanted), &self.found.model);
                return Err(match failure {
                    NotSet::Failed(failure) => self.failed(&doing, failure),
                    NotSet::Is(_) => {
                        DeviceError::invalid(format!("{model}: {doing}: is its dial set to manual?"))
                    }
                });
            }
        }
        self.at = at;
        Ok(())
    }
}

/// Why a setting is not at what it was to be set to.
#[derive(Debug)]
enum NotSet {
    Failed(Failure),
    /// It says that it is at this.
    Is(String),
}

impl NotSet {
    fn doing(&self, Chosen { setting, value }: &Chosen) -> String {
        match self {
            Self::Failed(_) => format!("setting {setting} to {value:?} of"),
            Self::Is(is) => format!("{setting} was set to {value:?}, and says {is:?} after that"),
        }
    }
}

/// What `options` set besides exposure time and ISO, as this camera has it by now.
pub(super) fn others(camera: &Camera, options: &Options) -> Result<Vec<Chosen>, DeviceError> {
    let mut all = by_name(options);
    all.extend(options.wishes().on(&|name| camera.takes(name).ok())?);
    Ok(all)
}

fn by_name(options: &Options) -> Vec<Chosen> {
    let one =
        |(setting, value): (&String, &String)| Chosen { setting: setting.clone(), value: value.clone() };
    options.settings.iter().map(one).collect()
}

/// Sets what has a name of its own: what else there is to be set may depend on it.
pub(super) fn set_by_name(camera: &Camera, model: &str, options: &Options) -> Result<(), DeviceError> {
    for wanted in by_name(options) {
        put(camera, &wanted).map_err(|failure| {
            let doing = failure.doing(&wanted);
            match failure {
                NotSet::Failed(failure) => failure.explain(&format!("{doing} {model}")),
                NotSet::Is(_) => DeviceError::invalid(format!("{model}: {doing}")),
            }
        })?;
    }
    Ok(())
}

/// Sets a setting unless it is at what is wanted, and reads it again.
fn put(camera: &Camera, wanted: &Chosen) -> Result<(), NotSet> {
    let Chosen { setting, value } = wanted;
    let mut is = camera.setting(setting).map_err(NotSet::Failed)?;
    if is_at(value, &is) {
        return Ok(());
    }
    tracing::info!("{setting} is at {is:?}, and is set to {value:?}");
    camera.set(setting, value).map_err(NotSet::Failed)?;
    for look in 0..LOOKS {
        is = camera.setting(setting).map_err(NotSet::Failed)?;
        if is_at(value, &is) {
            return Ok(());
        }
        if look + 1 < LOOKS {
            std::thread::sleep(BETWEEN_LOOKS);
        }
    }
    Err(NotSet::Is(is))
}
