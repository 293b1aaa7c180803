//! What can go wrong with a camera, in the words that reach a person.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use jiff::Timestamp;
use rustix::io::Errno;
use serde::Serialize;

use super::process::Evidence;
use crate::camera_driver::protocol::ErrorKind;

/// EFBIG: the memory of a frame is a file to the kernel.
const FILE_TOO_LARGE: i32 = 27;
/// EMFILE: so it is to a limit of open files.
const TOO_MANY_FILES: i32 = 24;

/// An operation on a camera failed; recovery goes by `kind`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct CameraError {
    /// The camera's name in the configuration.
    pub camera: String,
    /// What recovery goes by.
    pub kind: ErrorKind,
    /// What happened, for people.
    pub message: String,
    /// The operating system's error number, if there is one.
    pub code: Option<i32>,
    /// Device nodes of the camera, where its driver got no further than to say that.
    #[serde(skip)]
    pub devices: Vec<PathBuf>,
}

impl CameraError {
    /// An error of `camera` without an error number.
    pub fn new(camera: &str, kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { camera: camera.into(), kind, message: message.into(), code: None, devices: Vec::new() }
    }

    /// An error of `camera` that stems from the operating system; `doing` is what was tried.
    pub(super) fn system(camera: &str, kind: ErrorKind, doing: &str, error: &std::io::Error) -> Self {
        let failed = Self::new(camera, kind, format!("{doing}: {error}"));
        Self { code: error.raw_os_error(), ..failed }
    }

    /// Why what the driver of `camera` said cannot be read. That this process has no room for it is no fault of the driver.
    pub(super) fn unread(camera: &str, error: &std::io::Error) -> Self {
        let kind = match Errno::from_io_error(error) {
            Some(Errno::MFILE | Errno::NFILE | Errno::NOMEM | Errno::NOBUFS) => ErrorKind::NoMemory,
            _ => ErrorKind::Protocol,
        };
        Self::system(camera, kind, "reading what its driver says", error)
    }

    /// Whether trying again may help without a person doing something first.
    pub const fn may_pass(&self) -> bool {
        match self.kind {
            ErrorKind::Timeout
            | ErrorKind::QueueBuffer
            | ErrorKind::Cancelled
            | ErrorKind::NoMemory
            | ErrorKind::BadFrame
            | ErrorKind::Crashed
            | ErrorKind::Protocol => true,
            ErrorKind::InvalidArgument | ErrorKind::Busy | ErrorKind::Gone => false,
        }
    }

    /// What a person can do if recovery does not help.
    pub const fn advice(&self) -> &'static str {
        match self.kind {
            ErrorKind::Timeout | ErrorKind::QueueBuffer | ErrorKind::BadFrame => {
                "it is restarted by itself; if this goes on, check its connection and the power supply"
            }
            ErrorKind::InvalidArgument => "check this camera's settings in the configuration",
            ErrorKind::Cancelled => {
                "nothing, if it was given up on purpose; else it is tried again by itself"
            }
            ErrorKind::Busy => "end the program that holds it, or list that program in recovery.may_end",
            ErrorKind::Gone => "check its connection, and its id in the configuration",
            ErrorKind::NoMemory if matches!(self.code, Some(FILE_TOO_LARGE)) => {
                "a limit of the length of files is in force (`ulimit -f`, or LimitFSIZE= of the service), which concerns memory for frames, too: raise it"
            }
            ErrorKind::NoMemory if matches!(self.code, Some(TOO_MANY_FILES)) => {
                "this program has as many files and connections open as it may (`ulimit -n`, or LimitNOFILE= of the service): raise that"
            }
            ErrorKind::NoMemory => "lower the image size or the number of buffers, or free memory",
            ErrorKind::Crashed => "its driver is started again by itself; its last words are in the log",
            ErrorKind::Protocol => "check that the driver is of the same version as this program",
        }
    }
}

impl fmt::Display for CameraError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "camera {}: {} ({}", self.camera, self.message, self.kind)?;
        if let Some(code) = self.code {
            write!(f, ", error {code}")?;
        }
        write!(f, "); {}", self.advice())
    }
}

impl std::error::Error for CameraError {}

/// Somebody else has the camera's lease.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
#[error("camera {camera} is in use by {holder} since {since}; ask again in {} s", retry_after.as_secs())]
pub struct Busy {
    /// The camera's name in the configuration.
    pub camera: String,
    /// Who has the camera, as it called itself.
    pub holder: String,
    /// Since when it has the camera.
    pub since: Timestamp,
    /// When it makes sense to ask again.
    pub retry_after: Duration,
}

/// A driver process that SIGKILL does not end: it hangs in the kernel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
#[error(
    "camera {camera}: driver process {pid} cannot be ended, it hangs in the kernel ({evidence}); a reboot is needed"
)]
pub struct Wedged {
    /// The camera's name in the configuration.
    pub camera: String,
    /// Process id of the driver.
    pub pid: i32,
    /// What `/proc` says of its threads.
    pub evidence: Evidence,
}

impl From<Wedged> for CameraError {
    /// For callers that only know of errors: such a camera is held by a process.
    fn from(wedged: Wedged) -> Self {
        let message = format!(
            "driver process {} cannot be ended, it hangs in the kernel ({}): a reboot is needed",
            wedged.pid, wedged.evidence
        );
        Self::new(&wedged.camera, ErrorKind::Busy, message)
    }
}

/// A recovery rung did not help.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RecoverError {
    /// The camera still fails; a further rung may help.
    #[error(transparent)]
    Failed(#[from] CameraError),
    /// Nothing but a reboot helps.
    #[error(transparent)]
    Wedged(#[from] Wedged),
}

impl From<RecoverError> for CameraError {
    fn from(error: RecoverError) -> Self {
        match error {
            RecoverError::Failed(error) => error,
            RecoverError::Wedged(wedged) => wedged.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_says_what_happened_to_which_camera_and_what_to_do() {
        for kind in ErrorKind::ALL {
            let error = CameraError { code: Some(32), ..CameraError::new("cam0", kind, "no frame in 10 s") };
            let text = error.to_string();
            for part in ["camera cam0", "no frame in 10 s", kind.name(), "error 32", error.advice()] {
                assert!(text.contains(part), "{text}");
            }
        }
    }

    #[test]
    fn a_limit_of_open_files_is_not_blamed_on_the_driver() {
        let error = CameraError::unread("cam0", &Errno::MFILE.into());
        assert_eq!((error.kind, error.code), (ErrorKind::NoMemory, Some(TOO_MANY_FILES)));
        assert!(error.to_string().contains("ulimit -n"), "{error}");
        assert_eq!(CameraError::unread("cam0", &Errno::BADF.into()).kind, ErrorKind::Protocol);
    }
}
