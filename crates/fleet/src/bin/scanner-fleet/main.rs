//! `scanner node` and `scanner fleet`.

mod init;
mod workshop;

use std::io::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use scanner_fleet::admin::{self, Beginning, Encryption, Invitation, Listed, Role};
use scanner_fleet::broker::Broker;
use scanner_fleet::knocks::{self, Knock};
use scanner_fleet::look::{self, Node};
use scanner_fleet::names::NodeName;
use scanner_fleet::node;
use scanner_fleet::workshop::command::supervise;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

/// Cameras at other machines, and a workshop of machines that reconstruct.
#[derive(Debug, Parser)]
#[command(name = "scanner-fleet", version, about)]
struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Offer this machine's cameras to the lead, until told to end
    Node {
        /// What it is called and which cameras it has
        #[arg(long, value_name = "FILE", default_value = "/etc/scanner/node.toml")]
        config: PathBuf,
    },
    /// Make the lead's key, the broker's certificate, and a configuration of the broker that lets nobody else in
    Init {
        /// Where the broker listens; for nodes at other machines, an address that they reach. Without, where it did, and for this
        /// machine alone the first time
        #[arg(long, value_name = "ADDRESS")]
        listen: Option<SocketAddr>,
        /// Have a workshop, too, whose scans and results the broker stores here
        #[arg(long, value_name = "FOLDER")]
        workshop: Option<PathBuf>,
        /// By what nodes and workers reach the broker, where that is not the address at which it listens; the first is what they are told
        #[arg(long = "name", value_name = "NAME")]
        names: Vec<String>,
        /// Encrypt what goes to and from the broker, also where it listens for this machine alone, or was not encrypted before
        #[arg(long, conflicts_with = "plain")]
        encrypted: bool,
        /// Encrypt nothing: whoever listens at the network sees the images
        #[arg(long)]
        plain: bool,
        /// Where keys, certificates and configuration are
        #[arg(long, value_name = "FOLDER", default_value = admin::FOLDER)]
        folder: PathBuf,
    },
    /// Print what a node or a worker has to be told of the broker: lines for its node.toml or worker.toml
    Invite {
        /// Where keys, certificates and configuration are
        #[arg(long, value_name = "FOLDER", default_value = admin::FOLDER)]
        folder: PathBuf,
    },
    /// Let a node in, or a worker
    Accept {
        /// Its name, as in its configuration
        name: NodeName,
        /// Its public key, which it prints when it starts; without, that by which it knocks, after a question
        key: Option<String>,
        #[command(flatten)]
        knocks: BrokerLog,
        #[command(flatten)]
        at: At,
    },
    /// Show who asks to be let in, and by which key
    Knocks {
        #[command(flatten)]
        knocks: BrokerLog,
        /// Where keys and configuration are
        #[arg(long, value_name = "FOLDER", default_value = admin::FOLDER)]
        folder: PathBuf,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Shut a node out, or a worker
    Remove {
        /// Its name
        name: NodeName,
        #[command(flatten)]
        at: At,
    },
    /// Show the nodes that were accepted or say that they are there, and what is to be done
    List {
        /// The broker's address, if not that of `scanner fleet init`
        #[arg(long, value_name = "ADDRESS")]
        broker: Option<String>,
        /// The lead's key, beside which the broker's authority lies, if it is encrypted
        #[arg(long, value_name = "FILE", default_value = scanner_fleet::lead::DEFAULT_KEY)]
        key: PathBuf,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Print what each node says of itself, with its log, as JSON
    Report {
        /// The broker's address, if not that of `scanner fleet init`
        #[arg(long, value_name = "ADDRESS")]
        broker: Option<String>,
        /// The lead's key, beside which the broker's authority lies, if it is encrypted
        #[arg(long, value_name = "FILE", default_value = scanner_fleet::lead::DEFAULT_KEY)]
        key: PathBuf,
    },
    #[command(flatten)]
    Workshop(workshop::Command),
}

#[derive(Debug, clap::Args)]
struct BrokerLog {
    /// Where the broker's log is; without, in the journal of nats-server.service
    #[arg(long, value_name = "FILE")]
    log: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
struct At {
    /// It is a worker, not a node
    #[arg(long)]
    worker: bool,
    /// Where keys and configuration are
    #[arg(long, value_name = "FOLDER", default_value = admin::FOLDER)]
    folder: PathBuf,
    /// Where the broker writes the number of its process: it is told at once. Without, reload it by hand
    #[arg(long, value_name = "FILE")]
    pid: Option<PathBuf>,
}

fn main() -> ExitCode {
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_ansi(false)
        .with_env_filter("info,async_nats=warn")
        .finish()
        .with(scanner::logging::keeper())
        .init();
    let command = Args::parse().command;
    // It has to do with no broker.
    if let Command::Workshop(workshop::Command::Supervise { command }) = &command {
        return supervise(command);
    }
    match run(command) {
        Ok(said) => {
            // Nobody may read it.
            let _ = std::io::stdout().write_all(said.as_bytes());
            ExitCode::SUCCESS
        }
        Err(message) => {
            let _ = writeln!(std::io::stderr(), "error: {message}");
            ExitCode::FAILURE
        }
    }
}

impl At {
    fn role(&self) -> Role {
        if self.worker { Role::Worker } else { Role::Node }
    }
}

fn run(command: Command) -> Result<String, String> {
    let runtime = || tokio::runtime::Runtime::new().map_err(|error| error.to_string());
    match command {
        Command::Node { config } => {
            let config = node::NodeConfig::read(&config)?;
            runtime()?.block_on(node::run(config)).map_err(|error| error.to_string())?;
            Ok(String::new())
        }
        Command::Init { listen, workshop, names, encrypted, plain, folder } => {
            let encryption = match (encrypted, plain) {
                (true, _) => Encryption::On,
                (false, true) => Encryption::Off,
                (false, false) => Encryption::AsFits,
            };
            let beginning = Beginning { listen, workshop: workshop.as_deref(), encryption, names: &names };
            admin::init(&folder, &beginning)
                .map(|begun| init::said(&begun))
                .map_err(|error| error.to_string())
        }
        Command::Invite { folder } => {
            Invitation::read(&folder).map(|told| told.lines()).map_err(|error| error.to_string())
        }
        Command::Accept { name, key, knocks, at } => {
            let key = match key {
                Some(key) => key,
                None => asked(&name, &knocks, &at)?,
            };
            let path = admin::accept(&at.folder, at.role(), name.clone(), &key)
                .map_err(|error| error.to_string())?;
            Ok(format!("{} {name} is accepted in {}{}\n", at.role(), path.display(), told(&at)?))
        }
        Command::Knocks { knocks, folder, json } => {
            let found = knocks.read(&folder)?;
            if json {
                let text = serde_json::to_string_pretty(&found).map_err(|error| error.to_string())?;
                return Ok(text + "\n");
            }
            if found.is_empty() {
                return Ok("nobody asks to be let in\n".to_owned());
            }
            let line = |Knock { role, name, key, address }: &Knock| {
                format!("{role} {name}  {key}  from {address}\n")
            };
            let lines: Vec<_> = found.iter().map(line).collect();
            Ok(lines.concat())
        }
        Command::Remove { name, at } => {
            let path = admin::remove(&at.folder, at.role(), &name).map_err(|error| error.to_string())?;
            Ok(format!("{} {name} is shut out in {}{}\n", at.role(), path.display(), told(&at)?))
        }
        Command::List { broker, key, json } => {
            let broker = Broker::beside(&key, broker.as_deref()).map_err(|error| error.to_string())?;
            let nodes = runtime()?.block_on(look::all(&broker, &key));
            let nodes = nodes.map_err(|error| error.to_string())?;
            if json {
                let text = serde_json::to_string_pretty(&nodes).map_err(|error| error.to_string())?;
                return Ok(text + "\n");
            }
            if nodes.is_empty() {
                return Err(format!(
                    "no node says at {} that it is there; who is not let in yet is shown by `scanner fleet knocks`",
                    broker.address()
                ));
            }
            let way = if broker.is_encrypted() { "encrypted" } else { "not encrypted" };
            let by = format!("by {}, {way}\n", broker.address());
            Ok(nodes.iter().map(line).chain([by]).collect())
        }
        Command::Report { broker, key } => {
            let broker = Broker::beside(&key, broker.as_deref()).map_err(|error| error.to_string())?;
            let reports = runtime()?.block_on(look::reports(&broker, &key));
            let reports = reports.map_err(|error| error.to_string())?;
            serde_json::to_string_pretty(&reports).map(|text| text + "\n").map_err(|error| error.to_string())
        }
        Command::Workshop(command) => runtime()?.block_on(workshop::run(command)),
    }
}

impl BrokerLog {
    fn read(&self, folder: &Path) -> Result<Vec<Knock>, String> {
        let said = |error: admin::AdminError| error.to_string();
        let fleet = admin::Fleet::read(folder).map_err(said)?;
        let log = knocks::log(self.log.as_deref()).map_err(said)?;
        Ok(knocks::of(&log, &fleet))
    }
}

/// The key by which `name` knocks, if it is the right one: that knows only who looks at both ends, since anybody may call himself so.
fn asked(name: &NodeName, knocks: &BrokerLog, at: &At) -> Result<String, String> {
    let (role, found) = (at.role(), knocks.read(&at.folder)?);
    let Knock { key, address, .. } = knocks::only(&found, role, name).map_err(|error| error.to_string())?;
    let question = format!(
        "{role} {name} asks from {address}, with the key\n  {key}\nIs that the key in its log? [y/N] "
    );
    let mut out = std::io::stdout();
    out.write_all(question.as_bytes()).and_then(|()| out.flush()).map_err(|error| error.to_string())?;
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer).map_err(|error| error.to_string())?;
    match answer.trim() {
        "y" | "Y" | "yes" => Ok(key.clone()),
        _no => Err(format!("{role} {name} is not let in")),
    }
}

fn told(at: &At) -> Result<&'static str, String> {
    match &at.pid {
        Some(pid) => {
            admin::reload(pid).map_err(|error| error.to_string())?;
            Ok(", and the broker was told")
        }
        None if at.folder == Path::new(admin::FOLDER) && admin::reload_unit() => {
            Ok(", and the broker was told")
        }
        None => Ok(": reload the broker (systemctl reload nats-server)"),
    }
}

/// One node, what is to be done about it, and a line for each of its cameras.
fn line(node: &Node) -> String {
    let (listed, what_to_do) = match node {
        Node::Silent { node, what_to_do } => return format!("{node}  says nothing: {what_to_do}\n"),
        Node::Here { listed, what_to_do } => (listed, what_to_do),
    };
    let Listed { said, clock_ahead_ms, clock_uncertainty_ms } = listed;
    let clock = match (clock_ahead_ms, clock_uncertainty_ms) {
        (Some(ahead), Some(unsure)) => format!("clock {ahead:+.2} ms, to {unsure:.2} ms"),
        (_, _) => "its clock is not known".to_owned(),
    };
    let node = format!("{}  version {}, up for {} s, {clock}\n", said.node, said.program, said.up_s);
    let cameras = said.cameras.iter().map(|camera| {
        let holder = camera.holder.as_deref().map_or("free".to_owned(), |holder| format!("used by {holder}"));
        format!("  {}/{}  {}, {holder}\n", said.node, camera.name, camera.driver)
    });
    let what_to_do = what_to_do.iter().map(|what| format!("  {what}\n"));
    std::iter::once(node).chain(what_to_do).chain(cameras).collect()
}
