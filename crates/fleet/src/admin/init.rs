//! How it begins: keys, certificates, and the broker's configuration.

use std::collections::BTreeMap;
use std::net::{SocketAddr, UdpSocket};
use std::path::{Path, PathBuf};

use scanner::ownership;

use super::known::{Encrypted, Fleet, Workshop};
use super::{AdminError, KEY, LISTEN, WORKSHOP_KEY, alone};
use crate::authority;
use crate::broker::address_here;
use crate::keys;
use crate::readers::{self, Group};
use crate::trust::Fingerprint;

/// Whether what goes to and from the broker is to be encrypted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Encryption {
    /// As it was before, if anybody was let in already, who would not know of a change; if not, unless the broker listens for its own machine
    /// alone.
    #[default]
    AsFits,
    /// It is.
    On,
    /// It is not: who listens at the network sees the images.
    Off,
}

/// What is to be begun.
#[derive(Debug, Clone, Copy)]
pub struct Beginning<'a> {
    /// Where the broker is to listen; none leaves it where it was, which is at [`LISTEN`] the first time.
    pub listen: Option<SocketAddr>,
    /// The folder for what the broker stores of a workshop; none leaves all as it was.
    pub workshop: Option<&'a Path>,
    /// Whether it is encrypted.
    pub encryption: Encryption,
    /// By what it is reached, beside the address at which it listens; none leaves all as it was.
    pub names: &'a [String],
}

impl Beginning<'_> {
    /// As usual, at `listen`.
    pub fn at(listen: SocketAddr) -> Self {
        Self { listen: Some(listen), workshop: None, encryption: Encryption::AsFits, names: &[] }
    }
}

/// What nodes and workers are told of the broker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invitation {
    /// Its address.
    pub broker: String,
    /// Its authority, if it is encrypted.
    pub ca: Option<Fingerprint>,
}

impl Invitation {
    /// What the broker in `folder` is, as others see it.
    pub fn read(folder: &Path) -> Result<Self, AdminError> {
        Self::of(&Fleet::read(folder)?, folder)
    }

    fn of(fleet: &Fleet, folder: &Path) -> Result<Self, AdminError> {
        let names = fleet.encrypted.iter().flat_map(|encrypted| &encrypted.names);
        let listen = fleet.listen;
        let host = match names.into_iter().next() {
            Some(name) if name.contains(':') => format!("[{name}]"),
            Some(name) => name.clone(),
            None if listen.ip().is_unspecified() => own_address().unwrap_or_else(own_name),
            None if listen.is_ipv6() => format!("[{}]", listen.ip()),
            None => listen.ip().to_string(),
        };
        let ca = fleet.encrypted.as_ref().map(|_| authority::fingerprint(folder)).transpose()?;
        let scheme = if ca.is_some() { "tls" } else { "nats" };
        Ok(Self { broker: format!("{scheme}://{host}:{}", listen.port()), ca })
    }

    /// The lines of `node.toml` and `worker.toml`.
    pub fn lines(&self) -> String {
        let ca = self.ca.map(|ca| format!("ca = \"{ca}\"\n")).unwrap_or_default();
        format!("broker = \"{}\"\n{ca}", self.broker)
    }
}

/// What was made.
#[derive(Debug, Clone)]
pub struct Begun {
    /// The broker's configuration.
    pub configuration: PathBuf,
    /// What others are told.
    pub invitation: Invitation,
    /// Where programs of this machine find the broker.
    pub address: String,
    /// It is for other machines, and everybody may see what they say: those that were let in before know it so.
    pub left_plain: bool,
}

