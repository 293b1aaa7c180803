//! The only place that calls libjpeg-turbo.
#![expect(
    unsafe_code,
    reason = "libjpeg-turbo is a C library, and the safe wrapper cannot encode from separate planes"
)]

use std::ffi::CStr;
use std::ptr::NonNull;

use turbojpeg_sys as tj;

use crate::frame::Plane;
use crate::frame::jpeg::JpegError;
use crate::model::Size;

/// A compressor of 4:2:0 pictures.
#[derive(Debug)]
pub(super) struct Compressor(NonNull<std::ffi::c_void>);

// SAFETY: a TurboJPEG instance has no ties to the thread that made it; it must only not be used by two at once,
// which `&mut self` ensures.
unsafe impl Send for Compressor {}

impl Compressor {
    /// For `quality` 1 to 100.
    pub(super) fn new(quality: u8) -> Result<Self, JpegError> {
        // SAFETY: no preconditions; the result may be null.
        let handle = unsafe { tj::tj3Init(tj::TJINIT_TJINIT_COMPRESS as i32) };
        let no_memory = || JpegError { reason: "no memory for a compressor".into() };
        let compressor = Self(NonNull::new(handle).ok_or_else(no_memory)?);
        let parameters = [
            (tj::TJPARAM_TJPARAM_QUALITY, i32::from(quality)),
            (tj::TJPARAM_TJPARAM_SUBSAMP, tj::TJSAMP_TJSAMP_420),
            (tj::TJPARAM_TJPARAM_NOREALLOC, 1),
        ];
        for (parameter, value) in parameters {
            // SAFETY: the handle is valid until drop.
            if unsafe { tj::tj3Set(handle, parameter as i32, value) } != 0 {
                return Err(compressor.error());
            }
        }
        Ok(compressor)
    }

    /// Replaces the content of `jpeg` by the picture in Y, U and V, with the segment `head` before all others.
    pub(super) fn compress(
        &mut self,
        size: Size,
        planes: [Plane<'_>; 3],
        head: &[u8],
        jpeg: &mut Vec<u8>,
    ) -> Result<(), JpegError> {
        const START_OF_IMAGE: [u8; 2] = [0xFF, 0xD8];
        check(size, &planes)?;
        let (width, height) = (size.width as i32, size.height as i32);
        // SAFETY: no preconditions; impossible sizes give 0, which `compress` then refuses.
        let most = unsafe { tj::tj3JPEGBufSize(width, height, tj::TJSAMP_TJSAMP_420) };
        jpeg.clear();
        jpeg.reserve(head.len() + most as usize);
        let pointers = planes.map(|plane| plane.data.as_ptr());
        let strides = planes.map(|plane| plane.stride as i32);
        // The start marker that the library writes falls on the segment's last two bytes, written behind it.
        let mut target = jpeg.spare_capacity_mut()[head.len()..].as_mut_ptr().cast::<u8>();
        let mut written = most;
        // SAFETY: the handle is valid. `check` made sure that each plane holds every row that the library reads
        // (both sides are even, so a plane's padded size is its size). `target` has room for `most` bytes, the
        // most that this size can take, and NOREALLOC keeps the library from replacing it.
        let failed = unsafe {
            tj::tj3CompressFromYUVPlanes8(
                self.0.as_ptr(),
                pointers.as_ptr(),
                width,
                strides.as_ptr(),
                height,
                &raw mut target,
                &raw mut written,
            )
        };
        if failed != 0 {
            return Err(self.error());
        }
        let spare = jpeg.spare_capacity_mut();
        for (byte, value) in spare.iter_mut().zip(START_OF_IMAGE.iter().chain(head)) {
            byte.write(*value);
        }
        // SAFETY: the first `head.len() + 2` bytes are written just above, all from `head.len()` on by the
        // library, which wrote `written <= most` bytes.
        unsafe { jpeg.set_len(head.len() + written as usize) };
        Ok(())
    }

    fn error(&self) -> JpegError {
        // SAFETY: the handle is valid, and the string lives in it until the next call.
        let text = unsafe { CStr::from_ptr(tj::tj3GetErrorStr(self.0.as_ptr())) };
        JpegError { reason: text.to_string_lossy().into_owned() }
    }
}

impl Drop for Compressor {
    fn drop(&mut self) {
        // SAFETY: the handle is valid, and not used afterwards.
        unsafe { tj::tj3Destroy(self.0.as_ptr()) };
    }
}

/// That the library reads nothing but the planes' memory.
fn check(size: Size, planes: &[Plane<'_>; 3]) -> Result<(), JpegError> {
    use crate::model::PixelFormat::Yuv420;
    match crate::frame::PixelView::new(Yuv420, size, planes) {
        Ok(_) => Ok(()),
        Err(error) => Err(JpegError { reason: error.to_string() }),
    }
}
