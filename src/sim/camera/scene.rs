//! What a synthetic camera looks at.

use std::rc::Rc;

use super::picture::Picture;
use super::sensor::Shutter;
use super::settings::{Focus, Framing};
use crate::camera_driver::host::DeviceError;
use crate::model::Size;
use crate::units::Dioptres;

/// Something that can be photographed.
pub trait Scene {
    /// The picture of `size` that is exposed at `shutter`, for `shot` if it is for one.
    fn picture(
        &mut self,
        size: Size,
        framing: &Framing,
        shutter: &Shutter,
        shot: Option<u32>,
    ) -> Result<Rc<Picture>, DeviceError>;

    /// Time to get ready for coming stills of `size`, of `shot` if one is waited for.
    fn prepare(&mut self, size: Size, framing: &Framing, shot: Option<u32>) -> Result<(), DeviceError>;

    /// Where autofocus has the lens now, for pictures of this kind.
    fn focused(&mut self, framing: &Framing) -> Result<Dioptres, DeviceError>;

    /// Whether a picture made before the end of its `shutter` is still right at its end.
    fn held_still(&mut self, shutter: &Shutter) -> Result<bool, DeviceError>;

    /// Where the lens is.
    fn lens(&mut self, framing: &Framing) -> Result<Dioptres, DeviceError> {
        match framing.focus {
            Focus::At(position) => Ok(position),
            Focus::On(_) => self.focused(framing),
        }
    }
}
