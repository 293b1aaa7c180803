//! What cameras hand over: pixels, or files.

use crate::camera_driver::protocol::FrameMetadata;
use crate::model::FileKind;
use crate::rig::camera::RawView;

use super::{PixelView, ViewError};

/// A file of a shot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct File<'a> {
    /// What it is.
    pub kind: &'a FileKind,
    /// All of it.
    pub bytes: &'a [u8],
}

impl<'a> File<'a> {
    /// An image.
    pub const fn jpeg(bytes: &'a [u8]) -> Self {
        Self { kind: &FileKind::Jpeg, bytes }
    }
}

/// What is in a frame.
#[derive(Debug, Clone)]
pub enum Content<'a> {
    /// Pixels, of which an image is made.
    Pixels(PixelView<'a>),
    /// Files, the image first, which are kept as they are.
    Files(Vec<File<'a>>),
}

/// A frame that somebody lends. Dropped as soon as it is not needed any more, so that the camera gets its memory back.
pub trait Captured: Send {
    /// What is in it, or why it is no picture.
    fn content(&self) -> Result<Content<'_>, ViewError>;

    /// The raw image beside its pixels, if there is one.
    fn raw(&self) -> Option<RawView<'_>> {
        None
    }

    /// What the camera says of it.
    fn metadata(&self) -> &FrameMetadata;
}
