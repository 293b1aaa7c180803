//! Which addresses are one network's.

use std::net::{IpAddr, Ipv6Addr};

/// The network by which the host at `address` is counted, as the address that its hosts have in common: of version 6 the
/// first 64 bits, because whoever has one of these has them all. An address of version 4 is alone, however it is written, and
/// so is one of a link, as all of a link have these bits in common.
pub fn network_of(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) if address.is_unicast_link_local() => address.into(),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
        v4 @ IpAddr::V4(_) => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_of_one_network_of_version_6_are_one_and_all_others_are_not() {
        for (address, network) in [
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
            ("2001:db8:1:2::", "2001:db8:1:2::"),
            ("fe80::1:2", "fe80::1:2"),
            ("192.168.1.7", "192.168.1.7"),
            ("::ffff:192.168.1.7", "192.168.1.7"),
        ] {
            assert_eq!(network_of(address.parse().unwrap()), network.parse::<IpAddr>().unwrap(), "{address}");
        }
    }
}
