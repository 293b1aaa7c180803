//! Memory for the frames of a stream.

use std::os::fd::OwnedFd;
use std::sync::Arc;

use super::files;
use crate::camera_driver::host::{DeviceError, FileFrames, Layout, Pool};
use crate::camera_driver::protocol::{FilesInMemory, Payload, Planes};
use crate::model::{FileType, PixelFormat, Size};
use crate::sim::camera::scene::MadeFile;

/// Memory for the frames of a stream.
#[derive(Debug)]
pub(super) enum Memory {
    /// For pixels, used again and again.
    Pixels(Pool),
    /// For files, of each frame its own.
    Files {
        /// What is made of each picture.
        types: Vec<FileType>,
        /// Of the pictures that they are made from.
        layout: Layout,
        frames: FileFrames,
    },
}

impl Memory {
    /// For `count` frames of pixels.
    pub(super) fn for_pixels(format: PixelFormat, size: Size, count: u32) -> Result<Self, DeviceError> {
        Pool::new(Layout::new(format, size), count).map(Self::Pixels)
    }

    /// For `count` frames of files.
    pub(super) fn for_files(types: &[FileType], size: Size, count: u32) -> Self {
        let (types, layout) = (types.to_vec(), Layout::new(PixelFormat::Yuv420, size));
        Self::Files { types, layout, frames: FileFrames::new(count) }
    }

    /// How the pictures lie that are made for it.
    pub(super) fn layout(&self) -> &Layout {
        match self {
            Self::Pixels(pool) => pool.layout(),
            Self::Files { layout, .. } => layout,
        }
    }

    /// Whether files go into it.
    pub(super) fn makes_files(&self) -> bool {
        match self {
            Self::Pixels(_) => false,
            Self::Files { .. } => true,
        }
    }

    /// Whether a frame can be put.
    pub(super) fn has_room(&self) -> bool {
        match self {
            Self::Pixels(pool) => pool.has_room(),
            Self::Files { frames, .. } => frames.has_room(),
        }
    }

    /// Puts `pixels`, or the files that are `ready`, as `buffer`; none if all memory is held.
    pub(super) fn put(
        &mut self,
        buffer: u64,
        pixels: &[u8],
        ready: Option<Vec<MadeFile>>,
    ) -> Result<Option<(Payload, Arc<OwnedFd>)>, DeviceError> {
        match self {
            Self::Pixels(pool) => {
                let Some(memory) = pool.put(buffer, pixels)? else { return Ok(None) };
                let Layout { format, size, strides, offsets, bytes: _ } = pool.layout().clone();
                Ok(Some((Payload::Pixels(Planes { format, size, strides, offsets }), memory)))
            }
            Self::Files { types, layout, frames } => {
                let made = match ready {
                    Some(made) => made,
                    None => files::make(types, layout, pixels)?,
                };
                let (files, memory) = files::sealed(made)?;
                frames.take(buffer);
                Ok(Some((Payload::Files(FilesInMemory { size: layout.size, files }), memory)))
            }
        }
    }

    /// `buffer` is given back; nothing if it is none of these.
    pub(super) fn release(&mut self, buffer: u64) {
        match self {
            Self::Pixels(pool) => pool.release(buffer),
            Self::Files { frames, .. } => frames.release(buffer),
        }
    }
}
