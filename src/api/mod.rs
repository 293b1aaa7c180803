//! The rig over HTTP: what `scanner status`, `start` and the rest do, and looking through the cameras, for browsers and
//! programs on the network. Its contract is the `OpenAPI` document that is generated from the handlers.
//!
//! - **Nothing here slows a scan.** It has a thread of its own that steps back (`nice`) behind those of the scan; what
//!   acts on the rig runs as a task where the control socket's does, what reads files on threads for that.
//! - **Denied by default.** Every route wants a token, but for those of `OPEN` in `auth.rs`; a test walks the document.
//! - **Errors are problem documents** (RFC 9457) whose `type` programs go by.

mod app;
mod archive;
mod auth;
mod cameras;
mod capture_status;
mod captures;
mod document;
mod events;
mod extract;
mod files;
mod health;
mod history;
mod hosts;
mod index;
mod live;
mod live_routes;
mod live_stats;
mod metrics;
mod operation;
mod page;
mod pair;
mod plans;
mod problem;
mod rig;
mod router;
mod scans;
mod server;
mod shots;
mod status;
mod tls;
mod zip;

pub use router::openapi;
pub use server::Server;
pub use tls::{TlsError, check_certificate};
