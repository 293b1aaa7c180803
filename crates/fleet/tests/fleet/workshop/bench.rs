//! A rig with one small scan, a broker with a workshop, and workers.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use scanner_fleet::admin::{self, Beginning, Encryption, Invitation, Role};
use scanner_fleet::keys;
use scanner_fleet::workshop::job::JobId;
use scanner_fleet::workshop::records::Record;
use scanner_fleet::workshop::shop::Shop;
use scanner_fleet::workshop::state::State;

use crate::bench::{broker_program, wait_for};
use crate::support::{self, Finished, Recipe, Running, TestRig};

/// A worker that is silent for so long is taken for dead.
const ACK_WAIT: Duration = Duration::from_secs(2);
/// A command that leaves a model and a picture.
pub(crate) const GOOD: &str =
    "cp {dataset}/plan.json {out}/model.ply; echo picture > {out}/picture.png; echo made";

pub(crate) struct Workshop {
    pub(crate) rig: TestRig,
    pub(crate) broker: Option<Running>,
    /// The scan's id.
    pub(crate) scan: String,
    port: u16,
    invitation: Invitation,
    workers: Vec<(String, Running)>,
}

impl Workshop {
    /// Everything but workers runs, of which those `named` are let in; none if there is no broker to be had here.
    pub(crate) fn new(named: &[&str]) -> Option<Self> {
        Self::by(named, Encryption::AsFits)
    }

    /// The same, encrypted or not.
    pub(crate) fn by(named: &[&str], encryption: Encryption) -> Option<Self> {
        if broker_program().is_none() {
            support::skipped("the workshop needs nats-server");
            return None;
        }
        let recipe = Recipe { cameras: 1, angles: 3, size: (64, 48), time_scale: 100.0, ..Recipe::default() };
        let rig = TestRig::new(&recipe).without_model();
        let done = rig.run(&["scan", "--json"]);
        assert_eq!(done.code, Some(0), "{}", done.stderr);
        let scan = rig.scan_id().unwrap();
        let port = TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port();
        let folder = rig.dir.path().to_owned();
        let (fleet, store) = (folder.join("fleet"), folder.join("jetstream"));
        let beginning = Beginning::at(format!("127.0.0.1:{port}").parse().unwrap());
        let beginning = Beginning { workshop: Some(&store), encryption, ..beginning };
        let invitation = admin::init(&fleet, &beginning).unwrap().invitation;
        let mut workshop = Self { rig, broker: None, scan, port, invitation, workers: Vec::new() };
        for name in named {
            let key = keys::load_or_make(&workshop.folder().join(format!("{name}.nk"))).unwrap();
            admin::accept(&fleet, Role::Worker, name.parse().unwrap(), &key.public).unwrap();
        }
        let node = keys::load_or_make(&workshop.folder().join("node.nk")).unwrap();
        admin::accept(&fleet, Role::Node, "left".parse().unwrap(), &node.public).unwrap();
        workshop.start_broker();
        workshop.with(async |_| {});
        Some(workshop)
    }

    pub(crate) fn address(&self) -> String {
        self.invitation.broker.clone()
    }

    pub(crate) fn folder(&self) -> &Path {
        self.rig.dir.path()
    }

    /// The scan's folder.
    pub(crate) fn dataset(&self) -> PathBuf {
        self.rig.scans().join(&self.scan)
    }

    pub(crate) fn key(&self) -> PathBuf {
        self.folder().join("fleet/workshop.nk")
    }

    /// The broker's `JetStream`, as the rig has it.
    pub(crate) async fn jetstream(&self) -> async_nats::jetstream::Context {
        let seed = keys::load(&self.key()).unwrap().seed;
        let client = async_nats::ConnectOptions::with_nkey(seed).connect(self.address()).await.unwrap();
        async_nats::jetstream::new(client)
    }

    pub(crate) fn start_broker(&mut self) {
        let mut command = Command::new(broker_program().unwrap());
        command.arg("--config").arg(self.folder().join("fleet/nats-server.conf"));
        let log =
            std::fs::File::options().create(true).append(true).open(self.folder().join("nats.log")).unwrap();
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        self.broker = Some(Running::spawn(&mut command));
        let port = self.port;
        wait_for("the broker", || std::net::TcpStream::connect(("127.0.0.1", port)).is_ok());
    }

    /// What `does` gets of the workshop, as the rig.
    pub(crate) fn with<T>(&self, does: impl AsyncFnOnce(Shop) -> T) -> T {
        tokio::runtime::Runtime::new().unwrap().block_on(async {
            let mut tries = 0;
            let shop = loop {
                match Shop::of_rig(None, &self.key(), ACK_WAIT).await {
                    Ok(shop) => break shop,
                    // JetStream is there a little later than the port.
                    Err(error) => assert!(tries < 100, "{error}"),
                }
                tries += 1;
                tokio::time::sleep(Duration::from_millis(100)).await;
            };
            does(shop).await
        })
    }

