//! Who is known at the broker, and the configuration that is made of it.

use std::collections::BTreeMap;
use std::fmt;
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::authority::BROKER;
use crate::names::NodeName;
use crate::workshop::{DATASETS, JOBS, RECORDS, WORKERS};

/// How long the broker waits for who connects to speak TLS, and to show a key. Each would be 2 s: too little for all nodes at once at a machine that is busy, all of
/// which would try again.
const TO_SHOW_A_KEY: Duration = Duration::from_secs(10);

/// Who is known at the broker.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fleet {
    /// Where the broker listens.
    pub listen: SocketAddr,
    /// The lead's public key.
    pub lead: String,
    /// The public keys of nodes.
    pub nodes: BTreeMap<NodeName, String>,
    /// The public keys of workers.
    #[serde(default)]
    pub workers: BTreeMap<NodeName, String>,
    /// The workshop, if there is one.
    #[serde(default)]
    pub workshop: Option<Workshop>,
    /// That everything is said encrypted, if it is.
    #[serde(default)]
    pub encrypted: Option<Encrypted>,
}

/// The broker is spoken to over TLS.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Encrypted {
    /// By what it is reached, beside the address at which it listens; the first is what others are told.
    #[serde(default)]
    pub names: Vec<String>,
}

/// The workshop's part of the broker.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Workshop {
    /// Where the broker stores what lies there.
    pub store: PathBuf,
    /// The public key by which the rig offers and fetches.
    pub rig: String,
}

/// What somebody who is let in does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Has cameras.
    Node,
    /// Reconstructs.
    Worker,
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Node => "node",
            Self::Worker => "worker",
        })
    }
}

impl Fleet {
    /// All who were let in.
    pub fn holders(&self) -> impl Iterator<Item = (Role, &NodeName, &str)> {
        let nodes = self.nodes.iter().map(|(name, key)| (Role::Node, name, key.as_str()));
        nodes.chain(self.workers.iter().map(|(name, key)| (Role::Worker, name, key.as_str())))
    }

    pub(super) fn of_mut(&mut self, role: Role) -> &mut BTreeMap<NodeName, String> {
        match role {
            Role::Node => &mut self.nodes,
            Role::Worker => &mut self.workers,
        }
    }

    /// The configuration of the broker, for `folder`, which has its certificate: without a key that is here, there is nothing to be had of it. Cameras and workshop are accounts of
    /// their own, between which no message goes: whatever a worker does, it reaches no camera, and a node no job.
    pub fn configuration(&self, folder: &Path) -> String {
        let mut text =
            format!("# Written by `scanner fleet`: changes are lost.\nlisten: \"{}\"\n", self.listen);
        let (cameras, seconds) = (self.cameras(), TO_SHOW_A_KEY.as_secs());
        // Writing to a String cannot fail.
        if self.encrypted.is_some() {
            let file = folder.join(BROKER);
            let file = file.display();
            let _ = write!(
                text,
                "tls {{\n  cert_file: \"{file}\"\n  key_file: \"{file}\"\n  timeout: {seconds}\n}}\n"
            );
        }
        let _ = match &self.workshop {
            None => write!(text, "authorization {{\n  timeout: {seconds}\n  users: [\n{cameras}  ]\n}}\n"),
            Some(workshop) => write!(
                text,
                "authorization {{\n  timeout: {seconds}\n}}\njetstream {{\n  store_dir: \"{}\"\n}}\naccounts {{\n  CAMERAS: {{ users: [\n{cameras}  ] }}\n  \
                 WORKSHOP: {{ jetstream: enabled, users: [\n{}  ] }}\n}}\n",
                workshop.store.display(),
                self.benches(workshop)
            ),
        };
        text
    }

    /// Who has to do with cameras.
    fn cameras(&self) -> String {
        let mut text = user(&self.lead, &["scanner.node.*.down.>"], &["scanner.node.*.up.>"]);
        for (name, key) in &self.nodes {
            text.push_str(&user(key, &[&name.up(">")], &[&name.down(">")]));
        }
        text
    }

    /// Who has to do with jobs: the rig with all of it; a worker reads jobs and datasets, keeps records, and puts results. It makes no
    /// streams and no consumers, and takes nothing away.
    fn benches(&self, workshop: &Workshop) -> String {
        let mut text = user(&workshop.rig, &[">"], &[">"]);
        let publish = [
            format!("$JS.API.CONSUMER.INFO.{JOBS}.{WORKERS}"),
            format!("$JS.API.CONSUMER.MSG.NEXT.{JOBS}.{WORKERS}"),
            format!("$JS.ACK.{JOBS}.{WORKERS}.>"),
            format!("$JS.API.STREAM.INFO.KV_{RECORDS}"),
            format!("$JS.API.DIRECT.GET.KV_{RECORDS}.>"),
            format!("$KV.{RECORDS}.>"),
            format!("$JS.API.DIRECT.GET.{DATASETS}"),
            "workshop.result.>".to_owned(),
        ];
        let publish: Vec<&str> = publish.iter().map(String::as_str).collect();
        for (name, key) in &self.workers {
            text.push_str(&user(key, &publish, &[&format!("{}.>", name.inbox())]));
        }
        text
    }
}

fn user(key: &str, publish: &[&str], subscribe: &[&str]) -> String {
    let list = |subjects: &[&str]| {
        subjects.iter().map(|subject| format!("\"{subject}\"")).collect::<Vec<_>>().join(", ")
    };
    format!(
        "    {{ nkey: {key}, permissions: {{ publish: {{ allow: [{}] }}, subscribe: {{ allow: [{}] }} }} }}\n",
        list(publish),
        list(subscribe)
    )
}
