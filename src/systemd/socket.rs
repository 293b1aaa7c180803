//! The socket that systemd listens at in our place (`scanner.socket`).

use std::net::TcpListener;

use command_fds::inherited::take_fd_ownership;
use rustix::net::AddressFamily;
use rustix::net::sockopt::{socket_acceptconn, socket_domain};

/// Why what systemd passes is not listened at.
#[derive(Debug, thiserror::Error)]
pub enum SocketError {
    /// The environment, or the descriptor.
    #[error("the socket that the service manager passes cannot be used: {0}")]
    Unusable(String),
    /// There is one place where the API listens.
    #[error("the service manager passes {0} sockets: write one ListenStream= alone into the socket unit")]
    TooMany(usize),
    /// The socket is of another kind.
    #[error(
        "the socket that the service manager passes does not listen for TCP: write ListenStream= with a port into the socket unit"
    )]
    NotTcp,
}

/// The socket that was passed, if any was. It can be taken once.
///
/// # Errors
/// It cannot be used, or it is not one.
pub fn socket() -> Result<Option<TcpListener>, SocketError> {
    let unusable = |error: &dyn std::fmt::Display| SocketError::Unusable(error.to_string());
    let mut passed = sd_notify::listen_fds().map_err(|error| unusable(&error))?;
    let number = match passed.len() {
        0 => return Ok(None),
        1 => passed.next().unwrap_or_default(),
        more => return Err(SocketError::TooMany(more)),
    };
    let socket = take_fd_ownership(number).map_err(|error| unusable(&error))?;
    let family = socket_domain(&socket).map_err(|error| unusable(&error))?;
    let listens = socket_acceptconn(&socket).map_err(|error| unusable(&error))?;
    if !listens || ![AddressFamily::INET, AddressFamily::INET6].contains(&family) {
        return Err(SocketError::NotTcp);
    }
    let listener = TcpListener::from(socket);
    listener.set_nonblocking(true).map_err(|error| unusable(&error))?;
    Ok(Some(listener))
}
