//! Commands that fail, disks that are full, and files that are not what they should be.

use async_nats::HeaderMap;
use scanner_fleet::workshop::state::State;
use scanner_fleet::workshop::{DATASETS, JOBS, data_subject};

use super::bench::{GOOD, Workshop};
use crate::bench::wait_for;
use crate::support::skipped;

fn failed(workshop: &Workshop) -> String {
    workshop.wait_until("the failure", |state| matches!(state, State::Failed { .. }));
    let record = workshop.job().1;
    match record.standing.state {
        State::Failed { reason } => reason,
        other @ (State::Queued | State::Running { .. } | State::Done { .. } | State::Fetched { .. }) => {
            panic!("{other:?}")
        }
    }
}

#[test]
fn a_command_that_fails_is_tried_as_often_as_configured_and_keeps_its_log() {
    let Some(mut workshop) = Workshop::new(&["a"]) else { return };
    workshop.offer();
    let good = workshop.folder().join("good");
    let does = format!("if [ -e {} ]; then {GOOD}; else echo no features >&2; exit 3; fi", good.display());
    workshop.worker("a", &does, "tries = 2");
    let reason = failed(&workshop);
    assert_eq!(reason, "the command has ended with 3: no features");
    assert_eq!(workshop.job().1.standing.failures.len(), 2);
    wait_for("the queue to be empty", || workshop.messages(JOBS) == 0);
    assert_eq!(workshop.fetch().code, Some(0));
    let logs = std::fs::read_dir(workshop.results()).unwrap().flatten();
    let logs: Vec<_> =
        logs.filter(|entry| entry.file_name().to_string_lossy().starts_with("failed-")).collect();
    assert_eq!(logs.len(), 2, "{logs:?}");
    assert_eq!(std::fs::read_to_string(logs[0].path()).unwrap(), "no features\n");
    // It is not lost, and can be offered again.
    std::fs::write(good, "").unwrap();
    assert!(workshop.offer().contains("had failed, and is in the queue again"));
    workshop.wait_until("the result", |state| matches!(state, State::Done { .. }));
}

#[test]
fn a_command_without_a_model_or_without_an_end_has_failed() {
    let Some(mut workshop) = Workshop::new(&["a"]) else { return };
    workshop.offer();
    let slow = workshop.folder().join("slow");
    let does = format!("if [ -e {} ]; then sleep 600; fi; echo nothing", slow.display());
    workshop.worker("a", &does, "tries = 1\ntime_limit_s = 2");
    assert!(failed(&workshop).contains("no model.*"));
    std::fs::write(slow, "").unwrap();
    workshop.offer();
    wait_for("the failure", || failed(&workshop).contains("longer than 2 s"));
}

#[test]
fn a_worker_whose_disk_is_full_leaves_the_job_to_another() {
    let Some(mut workshop) = Workshop::new(&["a", "b", "c"]) else { return };
    let can_mount = std::process::Command::new("unshare").args(["--mount", "true"]).status();
    if !can_mount.is_ok_and(|status| status.success()) {
        skipped("a small disk needs CAP_SYS_ADMIN");
        return;
    }
    workshop.offer();
    // One has less than is to stay free, and one finds out in the middle of it.
    workshop.worker("a", GOOD, "keep_free_mb = 1000000000");
    wait_for("a word about it", || workshop.log("a").contains("are free in the scratch folder"));
    workshop.kill("a");
    std::fs::create_dir(workshop.folder().join("b-scratch")).unwrap();
    let small = "mount -t tmpfs -o size=2m none b-scratch && exec \"$@\"";
    let fills = "head -c 100000000 /dev/zero > fills";
    workshop.worker_by(&["unshare", "--mount", "/bin/sh", "-c", small, "sh"], "b", fills, "");
    wait_for("a word about it", || workshop.log("b").contains("given back: "));
    workshop.kill("b");
    let standing = workshop.job().1.standing;
    assert!(standing.failures.is_empty(), "that is no failure of the job: {standing:?}");
    workshop.worker("c", GOOD, "");
    workshop.wait_until("the result", |state| matches!(state, State::Done { .. }));
}

#[test]
fn a_damaged_file_is_refused_and_an_offer_replaces_it() {
    let Some(mut workshop) = Workshop::new(&["a"]) else { return };
    workshop.offer();
    let (job, _) = workshop.job();
    // As long as before, and with a checksum that fits itself, but not what the scan has.
    workshop.with(async |_| {
        let jetstream = workshop.jetstream().await;
        let subject = data_subject(&job, "1");
        let data = jetstream.get_stream(DATASETS).await.unwrap();
        let mut bytes = data.direct_get_last_for_subject(subject.as_str()).await.unwrap().payload.to_vec();
        bytes[0] ^= 1;
        data.purge().filter(&subject).await.unwrap();
        let mut headers = HeaderMap::new();
        headers.insert("Scanner-Offset", "0");
        headers.insert("Scanner-Whole", format!("{} {:08x}", bytes.len(), crc32c::crc32c(&bytes)));
        jetstream.publish_with_headers(subject, headers, bytes.into()).await.unwrap().await.unwrap();
    });
    workshop.worker("a", GOOD, "tries = 1");
    let reason = failed(&workshop);
    assert!(reason.contains("instead of") && reason.contains("offer the scan again"), "{reason}");
    assert!(workshop.log("a").contains("it is fetched again"), "{}", workshop.log("a"));
    assert!(workshop.offer().contains("had failed"));
    workshop.wait_until("the result", |state| matches!(state, State::Done { .. }));
}
