//! A frame in shared memory: checked before a byte of it is read, given back when dropped.

use std::fmt;

use rustix::fs::SealFlags;

use super::check::{Expected, ExpectedContent, check, check_jpeg, file_range, plane_range};
use super::raw::{RawImage, check_raw};
use super::received::{ReceivedFrame, Release};
use crate::camera_driver::memory::{Memory, mappable_length, seals_of};
use crate::camera_driver::protocol::{FrameMetadata, Payload, Stream};
use crate::model::{Bayer, Controls, FileKind, FileType};

/// A live frame that does not say for how long it was exposed is taken to have been for this long at least: drivers that do
/// not know the exposure may not know how long a frame takes, either.
const LONG_LIVE_NS: u64 = 200_000_000;

/// A raw image in shared memory.
#[derive(Debug, Clone, Copy)]
pub struct RawView<'a> {
    /// What its samples mean.
    pub bayer: &'a Bayer,
    /// Bytes from row to row.
    pub stride: usize,
    /// From the first row's first byte to the last row's last one.
    pub data: &'a [u8],
}

/// A checked frame. Dropping it gives its memory back to the driver.
pub struct CapturedFrame {
    metadata: FrameMetadata,
    exposed_from_ns: u64,
    received_ns: u64,
    memory: Memory,
    raw: Option<(RawImage, Memory)>,
    /// Dropped last: the memory is unmapped before the driver may use it again.
    _release: Release,
}

impl CapturedFrame {
    /// Maps the memory of `raw` if it is as `expected`; else says what is wrong.
    pub(super) fn new(raw: ReceivedFrame, expected: &Expected<'_>) -> Result<Self, String> {
        let ReceivedFrame { metadata, memory, received_ns, release } = raw;
        let mut memory = memory.into_iter();
        let fd = memory.next().ok_or("it came without its memory")?;
        let raw_fd = memory.next();
        let length = mappable_length(&fd, seals_of(&metadata.payload))?;
        let exposed_from_ns = check(&metadata, expected, received_ns, length)?;
        let raw_length = raw_fd.as_ref().map(|fd| mappable_length(fd, SealFlags::SHRINK)).transpose()?;
        let raw = check_raw(metadata.raw.as_ref(), expected.raw, raw_length)?;
        let memory = Memory::new(fd, length)?;
        let raw = match (raw, raw_fd, raw_length) {
            (Some(raw), Some(fd), Some(length)) => Some((raw, Memory::new(fd, length)?)),
            (_, _, _) => None,
        };
        let frame = Self { metadata, exposed_from_ns, received_ns, memory, raw, _release: release };
        if let Some((FileKind::Jpeg, jpeg)) = frame.files().next() {
            check_jpeg(jpeg, expected.size)?;
        }
        Ok(frame)
    }

    /// Maps the memory of a live frame, whose size is the driver's choice. A frame takes `frame_ns`.
    pub(super) fn live(raw: ReceivedFrame, frame_ns: u64) -> Result<Self, String> {
        let content = match &raw.metadata.payload {
            Payload::Pixels(planes) => ExpectedContent::Pixels(planes.format),
            Payload::Files(_) => ExpectedContent::Files(FileType::IMAGE_ALONE),
        };
        let expected = Expected {
            stream: Stream::Live,
            content,
            size: raw.metadata.size(),
            raw: None,
            timestamps: raw.metadata.exposed.by(),
            not_before_ns: 0,
            after: None,
            controls: Controls::default(),
            frame_ns: frame_ns.max(LONG_LIVE_NS),
        };
        Self::new(raw, &expected)
    }

    /// What the driver says of it, which can be true and is what was asked for.
    pub fn metadata(&self) -> &FrameMetadata {
        &self.metadata
    }

    /// When its exposure began, in nanoseconds of `CLOCK_MONOTONIC`: at the latest, if the driver does not know.
    pub fn exposed_from_ns(&self) -> u64 {
        self.exposed_from_ns
    }

    /// When it was received, in nanoseconds of `CLOCK_MONOTONIC`.
    pub fn received_ns(&self) -> u64 {
        self.received_ns
    }

    /// Plane `index` (below [`PixelFormat::planes`](crate::model::PixelFormat::planes)): rows
    /// [`Planes::strides`](crate::camera_driver::protocol::Planes::strides) bytes apart, of which the first
    /// [`PixelFormat::plane_size`](crate::model::PixelFormat::plane_size)`.0` are pixels; the last row ends with its pixels. Empty if there
    /// is no such plane.
    pub fn plane(&self, index: usize) -> &[u8] {
        self.at(self.metadata.payload.planes().and_then(|planes| plane_range(planes, index)))
    }

    /// The files that the camera made, the image first; none if it hands over pixels.
    pub fn files(&self) -> impl Iterator<Item = (&FileKind, &[u8])> {
        self.metadata.payload.files().iter().map(move |file| (&file.kind, self.at(file_range(file))))
    }

    /// The raw image beside its pixels, if one was configured.
    pub fn raw(&self) -> Option<RawView<'_>> {
        let (RawImage { bayer, stride, range }, memory) = self.raw.as_ref()?;
        Some(RawView { bayer, stride: *stride, data: memory.bytes().get(range.clone()).unwrap_or_default() })
    }

    fn at(&self, range: Option<std::ops::Range<u64>>) -> &[u8] {
        let range = range.unwrap_or(0..0);
        self.memory.bytes().get(range.start as usize..range.end as usize).unwrap_or_default()
    }
}

impl fmt::Debug for CapturedFrame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CapturedFrame").field("metadata", &self.metadata).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
