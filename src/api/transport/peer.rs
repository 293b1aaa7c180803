//! Who is at the other end.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

/// Both ends of a connection.
#[derive(Debug, Clone, Copy)]
pub(in crate::api) struct Peer {
    pub(in crate::api) remote: SocketAddr,
    pub(in crate::api) local: SocketAddr,
    /// Whether it is encrypted.
    pub(in crate::api) secure: bool,
}

/// Whoever has one address of version 6 has its network; but all of a link have the one of that link.
pub(in crate::api) fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) if address.is_unicast_link_local() => address.into(),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
        v4 @ IpAddr::V4(_) => v4,
    }
}
