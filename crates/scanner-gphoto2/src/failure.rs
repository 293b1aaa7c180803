//! Which of libgphoto2's errors is which of the protocol's.

use std::ffi::c_int;

use scanner::camera_driver::host::DeviceError;
use scanner::camera_driver::protocol::ErrorKind;

/// Something that libgphoto2 did not do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    /// Its number.
    pub(crate) code: c_int,
    /// What it says, for people.
    pub(crate) text: String,
}

/// `GP_ERROR_NOT_SUPPORTED`: this camera cannot.
pub(crate) const NOT_SUPPORTED: c_int = -6;
/// `GP_ERROR_IO_USB_CLAIM`: another program has it.
pub(crate) const CLAIMED: c_int = -53;
const MODEL_NOT_FOUND: c_int = -105;
/// A file that the camera has not, or not any more.
const FILE_NOT_FOUND: c_int = -108;

/// What a camera answers nothing to, or is not there for: `GP_ERROR_IO`, `GP_ERROR_TIMEOUT`, `GP_ERROR_IO_USB_FIND`, and those of
/// single operations of a port.
const OF_CONNECTION: [c_int; 6] = [-7, -10, -34, -35, -36, -52];

impl Failure {
    /// Whether there was no answer at all, rather than one that it cannot.
    pub(crate) fn is_of_connection(&self) -> bool {
        OF_CONNECTION.contains(&self.code)
    }

    /// As the daemon hears of it, met in doing `what`.
    pub(crate) fn explain(self, what: &str) -> DeviceError {
        let Self { code, text } = self;
        let (kind, remedy) = match code {
            CLAIMED => (
                ErrorKind::Busy,
                ": another program holds it, such as the file manager's (gvfs); end that, or keep it away (docs/cameras.md)",
            ),
            -60 => (ErrorKind::Busy, ": its lock is held by another program"),
            -110 => (ErrorKind::Busy, ": it is at work, or a picture in its memory was not fetched"),
            -52 | MODEL_NOT_FOUND => {
                (ErrorKind::Gone, ": look at its cable, its battery and whether it sleeps")
            }
            -112 => (ErrorKind::Cancelled, ""),
            -3 => (ErrorKind::NoMemory, ""),
            -2 | NOT_SUPPORTED => (ErrorKind::InvalidArgument, ""),
            -115 => (ErrorKind::InvalidArgument, ": its card is full, or there is none"),
            FILE_NOT_FOUND => (ErrorKind::BadFrame, ""),
            // I/O and time-outs: a cable, a hub, a camera that fell asleep.
            _ => (ErrorKind::Timeout, ""),
        };
        DeviceError::new(kind, format!("{what}: {text} ({code}){remedy}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_meet_is_the_kind_that_helps() {
        let kind = |code| Failure { code, text: "said".into() }.explain("triggering").kind;
        assert_eq!(
            [-53, -110, -52, -105].map(kind),
            [ErrorKind::Busy, ErrorKind::Busy, ErrorKind::Gone, ErrorKind::Gone]
        );
        assert_eq!([-1, -7, -10, -34, -999].map(kind), [ErrorKind::Timeout; 5]);
        let told = Failure { code: -53, text: "Could not claim the USB device".into() }.explain("opening it");
        assert_eq!(
            told.message.split(": another").next(),
            Some("opening it: Could not claim the USB device (-53)")
        );
    }
}
