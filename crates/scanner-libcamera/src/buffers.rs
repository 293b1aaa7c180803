//! The memory of a stream: its buffers, how frames lie in them, and copies of those.

use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::sync::Arc;

use libcamera::camera::CameraConfiguration;
use libcamera::framebuffer::AsFrameBuffer;
use libcamera::framebuffer_allocator::{FrameBuffer, FrameBufferAllocator};
use libcamera::framebuffer_map::MemoryMappedFrameBuffer;
use libcamera::stream::Stream;
use scanner::camera_driver::dmabuf::ReadAccess;
use scanner::camera_driver::host::{DeviceError, Layout, Pool};
use scanner::model::{PixelFormat, Size};

use super::failure::{failed, not_allocated};

/// A buffer as it was added to its request.
pub(crate) type Mapped = MemoryMappedFrameBuffer<FrameBuffer>;

/// A stream's buffers before they are in requests.
pub(crate) struct Buffers {
    pub(crate) stream: Stream,
    /// Size of its pictures,
    pub(crate) size: Size,
    /// and bytes from row to row of their first plane.
    pub(crate) stride: u32,
    /// By cookie: the buffer's descriptor, and offsets of its planes.
    pub(crate) memory: Vec<(Arc<OwnedFd>, Vec<u64>)>,
    pub(crate) mapped: Vec<Mapped>,
}

impl Buffers {
    /// Allocates those of stream `index` of a configured camera.
    pub(crate) fn new(
        allocator: &mut FrameBufferAllocator,
        config: &CameraConfiguration,
        index: usize,
    ) -> Result<Self, DeviceError> {
        let Some(configured) = config.get(index) else {
            return Err(DeviceError::invalid("a stream was not configured"));
        };
        let (size, stride) = (configured.get_size(), configured.get_stride());
        let size = Size { width: size.width, height: size.height };
        let Some(stream) = configured.stream() else {
            return Err(DeviceError::invalid("a stream was not configured"));
        };
        let buffers = allocator.alloc(&stream).map_err(|error| not_allocated(&error))?;
        let (mut memory, mut mapped) = (Vec::new(), Vec::new());
        for buffer in buffers {
            memory.push(descriptor(&buffer)?);
            mapped.push(Mapped::new(buffer).map_err(|error| {
                DeviceError::invalid(format!("a frame's memory cannot be mapped: {error}"))
            })?);
        }
        Ok(Self { stream, size, stride, memory, mapped })
    }

    /// How frames lie in them that have this format.
    pub(crate) fn layout(&self, format: PixelFormat) -> Layout {
        layout(format, self.size, self.stride)
    }
}

/// Copies a frame into `pool`, as `buffer`.
pub(crate) fn copy(
    pool: &mut Pool,
    buffer: u64,
    frame: &Mapped,
    memory: &OwnedFd,
) -> Result<Option<Arc<OwnedFd>>, DeviceError> {
    let layout = pool.layout().clone();
    let ends = layout.offsets.iter().skip(1).copied().chain([layout.bytes]);
    let _access = ReadAccess::begin(memory);
    let planes = frame.data();
    let planes = planes.iter().zip(layout.offsets.iter().zip(ends)).map(|(plane, (&offset, end))| {
        let length = (end - offset) as usize;
        (offset, &plane[..length.min(plane.len())])
    });
    pool.put_planes(buffer, planes)
}

/// Planes one after the other, with libcamera's stride; chroma of three planes has half of it.
fn layout(format: PixelFormat, size: Size, stride: u32) -> Layout {
    let mut layout = Layout { format, size, strides: Vec::new(), offsets: Vec::new(), bytes: 0 };
    for plane in 0..format.planes() {
        let stride = if format == PixelFormat::Yuv420 && plane > 0 { stride / 2 } else { stride };
        let (_, rows) = format.plane_size(plane, size);
        layout.strides.push(stride);
        layout.offsets.push(layout.bytes);
        layout.bytes += u64::from(stride) * u64::from(rows);
    }
    layout
}

/// A descriptor of `buffer` of our own, and where its planes begin in it.
fn descriptor(buffer: &FrameBuffer) -> Result<(Arc<OwnedFd>, Vec<u64>), DeviceError> {
    let planes = buffer.planes();
    let (mut fds, mut offsets) = (Vec::new(), Vec::new());
    for plane in &*planes {
        fds.push(plane.fd());
        offsets.push(plane.offset().unwrap_or_default() as u64);
    }
    let Some(&fd) = fds.first() else { return Err(DeviceError::invalid("a frame without planes")) };
    if fds.iter().any(|&other| other != fd) {
        return Err(DeviceError::invalid(
            "the planes of a frame are in several files, which is not supported",
        ));
    }
    #[expect(unsafe_code, reason = "the bindings give a number")]
    // SAFETY: the descriptor is libcamera's and open as long as `buffer`, which is borrowed.
    let borrowed = unsafe { BorrowedFd::borrow_raw(fd) };
    let owned = borrowed.as_fd().try_clone_to_owned();
    let owned = owned.map_err(|error| failed("duplicating a frame's descriptor", &error))?;
    Ok((Arc::new(owned), offsets))
}
