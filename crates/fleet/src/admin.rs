//! Who may do what at the broker: its configuration, written from a list of the nodes that were accepted.

mod init;
mod known;

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use futures_util::StreamExt as _;
use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;
use rustix::process::{Pid, Signal, kill_process};
use scanner::clock::now_ns;
use scanner::durable::{self, Readers};
use scanner::file_lock;
use serde::Serialize;
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout_at};

use crate::authority::AuthorityError;
use crate::broker::{self, Broker, LIST, NoBroker, Persistence};
use crate::clock::{Exchange, NodeClock};
use crate::keys::{self, KeyError};
use crate::names::{NodeName, fresh};
use crate::wire::{Announcement, Ping, Pong, decode, encode};

/// Where all of it is kept, unless another folder is named.
pub const FOLDER: &str = "/etc/scanner/fleet";
/// Where the broker listens, unless told: for this machine alone.
pub const LISTEN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 4222);
const KEY: &str = "lead.nk";
const WORKSHOP_KEY: &str = "workshop.nk";
const CONFIGURATION: &str = "nats-server.conf";
/// How long is listened for nodes, which say each two seconds that they are there.
const LISTENED: Duration = Duration::from_millis(3500);

/// Something that cannot be done.
#[derive(Debug, thiserror::Error)]
pub enum AdminError {
    /// A key.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The broker.
    #[error(transparent)]
    Broker(#[from] NoBroker),
    /// Certificates.
    #[error(transparent)]
    Authority(#[from] AuthorityError),
    /// A file.
    #[error("{} cannot be {action}: {source}", path.display())]
    File {
        /// What was to be done.
        action: &'static str,
        /// Which.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// Nothing was set up.
    #[error("there is no {}: begin with `scanner fleet init`", path.display())]
    NotBegun {
        /// What is missing.
        path: PathBuf,
    },
    /// A key that is none.
    #[error("{0:?} is no public key: node and worker print theirs when they start, and it begins with U")]
    NoKey(String),
    /// Anything else.
    #[error("{0}")]
    Other(String),
}

pub use init::{Beginning, Begun, Encryption, Invitation, init};
pub use known::{Encrypted, Fleet, Role, Workshop};

impl Fleet {
    /// What was written in `folder`.
    pub fn read(folder: &Path) -> Result<Self, AdminError> {
        let path = folder.join(LIST);
        let failed = |source| AdminError::File { action: "read", path: path.clone(), source };
        match std::fs::read(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Err(AdminError::NotBegun { path }),
            text => serde_json::from_slice(&text.map_err(failed)?).map_err(|error| failed(error.into())),
        }
    }

    fn write(&self, folder: &Path) -> Result<PathBuf, AdminError> {
        let list = serde_json::to_vec_pretty(self).map_err(|error| AdminError::Other(error.to_string()))?;
        let configuration = folder.join(CONFIGURATION);
        for (path, bytes) in
            [(folder.join(LIST), list), (configuration.clone(), self.configuration(folder).into_bytes())]
        {
            durable::replace(&path, &bytes, Readers::AsUsual).map_err(|source| AdminError::File {
                action: "written",
                path,
                source,
            })?;
        }
        Ok(configuration)
    }
}

/// The lock of `folder`, which is waited for: who reads what is written there, and writes it anew, must not be two at once. None where its file
/// system has no locks, or where nothing was set up.
fn alone(folder: &Path) -> Result<Option<File>, AdminError> {
    let failed = |source| AdminError::File { action: "locked", path: folder.into(), source };
    let file = match File::open(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        file => file.map_err(failed)?,
    };
    loop {
        match flock(&file, FlockOperation::LockExclusive) {
            Ok(()) => return Ok(Some(file)),
            Err(Errno::INTR) => {}
            Err(errno) if file_lock::are_lacking(errno) => return Ok(None),
            Err(errno) => return Err(failed(errno.into())),
        }
    }
}

/// Lets `name` in, a node or a worker, by its public key; another key that it had is forgotten.
pub fn accept(folder: &Path, role: Role, name: NodeName, key: &str) -> Result<PathBuf, AdminError> {
    if !keys::is_public(key) {
        return Err(AdminError::NoKey(key.to_owned()));
    }
    let _alone = alone(folder)?;
    let mut fleet = Fleet::read(folder)?;
    // The broker takes each key once.
    let taken = fleet.holders().find(|(of, other, known)| (*of, *other) != (role, &name) && *known == key);
    if let Some((of, other, _)) = taken {
        return Err(AdminError::Other(format!("this is the key of {of} {other}: each has its own")));
    }
    if key == fleet.lead || fleet.workshop.as_ref().is_some_and(|workshop| workshop.rig == key) {
        return Err(AdminError::Other("this is a key of this machine: the other one prints its own".into()));
    }
    if role == Role::Worker && fleet.workshop.is_none() {
        let hint = "there is no workshop: begin with `scanner fleet init --workshop FOLDER`";
        return Err(AdminError::Other(hint.into()));
    }
    fleet.of_mut(role).insert(name, key.to_owned());
    fleet.write(folder)
}

/// Shuts `name` out again.
pub fn remove(folder: &Path, role: Role, name: &NodeName) -> Result<PathBuf, AdminError> {
    let _alone = alone(folder)?;
    let mut fleet = Fleet::read(folder)?;
    if fleet.of_mut(role).remove(name).is_none() {
        return Err(AdminError::Other(format!("no {role} {name} was accepted")));
    }
    fleet.write(folder)
}

/// Has the broker read its configuration again, whose process wrote its number to `pid`.
pub fn reload(pid: &Path) -> Result<(), AdminError> {
    let failed = |source| AdminError::File { action: "used to find the broker", path: pid.into(), source };
    let text = std::fs::read_to_string(pid).map_err(failed)?;
    let process = text.trim().parse().ok().filter(|pid| *pid > 0).and_then(Pid::from_raw);
    let process = process.ok_or_else(|| failed(io::ErrorKind::InvalidData.into()))?;
    kill_process(process, Signal::HUP).map_err(|errno| failed(errno.into()))
}

/// The same of the broker that systemd runs; whether there is one.
pub fn reload_unit() -> bool {
    let mut command = Command::new("systemctl");
    command.args(["reload", broker::UNIT]).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

/// A node that has said that it is there.
#[derive(Debug, Clone, Serialize)]
pub struct Listed {
    /// What it says of itself.
    #[serde(flatten)]
    pub said: Announcement,
    /// By how much its clock is ahead of this machine's, in milliseconds.
    pub clock_ahead_ms: Option<f64>,
    /// How unsure that is, in milliseconds.
    pub clock_uncertainty_ms: Option<f64>,
}

/// The nodes that say that they are there, by name.
pub async fn list(broker: &Broker, key: &Path) -> Result<Vec<Listed>, AdminError> {
    let key = keys::load(key)?;
    let (events, _) = mpsc::unbounded_channel();
    let client = broker::connect(broker, &key.seed, "scanner fleet list", Persistence::Once, events).await?;
    let deaf =
        |error: &dyn std::fmt::Display| AdminError::Other(format!("cannot listen at the broker: {error}"));
    let reply = format!("pong.{}", fresh().map_err(|error| deaf(&error))?);
    let subject = |what: &str| format!("scanner.node.*.up.{what}");
    let mut announced = client.subscribe(subject("announce")).await.map_err(|error| deaf(&error))?;
    let mut pongs = client.subscribe(subject(&reply)).await.map_err(|error| deaf(&error))?;
    let mut nodes = Nodes::new();
    let end = Instant::now() + LISTENED;
    loop {
        let heard = timeout_at(end, async {
            tokio::select! { biased; pong = pongs.next() => (pong, None), said = announced.next() => (None, said) }
        });
        let asked = match heard.await {
            Err(_) | Ok((None, None)) => break,
            Ok((Some(pong), _)) => heard_pong(&mut nodes, &pong.subject, &pong.payload),
            Ok((None, Some(said))) => heard_announcement(&mut nodes, &said.subject, &said.payload),
        };
        let Some(name) = asked else { continue };
        let ping = Ping { reply: reply.clone(), sent_ns: now_ns() };
        if let Ok(ping) = encode(&ping, None) {
            drop(client.publish(name.down("ping"), ping).await);
        }
    }
    let now = now_ns();
    let listed = nodes.into_values().map(|(said, clock)| {
        let offset = clock.at(now);
        let clock_ahead_ms = offset.map(|offset| offset.ns as f64 / 1e6);
        let clock_uncertainty_ms = offset.map(|offset| offset.uncertainty_ns as f64 / 1e6);
        Listed { said, clock_ahead_ms, clock_uncertainty_ms }
    });
    Ok(listed.collect())
}

type Nodes = BTreeMap<NodeName, (Announcement, NodeClock)>;

/// The node by whose subject this came: the broker sees to it that it is its own, whatever the message says.
fn sender(subject: &str) -> Option<NodeName> {
    subject.split('.').nth(2)?.parse().ok()
}

/// Whom to ask next for the time.
fn heard_announcement(nodes: &mut Nodes, subject: &str, payload: &bytes::Bytes) -> Option<NodeName> {
    let name = sender(subject)?;
    let (said, _) = decode::<Announcement>(payload).ok()?;
    let said = Announcement { node: name.to_string(), ..said };
    match nodes.get_mut(&name) {
        Some((known, _)) => *known = said,
        None => drop(nodes.insert(name.clone(), (said, NodeClock::default()))),
    }
    Some(name)
}

/// The same, after an answer; nobody once enough is known.
fn heard_pong(nodes: &mut Nodes, subject: &str, payload: &bytes::Bytes) -> Option<NodeName> {
    let back_ns = now_ns();
    let (name, (pong, _)) = (sender(subject)?, decode::<Pong>(payload).ok()?);
    let (_, clock) = nodes.get_mut(&name)?;
    let Pong { sent_ns, came_ns, left_ns, instance: _ } = pong;
    // One that jumps is measured anew.
    let _jumped = clock.note(Exchange { sent_ns, came_ns, left_ns, back_ns });
    None
}

#[cfg(test)]
mod tests;
