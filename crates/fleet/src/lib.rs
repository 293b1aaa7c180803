//! Cameras at other machines; and a workshop, in which other machines reconstruct what was scanned ([`workshop`]).
//!
//! ```text
//! daemon <--link--> scanner-remote <--NATS--> node <--link--> the camera's driver
//! ```
//!
//! The protocol of camera drivers is passed on, not spoken anew: `scanner-remote` is a driver to the daemon (`lead`), and the
//! node is a daemon to the driver (`node`). Two things are translated: times, between the clocks of both machines (`clock`,
//! `translate`), and memory, which goes in parts with lengths and a checksum (`parts`). All else is as with a camera of the
//! same machine: what the camera, the node, the broker or the way between does wrong is a driver that falls silent or ends,
//! and is brought back as one.
//!
//! **A session** is one life of `scanner-remote`, and of one driver at the node. Its number is in every message, and its
//! messages are counted: one that is lost ends it. A node ends the driver of a session that has been silent for [`LEASE`].
//!
//! **The broker** is spoken to encrypted, where it is for other machines: `authority` makes its certificate, and who connects knows it by a
//! fingerprint (`trust`).

pub mod admin;
pub mod authority;
pub mod broker;
pub mod clock;
pub mod keys;
pub mod knocks;
pub mod lead;
pub mod look;
pub mod names;
pub mod node;
pub mod parts;
mod readers;
pub mod simulated;
mod toml_file;
pub mod translate;
pub mod trust;
pub mod wire;
pub mod workshop;

use std::time::Duration;

/// Silence after which either end takes the other one for gone.
pub const LEASE: Duration = Duration::from_secs(4);
/// How often each end says that it is there.
pub const ALIVE: Duration = Duration::from_millis(500);
/// How often a node says at the broker what it has.
pub const ANNOUNCED: Duration = Duration::from_secs(2);
