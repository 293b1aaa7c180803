//! What a synthetic camera's sensor sees.

use std::rc::Rc;

use scanner_pixels::picture::Picture;

use super::{Scene, Shutter, Synthetic};
use crate::camera_driver::host::{DeviceError, Layout};

impl<S: Scene> Synthetic<S> {
    /// Leaves what the sensor saw for `shot` where that is wanted.
    pub(super) fn leave(&self, picture: &Picture, shot: u32) -> Result<(), DeviceError> {
        let Some(folder) = &self.properties.seen else { return Ok(()) };
        let path = folder.join(format!("{shot}.ppm"));
        std::fs::write(&path, picture.pixmap())
            .map_err(|error| DeviceError::invalid(format!("option seen: {}: {error}", path.display())))
    }

    /// Has what the sensor sees in `scratch`, processed, and says what it was before.
    pub(super) fn see(
        &mut self,
        layout: &Layout,
        shutter: &Shutter,
        shot: Option<u32>,
        sequence: u64,
    ) -> Result<Rc<Picture>, DeviceError> {
        let picture = if sequence >= self.properties.startup_frames {
            self.scene.picture(layout.size, &self.controls.framing(), shutter, shot)?
        } else {
            Rc::new(Picture::plain(layout.size.into(), 24, 110, 105))
        };
        let tint = self.controls.tint();
        let tinted = self.properties.noise.and_then(|_| picture.tinted(tint.red, tint.blue));
        self.response.begin(sequence);
        layout.write(tinted.as_ref().unwrap_or(&picture), &self.response, &mut self.scratch);
        Ok(picture)
    }
}
