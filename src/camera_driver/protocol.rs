//! Camera driver protocol, version 2.
//!
//! The daemon starts `DRIVER --camera ID --options JSON` with a `SOCK_SEQPACKET` socket as descriptor 3, and with `--reset PORT` in
//! addition where [`Hello::reset`] has allowed that. A message is one packet: a JSON object of at most [`MAX_MESSAGE`] bytes with its kind in `type`; a `frame`
//! carries one descriptor (`SCM_RIGHTS`) of the memory that holds its pixels or files: a memfd sealed with
//! `F_SEAL_SHRINK` or a dmabuf, so that its reader cannot be surprised by a shorter file. Files are sealed with `F_SEAL_WRITE`,
//! too: they are read more than once. A second descriptor is of a raw image beside the pixels.
//!
//! The driver speaks first (`hello`). Then the daemon sends `configure`, answered by `configured`; `start`,
//! answered by `started`; any number of `capture`, each answered by one `frame` or `error`, and of `converge`,
//! answered by `converged`; `stop`, answered by `stopped`. Every start has a new *epoch*: what carries an older one is dropped and counted.
//!
//! A driver says in `hello` which version it speaks. From [`OLDEST`] on, the daemon speaks that one, too: it sends nothing
//! that a driver of this version does not know, and takes nothing from it that this version does not have.

mod condition;
mod error_kind;
mod exposed;
mod frame;
mod pace;
mod payload;
mod raw;

use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::model::{Bayer, Control, Controls, FileType, Orientation, PixelFormat, Region, Size};
use crate::units::FramesPerSecond;

pub use condition::Condition;
pub use error_kind::ErrorKind;
pub use exposed::{ExposedAt, Timestamps};
pub use frame::{Frame, FrameMetadata};
pub use pace::Pace;
pub use payload::{FileInMemory, FilesInMemory, Payload, Planes};
pub use raw::RawPlane;

/// The version of this protocol.
pub const VERSION: u32 = 2;
/// The oldest version that the daemon speaks, too.
pub const OLDEST: u32 = 1;
/// The first version with `busy` and [`Hello::longest_call_ms`], with [`Hello::timestamps`], [`Hello::files`] and
/// [`Hello::bayer`].
const SECOND: u32 = 2;
/// Most descriptors of a message: that of a still's pixels, and that of its raw image.
pub const MAX_DESCRIPTORS: usize = 2;
/// Longest message in bytes.
pub const MAX_MESSAGE: usize = 64 * 1024;
/// The descriptor at which a driver finds its socket.
pub const SOCKET_FD: i32 = 3;
/// A running driver sends at least one `beat` in this time, unless its camera thread is stuck.
pub const BEAT_INTERVAL: Duration = Duration::from_secs(1);
/// The longest [`Hello::longest_call_ms`] that the daemon takes: an exposure of five minutes, and as long a dark one.
pub const LONGEST_CALL: Duration = Duration::from_secs(600);

/// Which of a camera's streams a frame belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stream {
    /// Images of the configured size: what a scan stores.
    Still,
    /// Low-resolution frames for looking.
    Live,
}

/// A picture that a sensor can make: one of its read-out modes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Mode {
    /// Its size.
    pub size: Size,
    /// The raw format, as its driver calls it: `SRGGB10_CSI2P`; none if raw frames are not offered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub raw: Option<String>,
}

/// What a driver says of itself and its camera.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Hello {
    /// The version that the driver speaks: [`OLDEST`] to [`VERSION`].
    pub protocol: u32,
    /// Name and version of the driver.
    pub driver: String,
    /// The camera's id.
    pub camera: String,
    /// Sensor model.
    pub model: String,
    /// Size of the sensor's pixel array.
    pub sensor: Size,
    /// Distance between pixels in micrometres.
    pub pixel_pitch_um: f64,
    /// Pixel formats of stills; none of a camera that makes files.
    pub formats: Vec<PixelFormat>,
    /// The files that the camera makes of each still, the one JPEG first: they are stored as they are. Empty if it hands over
    /// pixels. From version 2 on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<FileType>,
    /// Modes of the sensor, the largest first; empty if any size can be had.
    #[serde(default)]
    pub modes: Vec<Mode>,
    /// Controls and what they take, as far as that is known before `configure`.
    pub controls: Vec<Control>,
    /// Device nodes that only one process at a time can use the camera through.
    #[serde(default)]
    #[schema(value_type = Vec<String>)]
    pub devices: Vec<PathBuf>,
    /// Whether low-resolution frames can stream beside stills.
    pub live_beside_stills: bool,
    /// Whether the sensor has raw modes. What raw images can be had of it is in `bayer`.
    pub raw: bool,
    /// The raw images that it can deliver beside its stills of pixels, as far as that is known before `configure`; none if it
    /// cannot. From version 2 on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bayer: Option<Bayer>,
    /// The longest call into the camera that the driver says `busy` before, in milliseconds; 0 if it never does. At most
    /// [`LONGEST_CALL`]. From version 2 on.
    #[serde(default)]
    pub longest_call_ms: u64,
    /// By what it is known when a still was exposed. From version 2 on.
    #[serde(default)]
    pub timestamps: Timestamps,
    /// The port that the camera is at, where a driver can reset it before it opens the camera: it does so if it is started with
    /// `--reset` and this. Absent where it cannot. A daemon that does not know this does without.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reset: Option<String>,
}

impl Hello {
    /// By what the driver knows when a still was exposed.
    pub fn timestamps(&self) -> Timestamps {
        if self.protocol < SECOND { Timestamps::Sensor } else { self.timestamps }
    }

