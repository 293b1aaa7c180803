//! The driver's end of the protocol, shared by all drivers.
//!
//! The main thread only reads the socket; a second one, the *owner*, has the camera and alone calls device
//! code. So a camera call that never returns cannot keep the process from ending when it is told to, and the
//! missing beats say that it hangs.
//!
//! What the host does for every device:
//! - `hello` first; or, if the device cannot be built, one `error` instead.
//! - Captures are answered in order, each with the first still that is
//!   [what it asked for](CaptureRequest::is_answered_by). All other stills are released at once. A still whose exposure
//!   the device does not know is taken to have been exposed for a whole frame.
//! - Live frames are dropped rather than waited with, and sent at most at the wanted rate.
//! - Where frames follow each other by themselves, it learns how, and says so once one is overdue ([`Pace`]).
//! - What the driver logs goes to standard error, a line each, with the level in front as in sd-daemon(3).
//! - `stop` answers the captures still open with `cancelled`.
//! - The end of the socket, and `quit`, end the process within [`STOP_DEADLINE`], whatever the camera does.
//!
//! [`Pace`]: crate::camera_driver::protocol::Pace

mod cadence;
mod captures;
mod device;
mod files;
mod gate;
mod layout;
mod log;
mod notice;
mod owner;
mod pool;
mod process;
#[cfg(test)]
mod tests;
mod voice;

pub use device::{CaptureRequest, Configured, Device, DeviceError, RawFrame, Tamper};
pub use files::{FileFrames, FileMemory};
pub use gate::LiveGate;
pub use layout::Layout;
pub use notice::Notice;
pub use pool::{Pool, Slots, sealed_memory, write_all};
pub use process::{DriverArgs, Ended, Program, STOP_DEADLINE, enter, parse_options, run, serve};
