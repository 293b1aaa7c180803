//! From a frame to a photograph.

use jiff::Timestamp;
use scanner_pixels::quality;
use tracing::warn;

use crate::camera_driver::protocol::ErrorKind;
use crate::frame::jpeg::Encoder;
use crate::frame::{Captured as _, Content, Decoded, PixelView, facts, thumbnail};
use crate::rig::camera::{CameraError, CapturedFrame};

use super::super::captures::Developed;

/// Makes a photograph of a frame; of one of files, it is the image. Blocks.
pub fn develop(camera: &str, frame: &CapturedFrame, jpeg_quality: u8) -> Result<Developed, CameraError> {
    let wrong =
        |error: &dyn std::fmt::Display| CameraError::new(camera, ErrorKind::BadFrame, error.to_string());
    let size = frame.metadata().size();
    let developed = |image: Vec<u8>, view: &PixelView<'_>| {
        let mut small = Vec::new();
        let thumbnail = Encoder::new(thumbnail::QUALITY)
            .and_then(|mut encoder| thumbnail::encode(&mut encoder, view, &mut small))
            .inspect_err(|error| warn!(camera, "no thumbnail: {error}"));
        let facts = facts(frame.metadata(), Timestamp::now(), quality::measure(&view.luma()));
        let thumbnail = thumbnail.is_ok().then_some(small);
        Developed { camera: camera.to_owned(), size, facts, image, thumbnail }
    };
    match frame.content().map_err(|error| wrong(&error))? {
        Content::Pixels(view) => {
            let mut image = Vec::new();
            let mut encoder = Encoder::new(jpeg_quality).map_err(|error| wrong(&error))?;
            encoder.encode(&view, &[], &mut image).map_err(|error| wrong(&error))?;
            Ok(developed(image, &view))
        }
        Content::Files(files) => {
            let image = files.first().map_or(&[][..], |image| image.bytes);
            let decoded = Decoded::of(image).map_err(|error| wrong(&error))?;
            Ok(developed(image.to_vec(), &decoded.view().map_err(|error| wrong(&error))?))
        }
    }
}
