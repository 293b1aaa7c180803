//! A node behind a network of its own, which is slow, or is not there for a while.

use std::process::{Command, Stdio};
use std::time::Duration;

use crate::bench::{Differences, Fleet, Places, find, wait_for};
use crate::support::{Finished, Running, skipped};
use crate::world::{Cable, World};

/// A network namespace, with a cable to it. It ends with this.
struct Network {
    name: String,
    /// Of its addresses: no other test has these.
    subnet: u32,
}

impl Network {
    /// None where none may be made, which it says.
    fn new(letter: char) -> Option<Self> {
        let name = format!("scn{letter}{}", std::process::id() % 100_000);
        if !run(&["ip", "netns", "add", &name]) {
            skipped("a network of its own needs CAP_NET_ADMIN and iproute2");
            return None;
        }
        let network = Self { name, subnet: u32::from(letter) };
        let (here, there) = (network.here(), format!("{}b", network.name));
        let cable =
            ["ip", "link", "add", &here, "type", "veth", "peer", "name", &there, "netns", &network.name];
        assert!(run(&cable), "no cable");
        for command in [
            &["ip", "addr", "add", &format!("{}/30", network.broker()), "dev", &here][..],
            &["ip", "link", "set", &here, "up"],
            &[
                "ip",
                "-n",
                &network.name,
                "addr",
                "add",
                &format!("10.213.{}.2/30", network.subnet),
                "dev",
                &there,
            ],
            &["ip", "-n", &network.name, "link", "set", &there, "up"],
        ] {
            assert!(run(command), "{command:?}");
        }
        Some(network)
    }

    fn here(&self) -> String {
        format!("{}a", self.name)
    }

    /// The broker's address.
    fn broker(&self) -> String {
        format!("10.213.{}.1", self.subnet)
    }

    /// The node is at the other end.
    fn places(&self) -> Places {
        let launcher = ["ip", "netns", "exec", &self.name].map(str::to_owned).to_vec();
        Places { host: self.broker(), nodes: vec![launcher], ..Places::default() }
    }

    /// The cable is pulled, or put back.
    fn set(&self, state: &str) {
        assert!(run(&["ip", "link", "set", &self.here(), state]));
    }

    /// What comes from the node comes by `discipline` of tc; false where the kernel has none such.
    fn shape(&self, discipline: &[&str]) -> bool {
        let there = format!("{}b", self.name);
        let tc = ["tc", "-n", &self.name, "qdisc", "replace", "dev", &there, "root"];
        run(&[&tc[..], discipline].concat())
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        run(&["ip", "netns", "del", &self.name]);
        // The cable ends with its other end, unless that has ended before.
        run(&["ip", "link", "del", &self.here()]);
    }
}

fn run(command: &[&str]) -> bool {
    let mut command = {
        let mut run = Command::new(command[0]);
        run.args(&command[1..]);
        run
    };
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

/// Half a megabyte by 20 Mbit/s takes a fifth of a second, with the cable pulled in the middle for longer than a session lasts.
#[test]
fn a_scan_outlives_a_slow_link_and_a_pulled_cable() {
    let Some(network) = Network::new('p') else { return };
    let what = Differences {
        angles: 12,
        size: Some((640, 480)),
        time_scale: Some(10.0),
        places: Some(network.places()),
        ..Differences::default()
    };
    let Some(fleet) = Fleet::new(&what) else { return };
    if !network.shape(&["tbf", "rate", "20mbit", "burst", "32kb", "latency", "200ms"]) {
        println!("this kernel has no tbf: the link is fast");
    }
    let scan = Running::spawn(&mut fleet.rig.command(&["scan", "--json"]));
    let stored = || fleet.rig.scan_id().map_or(0, |id| fleet.images(&id).len());
    wait_for("images", || stored() >= 4);
    network.set("down");
    std::thread::sleep(Duration::from_secs(6));
    network.set("up");
    let scan = scan.finish();
    assert_eq!(scan.code, Some(0), "{}\n{}", scan.stderr, fleet.log("node0.log"));
    let id = fleet.rig.scan_id().unwrap();
    fleet.rig.assert_complete(&id, "a pulled cable");
    assert_eq!(stored(), 12);
    assert!(scan.stderr.contains("nothing was heard of node node0"), "{}", scan.stderr);
}

/// Ways of 5 ms there and back: the clock is as unsure as that, and says so.
#[test]
fn a_long_way_makes_the_clock_unsure_and_nothing_else() {
    let Some(world) = World::new(1) else { return };
    let way = world.lengthen(Cable::Node(0), 5, 1);
    let what = Differences { angles: 6, places: Some(world.places()), ..Differences::default() };
    let Some(fleet) = Fleet::new(&what) else { return };
    let scan = Finished::from(fleet.at_lead(&["scan", "--json"]).output().unwrap());
    world.shorten(Cable::Node(0), way);
    assert_eq!(scan.code, Some(0), "{}\n{}", scan.stderr, fleet.log("node0.log"));
    for image in fleet.images(&fleet.rig.scan_id().unwrap()) {
        assert!(find(&image, "clock_uncertainty_us").unwrap().as_u64().unwrap() >= 4_500, "{image}");
    }
}
