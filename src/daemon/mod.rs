//! The running program: the rig wired up from the configuration, one scan at a time on it, and the socket at
//! which the other commands talk to it.

mod control;
mod error;
mod service;
mod station;

pub use control::{ControlError, Reply, Request, ask, serve};
pub use error::StartError;
pub use service::{Launched, NoScan, Service, Status, Work};
pub use station::Station;
pub(crate) use station::{find_scan, plan_from};
