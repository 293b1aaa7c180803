//! What a synthetic camera looks at.

use std::rc::Rc;

use scanner_pixels::picture::Picture;

use super::sensor::Shutter;
use super::settings::{Focus, Framing};
use crate::camera_driver::host::DeviceError;
use crate::model::{FileKind, Size};
use crate::units::Dioptres;

/// A file of a still, and what is in it.
pub type MadeFile = (FileKind, Vec<u8>);

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

    /// By how many pixels what is seen at `shutter` is elsewhere than at rest, at most; for trials.
    fn displaced(&mut self, _size: Size, _framing: &Framing, _shutter: &Shutter) -> Result<f64, DeviceError> {
        Ok(0.0)
    }

    /// The files of `shot`, of a scene of which there are files already; none if they are made from its picture.
    fn files(&mut self, _shot: u32) -> Result<Option<Vec<MadeFile>>, DeviceError> {
        Ok(None)
    }

    /// The size of these files, whatever is configured.
    fn file_size(&self) -> Option<Size> {
        None
    }

    /// Where the lens is.
    fn lens(&mut self, framing: &Framing) -> Result<Dioptres, DeviceError> {
        match framing.focus {
            Focus::At(position) => Ok(position),
            Focus::On(_) => self.focused(framing),
        }
    }
}
