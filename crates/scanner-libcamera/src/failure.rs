//! What libcamera's errors mean.

use std::io;

use rustix::io::Errno;
use scanner::camera_driver::host::DeviceError;
use scanner::camera_driver::protocol::ErrorKind;

/// The error of a call into libcamera; `doing` is what was tried.
pub(crate) fn failed(doing: &str, error: &io::Error) -> DeviceError {
    // The bindings hand libcamera's negative codes on as they are, where they do not turn them.
    let code = error.raw_os_error().map(i32::abs);
    let errno = code.map(Errno::from_raw_os_error);
    let (kind, advice) = match errno {
        Some(Errno::BUSY) => (ErrorKind::Busy, "; another process has the camera, or has left it in use"),
        Some(Errno::NODEV | Errno::NXIO | Errno::NOENT) => {
            (ErrorKind::Gone, "; the camera is not there: check its cable")
        }
        Some(Errno::NOMEM | Errno::NOBUFS) => (
            ErrorKind::NoMemory,
            "; no memory for frames: raise cma= in the kernel's command line, or choose a smaller size",
        ),
        Some(Errno::INVAL) => (ErrorKind::InvalidArgument, "; the camera refuses this configuration"),
        Some(_) | None => (ErrorKind::QueueBuffer, ""),
    };
    let what = errno.map_or_else(|| error.to_string(), |errno| errno.to_string());
    DeviceError { code, ..DeviceError::new(kind, format!("{doing}: {what}{advice}")) }
}

/// A camera that cannot be had.
pub(crate) fn not_acquired(error: &io::Error) -> DeviceError {
    let failed = failed("acquiring the camera", error);
    match error.raw_os_error().map(i32::abs).map(Errno::from_raw_os_error) {
        Some(Errno::ACCESS | Errno::PERM) => DeviceError {
            kind: ErrorKind::Gone,
            message: format!("{}; no permission: the user must be in the group video", failed.message),
            ..failed
        },
        Some(_) | None => failed,
    }
}

/// Memory for frames that was not given. Some of libcamera's allocators say that an argument is invalid then,
/// although the camera has just accepted its configuration.
pub(crate) fn not_allocated(error: &io::Error) -> DeviceError {
    let no_memory = io::Error::from_raw_os_error(Errno::NOMEM.raw_os_error());
    let error = if error.raw_os_error().map(i32::abs) == Some(Errno::INVAL.raw_os_error()) {
        &no_memory
    } else {
        error
    };
    failed("allocating memory for frames", error)
}

/// A request that was not taken.
pub(crate) fn not_queued(error: &io::Error) -> DeviceError {
    let failed = failed("Failed to queue buffer", error);
    match failed.kind {
        // A camera that is no longer there takes no requests either.
        ErrorKind::Gone => failed,
        ErrorKind::Timeout
        | ErrorKind::QueueBuffer
        | ErrorKind::InvalidArgument
        | ErrorKind::Cancelled
        | ErrorKind::Busy
        | ErrorKind::NoMemory
        | ErrorKind::BadFrame
        | ErrorKind::Crashed
        | ErrorKind::Protocol => DeviceError { kind: ErrorKind::QueueBuffer, ..failed },
    }
}
