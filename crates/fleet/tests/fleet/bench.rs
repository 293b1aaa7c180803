//! A broker, nodes with a simulated camera each, and a lead with a simulated rig.

use std::fmt::Write as _;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use scanner_fleet::admin::{Beginning, Encryption, Invitation};
use scanner_fleet::broker::Broker;
use scanner_fleet::{admin, keys};

use crate::support::{self, Recipe, Running, TestRig};

/// How the rig moves and waits: faster than a real one.
const RECOVERY: &str = "capture_timeout = \"5 s\"\nstart_timeout = \"15 s\"";

pub(crate) struct Fleet {
    pub(crate) rig: TestRig,
    pub(crate) port: u16,
    pub(crate) broker: Option<Running>,
    /// What nodes are told of the broker.
    pub(crate) invitation: Invitation,
    places: Places,
    nodes: Vec<(String, Option<Running>)>,
}

/// Where everything is; without more, here.
#[derive(Clone, Default)]
pub(crate) struct Places {
    /// Where the broker listens.
    pub(crate) host: String,
    /// At any free port, if at none.
    pub(crate) port: Option<u16>,
    /// What starts a program at the lead, which has the broker, too.
    pub(crate) lead: Vec<String>,
    /// The same of each node; those behind the last one are here.
    pub(crate) nodes: Vec<Vec<String>>,
}

/// What is to be different.
#[derive(Default)]
pub(crate) struct Differences<'a> {
    pub(crate) angles: u32,
    pub(crate) size: Option<(u32, u32)>,
    /// Of each node's clock: `SCANNER_FLEET_CLOCK`.
    pub(crate) clock: &'a str,
    /// The same of single nodes, from the first on.
    pub(crate) clocks: Vec<String>,
    /// `clock_limit`.
    pub(crate) clock_limit: Option<&'a str>,
    pub(crate) nodes: Option<u32>,
    /// Lines for the nodes' `[camera.options]`.
    pub(crate) options: &'a str,
    /// More of them for single nodes, from the first on.
    pub(crate) own_options: Vec<String>,
    pub(crate) time_scale: Option<f64>,
    /// Where they are, if not all here.
    pub(crate) places: Option<Places>,
    /// Lines for `[scan]`.
    pub(crate) scan: &'a str,
    /// `recovery.attempts`, if not many.
    pub(crate) attempts: Option<u32>,
    pub(crate) encryption: Encryption,
}

impl Fleet {
    /// Everything but the lead runs; none if there is no broker to be had here.
    pub(crate) fn new(what: &Differences<'_>) -> Option<Self> {
        if broker_program().is_none() {
            support::skipped("remote cameras need nats-server");
            return None;
        }
        let nodes = what.nodes.unwrap_or(1);
        let time_scale = what.time_scale.unwrap_or(100.0);
        let rig = TestRig::new(&Recipe {
            cameras: nodes,
            angles: what.angles,
            size: what.size.unwrap_or((64, 48)),
            time_scale,
            driver: "remote",
            scan: what.scan,
            recovery: &format!("{RECOVERY}\nattempts = {}", what.attempts.unwrap_or(12)),
            ..Recipe::default()
        })
        .without_model();
        let folder = rig.dir.path().to_owned();
        let mut places = what.places.clone().unwrap_or_default();
        if places.host.is_empty() {
            places.host = "127.0.0.1".into();
        }
        let host = places.host.clone();
        let port = places
            .port
            .unwrap_or_else(|| TcpListener::bind((host.as_str(), 0)).unwrap().local_addr().unwrap().port());
        let fleet_folder = folder.join("fleet");
        let beginning = Beginning::at(format!("{host}:{port}").parse().unwrap());
        let beginning = Beginning { encryption: what.encryption, ..beginning };
        let invitation = admin::init(&fleet_folder, &beginning).unwrap().invitation;
        let mut fleet = Self { rig, port, broker: None, invitation, places, nodes: Vec::new() };
        for index in 0..nodes {
            let name = format!("node{index}");
            let key = keys::load_or_make(&folder.join(format!("{name}.nk"))).unwrap();
            admin::accept(&fleet_folder, admin::Role::Node, name.parse().unwrap(), &key.public).unwrap();
            let mut text = String::new();
            write!(
                text,
                "name = \"{name}\"\n{}key = \"{name}.nk\"\nruntime_directory = \"{name}-run\"\n\
                 [[camera]]\nname = \"cam\"\ndriver = \"sim\"\n[camera.options]\ntime_scale = {time_scale:?}\n{}\n{}\n",
                fleet.invitation.lines(),
                what.options,
                what.own_options.get(index as usize).map_or("", String::as_str)
            )
            .unwrap();
            std::fs::write(folder.join(format!("{name}.toml")), text).unwrap();
            let clock = what.clocks.get(index as usize).map_or(what.clock, String::as_str);
            fleet.nodes.push((clock.to_owned(), None));
        }
        // The rig's cameras are those of the nodes.
        let mut config = std::fs::read_to_string(&fleet.rig.config).unwrap();
        let limit = what.clock_limit.unwrap_or("200 ms");
        let options = format!(
            "[camera.options]\nbroker = \"{}\"\nkey = \"{}\"\nclock_limit = \"{limit}\"\n[camera.options.simulated]\n",
            fleet.address(),
            fleet_folder.join("lead.nk").display()
        );
        for index in 0..nodes {
            config = config.replace(&format!("id = \"{index}\""), &format!("id = \"node{index}/cam\""));
        }
        config = config.replace("[camera.options]\n", &options);
        std::fs::write(&fleet.rig.config, config).unwrap();
        fleet.start_broker();
        (0..nodes as usize).for_each(|index| fleet.start_node(index));
        Some(fleet)
    }

