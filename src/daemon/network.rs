//! Which addresses are one network's, and what this machine is called.

use std::net::{IpAddr, Ipv6Addr};

use crate::config::Api;
use crate::notify::Facts;

/// The name that the machine gets when it starts, and that a change of it is written to.
const HOSTNAME: &str = "/etc/hostname";

/// What this machine calls itself, and is called in its network, in lower case.
pub fn own_names() -> Vec<String> {
    let kernels = rustix::system::uname().nodename().to_string_lossy().into_owned();
    // The unit keeps the name that there was when the process began (`ProtectHostname`).
    let written = std::fs::read_to_string(HOSTNAME).unwrap_or_default();
    names_of(&[&kernels, &written])
}

/// What notifications say of this machine.
pub fn facts(api: &Api) -> Facts {
    let machine = rustix::system::uname().nodename().to_string_lossy().into_owned();
    Facts { machine, page: page_of(api, &own_names()) }
}

/// Where others find the page, as far as the configuration of a machine with these names tells: by the first of its `hosts`, or
/// by its name in the local network.
fn page_of(api: &Api, names: &[String]) -> Option<String> {
    let listen = api.listen.filter(|listen| !listen.ip().is_loopback())?;
    let name =
        api.hosts.first().or_else(|| names.iter().find(|name| name.strip_suffix(".local").is_some()))?;
    let name = if name.parse::<Ipv6Addr>().is_ok() { format!("[{name}]") } else { name.clone() };
    Some(match (api.tls.is_some(), listen.port()) {
        (true, 443) => format!("https://{name}"),
        (true, port) => format!("https://{name}:{port}"),
        (false, 80) => format!("http://{name}"),
        (false, port) => format!("http://{name}:{port}"),
    })
}

/// Of a machine that is called `own`; each once.
fn names_of(own: &[&str]) -> Vec<String> {
    let own = own.iter().map(|name| name.trim().to_ascii_lowercase()).filter(|name| !name.is_empty());
    let own = own.flat_map(|name| {
        let short = name.split('.').next().unwrap_or_default().to_owned();
        [format!("{short}.local"), short, name]
    });
    let mut names = vec!["localhost".to_owned()];
    for name in own {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

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
    use crate::config::CertificateFiles;

    #[test]
    fn a_name_that_was_changed_is_known_by_what_is_written() {
        assert_eq!(
            names_of(&["raspberrypi", "Rig.example.org\n"]),
            ["localhost", "raspberrypi.local", "raspberrypi", "rig.local", "rig", "rig.example.org"]
        );
        assert_eq!(names_of(&["", "\n"]), ["localhost"]);
    }

    #[test]
    fn a_page_is_led_to_where_others_can_reach_it() {
        let page = |listen: Option<&str>, hosts: &[&str], tls: bool| {
            let files = CertificateFiles { certificate: "cert.pem".into(), key: "key.pem".into() };
            let api = Api {
                listen: listen.map(|listen| listen.parse().unwrap()),
                hosts: hosts.iter().map(|host| (*host).to_owned()).collect(),
                tokens: "tokens.json".into(),
                former_tokens: None,
                tls: tls.then_some(files),
                pairing: true,
            };
            page_of(&api, &names_of(&["rig"]))
        };
        assert_eq!(page(None, &["rig.example.org"], false), None);
        assert_eq!(page(Some("127.0.0.1:8080"), &["rig.example.org"], false), None);
        for (listen, hosts, tls, wanted) in [
            ("[::]:8080", vec![], false, "http://rig.local:8080"),
            ("0.0.0.0:80", vec![], false, "http://rig.local"),
            ("0.0.0.0:443", vec!["rig.example.org"], true, "https://rig.example.org"),
            ("[::]:8443", vec!["fd00::1", "other"], true, "https://[fd00::1]:8443"),
        ] {
            assert_eq!(page(Some(listen), &hosts, tls).unwrap(), wanted);
        }
    }

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
