//! Where the service can be asked: at which addresses and by which names, and at which of the machine's addresses its unit lets
//! nobody ask, whose packets it drops without a word.

use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;

use super::Finding;
use super::properties::value;
use crate::config::Api;
use crate::daemon::own_names;

const CHECK: &str = "network";

/// Where the API of the service can be asked, but for what its unit lets through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    /// Nowhere: it is off.
    Nowhere,
    /// Where the configuration says.
    At(SocketAddr),
    /// Where `scanner.socket` has systemd listen, which has a filter of its own.
    Socket,
}

impl Asked {
    /// As `[api] listen` has it.
    pub fn of(listen: Option<SocketAddr>) -> Self {
        listen.map_or(Self::Nowhere, Self::At)
    }

    /// Those of `own` at which it listens, for others than this machine.
    pub(super) fn among(self, own: &[IpAddr]) -> Vec<IpAddr> {
        let heard = |address: &IpAddr| match self {
            Self::Nowhere => false,
            Self::Socket => true,
            Self::At(listen) => {
                let all_of_it = listen.ip().is_unspecified() && (listen.is_ipv6() || address.is_ipv4());
                all_of_it || listen.ip() == *address
            }
        };
        own.iter().copied().filter(|address| !address.is_loopback() && heard(address)).collect()
    }
}

/// Whom a unit lets through: those alone that it names.
#[derive(Debug)]
pub(super) struct Filter(Vec<(IpAddr, u32)>);

impl Filter {
    /// As systemd shows it in `text`; none if everybody is let through.
    pub(super) fn of(text: &str) -> Option<Self> {
        let denies = !value(text, "IPAddressDeny").is_empty();
        denies.then(|| Self(value(text, "IPAddressAllow").split_whitespace().filter_map(network).collect()))
    }

    /// Those of `addresses` whose networks are not let through.
    pub(super) fn shuts(&self, addresses: Vec<IpAddr>) -> Vec<IpAddr> {
        addresses
            .into_iter()
            .filter(|address| !self.0.iter().any(|network| has(*network, *address)))
            .collect()
    }
}

/// What the scanner that runs says of its page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Served {
    /// None runs that could be asked.
    NotAsked,
    /// It has none: it is a scan in the foreground, or was started before one was configured.
    Not,
    /// It listens there.
    At(SocketAddr),
    /// It cannot listen, and says why.
    Refused(String),
}

/// Where the page can be opened, by the addresses at which it listens and the names that it answers to.
pub(super) fn page(api: &Api, served: &Served) -> Finding {
    // Without version 6 the kernel has no list of such addresses.
    judge_page(api, served, Path::new("/proc/net/if_inet6").exists(), &own_names())
}

fn judge_page(api: &Api, served: &Served, has_ipv6: bool, names: &[String]) -> Finding {
    const CHECK: &str = "page";
    let (listens, listen) = match (served, api.listen) {
        (Served::Refused(message), _) => {
            let what =
                "mend that, or set another address: [api] listen; `sudo ss -ltnp` shows who listens where";
            return Finding::problem(CHECK, format!("it cannot be opened: {message}"), what);
        }
        (Served::At(listen), _) => ("it listens at", *listen),
        (Served::Not | Served::NotAsked, None) => return Finding::fine(CHECK, "it is off (`[api] listen`)"),
        (Served::Not, Some(listen)) => {
            return Finding::advice(
                CHECK,
                format!("the scanner that runs serves none; the service would, at {listen}"),
                "a scan in the foreground has no page: wait for its end; a service: sudo systemctl restart scanner",
            );
        }
        (Served::NotAsked, Some(listen)) => ("no service answers; with one, it listens at", listen),
    };
    let names: Vec<_> = names.iter().chain(&api.hosts).map(String::as_str).collect();
    let named = format!(
        "it answers to {}, and to the address at which it is asked; others are refused (403) until they are in `api.hosts`",
        names.join(", ")
    );
    if listen.ip().is_loopback() {
        let only = format!("{listens} {listen}, for this machine alone; {named}");
        return Finding::fine(CHECK, only);
    }
    if has_ipv6 || listen.is_ipv4() {
        return Finding::fine(CHECK, format!("{listens} {listen}; {named}"));
    }
    let instead = SocketAddr::from((Ipv4Addr::UNSPECIFIED, listen.port()));
    let what_to_do = format!("write listen = \"{instead}\" under [api], or switch IPv6 on");
    if listen.ip().is_unspecified() {
        let found =
            format!("IPv6 is switched off here, so it listens at {instead}, not at {listen}; {named}");
        return Finding::advice(CHECK, found, what_to_do);
    }
    Finding::problem(CHECK, format!("it cannot listen at {listen}: IPv6 is switched off here"), what_to_do)
}

