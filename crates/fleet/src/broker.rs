//! Connections to the broker.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;
use std::time::Duration;

use async_nats::{Client, ClientError, ConnectOptions, Event, ServerAddr, rustls};
use serde::Deserialize;
use serde::de::IgnoredAny;
use tokio::sync::mpsc;
use tokio::time::Instant;
use tracing::{info, warn};

use crate::trust::{Fingerprint, Trust};

/// Messages of this process that may wait for the connection. More would be a second of a slow link.
const WAITING: usize = 64;
/// How long one try at a connection may take: with a broker that was just started, all nodes try at once, at a machine that may be busy.
const PATIENCE: Duration = Duration::from_secs(5);
/// How often it is looked why there is no connection.
const LOOK: Duration = Duration::from_secs(10);
/// The broker's address, unless it is configured.
pub const DEFAULT: &str = "nats://127.0.0.1:4222";
/// The service that it is, as Debian's package has it.
pub const UNIT: &str = "nats-server.service";
/// What an address begins with by which nothing is said in the clear.
const ENCRYPTED: &str = "tls://";
/// In the folder of `scanner fleet init`: where the broker listens, and who is let in.
pub const LIST: &str = "fleet.json";

/// [`DEFAULT`], for configurations that name none.
pub(crate) fn default_address() -> String {
    DEFAULT.to_owned()
}

/// The address of a broker that listens at `listen`, for programs of its own machine.
pub fn address_here(listen: SocketAddr, is_encrypted: bool) -> String {
    let ip = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip @ (IpAddr::V4(_) | IpAddr::V6(_)) => ip,
    };
    let scheme = if is_encrypted { ENCRYPTED } else { "nats://" };
    format!("{scheme}{}", SocketAddr::new(ip, listen.port()))
}

/// A broker: where it is, and by what it is known.
#[derive(Debug, Clone)]
pub struct Broker {
    address: String,
    trust: Trust,
}

/// What of [`LIST`] concerns who connects.
#[derive(Deserialize)]
struct Listening {
    listen: SocketAddr,
    #[serde(default)]
    encrypted: Option<IgnoredAny>,
}

impl Broker {
    /// As a node or a worker is told of it.
    pub fn told(address: &str, ca: Option<Fingerprint>) -> Self {
        Self { address: address.to_owned(), trust: ca.map_or(Trust::System, Trust::Fingerprint) }
    }

    /// As those know it who have `key` in the folder of `scanner fleet init`: beside it are the broker's authority, and its address, unless
    /// another one is named.
    ///
    /// # Errors
    /// There is an authority, and it cannot be read.
    pub fn beside(key: &Path, address: Option<&str>) -> Result<Self, NoBroker> {
        let known = || {
            let text = std::fs::read(key.with_file_name(LIST)).ok()?;
            let Listening { listen, encrypted } = serde_json::from_slice(&text).ok()?;
            Some(address_here(listen, encrypted.is_some()))
        };
        let address = address.map(str::to_owned).or_else(known).unwrap_or_else(default_address);
        match Trust::beside(key) {
            Ok(trust) => Ok(Self { address, trust }),
            Err(reason) => Err(NoBroker { address, reason }),
        }
    }

    /// Where it is.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Whether nothing is said to it in the clear.
    pub fn is_encrypted(&self) -> bool {
        is_encrypted(&self.address)
    }

    fn failed(&self, reason: String) -> NoBroker {
        NoBroker { address: self.address.clone(), reason }
    }
}

/// Whether this is the address of a broker to which nothing is said in the clear.
fn is_encrypted(address: &str) -> bool {
    address.starts_with(ENCRYPTED)
}

/// Whether `address` and `ca`, as a node or a worker is told them, go together.
pub(crate) fn check(address: &str, ca: Option<Fingerprint>) -> Result<(), String> {
    if ca.is_some() && !is_encrypted(address) {
        return Err(format!(
            "ca: it is for a broker that is spoken to encrypted: write broker = \"tls://...\", or leave ca out for {address:?}"
        ));
    }
    Ok(())
}

/// What is done about a broker that is not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Persistence {
    /// It is waited for, again and again.
    Reconnect,
    /// An error says so, and so does the end of the connection.
    Once,
}

/// No connection.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no connection to the broker {address}: {reason}")]
pub struct NoBroker {
    address: String,
    reason: String,
}

/// Connects as who has the key of `seed`, named `name` in the broker's log. What becomes of the connection is told in `events`.
pub async fn connect(
    broker: &Broker,
    seed: &str,
    name: &str,
    persistence: Persistence,
    events: mpsc::UnboundedSender<Event>,
) -> Result<Client, NoBroker> {
    connect_by(broker, seed, name, None, persistence, events).await
}