    /// `scanner-fleet` with these arguments, as the rig.
    pub(crate) fn run(&self, arguments: &[&str]) -> Finished {
        let mut command = Command::new(env!("CARGO_BIN_EXE_scanner-fleet"));
        command.args(arguments).arg("--broker").arg(self.address()).arg("--key").arg(self.key());
        command.output().unwrap().into()
    }

    pub(crate) fn offer(&self) -> String {
        let done = self.run(&["offer", self.dataset().to_str().unwrap()]);
        assert_eq!(done.code, Some(0), "{}", done.stderr);
        done.stdout
    }

    pub(crate) fn fetch(&self) -> Finished {
        self.run(&["fetch-results", "--scans", self.rig.scans().to_str().unwrap()])
    }

    /// The only job that there is.
    pub(crate) fn job(&self) -> (JobId, Record) {
        let mut jobs = self.with(async |shop| shop.jobs().await.unwrap());
        assert_eq!(jobs.len(), 1, "{jobs:?}");
        jobs.remove(0)
    }

    pub(crate) fn state(&self) -> State {
        self.job().1.standing.state
    }

    pub(crate) fn wait_until(&self, what: &str, mut holds: impl FnMut(&State) -> bool) {
        wait_for(what, || holds(&self.state()));
    }

    /// The messages that lie in `stream`.
    pub(crate) fn messages(&self, stream: &str) -> u64 {
        self.with(async |_| {
            let jetstream = self.jetstream().await;
            jetstream.get_stream(stream).await.unwrap().cached_info().state.messages
        })
    }

    /// Starts the worker `name`, whose command is the line of shell `does`.
    pub(crate) fn worker(&mut self, name: &str, does: &str, more: &str) {
        self.worker_by(&[], name, does, more);
    }

    /// As [`Self::worker`], started by `launcher`.
    pub(crate) fn worker_by(&mut self, launcher: &[&str], name: &str, does: &str, more: &str) {
        let keep_free = if more.contains("keep_free_mb") { "" } else { "keep_free_mb = 1" };
        let text = format!(
            "name = \"{name}\"\n{}key = \"{name}.nk\"\nscratch = \"{name}-scratch\"\npause_s = 0.3\n\
             {keep_free}\ncommand = [\"/bin/sh\", \"-c\", '''{does}''']\n{more}\n",
            self.invitation.lines()
        );
        let config = format!("{name}.toml");
        std::fs::write(self.folder().join(&config), text).unwrap();
        let program = env!("CARGO_BIN_EXE_scanner-fleet");
        let all: Vec<&str> = launcher.iter().copied().chain([program, "work", "--config", &config]).collect();
        let log = self.folder().join(format!("{name}.log"));
        let log = std::fs::File::options().create(true).append(true).open(log).unwrap();
        let mut command = Command::new(all[0]);
        command.args(&all[1..]).current_dir(self.folder());
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        self.workers.push((name.to_owned(), Running::spawn(&mut command)));
    }

    /// Sends `signal` to the worker `name`.
    pub(crate) fn signal(&self, name: &str, signal: Signal) {
        let (_, worker) = self.workers.iter().find(|(own, _)| own == name).unwrap();
        kill_process(Pid::from_child(worker), signal).unwrap();
    }

    /// Kills the worker `name`.
    pub(crate) fn kill(&mut self, name: &str) {
        let before = self.workers.len();
        self.workers.retain(|(own, _)| own != name);
        assert!(self.workers.len() < before, "there is no {name}");
    }

    pub(crate) fn log(&self, name: &str) -> String {
        std::fs::read_to_string(self.folder().join(format!("{name}.log"))).unwrap_or_default()
    }

    /// What lies in the folder of the job beside the scan.
    pub(crate) fn results(&self) -> PathBuf {
        self.dataset().join("workshop").join(self.job().0.as_str())
    }
}

/// A command that says in the file `begun` of the tests' folder that it has begun, waits for the file `go` there, and then does well.
pub(crate) fn gated(folder: &Path, name: &str) -> String {
    let folder = folder.display();
    format!("echo $$ > {folder}/begun-{name}; while [ ! -e {folder}/go ]; do sleep 0.05; done; {GOOD}")
}

/// The process of the command of the worker `name`, once it has begun.
pub(crate) fn begun(folder: &Path, name: &str) -> i32 {
    let path = folder.join(format!("begun-{name}"));
    let read = || std::fs::read_to_string(&path).ok()?.trim().parse().ok();
    wait_for("the command", || read().is_some());
    read().unwrap()
}
