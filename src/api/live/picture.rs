//! A live frame as it is sent.

use bytes::Bytes;
use jiff::Timestamp;
use scanner_pixels::quality;

use crate::frame::jpeg::{Encoder, JpegError};
use crate::frame::{Captured as _, Content, Decoded};
use crate::rig::camera::CapturedFrame;

/// What the first bytes of a binary message are, all little-endian: the letters `SLV1`, then `number` as `u32`,
/// microseconds since 1970 as `u64`, width and height as `u16`, and as `f32` sharpness, parts of the pixels at black and
/// at white, exposure in seconds, gain and lens position in dioptres (NaN without a lens that moves).
const MAGIC: &[u8; 4] = b"SLV1";
/// Bytes in front of the JPEG.
pub(in crate::api) const HEADER: usize = 44;

/// A live frame, encoded.
#[derive(Debug)]
pub(in crate::api) struct Picture {
    /// Grows by one from frame to frame of a feeder.
    pub(in crate::api) number: u32,
    /// The header and, behind it, the JPEG: what a viewer is sent.
    pub(in crate::api) message: Bytes,
}

/// Header and JPEG of a frame: that of the camera, if it makes one. `jpeg` is memory to use again.
pub(in crate::api) fn encode(
    encoder: &mut Encoder,
    jpeg: &mut Vec<u8>,
    frame: &CapturedFrame,
    number: u32,
) -> Result<Bytes, JpegError> {
    let wrong = |error: &dyn std::fmt::Display| JpegError { reason: error.to_string() };
    let measured = match frame.content().map_err(|error| wrong(&error))? {
        Content::Pixels(view) => {
            encoder.encode(&view, &[], jpeg)?;
            quality::measure(&view.luma())
        }
        Content::Files(files) => {
            let image = files.first().map_or(&[][..], |image| image.bytes);
            let decoded = Decoded::of(image).map_err(|error| wrong(&error))?;
            jpeg.clear();
            jpeg.extend_from_slice(image);
            quality::measure(&decoded.view().map_err(|error| wrong(&error))?.luma())
        }
    };
    let (said, size) = (frame.metadata(), frame.metadata().size());
    let mut message = Vec::with_capacity(HEADER + jpeg.len());
    message.extend_from_slice(MAGIC);
    message.extend_from_slice(&number.to_le_bytes());
    message.extend_from_slice(&(Timestamp::now().as_microsecond() as u64).to_le_bytes());
    // A JPEG's sides have 16 bits.
    message.extend_from_slice(&(size.width as u16).to_le_bytes());
    message.extend_from_slice(&(size.height as u16).to_le_bytes());
    let focus = said.focus.map_or(f64::NAN, crate::units::Dioptres::get);
    let (exposure, gain) = said.exposure_and_gain();
    for value in
        [measured.sharpness, measured.clipped_dark, measured.clipped_bright, exposure.get(), gain, focus]
    {
        message.extend_from_slice(&(value as f32).to_le_bytes());
    }
    message.extend_from_slice(jpeg);
    Ok(message.into())
}