/// As [`connect`]; answers come to subjects below `inbox`, if the key may hear no others.
pub async fn connect_by(
    broker: &Broker,
    seed: &str,
    name: &str,
    inbox: Option<&str>,
    persistence: Persistence,
    events: mpsc::UnboundedSender<Event>,
) -> Result<Client, NoBroker> {
    let options = ConnectOptions::with_nkey(seed.to_owned())
        .name(name)
        .client_capacity(WAITING)
        .connection_timeout(PATIENCE)
        .ping_interval(Duration::from_secs(2))
        .ignore_discovered_servers()
        .reconnect_delay_callback(|tries| {
            Duration::from_millis(100 * u64::try_from(tries).unwrap_or(20).clamp(1, 20))
        })
        .event_callback(move |event| {
            // Nobody may listen any more.
            let _told = events.send(event);
            std::future::ready(())
        });
    let options = match inbox {
        Some(inbox) => options.custom_inbox_prefix(inbox),
        None => options,
    };
    let options = match persistence {
        Persistence::Reconnect => options.retry_on_initial_connect(),
        Persistence::Once => options.max_reconnects(1),
    };
    let options = match broker.trust.config().map_err(|error| broker.failed(error.to_string()))? {
        Some(config) => options.tls_client_config(config),
        None => options,
    };
    options.connect(broker.address()).await.map_err(|error| broker.failed(reason(&error, broker)))
}

/// `error` with what it comes of.
fn reason(error: &(dyn std::error::Error + 'static), broker: &Broker) -> String {
    let mut text = error.to_string();
    let mut source = Some(error);
    while let Some(error) = source {
        let tls = error
            .downcast_ref::<rustls::Error>()
            .or_else(|| error.downcast_ref::<io::Error>()?.get_ref()?.downcast_ref::<rustls::Error>());
        let host = broker.address.parse::<ServerAddr>().map(|address| address.host().to_owned());
        if let Some(reason) =
            tls.and_then(|tls| broker.trust.explain(tls, host.as_deref().unwrap_or_default()))
        {
            return reason;
        }
        let more = error.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        source = error.source();
    }
    if text.contains("authorization") {
        text.push_str(" (its key is not accepted: see `scanner fleet accept`)");
    }
    text
}

/// Whether nothing that is sent from here on may arrive.
pub fn is_lost(event: &Event) -> bool {
    matches!(event, Event::Disconnected | Event::Closed | Event::SlowConsumer(_))
}

/// Logs what becomes of a connection that is tried again and again, by what `heard` has; and why there is none, once for each reason: of
/// that, the client says nothing, so it is tried once more.
pub async fn tell(broker: Broker, seed: String, name: String, mut heard: mpsc::UnboundedReceiver<Event>) {
    let (mut said, mut looked) = (None, None::<Instant>);
    while let Some(event) = heard.recv().await {
        if !matches!(event, Event::ClientError(ClientError::Other(_))) {
            if event == Event::Connected {
                (said, looked) = (None, None);
            }
            info!("broker: {event}");
            continue;
        }
        if looked.is_some_and(|at| at.elapsed() < LOOK) {
            continue;
        }
        looked = Some(Instant::now());
        let (nobody, _) = mpsc::unbounded_channel();
        if let Err(reason) = connect(&broker, &seed, &name, Persistence::Once, nobody).await
            && said.as_ref() != Some(&reason)
        {
            warn!("{reason}");
            said = Some(reason);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_has_a_key_finds_the_broker_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let key = folder.path().join("lead.nk");
        let here = |named: Option<&str>| Broker::beside(&key, named).map(|broker| broker.address);
        assert_eq!(here(None).unwrap(), DEFAULT);
        for (list, address) in [
            (r#"{"listen":"192.168.7.1:4222"}"#, "nats://192.168.7.1:4222"),
            (r#"{"listen":"192.168.7.1:4222","encrypted":null}"#, "nats://192.168.7.1:4222"),
            (
                r#"{"listen":"192.168.7.1:4222","encrypted":{"names":[]},"lead":"U"}"#,
                "tls://192.168.7.1:4222",
            ),
            (r#"{"listen":"0.0.0.0:4333","encrypted":{"names":[]}}"#, "tls://127.0.0.1:4333"),
            (r#"{"listen":"[::]:4333"}"#, "nats://[::1]:4333"),
        ] {
            std::fs::write(folder.path().join(LIST), list).unwrap();
            assert_eq!(here(None).unwrap(), address, "{list}");
        }
        assert_eq!(here(Some("nats://other:1")).unwrap(), "nats://other:1");
        std::fs::write(folder.path().join("ca.pem"), "-").unwrap();
        let error = here(None).unwrap_err().to_string();
        assert!(error.contains("ca.pem") && error.contains("no certificate in it"), "{error}");
        // Not to be read, for whoever: a folder.
        std::fs::remove_file(folder.path().join("ca.pem")).unwrap();
        std::fs::create_dir(folder.path().join("ca.pem")).unwrap();
        let error = here(None).unwrap_err().to_string();
        assert!(error.contains("cannot be read") && error.contains("chmod"), "{error}");
    }
}
