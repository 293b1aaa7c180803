//! What nodes cost the lead. Numbers, not tests: nothing fails that is slow.
//!
//! `SCANNER_TEST_COST=1,4,16` makes a scan with so many nodes each, all of them at this machine; `SCANNER_TEST_COST_POINTS=12`,
//! `SCANNER_TEST_COST_SIZE=640x480`; `SCANNER_TEST_COST_PLAIN=1` without encryption. Axes and cameras take the time of real ones.

use std::collections::BTreeMap;
use std::process::Stdio;
use std::time::Duration;

use scanner_fleet::admin::Encryption;
use serde_json::Value;

use crate::bench::{Differences, Fleet};
use crate::deaths::processes;
use crate::support::Running;

/// How often is looked. Memory, which takes longer to look at, every so many rounds.
const ROUND: Duration = Duration::from_millis(100);
const MEMORY_ROUNDS: u32 = 10;

/// Of the lead's processes: scanner, its drivers, the broker.
#[derive(Debug, Clone, Copy, Default)]
struct Cost {
    daemon: f64,
    drivers: f64,
    broker: f64,
}

impl Cost {
    fn of(daemon: u32, broker: u32, drivers: &[i32], one: impl Fn(i32) -> f64) -> Self {
        let drivers = drivers.iter().map(|pid| one(*pid)).sum();
        Self { daemon: one(daemon as i32), drivers, broker: one(broker as i32) }
    }

    fn most(self, other: Self) -> Self {
        let Self { daemon, drivers, broker } = other;
        Self {
            daemon: self.daemon.max(daemon),
            drivers: self.drivers.max(drivers),
            broker: self.broker.max(broker),
        }
    }
}

/// Processor time of a process and its threads, in seconds.
fn work(pid: i32) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // Behind the name, which may be anything: user and system time are fields 14 and 15.
    let behind = stat.rsplit(')').next().unwrap_or_default();
    let ticks: f64 =
        behind.split_whitespace().skip(11).take(2).filter_map(|field| field.parse::<f64>().ok()).sum();
    ticks / rustix::param::clock_ticks_per_second() as f64
}

/// Its part of the machine's memory, in megabytes: what it shares is parted.
fn memory(pid: i32) -> f64 {
    let rollup = std::fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).unwrap_or_default();
    let kilobytes = rollup.lines().find_map(|line| line.strip_prefix("Pss:")?.trim().strip_suffix(" kB"));
    kilobytes.and_then(|text| text.parse::<f64>().ok()).unwrap_or_default() / 1e3 * 1.024
}

/// A scan with so many nodes: what it says itself, processor time over so many images, and the most memory.
fn scan(
    nodes: u32,
    points: u32,
    size: (u32, u32),
    encryption: Encryption,
) -> Option<(Value, Cost, usize, Cost)> {
    // All cameras of a point at once, not one batch after the other.
    let queue = format!("queue_depth = {}", nodes.max(4));
    let what = Differences {
        scan: &queue,
        angles: points,
        size: Some(size),
        time_scale: Some(1.0),
        nodes: Some(nodes),
        encryption,
        ..Differences::default()
    };
    let fleet = Fleet::new(&what)?;
    let broker = fleet.broker.as_ref().unwrap().id();
    let said = fleet.folder().join("said.json");
    let mut command = fleet.at_lead(&["scan", "--json"]);
    command.stdout(std::fs::File::create(&said).unwrap()).stderr(Stdio::null());
    let mut lead = Running::spawn(&mut command);
    let remote = || {
        let key = fleet.folder().join("fleet/lead.nk");
        processes("scanner-remote", key.to_str().unwrap())
    };
    let stored = || fleet.rig.scan_id().map_or(0, |id| fleet.images(&id).len());
    let (mut samples, mut most, mut rounds, mut worked) = (BTreeMap::new(), Cost::default(), 0_u32, 0.0);
    let code = loop {
        std::thread::sleep(ROUND);
        if let Some(status) = lead.try_wait().unwrap() {
            break status.code();
        }
        let drivers = remote();
        // From when on all of them take images, until the first of them ends.
        if drivers.len() == nodes as usize {
            let cost = Cost::of(lead.id(), broker, &drivers, work);
            // One that has just ended counts no more.
            if cost.drivers >= worked {
                worked = cost.drivers;
                samples.insert(stored(), cost);
            }
            if rounds.is_multiple_of(MEMORY_ROUNDS) {
                most = most.most(Cost::of(lead.id(), broker, &drivers, memory));
            }
        }
        rounds += 1;
    };
    assert_eq!(code, Some(0), "{}", fleet.log("said.json"));
    let id = fleet.rig.scan_id().unwrap();
    fleet.rig.assert_complete(&id, "cost");
    let said = serde_json::from_str(&fleet.log("said.json")).unwrap();
    // A scan is long enough to be looked at.
    let first = samples.range(nodes as usize..).next().map(|(count, cost)| (*count, *cost));
    let (first, last) = first.zip(samples.last_key_value()).unwrap();
    let per = |from: f64, to: f64| (to - from) * 1e3 / (last.0 - first.0).max(1) as f64;
    let shot = Cost {
        daemon: per(first.1.daemon, last.1.daemon),
        drivers: per(first.1.drivers, last.1.drivers),
        broker: per(first.1.broker, last.1.broker),
    };
    Some((said, shot, last.0 - first.0, most))
}

#[test]
fn what_nodes_cost_the_lead() {
    let Ok(sizes) = std::env::var("SCANNER_TEST_COST") else {
        println!("SCANNER_TEST_COST=1,4,16 measures what nodes cost");
        return;
    };
    let points = std::env::var("SCANNER_TEST_COST_POINTS").map_or(12, |text| text.parse().unwrap());
    let size = std::env::var("SCANNER_TEST_COST_SIZE").unwrap_or("640x480".into());
    let (width, height) = size.split_once('x').unwrap();
    let size = (width.parse().unwrap(), height.parse().unwrap());
    let is_plain = std::env::var_os("SCANNER_TEST_COST_PLAIN").is_some();
    let (encryption, way) =
        if is_plain { (Encryption::Off, "not encrypted") } else { (Encryption::On, "encrypted") };
    for nodes in sizes.split(',') {
        let cost = scan(nodes.parse().unwrap(), points, size, encryption);
        let Some((said, shot, images, most)) = cost else { return };
        let timing = &said["timing"];
        let seconds = |key: &str| timing[key].as_f64().unwrap();
        let floor: f64 =
            ["moving", "settling", "frame_wait", "exposing", "readout"].into_iter().map(seconds).sum();
        let wall = seconds("wall");
        println!(
            "{nodes} nodes, {way}, {points} points of {size:?}: ms of processor a shot (over {images}): scanner {:.1}, drivers {:.1}, broker \
             {:.1}; MB: scanner {:.1}, drivers {:.1}, broker {:.1}; wall {wall:.2} s over floor {floor:.2} s = {:.3}; of it waits for \
             a frame {:.2} s, for a place {:.2} s; software a point {:.0} ms, recovering {:.2} s, finishing {:.2} s; attempts {}",
            shot.daemon,
            shot.drivers,
            shot.broker,
            most.daemon,
            most.drivers,
            most.broker,
            wall / floor,
            seconds("frame_wait"),
            seconds("queueing"),
            seconds("software_median") * 1e3,
            seconds("recovering"),
            seconds("finishing"),
            said["attempts"],
        );
    }
}
