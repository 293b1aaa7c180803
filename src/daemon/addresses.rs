//! By which addresses the page of this machine is reached.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::path::Path;

use qrcode::QrCode;
use qrcode::render::unicode::Dense1x2;

use super::network::own_names;
use crate::config::Api;

/// Where Avahi listens: where it runs, the machine is found by its name.
const AVAHI: &str = "/run/avahi-daemon/socket";

/// The page that is served at `listen`, at each address by which others may reach it, the best first: a certificate knows
/// names, and any device knows numbers.
pub fn page_addresses(api: &Api, listen: SocketAddr) -> Vec<String> {
    addresses(api, listen, &Machine::this())
}

/// A link as a code for the camera of a phone, for screens that are dark: a line of text for each two of its rows.
pub fn as_code(link: &str) -> Option<String> {
    let code = QrCode::new(link).ok()?;
    Some(code.render::<Dense1x2>().dark_color(Dense1x2::Dark).light_color(Dense1x2::Light).build())
}

/// How others find this machine.
struct Machine {
    /// Its name in the local network, if it answers to one there.
    local: Option<String>,
    /// The address from which it reaches others.
    address: Option<IpAddr>,
}

impl Machine {
    fn this() -> Self {
        let named = || own_names().into_iter().find(|name| name.strip_suffix(".local").is_some());
        let local = Path::new(AVAHI).exists().then(named).flatten();
        let address = from(Ipv4Addr::UNSPECIFIED.into(), documented())
            .or_else(|| from(Ipv6Addr::UNSPECIFIED.into(), documented6()));
        Self { local, address }
    }
}

/// Addresses for documentation (RFC 5737, RFC 3849), which are nobody's. Nothing is sent there: only the way is looked up.
fn documented() -> SocketAddr {
    (Ipv4Addr::new(192, 0, 2, 1), 9).into()
}

fn documented6() -> SocketAddr {
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1), 9).into()
}

/// From which address of its own this machine would send to `there`.
fn from(any: IpAddr, there: SocketAddr) -> Option<IpAddr> {
    let socket = UdpSocket::bind((any, 0)).ok()?;
    socket.connect(there).ok()?;
    Some(socket.local_addr().ok()?.ip())
}

fn addresses(api: &Api, listen: SocketAddr, machine: &Machine) -> Vec<String> {
    let scheme = if api.tls.is_some() { "https" } else { "http" };
    let mut names = api.hosts.clone();
    names.extend(machine.local.clone());
    let address = if listen.ip().is_unspecified() { machine.address } else { Some(listen.ip()) };
    let number = address.unwrap_or(Ipv4Addr::LOCALHOST.into());
    let number = if number.is_ipv6() { format!("[{number}]") } else { number.to_string() };
    if !listen.ip().is_unspecified() && listen.ip().is_loopback() {
        names.clear();
    }
    let hosts: Vec<String> = if api.tls.is_some() {
        names.into_iter().chain([number]).collect()
    } else {
        std::iter::once(number).chain(names).collect()
    };
    let port = match (scheme, listen.port()) {
        ("http", 80) | ("https", 443) => String::new(),
        (_, port) => format!(":{port}"),
    };
    hosts.iter().map(|host| format!("{scheme}://{host}{port}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::CertificateFiles;

    fn api(tls: bool) -> Api {
        let files = CertificateFiles { certificate: "cert.pem".into(), key: "key.pem".into() };
        let hosts = vec!["rig.example.org".into()];
        let tls = tls.then_some(files);
        Api { listen: None, hosts, tokens: "tokens.json".into(), former_tokens: None, tls, pairing: true }
    }

    fn made(tls: bool, listen: &str, avahi: bool) -> Vec<String> {
        let address = Some("192.168.1.5".parse().unwrap());
        let machine = Machine { local: avahi.then(|| "scanner.local".into()), address };
        addresses(&api(tls), listen.parse().unwrap(), &machine)
    }

    #[test]
    fn an_address_is_one_that_leads_here() {
        assert_eq!(
            made(false, "0.0.0.0:8080", true),
            ["http://192.168.1.5:8080", "http://rig.example.org:8080", "http://scanner.local:8080"]
        );
        assert_eq!(made(true, "[::]:443", false), ["https://rig.example.org", "https://192.168.1.5"]);
        assert_eq!(made(false, "127.0.0.1:80", true), ["http://127.0.0.1"]);
        assert_eq!(made(false, "[fd00::1]:8080", false)[0], "http://[fd00::1]:8080");
    }
}
