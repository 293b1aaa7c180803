//! A camera is opened.

use std::time::Instant;

use scanner::camera_driver::host::DeviceError;
use scanner::camera_driver::protocol::ErrorKind;
use scanner::model::Size;

use super::Gphoto;
use super::set::{others, set_by_name};
use crate::camera::Camera;
use crate::controls::Offered;
use crate::found::Found;
use crate::network;
use crate::options::Options;

/// Opens the camera and sets what is to be set.
pub(super) fn open(found: &Found, options: &Options) -> Result<Camera, DeviceError> {
    let Found { model, port, .. } = found;
    let camera = Camera::open(port).map_err(|failure| {
        if found.is_at_network() {
            return network::not_opened(port, failure);
        }
        let what = found.explained(&format!("opening {model} at {port}"), &failure);
        failure.explain(&what)
    })?;
    if !found.is_it(&camera) {
        let message = format!("{model} at {port} has another serial number than the one that is meant");
        return Err(DeviceError::new(ErrorKind::Gone, message));
    }
    set_by_name(&camera, model, options)?;
    Ok(camera)
}

/// The size of the images, where the camera says it as `6000x4000`.
pub(super) fn told_size(camera: &Camera) -> Result<Size, DeviceError> {
    let told = camera.setting("imagesize").unwrap_or_default();
    let sides = told.split_once('x').and_then(|(width, height)| {
        Some(Size { width: width.trim().parse().ok()?, height: height.trim().parse().ok()? })
    });
    sides.filter(|size| size.width > 0 && size.height > 0).ok_or_else(|| {
        let message =
            "the camera does not say how large its images are: set the option size to that of its JPEGs";
        DeviceError::invalid(message)
    })
}

impl Gphoto {
    /// Opens the camera if it is not open; says whether it did.
    pub(super) fn opened(&mut self) -> Result<bool, DeviceError> {
        if self.camera.is_some() {
            return Ok(false);
        }
        self.busy(self.longest_call());
        let camera = open(&self.found, &self.options)?;
        (self.offered, self.others) = (Offered::by(&camera), others(&camera, &self.options)?);
        self.camera = Some(camera);
        self.unfinished = Some(Instant::now());
        Ok(true)
    }
}
