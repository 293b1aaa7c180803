//! The requests of the still stream and the memory in which its frames leave.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;

use libcamera::camera::ActiveCamera;
use libcamera::framebuffer::AsFrameBuffer;
use libcamera::framebuffer_allocator::{FrameBuffer, FrameBufferAllocator};
use libcamera::framebuffer_map::MemoryMappedFrameBuffer;
use libcamera::request::Request;
use libcamera::stream::Stream;
use scanner::camera_driver::host::DeviceError;
use scanner::camera_driver::synthetic::Pool;

use super::failure::failed;

/// A buffer as it was added to its request.
type Mapped = MemoryMappedFrameBuffer<FrameBuffer>;

/// How a frame's memory leaves this process.
#[derive(Debug)]
pub(crate) enum Way {
    /// The camera's own buffer, by its descriptor; its request waits until it is given back.
    Lend,
    /// A copy, where the camera has too few buffers to lend any.
    Copy(Pool),
}

/// A stream's buffers, each in a request of its own.
pub(crate) struct Buffers {
    stream: Stream,
    /// By cookie: the buffer's descriptor, and offsets of its planes.
    memory: Vec<(Arc<OwnedFd>, Vec<u64>)>,
    /// Not with the camera.
    pub(crate) idle: Vec<Request>,
}

impl Buffers {
    /// Allocates as many buffers as the stream is configured for.
    pub(crate) fn new(
        camera: &mut ActiveCamera<'_>,
        allocator: &mut FrameBufferAllocator,
        stream: Stream,
    ) -> Result<Self, DeviceError> {
        let buffers =
            allocator.alloc(&stream).map_err(|error| failed("allocating memory for frames", &error))?;
        let (mut memory, mut idle) = (Vec::new(), Vec::new());
        for (index, buffer) in buffers.into_iter().enumerate() {
            memory.push(descriptor(&buffer)?);
            let mapped = Mapped::new(buffer).map_err(|error| {
                DeviceError::invalid(format!("a frame's memory cannot be mapped: {error}"))
            })?;
            let Some(mut request) = camera.create_request(Some(index as u64)) else {
                return Err(DeviceError::invalid("libcamera makes no request: the camera is not configured"));
            };
            request.add_buffer(&stream, mapped).map_err(|error| failed("adding a buffer", &error))?;
            idle.push(request);
        }
        Ok(Self { stream, memory, idle })
    }

    /// How many there are.
    pub(crate) fn count(&self) -> usize {
        self.memory.len()
    }

    /// The buffer of a completed request.
    pub(crate) fn of<'a>(&self, request: &'a Request) -> Option<&'a Mapped> {
        request.buffer(&self.stream)
    }

    /// The descriptor and offsets of a request's buffer.
    pub(crate) fn memory(&self, request: &Request) -> Option<&(Arc<OwnedFd>, Vec<u64>)> {
        self.memory.get(usize::try_from(request.cookie()).ok()?)
    }
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