/// Makes the lead's key, and a configuration of the broker that knows the lead alone; nodes and workers that were accepted stay so. The
/// broker gets a new certificate, of the same authority, if it is encrypted.
pub fn init(folder: &Path, beginning: &Beginning<'_>) -> Result<Begun, AdminError> {
    let Beginning { listen, workshop, encryption, names } = *beginning;
    if let Some(bad) = names.iter().find(|name| !authority::is_name(name)) {
        return Err(AdminError::Other(format!(
            "--name {bad:?}: name a machine or an address, without a port"
        )));
    }
    let failed = |action| move |source| AdminError::File { action, path: folder.into(), source };
    ownership::create_folders(folder).map_err(failed("made"))?;
    let folder = &std::path::absolute(folder).map_err(failed("found"))?;
    let _alone = alone(folder)?;
    let lead = key(folder, KEY)?;
    let before = match Fleet::read(folder) {
        Ok(fleet) => Fleet { listen: listen.unwrap_or(fleet.listen), lead, ..fleet },
        Err(AdminError::NotBegun { .. }) => Fleet {
            listen: listen.unwrap_or(LISTEN),
            lead,
            nodes: BTreeMap::new(),
            workers: BTreeMap::new(),
            workshop: None,
            encrypted: None,
        },
        Err(error) => return Err(error),
    };
    let listen = before.listen;
    let workshop = match workshop {
        Some(store) => {
            let store = quotable(store)
                .ok_or_else(|| AdminError::Other("--workshop: name a whole path, without quotes".into()))?;
            Some(Workshop { store: store.into(), rig: key(folder, WORKSHOP_KEY)? })
        }
        None => before.workshop.clone(),
    };
    let is_known = before.holders().next().is_some();
    let is_encrypted = match encryption {
        Encryption::On => true,
        Encryption::Off => false,
        Encryption::AsFits if is_known => before.encrypted.is_some(),
        Encryption::AsFits => !listen.ip().is_loopback(),
    };
    // Others reach it by those that it had: a new one is another one, and the first that is told from now on.
    let had = before.encrypted.map(|encrypted| encrypted.names).unwrap_or_default();
    let had = had.into_iter().filter(|name| !names.contains(name));
    let encrypted = is_encrypted.then(|| Encrypted { names: names.iter().cloned().chain(had).collect() });
    let fleet = Fleet { workshop, encrypted, ..before };
    if let Some(Encrypted { names }) = &fleet.encrypted {
        if quotable(folder).is_none() {
            return Err(AdminError::Other("--folder: name one without quotes in its path".into()));
        }
        authority::certify(folder, &reached_by(listen, names))?;
    }
    let configuration = fleet.write(folder)?;
    let invitation = Invitation::of(&fleet, folder)?;
    let left_plain = !is_encrypted && encryption == Encryption::AsFits && !listen.ip().is_loopback();
    Ok(Begun { configuration, invitation, address: address_here(listen, is_encrypted), left_plain })
}

/// The public part of the key `name`, which is made if there is none, and which the service of this machine may use.
fn key(folder: &Path, name: &str) -> Result<String, AdminError> {
    let path = folder.join(name);
    let key = keys::load_or_make(&path)?;
    let shared = readers::share(&path, Group::Service);
    shared.map_err(|source| AdminError::File { action: "given to the service", path, source })?;
    Ok(key.public)
}

/// A path that can stand between quotes in the broker's configuration.
fn quotable(path: &Path) -> Option<&str> {
    path.to_str().filter(|path| path.starts_with('/') && !path.contains(['"', '\\', '\n']))
}

/// By what the broker is reached: as it was told, and at its own machine.
fn reached_by(listen: SocketAddr, names: &[String]) -> Vec<String> {
    let mut all: Vec<String> = names.to_vec();
    if listen.ip().is_unspecified() {
        all.extend(own_address());
    } else {
        all.push(listen.ip().to_string());
    }
    let machine = machine();
    all.extend([machine.clone(), format!("{machine}.local"), "localhost".into()]);
    all.extend(["127.0.0.1", "::1"].map(String::from));
    all.retain(|name| authority::is_name(name));
    all.sort_unstable();
    all.dedup();
    all
}

fn machine() -> String {
    rustix::system::uname().nodename().to_string_lossy().to_lowercase()
}

fn own_name() -> String {
    format!("{}.local", machine())
}

/// The address with which this machine goes to others; none if it knows no way to them.
fn own_address() -> Option<String> {
    let socket = UdpSocket::bind("0.0.0.0:0").ok()?;
    // An address of nobody, to which nothing is sent.
    socket.connect("198.51.100.1:9").ok()?;
    Some(socket.local_addr().ok()?.ip().to_string())
}