/// What there is, compared with `text`, which is what systemd shows of the unit.
pub(super) fn examine(text: &str, asked: Asked) -> Finding {
    judge(text, asked, &own())
}

fn judge(text: &str, asked: Asked, own: &[IpAddr]) -> Finding {
    if asked == Asked::Nowhere {
        return Finding::fine(CHECK, "the API is off (`[api] listen`): nobody asks over the network");
    }
    let Some(filter) = Filter::of(text) else {
        return Finding::fine(CHECK, "the service may be asked from everywhere, as far as its unit says");
    };
    let shut = filter.shuts(asked.among(own));
    if shut.is_empty() {
        return Finding::fine(
            CHECK,
            "the service may be asked at each address of this machine at which it listens",
        );
    }
    Finding::advice(CHECK, found(&shut), what_to_do(asked))
}

pub(super) fn found(shut: &[IpAddr]) -> String {
    let shut: Vec<_> = shut.iter().map(ToString::to_string).collect();
    format!("nobody gets an answer of the service at {}: its unit is for private networks", shut.join(", "))
}

pub(super) fn what_to_do(asked: Asked) -> String {
    let unit = match asked {
        Asked::Nowhere | Asked::At(_) => "scanner.service",
        Asked::Socket => "scanner.socket",
    };
    let section = if asked == Asked::Socket { ", with [Socket] in place of [Service]" } else { "" };
    format!(
        "where it is to be asked there: put the network into a copy of \
         /usr/share/doc/scanner/examples/other-networks.conf, in /etc/systemd/system/{unit}.d{section}"
    )
}

/// Addresses of this machine.
pub(super) fn own() -> Vec<IpAddr> {
    let read = |path| fs::read_to_string(path).unwrap_or_default();
    let mut own = addresses_4(&read("/proc/net/fib_trie"));
    own.extend(addresses_6(&read("/proc/net/if_inet6")));
    own
}

/// An address, and how many bits of it are the network's.
fn network(text: &str) -> Option<(IpAddr, u32)> {
    let (address, bits) = text.split_once('/')?;
    Some((address.parse().ok()?, bits.parse().ok()?))
}

