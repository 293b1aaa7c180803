//! A camera is another process: the protocol between it and the daemon, and the driver's end of it.

pub mod dmabuf;
pub mod host;
pub mod link;
pub mod memory;
pub mod protocol;