    /// The files that the camera makes of each still; empty if it hands over pixels.
    pub fn files(&self) -> &[FileType] {
        if self.protocol < SECOND { &[] } else { &self.files }
    }

    /// The raw images that it can deliver beside its pixels; none if it cannot.
    pub fn bayer(&self) -> Option<&Bayer> {
        if self.files().is_empty() && self.protocol >= SECOND { self.bayer.as_ref() } else { None }
    }

    /// For how long the driver may be busy with one thing that it was asked; no time if it may not.
    pub fn longest_call(&self) -> Duration {
        if self.protocol < SECOND { Duration::ZERO } else { Duration::from_millis(self.longest_call_ms) }
    }
}

/// The streams wanted, fixed until the next `configure`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Configure {
    /// Size of stills in pixels, as they are delivered.
    pub size: Size,
    /// Format of stills, one of [`Hello::formats`]; none for a camera that makes files.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub format: Option<PixelFormat>,
    /// Size of low-resolution frames, if any are wanted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub live: Option<Size>,
    /// Frame rate wanted; the driver's own choice if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub frame_rate: Option<FramesPerSecond>,
    /// How images are turned.
    #[serde(default)]
    pub orientation: Orientation,
    /// Settings from the first frame on.
    #[serde(default)]
    pub controls: Controls,
    /// Whether each still is to have a raw image beside it; only of a camera with [`Hello::bayer`].
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub raw: bool,
    /// How many stills the daemon may hold at once before it gives the first one back.
    pub buffers: u32,
}

/// From the daemon to a driver.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ToDriver {
    /// Choose the streams; only while stopped. Takes the camera, if this process has not got it.
    Configure(Configure),
    /// Start streaming as `epoch`.
    Start {
        /// Greater than every one before.
        epoch: u64,
    },
    /// Stop streaming; answered by `stopped`. The streams stay as they were chosen.
    Stop,
    /// Change settings, for frames to come.
    Set {
        /// The settings to change.
        controls: Controls,
    },
    /// Let settle what is automatic (exposure, white balance, focus), which is all but `controls`, then hold it;
    /// answered by `converged`. Only while streaming.
    Converge {
        /// What is not to be touched.
        controls: Controls,
    },
    /// Deliver one still: the first valid one whose exposure began at or after `not_before_ns`.
    Capture {
        /// The running epoch: of another one, nothing is delivered.
        epoch: u64,
        /// Chosen by the daemon, returned with the answer.
        request: u64,
        /// Index of the shot in its plan, for logs and for scripted faults.
        shot: u32,
        /// When the axes are at rest, by `CLOCK_MONOTONIC` in nanoseconds.
        not_before_ns: u64,
    },
    /// Switch low-resolution frames on (with a rate) or off (without).
    Live {
        /// Highest rate to deliver.
        rate: Option<FramesPerSecond>,
    },
    /// The memory of this frame may be used again.
    Release {
        /// Which memory: [`FrameMetadata::buffer`] of the frame.
        buffer: u64,
    },
    /// End in order; the end of the socket means the same.
    Quit,
}

/// From a driver to the daemon.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum FromDriver {
    /// The first message, sent without being asked.
    Hello(Hello),
    /// `configure` is done, and this is what came of it.
    Configured {
        /// Time between frames in microseconds.
        frame_duration_us: u64,
        /// Size of low-resolution frames, which may differ from what was wanted; none if there are none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        live: Option<Size>,
        /// The controls, where what they take depends on the streams; else as in `hello`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        controls: Option<Vec<Control>>,
        /// The part of the pixel array that an image without `crop` shows, if the camera says.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        field_of_view: Option<Region>,
        /// The raw images beside stills, if they are configured and differ from what `hello` says.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        bayer: Option<Bayer>,
    },
    /// What was automatic is held.
    Converged {
        /// The values at which it is held.
        controls: Controls,
    },
    /// `start` is done: frames come from now on.
    Started {
        /// The epoch that `start` named.
        epoch: u64,
    },
    /// `stop` is done: no further frame comes of the epoch.
    Stopped {
        /// The epoch that ended; 0 if none was running.
        epoch: u64,
    },
    /// A still that answers a `capture`, or a live frame.
    Frame(Frame),
    /// What was asked failed, or the camera did by itself.
    Error {
        /// What recovery goes by.
        kind: ErrorKind,
        /// What failed, for people: nothing goes by it.
        message: String,
        /// The `capture` that failed, if it was one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        request: Option<u64>,
        /// The operating system's error number, if it gave one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        code: Option<i32>,
        /// In place of `hello`: device nodes of the camera that only one process can use, as in [`Hello::devices`], so that who holds
        /// them can be named. A daemon that does not know this does without.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        devices: Vec<PathBuf>,
    },
    /// The thread that owns the camera is alive.
    Beat {
        /// Grows with each round of that thread.
        count: u64,
        /// How the camera is, if it says. A daemon that does not know this does without.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        condition: Option<Condition>,
        /// How the stream goes, if its frames follow each other by themselves, its exposure time is set or held, and one is overdue. A
        /// daemon that does not know this does without.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pace: Option<Pace>,
    },
    /// The thread that owns the camera is about to make a call that may take long, and will not beat before it is done. That
    /// ends with the next beat, at the latest when it says. Only with [`Hello::longest_call_ms`].
    Busy {
        /// The latest end of the call, by `CLOCK_MONOTONIC` in nanoseconds.
        until_ns: u64,
    },
}