fn has((network, bits): (IpAddr, u32), address: IpAddr) -> bool {
    match (network, address) {
        (IpAddr::V4(network), IpAddr::V4(address)) => {
            (network.to_bits() ^ address.to_bits()).leading_zeros() >= bits
        }
        (IpAddr::V6(network), IpAddr::V6(address)) => {
            (network.to_bits() ^ address.to_bits()).leading_zeros() >= bits
        }
        (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => false,
    }
}

/// Those that are the machine's own in the kernel's table of routes, each once.
fn addresses_4(table: &str) -> Vec<IpAddr> {
    let lines: Vec<_> = table.lines().collect();
    let mut own: Vec<IpAddr> = lines
        .windows(2)
        .filter(|pair| pair[1].contains("/32 host LOCAL"))
        .filter_map(|pair| pair[0].split_whitespace().last()?.parse::<Ipv4Addr>().ok())
        .map(IpAddr::from)
        .collect();
    own.sort_unstable();
    own.dedup();
    own
}

/// Those of the kernel's list.
fn addresses_6(list: &str) -> Vec<IpAddr> {
    let first = |line: &str| u128::from_str_radix(line.split_whitespace().next()?, 16).ok();
    list.lines().filter_map(first).map(|bits| Ipv6Addr::from_bits(bits).into()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Verdict;

    const UNIT: &str = "IPAddressAllow=127.0.0.0/8 ::1/128 169.254.0.0/16 fe80::/64 192.168.0.0/16 fc00::/7\n\
                        IPAddressDeny=0.0.0.0/0 ::/0\n";
    const TABLE: &str = "Local:\n  +-- 0.0.0.0/0 3 0 5\n     |-- 0.0.0.0\n        /0 universe UNICAST\n\
                         \x20    |-- 100.101.102.103\n        /32 host LOCAL\n     |-- 192.168.1.5\n        /32 host LOCAL\n\
                         \x20    |-- 192.168.1.255\n        /32 link BROADCAST\n     |-- 192.168.1.5\n        /32 host LOCAL\n";
    const LIST: &str = "00000000000000000000000000000001 01 80 10 80       lo\n\
                        20010db8000100020000000000000005 02 40 00 80     eth0\n\
                        fe800000000000000000000000000005 02 40 20 80     eth0\n";

    #[test]
    fn addresses_at_which_the_unit_lets_nobody_in_are_named() {
        let mut own = addresses_4(TABLE);
        assert_eq!(own, ["100.101.102.103", "192.168.1.5"].map(|text| text.parse::<IpAddr>().unwrap()));
        own.extend(addresses_6(LIST));
        let everywhere = Asked::At("[::]:8080".parse().unwrap());
        let finding = judge(UNIT, everywhere, &own);
        assert!(matches!(finding.verdict, Verdict::Advice { .. }), "{finding:?}");
        assert!(finding.found.contains("at 100.101.102.103, 2001:db8:1:2::5:"), "{}", finding.found);
        let opened = UNIT.replace("fc00::/7", "fc00::/7 100.64.0.0/10 2001:db8:1:2::/64");
        assert_eq!(judge(&opened, everywhere, &own).verdict, Verdict::Fine);
        assert_eq!(judge("IPAddressAllow=\nIPAddressDeny=\n", everywhere, &own).verdict, Verdict::Fine);
    }

    #[test]
    fn where_the_page_can_be_opened_and_where_not() {
        let asked = |served: &Served, listen: Option<&str>, has_ipv6| {
            let listen = listen.map(|listen| listen.parse().unwrap());
            let hosts = vec!["scanner.example.org".to_owned()];
            let tokens = "tokens.json".into();
            let api = Api { listen, hosts, tokens, former_tokens: None, tls: None, pairing: true };
            judge_page(&api, served, has_ipv6, &["localhost".into(), "rig.local".into()])
        };
        let judged = |listen: Option<&str>, has_ipv6| {
            let served = listen.map_or(Served::Not, |listen| Served::At(listen.parse().unwrap()));
            asked(&served, listen, has_ipv6)
        };
        assert_eq!(judged(None, true).verdict, Verdict::Fine);
        let finding = judged(Some("[::]:8080"), true);
        assert_eq!(finding.verdict, Verdict::Fine);
        for part in ["[::]:8080", "localhost, rig.local, scanner.example.org", "`api.hosts`"] {
            assert!(finding.found.contains(part), "{part}: {}", finding.found);
        }
        let switched_off = judged(Some("[::]:8080"), false);
        assert!(
            matches!(&switched_off.verdict, Verdict::Advice { what_to_do } if what_to_do.contains("0.0.0.0:8080"))
        );
        assert!(switched_off.found.contains("IPv6 is switched off"), "{switched_off:?}");
        assert!(matches!(judged(Some("[2001:db8::5]:80"), false).verdict, Verdict::Problem { .. }));
        assert_eq!(judged(Some("0.0.0.0:8080"), false).verdict, Verdict::Fine);

        // Nothing is said to listen that does not.
        let listen = Some("127.0.0.1:8080");
        let nobody = asked(&Served::NotAsked, listen, true);
        assert_eq!(nobody.verdict, Verdict::Fine);
        assert!(nobody.found.starts_with("no service answers"), "{}", nobody.found);
        let foreground = asked(&Served::Not, listen, true);
        assert!(matches!(foreground.verdict, Verdict::Advice { .. }), "{foreground:?}");
        let taken = "the API cannot listen at 127.0.0.1:8080: Address already in use";
        let taken = asked(&Served::Refused(taken.into()), listen, true);
        assert!(matches!(taken.verdict, Verdict::Problem { .. }), "{taken:?}");
        assert!(taken.found.contains("already in use"), "{}", taken.found);
    }

    #[test]
    fn where_it_does_not_listen_nobody_is_kept_out() {
        let own: Vec<IpAddr> =
            ["127.0.0.1", "::1", "100.64.0.7", "2001:db8::5"].map(|text| text.parse().unwrap()).into();
        let told = |asked| match judge(UNIT, asked, &own) {
            Finding { verdict: Verdict::Fine, .. } => String::new(),
            finding => finding.found,
        };
        let at = |listen: &str| told(Asked::At(listen.parse().unwrap()));
        assert_eq!((told(Asked::Nowhere), at("127.0.0.1:8080"), at("[::1]:8080")), Default::default());
        assert!(at("0.0.0.0:8080").contains("at 100.64.0.7:"), "{}", at("0.0.0.0:8080"));
        assert!(at("[2001:db8::5]:8080").contains("at 2001:db8::5:"), "{}", at("[2001:db8::5]:8080"));
        assert!(told(Asked::Socket).contains("at 100.64.0.7, 2001:db8::5:"), "{}", told(Asked::Socket));
        assert!(what_to_do(Asked::Socket).contains("scanner.socket.d, with [Socket]"));
    }
}
