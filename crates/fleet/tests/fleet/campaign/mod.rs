//! Many nodes, and a scan in which lead, nodes, broker and the ways between them fail at random: no image is lost, none is there twice,
//! and the scan says complete when it is, and only then. The seed makes the faults; how they fall upon the scan is the machine's.
//!
//! `SCANNER_TEST_CAMPAIGN=5` makes five runs of 16 nodes and 144 points (`SCANNER_TEST_CAMPAIGN_NODES`, `_POINTS`, `_FAULTS`), from
//! the seed `SCANNER_TEST_SEED` on, and prints how long each camera was without an image. `SCANNER_TEST_KEEP=FOLDER` keeps what
//! a run that fails has left.

mod faults;
mod ledger;
mod run;

use std::collections::BTreeMap;
use std::time::Instant;

use crate::bench::{Differences, Fleet, wait_for};
use crate::deaths::processes;
use crate::world::World;

use faults::{ALL, Chance, Fault, Kind, schedule};
use run::{Recovery, Run};

/// What a run is made of.
struct Plan {
    seed: u64,
    nodes: usize,
    points: u32,
    faults: Vec<Fault>,
    attempts: u32,
    clocks: Vec<String>,
}

fn setting(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).map_or(otherwise, |text| text.parse().unwrap())
}

/// A short run: one fault of each of the kinds that take most down.
#[test]
fn nodes_lead_and_broker_that_are_killed_and_cables_that_are_pulled_cost_no_image() {
    let seed = setting("SCANNER_TEST_SEED", 1);
    let (nodes, points) = (3, 8);
    let mut chance = Chance(seed);
    let kinds = [Kind::NodeKilled, Kind::LeadKilled, Kind::BrokerKilled, Kind::CableOfNodePulled];
    let faults = schedule(&mut chance, &kinds, 4, nodes, nodes * points as usize, 1.5, false);
    let plan = Plan { seed, nodes, points, faults, attempts: 12, clocks: clocks(&mut chance, nodes) };
    drop(campaign(&plan));
}

/// Many long runs, where they are asked for.
#[test]
fn campaigns_of_random_faults_cost_no_image() {
    let Ok(runs) = std::env::var("SCANNER_TEST_CAMPAIGN") else {
        println!("SCANNER_TEST_CAMPAIGN=1 makes a long run with 16 nodes");
        return;
    };
    let runs: u64 = runs.parse().unwrap();
    let first = setting("SCANNER_TEST_SEED", 1);
    let mut recoveries = Vec::new();
    for seed in first..first + runs {
        let mut chance = Chance(seed);
        let nodes = setting("SCANNER_TEST_CAMPAIGN_NODES", 16) as usize;
        let points = setting("SCANNER_TEST_CAMPAIGN_POINTS", 144) as u32;
        let count = setting("SCANNER_TEST_CAMPAIGN_FAULTS", 14) as usize;
        let faults = schedule(&mut chance, &ALL, count, nodes, nodes * points as usize, 9.0, true);
        // With few, shots fail, and are to be taken by a resume.
        let attempts = [2, 12][chance.below(2)];
        let clocks = clocks(&mut chance, nodes);
        let Some(more) = campaign(&Plan { seed, nodes, points, faults, attempts, clocks }) else { return };
        recoveries.extend(more);
    }
    println!("\nOf {runs} runs from seed {first} on, seconds to the next image of a camera:");
    table(&recoveries);
}

/// Each clock is another one's.
fn clocks(chance: &mut Chance, nodes: usize) -> Vec<String> {
    let clock = |_| format!("offset_ms={},drift_ppm={}", chance.below(7_200_000), chance.below(200));
    (0..nodes).map(clock).collect()
}

/// Makes a run; none where there may be none.
fn campaign(plan: &Plan) -> Option<Vec<Recovery>> {
    let Plan { seed, nodes, points, faults, attempts, clocks } = plan;
    println!("seed {seed}: {nodes} nodes, {points} points, {attempts} attempts");
    let world = World::new(*nodes)?;
    let mut fleet = Fleet::new(&Differences {
        angles: *points,
        size: Some((160, 120)),
        time_scale: Some(10.0),
        nodes: Some(*nodes as u32),
        // A camera of 20 frames a second, which leaves the machine time.
        options: "frame_period = \"500 ms\"",
        clocks: clocks.clone(),
        places: Some(world.places()),
        attempts: Some(*attempts),
        ..Differences::default()
    })?;
    let folder = fleet.folder().to_str().unwrap().to_owned();
    let begun = Instant::now();
    let mut run = Run::new(&mut fleet, &world, *nodes, *points, faults);
    let ended = run.until_complete();
    let (recoveries, wrong) = run.close(ended);
    println!("seed {seed}: {:.0} s", begun.elapsed().as_secs_f64());
    table(&recoveries);
    if !wrong.is_empty() {
        if let Ok(kept) = std::env::var("SCANNER_TEST_KEEP") {
            let kept = std::path::Path::new(&kept).join(format!("seed-{seed}"));
            std::fs::create_dir_all(&kept).unwrap();
            let copied = std::process::Command::new("cp").arg("-a").arg(&folder).arg(&kept).status();
            assert!(copied.unwrap().success());
        }
        let log = fleet.log("lead.log");
        let end: Vec<_> = log.lines().rev().take(40).collect();
        let end: Vec<_> = end.into_iter().rev().collect();
        panic!("seed {seed}: {}\nthe end of the lead's log:\n{}", wrong.join("\n"), end.join("\n"));
    }
    drop(fleet);
    drop(world);
    for program in ["scanner", "scanner-remote", "scanner-fleet", "scanner-sim", "nats-server"] {
        wait_for("every process to end", || processes(program, &folder).is_empty());
    }
    Some(recoveries)
}

/// Prints how long it took, of each kind of fault.
fn table(recoveries: &[Recovery]) {
    println!("  {:18} {:>7}  {:>24}  {:>24}", "", "cameras", "from the fault", "from the end of all faults");
    let mut kinds: BTreeMap<Kind, Vec<&Recovery>> = BTreeMap::new();
    for recovery in recoveries {
        kinds.entry(recovery.kind).or_default().push(recovery);
    }
    let row = |name: &str, of: &[&Recovery]| {
        let numbers = |of: Vec<f64>| {
            let mut of = of;
            of.sort_by(f64::total_cmp);
            match (of.get(of.len() / 2), of.last()) {
                (Some(median), Some(worst)) => format!("median {median:5.1}, worst {worst:5.1}"),
                (_, _) => "-".to_owned(),
            }
        };
        let from = numbers(of.iter().map(|recovery| recovery.from_begin).collect());
        let after = numbers(of.iter().filter_map(|recovery| recovery.after_end).collect());
        println!("  {name:18} {:>7}  {from:>24}  {after:>24}", of.len());
    };
    for (kind, of) in &kinds {
        row(&format!("{kind:?}"), of);
    }
    row("all", &recoveries.iter().collect::<Vec<_>>());
}
