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
//! - The time in which a driver is in a long call, and has said so (`busy`), does not count: as much of it as the driver
//!   announced in `hello`, and for each thing that it is asked. One that has used that up is stuck, whatever it says.
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

mod attempt;
mod audience;
mod check;
mod connection;
mod driver;
mod error;
mod frame;
mod handle;
mod inner;
mod lease;
mod leftover;
mod limits;
mod live;
mod mailbox;
mod orphans;
mod output;
mod process;
mod raw;
mod received;
mod seldom;
mod session;
mod shared;
mod signs;
mod sizes;
mod sorting;
mod spawner;
mod status;

pub use crate::procfs::{Holder, ThreadEvidence, holders};
pub use error::{Busy, CameraError, RecoverError, Wedged};
pub use frame::{CapturedFrame, RawView};
pub use handle::Camera;
pub use lease::Lease;
pub use leftover::end_all;
pub use limits::{attempt_limit, busy_limit, converge_limit, recovery_limit};
pub use live::LiveView;
pub use orphans::reap_orphans;
pub use output::forward as log_output;
pub use process::{Ending, Evidence, Process};
pub use spawner::{Spawned, Spawner, find_driver};
pub(crate) use spawner::{confine, prefer_when_out_of_memory};
pub use status::{CameraStatus, Counters, LeaseHolder, State};
