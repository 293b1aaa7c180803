//! From a frame to a photograph.

use jiff::Timestamp;
use tracing::warn;

use crate::camera_driver::protocol::ErrorKind;
use crate::frame::jpeg::Encoder;
use crate::frame::{Pixels as _, facts, quality, thumbnail};
use crate::rig::camera::{CameraError, CapturedFrame};

use super::super::captures::Developed;

/// Makes a photograph of a frame. Blocks.
pub fn develop(camera: &str, frame: &CapturedFrame, jpeg_quality: u8) -> Result<Developed, CameraError> {
    let wrong =
        |error: &dyn std::fmt::Display| CameraError::new(camera, ErrorKind::BadFrame, error.to_string());
    let view = frame.view().map_err(|error| wrong(&error))?;
    let mut image = Vec::new();
    let mut encoder = Encoder::new(jpeg_quality).map_err(|error| wrong(&error))?;
    encoder.encode(&view, &[], &mut image).map_err(|error| wrong(&error))?;
    let mut small = Vec::new();
    let thumbnail = Encoder::new(thumbnail::QUALITY)
        .and_then(|mut encoder| thumbnail::encode(&mut encoder, &view, &mut small))
        .inspect_err(|error| warn!(camera, "no thumbnail: {error}"));
    let facts = facts(frame.metadata(), Timestamp::now(), quality::measure(&view));
    let size = view.size();
    Ok(Developed {
        camera: camera.to_owned(),
        size,
        facts,
        image,
        thumbnail: thumbnail.is_ok().then_some(small),
    })
}
