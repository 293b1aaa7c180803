//! Many faults, and nothing left behind: no thread, no descriptor, no process, no pid file.
//!
//! `SCANNER_TEST_FAULTS` is how many (200 if unset).

#![expect(clippy::unwrap_used, unreachable_pub, reason = "a test")]

#[path = "camera/bench.rs"]
#[expect(dead_code, reason = "shared with another test")]
mod bench;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bench::{Bench, now_ns};
use scanner::config::Rung;
use scanner::plan::ShotIndex;
use scanner::rig::camera::Counters;
use serde_json::json;
use tokio::task::JoinSet;

/// Most faults cost a time-out and hardly any work.
const CAMERAS: u64 = 20;

#[test]
fn nothing_is_left_behind_after_many_faults() {
    let faults: u64 = std::env::var("SCANNER_TEST_FAULTS").map_or(200, |count| count.parse().unwrap());
    // Threads for blocking calls end when idle, so those that remain hang.
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .thread_keep_alive(Duration::from_millis(10))
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        // The runtime's threads name themselves a moment after they were started.
        tokio::time::sleep(Duration::from_millis(100)).await;
        let at_work = Belongings::now();
        let bench = Arc::new(Bench::new());
        let mut cameras = JoinSet::new();
        for camera in 0..CAMERAS {
            let bench = Arc::clone(&bench);
            cameras.spawn(async move { fail(&bench, camera, faults.div_ceil(CAMERAS)).await });
        }
        let mut failed = 0;
        let mut respawns = 0;
        while let Some(counters) = cameras.join_next().await {
            let counters = counters.unwrap();
            failed += counters.failed.values().sum::<u64>();
            respawns += counters.respawns;
        }
        assert!(failed >= faults, "{failed} attempts failed");
        assert!(respawns > 0);
        let left: Vec<_> = fs::read_dir(bench.directory.path())
            .unwrap()
            .flatten()
            .filter(|entry| entry.path().extension().is_some())
            .collect();
        assert!(left.is_empty(), "{left:?}");
        drop(bench);
        let now = Belongings::now;
        let begun = Instant::now();
        while now() != at_work {
            assert!(
                begun.elapsed() < Duration::from_secs(30),
                "left behind:\n{:#?}\nbefore:\n{at_work:#?}",
                now()
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        println!("{failed} attempts failed, {respawns} drivers were respawned, nothing was left behind");
    });
}

/// Takes pictures until `faults` attempts have failed: a restart after the first failure in a row, a respawn
/// after each further one and after a restart that did not help.
async fn fail(bench: &Bench, number: u64, faults: u64) -> Counters {
    let name = format!("cam{number}");
    let camera = bench.simulated(
        &name,
        json!({
            "time_scale": 20.0,
            "seed": number,
            "random_faults": 0.8,
            "fault_state": bench.directory.path().join(&name),
        }),
    );
    let mut lease = camera.lease("test").unwrap();
    lease.open().await.unwrap();
    let (mut shot, mut failed, mut in_a_row) = (0, 0, 0);
    while failed < faults {
        if let Ok(_frame) = lease.capture(ShotIndex(shot), now_ns()).await {
            shot += 1;
            in_a_row = 0;
            continue;
        }
        failed += 1;
        in_a_row += 1;
        if in_a_row > 1 || lease.recover(Rung::Restart).await.is_err() {
            lease.recover(Rung::Respawn).await.unwrap();
        }
    }
    lease.close().await;
    camera.status().counters
}

/// What this process has: names of its threads (the runtime may replace its own by others), its open descriptors, its children.
#[derive(Debug, PartialEq, Eq)]
struct Belongings {
    threads: Vec<String>,
    descriptors: BTreeSet<String>,
    children: BTreeSet<String>,
}

impl Belongings {
    fn now() -> Self {
        let names = |folder| fs::read_dir(folder).unwrap().flatten().map(|entry| entry.file_name());
        let mut threads: Vec<_> = names("/proc/self/task")
            .filter_map(|id| fs::read_to_string(Path::new("/proc/self/task").join(id).join("comm")).ok())
            .collect();
        threads.sort();
        let is_child = |stat: &String| {
            let parent = stat.rsplit_once(')').and_then(|(_, rest)| rest.split_whitespace().nth(1));
            parent == Some(&std::process::id().to_string())
        };
        let stats = fs::read_dir("/proc").unwrap().flatten();
        let stats = stats.filter_map(|entry| fs::read_to_string(entry.path().join("stat")).ok());
        let children = stats.filter(is_child).collect();
        let descriptors = names("/proc/self/fd")
            .filter_map(|number| {
                let target = fs::read_link(Path::new("/proc/self/fd").join(&number)).ok()?;
                Some((number, target))
            })
            .filter(|(_, target)| !target.ends_with("fd"))
            .map(|(number, target)| format!("{}: {}", number.display(), target.display()))
            .collect();
        Self { threads, descriptors, children }
    }
}
