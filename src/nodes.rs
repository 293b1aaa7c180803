//! The machines whose cameras are this rig's: what `scanner-fleet`, which speaks to them, says of them.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::config::Config;
use crate::rig::camera::{confine, find_driver};

/// The driver of cameras of other machines.
const DRIVER: &str = "remote";
/// It listens for some seconds, and waits for reports for as long.
const PATIENCE: Duration = Duration::from_secs(20);
/// How often it is looked whether it has ended.
const LOOK: Duration = Duration::from_millis(20);

/// A machine whose cameras are, or could be, this rig's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Node {
    /// It says that it is there.
    #[schema(title = "NodeHere")]
    Here {
        /// Its name.
        node: String,
        /// The version of its program.
        program: String,
        /// For how long that has run, in seconds.
        up_s: u64,
        /// By how much its clock is ahead of this machine's, in milliseconds, if that is known.
        clock_ahead_ms: Option<f64>,
        /// How unsure that is, in milliseconds.
        clock_uncertainty_ms: Option<f64>,
        /// The cameras that it has.
        cameras: Vec<NodeCamera>,
        /// What is to be done about it, for people; absent if all is well.
        what_to_do: Option<String>,
    },
    /// It was accepted, and says nothing.
    #[schema(title = "NodeSilent")]
    Silent {
        /// Its name.
        node: String,
        /// What is to be done about it, for people.
        what_to_do: String,
    },
}

/// A camera of a node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct NodeCamera {
    /// Its name there.
    pub name: String,
    /// Its driver.
    pub driver: String,
    /// Who uses it; absent if nobody does.
    pub holder: Option<String>,
}

/// All nodes, as far as they can be seen.
#[derive(Debug, Clone, Default, PartialEq, Serialize, ToSchema)]
pub struct Nodes {
    /// By name; none if no camera of this rig is another machine's.
    pub nodes: Vec<Node>,
    /// Why it could not be looked, and what to do; empty if it could.
    pub not_seen: Vec<String>,
}

/// A broker, as the cameras that are reached by it name it; absent is what `scanner-fleet` takes for usual.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Broker {
    address: Option<String>,
    key: Option<String>,
}

impl Broker {
    fn arguments(&self) -> Vec<&str> {
        let named = [("--broker", &self.address), ("--key", &self.key)];
        named.into_iter().filter_map(|(name, value)| Some([name, value.as_deref()?])).flatten().collect()
    }
}

/// The brokers by which cameras of this rig are reached.
fn brokers(config: &Config) -> BTreeSet<Broker> {
    let remote = config.cameras.iter().filter(|camera| camera.driver == Path::new(DRIVER));
    let named = |options: &Value, key: &str| options.get(key).and_then(Value::as_str).map(str::to_owned);
    let broker = |options| Broker { address: named(options, "broker"), key: named(options, "key") };
    remote.map(|camera| broker(&camera.options)).collect()
}

/// Looks which nodes there are. Takes some seconds if any camera of the rig is another machine's, and none otherwise.
pub fn look(config: &Config) -> Nodes {
    let mut seen = Nodes::default();
    for broker in brokers(config) {
        match ask::<Vec<Node>>(&["list", "--json"], &broker.arguments()) {
            Ok(nodes) => seen.nodes.extend(nodes),
            Err(reason) => seen.not_seen.push(reason),
        }
    }
    seen
}

/// What the nodes say of themselves to whoever looks for a fault, with their logs: by broker, by name. Empty without any.
pub fn reports(config: &Config) -> Vec<Result<Value, String>> {
    brokers(config).iter().map(|broker| ask(&["report"], &broker.arguments())).collect()
}

/// What `scanner-fleet` answers to these arguments.
fn ask<T: serde::de::DeserializeOwned>(what: &[&str], broker: &[&str]) -> Result<T, String> {
    let program = find_driver(Path::new("fleet"))?;
    let failed = |error: &dyn std::fmt::Display| format!("{} {}: {error}", program.display(), what.join(" "));
    let mut command = Command::new(&program);
    command.args(what).args(broker).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    confine(&mut command);
    let mut child = command.spawn().map_err(|error| failed(&error))?;
    let ended = ends(&mut child);
    if ended.is_none() {
        // Either fails only where it has ended just now.
        let _ = child.kill();
        let _ = child.wait();
    }
    let (output, said) =
        ended.ok_or_else(|| failed(&format!("no answer within {} s", PATIENCE.as_secs())))?;
    serde_json::from_slice(&output).map_err(|error| {
        let said = String::from_utf8_lossy(&said);
        match said.lines().last().map(|line| line.trim_start_matches("error: ")) {
            Some(line) if output.is_empty() => line.to_owned(),
            Some(_) | None => {
                failed(&format!("its answer is not understood, install both from one version: {error}"))
            }
        }
    })
}

/// What it has written, once it has ended; none if that takes too long.
fn ends(child: &mut Child) -> Option<(Vec<u8>, Vec<u8>)> {
    let (mut output, mut said) = (child.stdout.take()?, child.stderr.take()?);
    // They end with the process, which is killed if it does not end by itself.
    let read = |pipe: &mut dyn std::io::Read| {
        let mut bytes = Vec::new();
        pipe.read_to_end(&mut bytes).map(|_| bytes).unwrap_or_default()
    };
    let output = thread::Builder::new().name("nodes".into()).spawn(move || read(&mut output)).ok()?;
    let said = thread::Builder::new().name("nodes".into()).spawn(move || read(&mut said)).ok()?;
    let end = Instant::now() + PATIENCE;
    while child.try_wait().ok()?.is_none() {
        if Instant::now() > end {
            return None;
        }
        thread::sleep(LOOK);
    }
    Some((output.join().ok()?, said.join().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_program_says_is_understood() {
        let said = serde_json::json!([
            { "state": "here", "node": "left", "program": "0.1.0", "version": 1, "instance": "7", "up_s": 5, "amiss": [],
              "cameras": [{ "name": "cam", "driver": "sim" }, { "name": "two", "driver": "sim", "holder": "rig" }],
              "clock_ahead_ms": 0.5, "clock_uncertainty_ms": 0.1, "what_to_do": null },
            { "state": "silent", "node": "right", "what_to_do": "look" },
        ]);
        let nodes: Vec<Node> = serde_json::from_value(said).unwrap();
        let Node::Here { cameras, clock_ahead_ms, .. } = &nodes[0] else { panic!("{nodes:?}") };
        assert_eq!((cameras[0].holder.as_deref(), cameras[1].holder.as_deref()), (None, Some("rig")));
        assert_eq!(*clock_ahead_ms, Some(0.5));
        assert_eq!(nodes[1], Node::Silent { node: "right".into(), what_to_do: "look".into() });
    }

    #[test]
    fn each_broker_is_asked_once_and_named_as_the_cameras_name_it() {
        let broker = Broker { address: Some("nats://lead:4222".into()), key: None };
        assert_eq!(broker.arguments(), ["--broker", "nats://lead:4222"]);
        assert!(Broker { address: None, key: None }.arguments().is_empty());
    }
}
