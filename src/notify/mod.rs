//! Tells people how a scan stands: that it has ended, or waits for somebody.
//!
//! ```text
//! Event --message--> Desk --spool, outbox--> one thread for each [[notify]] --way--> receiver
//! ```
//!
//! - **What is told** ([`Message`]) and **how often it is tried** ([`Outbox`]) are pure.
//! - **Nobody waits for it.** The scan publishes its events as ever; a task follows them, a thread for each receiver sends. A
//!   receiver that is slow, dead or mad delays its own messages alone.
//! - **At least once, in order.** A message is in a file of the state directory before it is tried, and leaves it when the
//!   receiver has taken it. A crash in between has it sent again, with the same id.
//! - **Bounded.** So many messages wait for a receiver; each is tried so often; each try takes so long. What is given up is
//!   in the log.

mod command;
mod desk;
mod http;
mod mail;
mod message;
mod notifier;
mod outbox;
mod outcome;
mod signature;
mod spool;
mod trial;
mod way;

pub use message::{Facts, Message};
pub use notifier::Notifier;
pub use outbox::{Fate, LONGEST_PAUSE, MOST_TRIES, MOST_WAITING, Next, Outbox, Waiting};
pub use outcome::Outcome;
pub use spool::waiting;
pub use trial::{Tried, trial};
