//! Frames that are not what they say.

use std::sync::Arc;

use crate::camera_driver::host::{CaptureRequest, DeviceError, RawFrame, Tamper, sealed_memory};
use crate::camera_driver::protocol::{FilesInMemory, Payload, Planes};

/// What is wrong with what a frame says of itself, or with what it comes in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Forged {
    /// Wider than configured.
    Size,
    /// Rows closer together than they are wide, or files half as long as they are.
    Stride,
    /// Half as much memory as the frame has bytes.
    ShortMemory,
    /// Exposed before it was wanted.
    Stale,
    /// The number of the frame delivered before it.
    Sequence,
    /// No message at all.
    Garbage,
}

/// Forges `frame`, which answers `capture`; the frame before it had the number `before`.
pub(super) fn forge(
    forged: Forged,
    frame: &mut RawFrame,
    capture: &CaptureRequest,
    before: Option<u64>,
) -> Result<(), DeviceError> {
    let metadata = &mut frame.metadata;
    match forged {
        Forged::Size => match &mut metadata.payload {
            Payload::Pixels(Planes { size, .. }) | Payload::Files(FilesInMemory { size, .. }) => {
                size.width += 16;
            }
        },
        Forged::Stride => match &mut metadata.payload {
            Payload::Pixels(planes) => planes.strides.iter_mut().for_each(|stride| *stride /= 2),
            Payload::Files(memory) => memory.files.iter_mut().for_each(|file| file.bytes /= 2),
        },
        Forged::ShortMemory => {
            let last = match &metadata.payload {
                Payload::Pixels(planes) => planes.offsets.last().copied(),
                Payload::Files(memory) => memory.files.last().map(|file| file.offset + file.bytes),
            };
            let memory = sealed_memory(last.unwrap_or_default() / 2);
            frame.memory = Arc::new(memory.map_err(|errno| DeviceError::no_memory("a short frame", errno))?);
        }
        Forged::Stale => {
            metadata.exposed = metadata.exposed.with(capture.not_before_ns.saturating_sub(1));
            frame.tamper = Some(Tamper::IgnoreRule);
        }
        Forged::Sequence => metadata.sequence = before.unwrap_or(metadata.sequence),
        Forged::Garbage => frame.tamper = Some(Tamper::Garbage),
    }
    Ok(())
}
