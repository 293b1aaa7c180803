//! What a driver has to do for its camera; everything else is done for it by the host.

use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::notice::Notice;
use crate::camera_driver::protocol::{Condition, Configure, ErrorKind, FrameMetadata, Hello, Stream};
use crate::model::{Bayer, Control, Controls, Refused, Region, Size};
use crate::units::FramesPerSecond;

/// A camera. It lives on the thread that owns the camera and is built there, so it need not be [`Send`].
///
/// A call that does not return is allowed to happen: that is what the process is for.
pub trait Device {
    /// Says what it is; called first, and once.
    fn hello(&self) -> Hello;

    /// Gives it what it can say of long calls with; called once, after [`hello`](Self::hello). A camera that never needs a
    /// second for anything need not care.
    fn attach(&mut self, _notice: Notice) {}

    /// Chooses the streams; called while stopped, with a size and format that [`hello`](Self::hello) offers.
    fn configure(&mut self, configure: &Configure) -> Result<Configured, DeviceError>;

    /// Starts streaming; called while configured and stopped.
    fn start(&mut self, epoch: u64) -> Result<(), DeviceError>;

    /// Stops streaming; called while streaming. Frames not handed over yet are dropped.
    fn stop(&mut self) -> Result<(), DeviceError>;

    /// Changes settings, streaming or not.
    fn set(&mut self, controls: &Controls) -> Result<(), DeviceError>;

    /// Begins to let settle what is automatic, which is all but `fixed`; called while streaming.
    fn converge(&mut self, fixed: &Controls) -> Result<(), DeviceError>;

    /// What is held from now on, once; none while it settles. Asked after every frame, since `converge`.
    fn converged(&mut self) -> Option<Result<Controls, DeviceError>>;

    /// Says which capture the next still is to answer, before every [`next_frame`](Self::next_frame). A device
    /// that makes its own pictures makes only those that are wanted; a camera need not care.
    fn wanted(&mut self, _capture: Option<&CaptureRequest>) {}

    /// Says at which rate live frames are wanted, if they are.
    fn live(&mut self, _rate: Option<FramesPerSecond>) {}

    /// How the camera is, as far as it was looked at: said with each beat, so that nothing is to be asked of the camera here.
    fn condition(&self) -> Option<Condition> {
        None
    }

    /// When its sensor was read out for the newest frame, by `CLOCK_MONOTONIC` in nanoseconds, whether or not anybody wants that
    /// frame: of a camera whose frames follow each other by themselves. None before the first frame of a start, and while it has
    /// no memory to put one into. Asked after every [`next_frame`](Self::next_frame). Of a camera that does not say, nobody knows
    /// that it has fallen silent before a capture's time is over.
    fn newest_frame_ns(&self) -> Option<u64> {
        None
    }

    /// The next frame of any stream; none if there was none for `timeout`, or sooner. Called while streaming.
    fn next_frame(&mut self, timeout: Duration) -> Result<Option<RawFrame>, DeviceError>;

    /// Takes back the memory of a frame handed over; called once a frame, which may be of an earlier epoch.
    fn release(&mut self, buffer: u64);
}

/// The streams as they are.
#[derive(Debug, Clone, PartialEq)]
pub struct Configured {
    /// Time from frame to frame, as the camera was configured.
    pub frame_duration: Duration,
    /// Size of low-resolution frames, if there are any.
    pub live: Option<Size>,
    /// The controls, if what they take has changed.
    pub controls: Option<Vec<Control>>,
    /// The part of the pixel array that an image without `crop` shows, if known.
    pub field_of_view: Option<Region>,
    /// The raw images beside stills, if they are configured and differ from what [`hello`](Device::hello) says.
    pub bayer: Option<Bayer>,
}

/// A still that the daemon waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CaptureRequest {
    /// The epoch it belongs to.
    pub epoch: u64,
    /// The daemon's number for it.
    pub request: u64,
    /// Index of the shot in its plan.
    pub shot: u32,
    /// Earliest begin of exposure, `CLOCK_MONOTONIC` in nanoseconds.
    pub not_before_ns: u64,
    /// How long a frame takes now, in nanoseconds: what an exposure that the camera does not tell is taken to be.
    pub frame_ns: u64,
}

impl CaptureRequest {
    /// Whether `frame` is what is wanted: a good still, none of which was exposed before `not_before_ns`.
    pub fn is_answered_by(&self, frame: &RawFrame) -> bool {
        let metadata = &frame.metadata;
        metadata.stream == Stream::Still
            && frame.valid
            && metadata.exposed_from_ns(self.frame_ns) >= self.not_before_ns
    }
}

/// A picture in the device's memory.
#[derive(Debug, Clone)]
pub struct RawFrame {
    /// What is to be said of it. What the device does not know of exposure and gain, it leaves out.
    pub metadata: FrameMetadata,
    /// The memory that holds the pixels, sealed against shrinking.
    pub memory: Arc<OwnedFd>,
    /// That of the raw image beside it, if [`FrameMetadata::raw`] tells of one, sealed likewise.
    pub raw: Option<Arc<OwnedFd>>,
    /// False for frames that the camera itself calls bad, such as those before its settings took effect.
    pub valid: bool,
    /// A fault to simulate; none in a driver of a real camera.
    pub tamper: Option<Tamper>,
}

/// How a simulated fault makes the host break the protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tamper {
    /// Delivered although it is not what is wanted.
    IgnoreRule,
    /// Delivered as the answer to a capture of the past.
    AnswerTo {
        /// The epoch of that capture.
        epoch: u64,
        /// The request that it was.
        request: u64,
    },
    /// Bytes that are no message are sent in its place.
    Garbage,
}

/// What went wrong with a camera.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct DeviceError {
    /// What recovery goes by.
    pub kind: ErrorKind,
    /// For people: what happened, to which thing, and what to do about it.
    pub message: String,
    /// The operating system's error number, if it gave one.
    pub code: Option<i32>,
    /// The camera's device nodes that only one process can use, where the device could not be built: it has said no
    /// [`hello`](Device::hello) that tells of them.
    pub devices: Vec<PathBuf>,
}

impl From<Refused> for DeviceError {
    fn from(refused: Refused) -> Self {
        Self::invalid(refused.to_string())
    }
}

impl DeviceError {
    /// An error without a number.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), code: None, devices: Vec::new() }
    }

    /// Something that was asked for cannot be.
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::InvalidArgument, message)
    }

    /// Memory for frames that the system refused, with its error.
    pub fn no_memory(what: &str, errno: rustix::io::Errno) -> Self {
        let error = Self::new(ErrorKind::NoMemory, format!("{what}: {errno}"));
        Self { code: Some(errno.raw_os_error()), ..error }
    }
}
