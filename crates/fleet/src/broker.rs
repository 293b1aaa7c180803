//! Connections to the broker.

use std::time::Duration;

use async_nats::{Client, ConnectOptions, Event};
use tokio::sync::mpsc;

/// Messages of this process that may wait for the connection. More would be a second of a slow link.
const WAITING: usize = 64;
/// How long one try at a connection may take: with a broker that was just started, all nodes try at once, at a machine that may be busy.
const PATIENCE: Duration = Duration::from_secs(5);
/// The broker's address, unless it is configured.
pub const DEFAULT: &str = "nats://127.0.0.1:4222";

/// [`DEFAULT`], for configurations that name none.
pub(crate) fn default_address() -> String {
    DEFAULT.to_owned()
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
#[derive(Debug, thiserror::Error)]
#[error("no connection to the broker {address}: {reason}")]
pub struct NoBroker {
    address: String,
    reason: String,
}

/// Connects as who has the key of `seed`, named `name` in the broker's log. What becomes of the connection is told in `events`.
pub async fn connect(
    address: &str,
    seed: &str,
    name: &str,
    persistence: Persistence,
    events: mpsc::UnboundedSender<Event>,
) -> Result<Client, NoBroker> {
    connect_by(address, seed, name, None, persistence, events).await
}

/// As [`connect`]; answers come to subjects below `inbox`, if the key may hear no others.
pub async fn connect_by(
    address: &str,
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
    options
        .connect(address)
        .await
        .map_err(|error| NoBroker { address: address.to_owned(), reason: reason(&error) })
}

/// `error` with what it comes of.
fn reason(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
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
