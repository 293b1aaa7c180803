//! The stream of raw images beside stills: how it is chosen, and how its images leave.

use std::os::fd::OwnedFd;
use std::sync::Arc;

use libcamera::camera::{CameraConfiguration, CameraConfigurationStatus};
use libcamera::geometry;
use libcamera::pixel_format::PixelFormat;
use libcamera::request::Request;
use libcamera::stream::Stream;
use scanner::camera_driver::dmabuf::ReadAccess;
use scanner::camera_driver::host::{DeviceError, Slots};
use scanner::camera_driver::protocol::ErrorKind;
use scanner::model::{Bayer, Size};

use super::buffers::{Buffers, Mapped};
use super::raw;

/// The stream of raw images beside stills.
pub(crate) struct Raw {
    pub(crate) stream: Stream,
    memory: Vec<(Arc<OwnedFd>, Vec<u64>)>,
    pub(crate) bayer: Bayer,
    pub(crate) stride: u32,
    /// Where copies go, if stills are copied.
    copies: Option<Slots>,
}

impl Raw {
    /// Of these buffers; with memory for `copies` if stills are copied.
    pub(crate) fn new(
        buffers: Buffers,
        bayer: Bayer,
        copies: Option<u32>,
    ) -> Result<(Self, Vec<Mapped>), DeviceError> {
        let Buffers { stream, stride, memory, mapped, .. } = buffers;
        let bytes = u64::from(stride) * u64::from(bayer.size.height);
        let copies = copies.map(|count| Slots::new(bytes, count)).transpose()?;
        Ok((Self { stream, memory, bayer, stride, copies }, mapped))
    }

    /// Copies that are `buffer` are free again.
    pub(crate) fn given_back(&mut self, buffer: u64) {
        if let Some(copies) = &mut self.copies {
            copies.release(buffer);
        }
    }

    /// The raw image of a completed request, ready to leave beside the still that is `buffer`, and where it begins in its
    /// memory; none if all memory for copies is held.
    pub(crate) fn hand_over(
        &mut self,
        request: &Request,
        buffer: u64,
    ) -> Result<Option<(Arc<OwnedFd>, u64)>, DeviceError> {
        let memory = usize::try_from(request.cookie()).ok().and_then(|cookie| self.memory.get(cookie));
        let (Some((memory, offsets)), Some(mapped)) = (memory, request.buffer::<Mapped>(&self.stream)) else {
            let message = "the camera gave a request back without its raw image";
            return Err(DeviceError::new(ErrorKind::BadFrame, message));
        };
        let Some(copies) = &mut self.copies else {
            return Ok(Some((Arc::clone(memory), offsets.first().copied().unwrap_or_default())));
        };
        let length = self.stride as usize * self.bayer.size.height as usize;
        let _access = ReadAccess::begin(memory);
        let planes = mapped.data();
        let plane = planes.first().copied().unwrap_or_default();
        let copied = copies.put(buffer, [(0, &plane[..length.min(plane.len())])])?;
        Ok(copied.map(|memory| (memory, 0)))
    }
}

/// Asks for raw images of the sensor's smallest mode in which the image has room, in a format that can be read; the camera
/// has the last word.
pub(crate) fn choose_raw(
    config: &mut CameraConfiguration,
    index: usize,
    wanted: Size,
    count: usize,
) -> Result<(CameraConfigurationStatus, Bayer), DeviceError> {
    let Some(raw) = config.get(index) else {
        return Err(DeviceError::invalid(
            "this camera has no raw images beside its other streams: leave raw out, or set live = \"off\"",
        ));
    };
    let proposed = raw.get_pixel_format();
    let offered = raw.formats().sizes(proposed).into_iter();
    let offered: Vec<Size> = offered.map(|size| Size { width: size.width, height: size.height }).collect();
    let covering = raw::covering(&offered, wanted);
    let mut got = format!("{proposed:?}");
    for name in raw::candidates(&got.clone()) {
        let Some(format) = PixelFormat::parse(&name) else { continue };
        if let Some(mut raw) = config.get_mut(index) {
            raw.set_pixel_format(format);
            if let Some(Size { width, height }) = covering {
                raw.set_size(geometry::Size::new(width, height));
            }
            raw.set_buffer_count(u32::try_from(count).unwrap_or(u32::MAX));
        }
        let status = config.validate();
        let Some(raw) = config.get(index) else { continue };
        let size = raw.get_size();
        got = format!("{:?}", raw.get_pixel_format());
        if let Some(bayer) = raw::bayer(&got, Size { width: size.width, height: size.height }) {
            return Ok((status, bayer));
        }
    }
    Err(DeviceError::invalid(format!(
        "this camera's raw images are {got}, which cannot be read here: leave raw out"
    )))
}
