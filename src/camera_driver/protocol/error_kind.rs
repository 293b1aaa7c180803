//! Kinds of errors, as the protocol, the journal and the log know them.

use serde::{Deserialize, Serialize};

/// What went wrong in a driver; decides what recovery does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ErrorKind {
    /// No frame in time.
    Timeout,
    /// "Failed to queue buffer".
    QueueBuffer,
    /// The camera refused a setting or a format.
    InvalidArgument,
    /// The pipeline gave the request back without a picture.
    Cancelled,
    /// Held by another process.
    Busy,
    /// Unplugged, or not there.
    Gone,
    /// No memory for frames.
    NoMemory,
    /// A frame that is not what was configured, or not what was asked for.
    BadFrame,
    /// The driver process ended.
    Crashed,
    /// The driver said something that the protocol does not allow.
    Protocol,
}

impl ErrorKind {
    /// Every kind, for tests and tables that must have each.
    pub const ALL: [Self; 10] = [
        Self::Timeout,
        Self::QueueBuffer,
        Self::InvalidArgument,
        Self::Cancelled,
        Self::Busy,
        Self::Gone,
        Self::NoMemory,
        Self::BadFrame,
        Self::Crashed,
        Self::Protocol,
    ];

    /// As in the protocol, the journal and the log.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Timeout => "timeout",
            Self::QueueBuffer => "queue_buffer",
            Self::InvalidArgument => "invalid_argument",
            Self::Cancelled => "cancelled",
            Self::Busy => "busy",
            Self::Gone => "gone",
            Self::NoMemory => "no_memory",
            Self::BadFrame => "bad_frame",
            Self::Crashed => "crashed",
            Self::Protocol => "protocol",
        }
    }
}

impl std::fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}
