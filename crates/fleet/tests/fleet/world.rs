//! Machines that are network namespaces: a lead, nodes, and a switch with a cable to each. They have no names and are held by
//! processes of their own, which the kernel ends with the test: whatever becomes of that, nothing is left.

use std::io::Write as _;
use std::process::{Child, Command, Stdio};

use crate::bench::{Places, command, wait_for};
use crate::support::{Running, skipped};

/// The kernel ends what is started by this when who has started it ends.
const MORTAL: [&str; 3] = ["setpriv", "--pdeathsig", "KILL"];
/// The lead's address, at which the broker listens.
const LEAD: &str = "10.0.0.1";
const BROKER_PORT: u16 = 4222;

/// A namespace, for as long as this is there.
struct Machine(Running);

impl Machine {
    fn new() -> Self {
        let mut command = Command::new(MORTAL[0]);
        command.args(&MORTAL[1..]).args(["unshare", "--net", "sleep", "infinity"]);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let machine = Self(Running::spawn(&mut command));
        let own = std::fs::read_link("/proc/self/ns/net").unwrap();
        let path = format!("/proc/{}/ns/net", machine.pid());
        wait_for("a network namespace", || std::fs::read_link(&path).is_ok_and(|other| other != own));
        machine
    }

    fn pid(&self) -> u32 {
        self.0.id()
    }

    /// What starts a program there, whose process has the number of who was started.
    fn launcher(&self) -> Vec<String> {
        let within = format!("--net=/proc/{}/ns/net", self.pid());
        MORTAL.into_iter().map(str::to_owned).chain(["nsenter".into(), within]).collect()
    }

    fn spawn(&self, program: &[&str], configure: impl FnOnce(&mut Command)) -> Child {
        let mut command = command(&self.launcher());
        command.args(program);
        configure(&mut command);
        command.spawn().unwrap()
    }

    /// Runs a command there.
    fn run(&self, program: &str) {
        let words: Vec<_> = program.split(' ').collect();
        let output = self.spawn(&words, |command| {
            command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        });
        let output = output.wait_with_output().unwrap();
        assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
    }

    /// Runs lines of `ip` there.
    fn ip(&self, lines: &str) {
        let mut ip = self.spawn(&["ip", "-batch", "-"], |command| {
            command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
        });
        ip.stdin.take().unwrap().write_all(lines.as_bytes()).unwrap();
        let output = ip.wait_with_output().unwrap();
        assert!(output.status.success(), "{lines}: {}", String::from_utf8_lossy(&output.stderr));
    }
}

/// Whose cable it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cable {
    Lead,
    Node(usize),
}

pub(crate) struct World {
    switch: Machine,
    lead: Machine,
    nodes: Vec<Machine>,
}

impl World {
    /// None where there may be none, which it says.
    pub(crate) fn new(nodes: usize) -> Option<Self> {
        let is_root = rustix::process::geteuid().is_root();
        let has = |program: &str| Command::new(program).arg("-V").stdout(Stdio::null()).status().is_ok();
        if !is_root || !["setpriv", "unshare", "nsenter", "ip", "tc"].into_iter().all(has) {
            skipped("machines of their own need root, util-linux and iproute2");
            return None;
        }
        let (switch, lead) = (Machine::new(), Machine::new());
        let nodes: Vec<_> = (0..nodes).map(|_| Machine::new()).collect();
        switch.ip("link add name switch type bridge\nlink set switch up\n");
        let world = Self { switch, lead, nodes };
        for (index, machine) in std::iter::once(&world.lead).chain(&world.nodes).enumerate() {
            let (port, pid) = (format!("port{index}"), machine.pid());
            world.switch.ip(&format!(
                "link add name {port} type veth peer name cable netns {pid}\nlink set {port} master switch\n\
                 link set {port} up\n"
            ));
            let number = index + 1;
            machine.ip(&format!(
                "address add 10.0.0.{number}/24 dev cable\nlink set cable up\nlink set lo up\n"
            ));
        }
        Some(world)
    }

    /// Where the programs of a fleet are.
    pub(crate) fn places(&self) -> Places {
        Places {
            host: LEAD.into(),
            port: Some(BROKER_PORT),
            lead: self.lead.launcher(),
            nodes: self.nodes.iter().map(Machine::launcher).collect(),
        }
    }

    fn machine(&self, cable: Cable) -> (&Machine, String) {
        match cable {
            Cable::Lead => (&self.lead, "port0".into()),
            Cable::Node(index) => (&self.nodes[index], format!("port{}", index + 1)),
        }
    }

    /// The cable is pulled, which both ends see, or put back.
    pub(crate) fn set_up(&self, cable: Cable, is_up: bool) {
        let state = if is_up { "up" } else { "down" };
        self.switch.ip(&format!("link set {} {state}\n", self.machine(cable).1));
    }

    /// The switch passes nothing on, which neither end sees, or does so again.
    pub(crate) fn set_connected(&self, cable: Cable, is_connected: bool) {
        let switch = if is_connected { "master switch" } else { "nomaster" };
        self.switch.ip(&format!("link set {} {switch}\n", self.machine(cable).1));
    }

    /// The cable takes so many kilobits a second, either way; any number if none.
    pub(crate) fn set_rate(&self, cable: Cable, kbit: Option<u32>) {
        let (machine, port) = self.machine(cable);
        for (machine, device) in [(machine, "cable"), (&self.switch, &port)] {
            machine.run(&match kbit {
                Some(kbit) => {
                    format!("tc qdisc replace dev {device} root tbf rate {kbit}kbit burst 16kb latency 400ms")
                }
                None => format!("tc qdisc del dev {device} root"),
            });
        }
    }

    /// Each frame takes so many milliseconds more, either way, and up to `jitter` more than that, until [`Self::shorten`]: what
    /// netem does, which not every kernel has.
    pub(crate) fn lengthen(&self, cable: Cable, ms: u32, jitter: u32) -> Running {
        let port = self.machine(cable).1;
        self.switch.ip(&format!(
            "link set {port} nomaster\nlink add name {port}a type veth peer name {port}b\n\
             link set {port}a up\nlink set {port}b master switch\nlink set {port}b up\n"
        ));
        let program = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fleet/delay.py");
        let (ms, jitter, aside) = (ms.to_string(), jitter.to_string(), format!("{port}a"));
        let mut command = command(&self.switch.launcher());
        command.args(["python3", program, &port, &aside, &ms, &jitter]).stdin(Stdio::null());
        Running::spawn(&mut command)
    }

    /// The way is as short as before.
    pub(crate) fn shorten(&self, cable: Cable, way: Running) {
        drop(way);
        let port = self.machine(cable).1;
        self.switch.ip(&format!("link del {port}a\nlink set {port} master switch\n"));
    }
}
