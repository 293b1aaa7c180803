//! A call into the camera that never returns, in each phase: given up by itself, and the scan goes on. The figures are printed; no
//! duration is asserted.

use std::fs;
use std::process::{Child, Stdio};
use std::time::Duration;

use scanner::clock::now_ns;
use serde_json::json;

use crate::bench::{Bench, Stage};
use crate::client::wait_for;
use crate::support::Running;

const POINTS: u32 = 4;
const RECOVERY: &str = "capture_timeout = \"2 s\"\nattempts = 5\nstart_timeout = \"6 s\"";
const SERIAL: &str = "1000";

/// What a hang has cost.
struct Figures {
    /// From its begin until a new driver has the camera, or until the program has ended without it.
    given_up: Duration,
    /// From its begin until the next image is on the disk.
    next_image: Duration,
}

fn opened(bench: &Bench) -> usize {
    bench.noted(0, &format!("opened-{SERIAL}")).map_or(0, |noted| noted.len())
}

fn images(bench: &Bench) -> usize {
    let folder = bench.rig.scan_id().map(|id| bench.rig.scans().join(id).join("images/cam0"));
    let names = folder.and_then(|folder| fs::read_dir(folder).ok()).into_iter().flatten().flatten();
    names.filter(|entry| entry.path().extension().is_some_and(|ending| ending == "jpg")).count()
}

/// When the camera began to hang, on `CLOCK_MONOTONIC`.
fn hangs_since(noted: Option<String>) -> Option<u64> {
    noted?.parse().ok()
}

fn since(ns: u64) -> Duration {
    Duration::from_nanos(now_ns().saturating_sub(ns))
}

fn with_fault(kind: &str, at: u64) -> Bench {
    let mut bench = Bench::with(1, POINTS, RECOVERY, if kind == "hang_set" { "gain = 8.0" } else { "" });
    bench.set(0, "controls", json!(kind == "hang_set"));
    bench.set(0, "live_view", json!(true));
    bench.set(0, "faults", json!([{ "kind": kind, "at": at }]));
    bench
}

fn scan(bench: &Bench) -> Running {
    Running::spawn(bench.command(&["scan"]).stdout(Stdio::null()).stderr(Stdio::null()))
}

fn complete(bench: &Bench, mut scan: impl std::ops::DerefMut<Target = Child>, phase: &str) {
    assert_eq!(scan.wait().unwrap().code(), Some(0), "{phase}");
    let id = bench.rig.scan_id().unwrap();
    bench.rig.assert_complete(&id, phase);
    if phase != "set" {
        bench.assert_as_on_cards(&id, POINTS as usize);
    }
    assert_eq!(bench.strays(), Vec::<String>::new(), "{phase}");
}

/// It hangs in this phase of a scan.
fn in_a_scan(phase: &str, at: u64) -> Figures {
    let bench = with_fault(&format!("hang_{phase}"), at);
    let scan = scan(&bench);
    let note = format!("hang-{phase}-{SERIAL}");
    let began = wait_for("it hangs", || hangs_since(bench.noted(0, &note)));
    let (before, stored) = (opened(&bench), images(&bench));
    wait_for("a new driver opens it", || (opened(&bench) > before).then_some(()));
    let given_up = since(began);
    wait_for("the next image", || (images(&bench) > stored).then_some(()));
    let next_image = since(began);
    complete(&bench, scan, phase);
    Figures { given_up, next_image }
}

/// It hangs when it is closed, at the end of a scan: the next scan has the next image.
fn at_the_end() -> Figures {
    let bench = with_fault("hang_close", 0);
    let first = scan(&bench);
    let note = format!("hang-close-{SERIAL}");
    let began = wait_for("it hangs", || hangs_since(bench.noted(0, &note)));
    complete(&bench, first, "close");
    let given_up = since(began);
    let before = bench.rig.scan_ids().len();
    let second = scan(&bench);
    wait_for("the next scan", || (bench.rig.scan_ids().len() > before).then_some(()));
    wait_for("the next image", || (images(&bench) > 0).then_some(()));
    let next_image = since(began);
    complete(&bench, second, "after close");
    Figures { given_up, next_image }
}

/// A live frame hangs while somebody looks, and then a photograph is wanted.
fn while_somebody_looks() -> Figures {
    let (daemon, stage) = with_fault("hang_preview", 2).serve();
    let opened = |stage: &Stage| stage.noted(0, &format!("opened-{SERIAL}")).map_or(0, |noted| noted.len());
    let socket = daemon.socket("/api/v1/live/cam0");
    let note = format!("hang-preview-{SERIAL}");
    let began = wait_for("it hangs", || hangs_since(stage.noted(0, &note)));
    let before = opened(&stage);
    let (given_up, next_image) = std::thread::scope(|scope| {
        let taken = scope.spawn(|| {
            // The first one may be what finds out.
            wait_for("a photograph", || {
                let taken = daemon.post("/api/v1/capture?wait=30", &json!({}));
                (taken.status == 200).then_some(())
            });
            since(began)
        });
        wait_for("a new driver opens it", || (opened(&stage) > before).then_some(()));
        (since(began), taken.join().unwrap())
    });
    drop(socket);
    stage.end(daemon);
    Figures { given_up, next_image }
}

#[test]
fn a_call_that_never_returns_is_given_up_in_every_phase() {
    let phases = [
        ("open", in_a_scan("open", 0)),
        ("set", in_a_scan("set", 0)),
        ("trigger", in_a_scan("trigger", 1)),
        ("event", in_a_scan("event", 1)),
        ("download", in_a_scan("download", 1)),
        ("preview", while_somebody_looks()),
        ("close", at_the_end()),
    ];
    println!("{:10} {:>10} {:>12}", "phase", "given up", "next image");
    for (phase, Figures { given_up, next_image }) in phases {
        println!("{phase:10} {:8.2} s {:10.2} s", given_up.as_secs_f64(), next_image.as_secs_f64());
    }
}
