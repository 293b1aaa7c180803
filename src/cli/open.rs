//! `scanner open`: a link by which one browser gets into the page, logged in.

use std::io::IsTerminal as _;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::path::Path;

use qrcode::QrCode;
use qrcode::render::unicode::Dense1x2;

use crate::config::{Api, Config};
use crate::daemon::{Request, own_names};

use super::control::{ANSWER_PATIENCE, ask_for};
use super::exit::{Exit, Failure};
use super::output;

/// Where Avahi listens: where it runs, the machine is found by its name.
const AVAHI: &str = "/run/avahi-daemon/socket";

pub(super) fn open(config: &Config, name: String, json: bool) -> Result<Exit, Failure> {
    let status = ask_for(config, &Request::Status, ANSWER_PATIENCE)?.1;
    let refused = |message: String| Err(Failure { exit: Exit::Failed, message });
    let api = &status["api"];
    let Some(listen) = api["address"].as_str().and_then(|address| address.parse::<SocketAddr>().ok()) else {
        return refused(match api["message"].as_str() {
            Some(message) => format!("the page cannot be reached: {message}"),
            None => "the running scanner has no page: write `listen = \"0.0.0.0:8080\"` under [api], and restart the service"
                .to_owned(),
        });
    };
    let (_, invited) = ask_for(config, &Request::Open { name }, ANSWER_PATIENCE)?;
    let Some(secret) = invited["secret"].as_str() else {
        return refused(format!(
            "the running scanner answered {invited}: is it of another version? Restart it"
        ));
    };
    let links = links(&config.api, listen, &Machine::this(), secret);
    if json {
        output::json(&serde_json::json!({ "links": links, "lasts_s": invited["lasts_s"] }))?;
        return Ok(Exit::Done);
    }
    let minutes = invited["lasts_s"].as_u64().unwrap_or_default() / 60;
    if let Some((first, others)) = links.split_first() {
        output::print(first)?;
        for other in others {
            output::print(&format!("or {other}"))?;
        }
        if listen.ip().is_loopback() {
            output::print("Only from this machine: `[api] listen` says where the page can be reached.")?;
        } else if std::io::stdout().is_terminal()
            && let Ok(code) = QrCode::new(first)
        {
            // As on paper, on a terminal that is dark.
            let drawn =
                code.render::<Dense1x2>().dark_color(Dense1x2::Dark).light_color(Dense1x2::Light).build();
            output::print(&drawn)?;
        }
    }
    output::print(&format!("Logs one browser in, once, within {minutes} minutes."))?;
    Ok(Exit::Done)
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

/// The page at each address by which it may be reached, the best first: a certificate knows names, and any device knows numbers.
fn links(api: &Api, listen: SocketAddr, machine: &Machine, secret: &str) -> Vec<String> {
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
    hosts.iter().map(|host| format!("{scheme}://{host}{port}/#login={secret}")).collect()
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
        links(&api(tls), listen.parse().unwrap(), &machine, "s")
    }

    #[test]
    fn a_link_is_one_that_leads_here() {
        assert_eq!(
            made(false, "0.0.0.0:8080", true),
            [
                "http://192.168.1.5:8080/#login=s",
                "http://rig.example.org:8080/#login=s",
                "http://scanner.local:8080/#login=s"
            ]
        );
        assert_eq!(
            made(true, "[::]:443", false),
            ["https://rig.example.org/#login=s", "https://192.168.1.5/#login=s"]
        );
        assert_eq!(made(false, "127.0.0.1:80", true), ["http://127.0.0.1/#login=s"]);
        assert_eq!(made(false, "[fd00::1]:8080", false)[0], "http://[fd00::1]:8080/#login=s");
    }
}
