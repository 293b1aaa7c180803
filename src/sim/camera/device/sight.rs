//! What a synthetic camera's sensor sees.

use std::rc::Rc;

use scanner_pixels::picture::Picture;

use super::{Scene, Shutter, Synthetic};
use crate::camera_driver::host::{DeviceError, Layout};
use crate::model::Size;

impl<S: Scene> Synthetic<S> {
    /// Leaves what the sensor saw for `shot` where that is wanted, and by how many pixels it was elsewhere than at rest.
    pub(super) fn leave(
        &mut self,
        picture: &Picture,
        shutter: &Shutter,
        size: Size,
        shot: u32,
    ) -> Result<(), DeviceError> {
        let Some(folder) = self.properties.seen.clone() else { return Ok(()) };
        let displaced = self.scene.displaced(size, &self.controls.framing(), shutter)?;
        let write = |suffix: &str, bytes: Vec<u8>| {
            let path = folder.join(format!("{shot}.{suffix}"));
            std::fs::write(&path, bytes)
                .map_err(|error| DeviceError::invalid(format!("option seen: {}: {error}", path.display())))
        };
        write("ppm", picture.pixmap())?;
        write("displaced", displaced.to_string().into_bytes())
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
