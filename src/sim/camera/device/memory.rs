//! Memory for the frames of a stream.

use std::os::fd::OwnedFd;
use std::sync::Arc;

use super::files;
use crate::camera_driver::host::{DeviceError, FileFrames, Layout, Pool, Slots};
use crate::camera_driver::protocol::{FilesInMemory, Payload, Planes};
use crate::model::{FileType, PixelFormat, Size};
use crate::sim::camera::scene::MadeFile;

/// Memory for the frames of a stream.
#[derive(Debug)]
pub(super) enum Memory {
    /// For pixels, used again and again, and for raw images beside them.
    Pixels(Pool, Option<Slots>),
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
        Ok(Self::Pixels(Pool::new(Layout::new(format, size), count)?, None))
    }

    /// As [`for_pixels`](Self::for_pixels), with raw images of so many bytes beside them.
    pub(super) fn with_raw(
        format: PixelFormat,
        size: Size,
        count: u32,
        raw_bytes: u64,
    ) -> Result<Self, DeviceError> {
        let pool = Pool::new(Layout::new(format, size), count)?;
        Ok(Self::Pixels(pool, Some(Slots::new(raw_bytes, count)?)))
    }

    /// For `count` frames of files.
    pub(super) fn for_files(types: &[FileType], size: Size, count: u32) -> Self {
        let (types, layout) = (types.to_vec(), Layout::new(PixelFormat::Yuv420, size));
        Self::Files { types, layout, frames: FileFrames::new(count) }
    }

    /// How the pictures lie that are made for it.
    pub(super) fn layout(&self) -> &Layout {
        match self {
            Self::Pixels(pool, _) => pool.layout(),
            Self::Files { layout, .. } => layout,
        }
    }

    /// Whether files go into it.
    pub(super) fn makes_files(&self) -> bool {
        match self {
            Self::Pixels(..) => false,
            Self::Files { .. } => true,
        }
    }

    /// Whether a frame can be put.
    pub(super) fn has_room(&self) -> bool {
        match self {
            Self::Pixels(pool, _) => pool.has_room(),
            Self::Files { frames, .. } => frames.has_room(),
        }
    }

    /// Whether raw images go into it, too.
    pub(super) fn has_raw(&self) -> bool {
        matches!(self, Self::Pixels(_, Some(_)))
    }

    /// Puts a raw image beside the pixels of `buffer`; none if there is no memory for one.
    pub(super) fn put_raw(&mut self, buffer: u64, raw: &[u8]) -> Result<Option<Arc<OwnedFd>>, DeviceError> {
        match self {
            Self::Pixels(_, Some(slots)) => slots.put(buffer, [(0, raw)]),
            Self::Pixels(_, None) | Self::Files { .. } => Ok(None),
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
            Self::Pixels(pool, _) => {
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
            Self::Pixels(pool, raw) => {
                pool.release(buffer);
                if let Some(raw) = raw {
                    raw.release(buffer);
                }
            }
            Self::Files { frames, .. } => frames.release(buffer),
        }
    }
}
