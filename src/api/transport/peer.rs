//! Who is at the other end.

use std::net::SocketAddr;

/// Both ends of a connection.
#[derive(Debug, Clone, Copy)]
pub(in crate::api) struct Peer {
    pub(in crate::api) remote: SocketAddr,
    pub(in crate::api) local: SocketAddr,
    /// Whether it is encrypted.
    pub(in crate::api) secure: bool,
}
