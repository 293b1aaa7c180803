//! Workers and brokers that die or hang in the middle of a job: there is one result.

use std::path::PathBuf;

use rustix::process::Signal;
use scanner_fleet::workshop::state::State;
use scanner_fleet::workshop::{JOBS, RESULTS};

use super::bench::{GOOD, Workshop, begun, gated};
use crate::bench::wait_for;

/// Who made the result, and which run.
fn done(workshop: &Workshop) -> (String, String) {
    match workshop.state() {
        State::Done { run, worker, files, .. } => {
            assert_eq!(files.len(), 3, "{files:?}");
            (worker, run)
        }
        other @ (State::Queued | State::Running { .. } | State::Failed { .. } | State::Fetched { .. }) => {
            panic!("{other:?}")
        }
    }
}

fn wait_for_result(workshop: &Workshop) {
    workshop.wait_until("the result", |state| matches!(state, State::Done { .. }));
}

#[test]
fn a_worker_that_is_killed_gives_its_job_back() {
    let Some(mut workshop) = Workshop::new(&["a", "b"]) else { return };
    workshop.offer();
    let folder = workshop.folder().to_owned();
    workshop.worker("a", &gated(&folder, "a"), "");
    let command = begun(&folder, "a");
    workshop.worker("b", &gated(&folder, "b"), "");
    workshop.kill("a");
    // Its command does not go on without it.
    let process = PathBuf::from(format!("/proc/{command}"));
    wait_for("the command's end", || !process.exists());
    begun(&folder, "b");
    std::fs::write(folder.join("go"), "").unwrap();
    wait_for_result(&workshop);
    assert_eq!(done(&workshop).0, "b");
    assert_eq!(workshop.job().1.standing.lost, 1);
    assert_eq!(workshop.fetch().code, Some(0));
    assert!(workshop.results().join("model.ply").exists());
}

#[test]
fn a_worker_that_is_started_again_goes_on_with_what_it_had_fetched() {
    let Some(mut workshop) = Workshop::new(&["a"]) else { return };
    workshop.offer();
    let folder = workshop.folder().to_owned();
    workshop.worker("a", &gated(&folder, "a"), "");
    begun(&folder, "a");
    workshop.kill("a");
    // Without the dataset at the broker, there is only what it has.
    let (job, record) = workshop.job();
    workshop.with(async |_| {
        let data = workshop.jetstream().await.get_stream("workshop-datasets").await.unwrap();
        for number in 0..record.about.files {
            data.purge().filter(format!("workshop.data.{job}.{number}")).await.unwrap();
        }
    });
    std::fs::write(folder.join("go"), "").unwrap();
    workshop.worker("a", GOOD, "");
    wait_for_result(&workshop);
}

#[test]
fn a_worker_that_hangs_and_comes_back_changes_nothing() {
    let Some(mut workshop) = Workshop::new(&["a", "b"]) else { return };
    workshop.offer();
    let folder = workshop.folder().to_owned();
    workshop.worker("a", &gated(&folder, "a"), "");
    begun(&folder, "a");
    workshop.signal("a", Signal::STOP);
    workshop.worker("b", &gated(&folder, "b"), "");
    begun(&folder, "b");
    std::fs::write(folder.join("go"), "").unwrap();
    wait_for_result(&workshop);
    let before = done(&workshop);
    assert_eq!(before.0, "b");
    workshop.signal("a", Signal::CONT);
    wait_for("the other one to see it", || {
        let log = workshop.log("a");
        log.contains("another worker has the job by now") || log.contains("is thrown away")
    });
    assert_eq!(done(&workshop), before);
    let results = workshop.messages(RESULTS);
    assert_eq!(results, 3, "one result of three files of a chunk each");
    assert_eq!(workshop.messages(JOBS), 0);
}

#[test]
fn a_broker_that_is_killed_is_waited_for() {
    let Some(mut workshop) = Workshop::new(&["a"]) else { return };
    workshop.offer();
    let folder = workshop.folder().to_owned();
    workshop.worker("a", &gated(&folder, "a"), "");
    begun(&folder, "a");
    drop(workshop.broker.take());
    // The command ends while there is nobody to be told.
    std::fs::write(folder.join("go"), "").unwrap();
    std::thread::sleep(std::time::Duration::from_millis(500));
    workshop.start_broker();
    wait_for_result(&workshop);
    wait_for("the queue to be empty", || workshop.messages(JOBS) == 0);
    drop(workshop.broker.take());
    workshop.start_broker();
    assert_eq!(done(&workshop).0, "a", "a result outlives the broker");
    assert_eq!(workshop.fetch().code, Some(0));
}

#[test]
fn a_worker_that_is_told_to_end_gives_its_job_back_at_once() {
    let Some(mut workshop) = Workshop::new(&["a", "b"]) else { return };
    workshop.offer();
    let folder = workshop.folder().to_owned();
    workshop.worker("a", &gated(&folder, "a"), "");
    let command = begun(&folder, "a");
    workshop.signal("a", Signal::TERM);
    workshop.wait_until("the job to be given back", |state| *state == State::Queued);
    let process = PathBuf::from(format!("/proc/{command}"));
    wait_for("the command's end", || !process.exists());
    workshop.worker("b", GOOD, "");
    wait_for_result(&workshop);
    assert_eq!((done(&workshop).0.as_str(), workshop.job().1.standing.lost), ("b", 0));
}
