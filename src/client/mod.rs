//! The HTTP API from the other side: for `scanner watch`, and for programs of one's own.
//!
//! What is done when a live view breaks off, or the camera is taken, is decided in [`policy`], which is pure; the page
//! does the same.

mod http;
mod live;
pub mod policy;

pub use crate::trust::SYSTEM_CERTIFICATES;
pub use http::{Client, ClientError};
pub use live::{LiveEvent, watch};
