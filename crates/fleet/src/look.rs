//! All nodes as the lead sees them: those that were accepted, those that say that they are there, and what is to be done about
//! those that do not fit.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use futures_util::StreamExt as _;
use serde::Serialize;
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout_at};

use crate::admin::{self, AdminError, Fleet, Listed};
use crate::broker::{self, Broker, Persistence};
use crate::keys;
use crate::names::{NodeName, fresh};
use crate::wire::{self, AskReport, Report, decode, encode};

/// How long is waited for reports.
const PATIENCE: Duration = Duration::from_secs(5);

/// A node, and what is to be done about it.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Node {
    /// It says that it is there.
    Here {
        /// What it says, and its clock.
        #[serde(flatten)]
        listed: Listed,
        /// What has to be done before its cameras can be used, or for both machines to fit; nothing if all is well.
        what_to_do: Option<String>,
    },
    /// It was accepted, and says nothing.
    Silent {
        /// Its name.
        node: String,
        /// What has to be looked at.
        what_to_do: String,
    },
}

impl Node {
    fn here(listed: Listed) -> Self {
        let said = &listed.said;
        let (own, theirs) = (env!("CARGO_PKG_VERSION"), said.program.as_str());
        let older = |what: &str| {
            format!(
                "it has scanner-fleet {theirs}, this machine {own}, which do not understand each other: update {what}"
            )
        };
        let what_to_do = match said.version.cmp(&wire::VERSION) {
            std::cmp::Ordering::Less => Some(older("the node")),
            std::cmp::Ordering::Greater => Some(older("this machine")),
            std::cmp::Ordering::Equal if theirs != own => Some(format!(
                "it has scanner-fleet {theirs}, this machine {own}: they work together; update the older one when there is time"
            )),
            std::cmp::Ordering::Equal => said.amiss.first().cloned(),
        };
        Self::Here { listed, what_to_do }
    }

    fn silent(name: &NodeName) -> Self {
        let what_to_do =
            "look whether it has power and network, and at `systemctl status scanner-node` there".to_owned();
        Self::Silent { node: name.to_string(), what_to_do }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        match self {
            Self::Here { listed, .. } => &listed.said.node,
            Self::Silent { node, .. } => node,
        }
    }
}

/// All nodes that were accepted, which is written beside the lead's key, or say that they are there, by name. Whoever may not
/// read the former is told of the latter alone.
///
/// # Errors
/// The broker cannot be reached.
pub async fn all(broker: &Broker, key: &Path) -> Result<Vec<Node>, AdminError> {
    let heard = admin::list(broker, key).await?;
    let folder = key.parent().unwrap_or(Path::new("."));
    let accepted = Fleet::read(folder).map(|fleet| fleet.nodes).unwrap_or_default();
    let mut nodes: BTreeMap<String, Node> =
        accepted.keys().map(|name| (name.to_string(), Node::silent(name))).collect();
    nodes.extend(heard.into_iter().map(|listed| (listed.said.node.clone(), Node::here(listed))));
    Ok(nodes.into_values().collect())
}

/// What nodes say of themselves, by name; of one that is silent, nothing. All that are there are asked.
///
/// # Errors
/// The broker cannot be reached.
pub async fn reports(broker: &Broker, key: &Path) -> Result<BTreeMap<String, Report>, AdminError> {
    let heard = admin::list(broker, key).await?;
    let key = keys::load(key)?;
    let (events, _) = mpsc::unbounded_channel();
    let client =
        broker::connect(broker, &key.seed, "scanner fleet report", Persistence::Once, events).await?;
    let deaf =
        |error: &dyn std::fmt::Display| AdminError::Other(format!("cannot listen at the broker: {error}"));
    let reply = format!("report.{}", fresh().map_err(|error| deaf(&error))?);
    let answers = client.subscribe(format!("scanner.node.*.up.{reply}")).await;
    let mut answers = answers.map_err(|error| deaf(&error))?;
    let mut asked = 0;
    for Listed { said, .. } in &heard {
        let Ok(name) = said.node.parse::<NodeName>() else { continue };
        let question = encode(&AskReport { reply: reply.clone() }, None);
        let Ok(question) = question else { continue };
        client.publish(name.down("report"), question).await.map_err(|error| deaf(&error))?;
        asked += 1;
    }
    let end = Instant::now() + PATIENCE;
    let mut reports = BTreeMap::new();
    while reports.len() < asked {
        let Ok(Some(message)) = timeout_at(end, answers.next()).await else { break };
        // The broker sees to it that each speaks as itself.
        let Some(name) = message.subject.split('.').nth(2) else { continue };
        if let Ok((report, _)) = decode::<Report>(&message.payload) {
            reports.insert(name.to_owned(), report);
        }
    }
    Ok(reports)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::Announcement;

    fn heard(program: &str, version: u32, amiss: &[&str]) -> Node {
        let said = Announcement {
            node: "left".into(),
            program: program.into(),
            version,
            instance: "1".into(),
            up_s: 3,
            cameras: Vec::new(),
            amiss: amiss.iter().map(|text| (*text).to_owned()).collect(),
        };
        Node::here(Listed { said, clock_ahead_ms: None, clock_uncertainty_ms: None })
    }

    fn told(node: &Node) -> String {
        match node {
            Node::Here { what_to_do, .. } => what_to_do.clone().unwrap_or_default(),
            Node::Silent { what_to_do, .. } => what_to_do.clone(),
        }
    }

    #[test]
    fn who_has_to_be_updated_is_said() {
        let own = env!("CARGO_PKG_VERSION");
        assert_eq!(told(&heard(own, wire::VERSION, &[])), "");
        assert_eq!(told(&heard(own, wire::VERSION, &["hot: cool it"])), "hot: cool it");
        assert!(told(&heard("0.0.1", wire::VERSION, &[])).contains("they work together"));
        assert!(told(&heard("0.0.1", wire::VERSION - 1, &[])).ends_with("update the node"));
        assert!(told(&heard("99.0.0", wire::VERSION + 1, &[])).ends_with("update this machine"));
        let silent = serde_json::to_value(Node::silent(&"left".parse().unwrap())).unwrap();
        assert_eq!((&silent["state"], &silent["node"]), (&"silent".into(), &"left".into()));
        let here = serde_json::to_value(heard(own, wire::VERSION, &[])).unwrap();
        assert_eq!((&here["state"], &here["node"]), (&"here".into(), &"left".into()));
    }
}
