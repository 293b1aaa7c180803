//! What systemd is told, and asks: READY, STATUS, RELOADING, STOPPING, and the watchdog, which only progress feeds.
//! Without systemd ([`sd_notify`] finds no `NOTIFY_SOCKET`) nothing is said.

mod socket;
mod status_line;
mod tell;
pub mod watchdog;

pub use socket::{SocketError, socket};
pub use status_line::StatusLine;
pub use tell::{feed, follow, ready, reloading, stopping};
