//! For whom a request is, and from whose page.
//!
//! A page of somebody else's can have its own name lead to this machine (DNS rebinding), and then reads what it likes:
//! the browser takes both for one host. The name in `Host` gives it away. A literal address is nobody's name, so one
//! that the connection was made to is fine.

use std::net::IpAddr;

use http::{HeaderMap, header};

use crate::api::transport::peer::Peer;
use crate::api::transport::problem::{Problem, ProblemType};
use crate::daemon::own_names;

/// The names of this machine.
#[derive(Debug, Clone)]
pub(in crate::api) struct Hosts(Vec<String>);

impl Hosts {
    /// What this machine calls itself, and `configured` names.
    pub(in crate::api) fn new(configured: &[String]) -> Self {
        Self(own_names().into_iter().chain(configured.iter().cloned()).collect())
    }

    /// Checks that a request that came in from `peer` is for this machine, and not from a page of another one.
    pub(in crate::api) fn check(&self, headers: &HeaderMap, peer: &Peer) -> Result<(), Problem> {
        let foreign = |detail: String| Problem::new(ProblemType::Foreign, detail);
        let mut hosts = headers.get_all(header::HOST).iter();
        let (host, further) = (hosts.next().and_then(|host| host.to_str().ok()), hosts.next());
        let Some(host) = host.filter(|_| further.is_none()) else {
            return Err(foreign(
                "a request has to name the host that it asks, once: a proxy has to pass `Host` on as it came, and \
                 that name has to be in `api.hosts`"
                    .into(),
            ));
        };
        let name = name_of(host);
        if !self.is_own(name, peer.local.ip()) {
            return Err(foreign(format!(
                "this is not {name:?}: use the machine's own name or address, or add {name:?} to `hosts` under [api] \
                 (`api.hosts`) and reload the service"
            )));
        }
        for origin in headers.get_all(header::ORIGIN) {
            let origin = origin.to_str().unwrap_or_default();
            // Without encryption of ours, somebody before us may have taken it off.
            let plain = || origin.strip_prefix("http://").filter(|_| !peer.secure);
            let of = origin.strip_prefix("https://").or_else(plain);
            if !of.is_some_and(|of| of.eq_ignore_ascii_case(host)) {
                return Err(foreign(format!(
                    "a page of {origin:?} may not use this scanner, which was asked as {host:?}: if there is a proxy of \
                     your own in between, have it pass `Host` on as it came, and add the name in it to `api.hosts`"
                )));
            }
        }
        Ok(())
    }

    fn is_own(&self, name: &str, local: IpAddr) -> bool {
        let bare = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(name);
        match bare.parse::<IpAddr>() {
            Ok(address) => address.to_canonical() == local.to_canonical() || self.has(bare),
            // The dot at the end of a full name changes nothing.
            Err(_) => self.has(name.strip_suffix('.').unwrap_or(name)),
        }
    }

    fn has(&self, name: &str) -> bool {
        self.0.iter().any(|own| own.eq_ignore_ascii_case(name))
    }
}

/// The name in `name:port`.
fn name_of(host: &str) -> &str {
    match host.rsplit_once(':') {
        // The colons of an address are inside brackets.
        Some((name, port)) if !port.contains(']') => name,
        _ => host,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(header::HeaderName, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.clone(), value.parse().unwrap())).collect()
    }

    fn at(local: &str) -> Peer {
        let local = std::net::SocketAddr::new(local.parse().unwrap(), 8080);
        Peer { remote: local, local, secure: false }
    }

    #[test]
    fn only_own_names_and_the_address_of_the_connection_are_ours() {
        let hosts = Hosts(vec!["localhost".into(), "rig.local".into()]);
        let check =
            |host: &str, local: &str| hosts.check(&headers(&[(header::HOST, host)]), &at(local)).is_ok();
        assert!(check("localhost:8080", "127.0.0.1"));
        assert!(check("RIG.local", "192.168.1.5"));
        assert!(check("rig.local.:80", "192.168.1.5"));
        assert!(check("192.168.1.5:8080", "192.168.1.5"));
        assert!(check("192.168.1.5:8080", "::ffff:192.168.1.5"));
        assert!(check("[fe80::1]:8080", "fe80::1"));
        for (host, local) in [
            ("evil.example", "192.168.1.5"),
            ("rig.local.evil.example", "192.168.1.5"),
            ("192.168.1.6", "192.168.1.5"),
            ("[fe80::2]", "fe80::1"),
            ("", "127.0.0.1"),
            ("localhost@evil.example", "127.0.0.1"),
        ] {
            assert!(!check(host, local), "{host} at {local}");
        }
        assert!(hosts.check(&HeaderMap::new(), &at("127.0.0.1")).is_err());
        let twice = headers(&[(header::HOST, "localhost")]);
        let mut twice = twice;
        twice.append(header::HOST, "evil.example".parse().unwrap());
        assert!(hosts.check(&twice, &at("127.0.0.1")).is_err());
    }

    #[test]
    fn who_is_refused_is_told_the_setting_and_what_was_asked() {
        let hosts = Hosts(vec!["localhost".into()]);
        let told = |pairs: &[(header::HeaderName, &str)]| {
            let problem = hosts.check(&headers(pairs), &at("127.0.0.1")).unwrap_err();
            serde_json::to_value(problem).unwrap()["detail"].as_str().unwrap().to_owned()
        };
        let nothing = told(&[]);
        let host = told(&[(header::HOST, "scanner.lan:8080")]);
        let origin = told(&[(header::HOST, "localhost:8080"), (header::ORIGIN, "https://scanner.lan")]);
        for told in [&nothing, &host, &origin] {
            assert!(told.contains("`api.hosts`"), "{told}");
        }
        assert!(host.contains("scanner.lan"), "{host}");
        assert!(origin.contains("localhost:8080") && origin.contains("https://scanner.lan"), "{origin}");
    }

    #[test]
    fn a_page_of_another_origin_is_refused() {
        let hosts = Hosts(vec!["localhost".into(), "rig.local".into()]);
        let check = |host: &str, origin: &str| {
            let headers = headers(&[(header::HOST, host), (header::ORIGIN, origin)]);
            hosts.check(&headers, &at("127.0.0.1")).is_ok()
        };
        assert!(check("localhost:8080", "http://localhost:8080"));
        assert!(check("rig.local", "https://rig.local"));
        for origin in [
            "http://evil.example",
            "http://localhost:9090",
            "http://rig.local:8080",
            "null",
            "",
            "file://localhost:8080",
        ] {
            assert!(!check("localhost:8080", origin), "{origin}");
        }
    }

    #[test]
    fn a_page_that_is_not_encrypted_is_another_one_than_that_which_is() {
        let hosts = Hosts(vec!["rig.local".into()]);
        let check = |origin: &str, secure: bool| {
            let headers = headers(&[(header::HOST, "rig.local"), (header::ORIGIN, origin)]);
            hosts.check(&headers, &Peer { secure, ..at("127.0.0.1") }).is_ok()
        };
        assert!(check("https://rig.local", true) && !check("http://rig.local", true));
        assert!(check("https://rig.local", false) && check("http://rig.local", false));
    }

    #[test]
    fn an_authority_is_taken_apart_at_its_last_colon() {
        assert_eq!(name_of("[::1]:80"), "[::1]");
        assert_eq!(name_of("[::1]"), "[::1]");
        assert_eq!(name_of("rig"), "rig");
        assert_eq!(name_of("rig:80"), "rig");
    }
}