    pub(crate) fn address(&self) -> String {
        self.invitation.broker.clone()
    }

    /// The lead's key.
    pub(crate) fn key(&self) -> PathBuf {
        self.folder().join("fleet/lead.nk")
    }

    /// The broker, as the lead knows it.
    pub(crate) fn known(&self) -> Broker {
        Broker::beside(&self.key(), None).unwrap()
    }

    pub(crate) fn folder(&self) -> &Path {
        self.rig.dir.path()
    }

    /// Starts the broker, and waits until it can be reached.
    pub(crate) fn start_broker(&mut self) {
        let mut command = command(&self.places.lead);
        command.arg(broker_program().unwrap());
        command.arg("--config").arg(self.folder().join("fleet/nats-server.conf"));
        command.arg("--pid").arg(self.folder().join("nats.pid"));
        let log = std::fs::File::create(self.folder().join("nats.log")).unwrap();
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        self.broker = Some(Running::spawn(&mut command));
        wait_for("the broker", || self.log("nats.log").contains("Server is ready"));
    }

    /// The program at the lead.
    pub(crate) fn at_lead(&self, arguments: &[&str]) -> Command {
        let launcher: Vec<_> = self.places.lead.iter().map(String::as_str).collect();
        if launcher.is_empty() {
            self.rig.command(arguments)
        } else {
            self.rig.command_by(&launcher, arguments)
        }
    }

    /// Starts a node, which need not be ready.
    pub(crate) fn start_node(&mut self, index: usize) {
        let (folder, clock) = (self.rig.dir.path().to_owned(), self.nodes[index].0.clone());
        let mut command = command(self.places.nodes.get(index).map_or(&[][..], Vec::as_slice));
        command.arg(env!("CARGO_BIN_EXE_scanner-fleet"));
        let log = folder.join(format!("node{index}.log"));
        let log = std::fs::File::options().create(true).append(true).open(log).unwrap();
        command.args(["node", "--config", &format!("node{index}.toml")]).current_dir(&folder);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        if !clock.is_empty() {
            command.env(scanner_fleet::simulated::VARIABLE, clock);
        }
        self.nodes[index].1 = Some(Running::spawn(&mut command));
    }

    pub(crate) fn node(&self, index: usize) -> Option<&Running> {
        self.nodes[index].1.as_ref()
    }

    pub(crate) fn kill_node(&mut self, index: usize) {
        drop(self.nodes[index].1.take());
    }

    pub(crate) fn log(&self, name: &str) -> String {
        std::fs::read_to_string(self.folder().join(name)).unwrap_or_default()
    }

    /// What every image says, by what is recorded of it.
    pub(crate) fn images(&self, id: &str) -> Vec<serde_json::Value> {
        let journal = self.rig.scans().join(id).join("journal.jsonl");
        let journal = std::fs::read_to_string(journal).unwrap_or_default();
        // A line may just be written.
        let records = journal.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
        records.filter(|record| record.to_string().contains("\"sensor_timestamp_ns\"")).collect()
    }
}

/// What executes the program that follows, by `launcher` if there is one.
pub(crate) fn command(launcher: &[String]) -> Command {
    // Alone, env does nothing but that.
    let mut command = Command::new(launcher.first().map_or("env", String::as_str));
    command.args(launcher.iter().skip(1));
    command
}

/// The value of `key`, wherever it is.
pub(crate) fn find<'a>(value: &'a serde_json::Value, key: &str) -> Option<&'a serde_json::Value> {
    match value {
        serde_json::Value::Object(map) => {
            map.get(key).or_else(|| map.values().find_map(|value| find(value, key)))
        }
        serde_json::Value::Array(list) => list.iter().find_map(|value| find(value, key)),
        serde_json::Value::Null
        | serde_json::Value::Bool(_)
        | serde_json::Value::Number(_)
        | serde_json::Value::String(_) => None,
    }
}

/// Debian has it where only root looks.
pub(crate) fn broker_program() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain(["/usr/sbin".into(), "/sbin".into()]);
    folders.map(|folder| folder.join("nats-server")).find(|program| program.is_file())
}

pub(crate) fn wait_for(what: &str, mut is_there: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_there() {
        assert!(begun.elapsed() < Duration::from_secs(60), "waited for {what} in vain");
        std::thread::sleep(Duration::from_millis(20));
    }
}
