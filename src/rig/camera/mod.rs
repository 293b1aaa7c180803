//! The daemon's end of a camera: spawn its driver, talk to it, keep deadlines, end it.
//!
//! ```text
//! Camera --lease--> Lease --open, recover, close--> Session -> Driver -> Process
//!                     \---capture--> Stream -> Connection <--> driver process
//! ```
//!
//! **Nothing is left behind.** A driver that hangs costs a deadline, never a thread, a descriptor or a process:
//! - An attempt is a blocking call (`spawn_blocking`) under `tokio::time::timeout`. One reader thread per
//!   driver process owns the receiving side of the socket and hands answers to mailboxes; the blocking call
//!   waits at its mailbox. On time-out, or when the future is dropped, the mailbox is taken away and the call
//!   returns at once. The socket stays usable, so the *restart* rung can still speak to the driver. It is shut
//!   down only together with the process, which ends the reader; the reader is joined.
//! - Every send is non-blocking: a driver that does not read fails the attempt, not the daemon.
//! - A process is ended with `quit` and the end of its socket, SIGTERM, SIGKILL, each with its wait on a pidfd,
//!   and reaped. If it lives on (state D), it is *wedged*: nothing is spawned in its place, and the handle is
//!   kept for the day that it ends.
//! - A daemon that dies takes its drivers with it (`PR_SET_PDEATHSIG`, see [`Spawner`]); what survived even
//!   that is found by its pid file and ended at the next open.
//!
//! **No frame lies.** What carries an old epoch or request is dropped, counted and given back; what remains
//! is checked, against the configuration and for freshness, before a byte of it is read ([`CapturedFrame`]).
//!
//! Log lines carry the fields `camera`, and where known `shot`, `kind`, `rung` and `pid`; what drivers print
//! has the target `camera_driver`.

mod connection;
mod driver;
mod error;
mod frame;
mod handle;
mod lease;
mod leftover;
mod live;
mod output;
mod process;
mod procfs;
mod session;
mod sorting;
mod spawner;
mod status;

pub use error::{Busy, CameraError, RecoverError, Wedged};
pub use frame::CapturedFrame;
pub use handle::Camera;
pub use lease::Lease;
pub use leftover::end_all;
pub use live::LiveView;
pub use process::Evidence;
pub use procfs::{Holder, ThreadEvidence, holders};
pub use spawner::{Spawner, find_driver};
pub use status::{CameraStatus, Counters, LeaseHolder, State};
