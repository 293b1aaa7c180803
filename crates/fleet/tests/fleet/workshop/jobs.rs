//! Jobs that go well, and offers that are made more than once.

use std::io::Write as _;
use std::process::{Command, Stdio};

use scanner_fleet::workshop::state::State;
use scanner_fleet::workshop::{DATASETS, JOBS, RESULTS, data_subject};
use serde_json::{Value, json};

use super::bench::{GOOD, Workshop};
use crate::bench::wait_for;

#[test]
fn a_scan_that_is_offered_twice_is_one_job_and_its_result_comes_back() {
    let Some(mut workshop) = Workshop::new(&["a"]) else { return };
    let said = workshop.offer();
    assert!(said.contains("is in the queue"), "{said}");
    let said = workshop.offer();
    assert!(said.contains("was in the queue already; 0 of"), "{said}");
    assert_eq!(workshop.messages(JOBS), 1);
    workshop.worker("a", GOOD, "");
    workshop.wait_until("the result", |state| matches!(state, State::Done { .. }));
    wait_for("the queue to be empty", || workshop.messages(JOBS) == 0);
    assert!(workshop.offer().contains("is done already"));
    let done = workshop.fetch();
    assert_eq!(done.code, Some(0), "{}", done.stderr);
    let folder = workshop.results();
    for (name, text) in [("picture.png", "picture\n"), ("log.txt", "made\n")] {
        assert_eq!(std::fs::read_to_string(folder.join(name)).unwrap(), text);
    }
    let plan = std::fs::read(workshop.dataset().join("plan.json")).unwrap();
    assert_eq!(std::fs::read(folder.join("model.ply")).unwrap(), plan);
    let job: Value = serde_json::from_slice(&std::fs::read(folder.join("job.json")).unwrap()).unwrap();
    assert_eq!((&job["state"]["is"], &job["state"]["worker"]), (&json!("done"), &json!("a")), "{job}");
    // The dataset is what it was, nothing stays at the broker, and nothing at the worker.
    workshop.rig.assert_complete(&workshop.scan, "with results");
    assert_eq!((workshop.messages(DATASETS), workshop.messages(RESULTS)), (0, 0));
    assert!(matches!(workshop.state(), State::Fetched { .. }));
    let scratch = workshop.folder().join("a-scratch").join(scanner_fleet::workshop::scratch::FOLDER);
    wait_for("the scratch folder to be empty", || std::fs::read_dir(&scratch).unwrap().count() == 1);
    assert!(workshop.offer().contains("is done already"));
    assert_eq!(workshop.fetch().stdout, "", "it is fetched once");
}

#[test]
fn an_offer_that_broke_off_is_gone_on_with() {
    let Some(workshop) = Workshop::new(&[]) else { return };
    workshop.offer();
    let (job, record) = workshop.job();
    // As it was before the end of it: no record, and two files are missing.
    workshop.with(async |_| {
        let jetstream = workshop.jetstream().await;
        let data = jetstream.get_stream(DATASETS).await.unwrap();
        for what in ["0", "2", "list"] {
            data.purge().filter(data_subject(&job, what)).await.unwrap();
        }
        jetstream.get_stream(JOBS).await.unwrap().purge().await.unwrap();
        jetstream.get_key_value("workshop").await.unwrap().purge(job.as_str()).await.unwrap();
    });
    let said = workshop.offer();
    assert!(said.contains(&format!("2 of {} files were sent", record.about.files)), "{said}");
    assert_eq!((workshop.state(), workshop.messages(JOBS)), (State::Queued, 1));
}

#[test]
fn a_scan_that_is_damaged_here_is_not_offered() {
    let Some(workshop) = Workshop::new(&[]) else { return };
    let image =
        std::fs::read_dir(workshop.dataset().join("images/cam0")).unwrap().next().unwrap().unwrap().path();
    let mut bytes = std::fs::read(&image).unwrap();
    bytes[100] ^= 1;
    std::fs::write(&image, bytes).unwrap();
    let done = workshop.run(&["offer", workshop.dataset().to_str().unwrap()]);
    assert_eq!(done.code, Some(1));
    assert!(done.stderr.contains("scanner dataset verify"), "{}", done.stderr);
    assert!(workshop.with(async |shop| shop.jobs().await.unwrap()).is_empty());
}

/// As the daemon has scans delivered.
#[test]
fn the_program_for_the_daemon_offers_and_says_so() {
    let Some(workshop) = Workshop::new(&[]) else { return };
    let deliver = |work: &str, key: &str| {
        let job = json!({
            "work": work, "scan": workshop.scan, "source": workshop.dataset(), "by": "a test", "pace": null,
            "files": [{"path": "plan.json"}],
            "target": {"workshop": {"broker": workshop.address(), "key": workshop.folder().join(key)}},
        });
        let mut command = Command::new(env!("CARGO_BIN_EXE_scanner-workshop"));
        let mut child =
            command.arg(workshop.dataset()).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(job.to_string().as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        let lines = String::from_utf8(output.stdout).unwrap();
        let lines: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        (output.status.success(), lines)
    };
    let (well, lines) = deliver("copy", "fleet/workshop.nk");
    let files = lines.last().unwrap()["delivered"]["files"].as_u64().unwrap();
    assert!(well && files > 6, "{lines:?}");
    let progress = &lines[lines.len() - 2]["progress"];
    assert_eq!((&progress["files"], &progress["bytes"]), (&json!(files), &progress["of_bytes"]), "{lines:?}");
    let (well, lines) = deliver("copy", "fleet/workshop.nk");
    assert!(well && lines[0]["delivered"]["sent_files"] == json!(0), "{lines:?}");
    assert_eq!(workshop.messages(JOBS), 1);
    let (well, lines) = deliver("reach", "fleet/workshop.nk");
    assert!(well && lines == [json!({"reached": {}})], "{lines:?}");
    for (work, key, kind) in [
        ("copy", "node.nk", "refused"),
        ("copy", "none.nk", "file"),
        ("reach", "node.nk", "refused"),
        ("check", "node.nk", "no_copy"),
    ] {
        let (well, lines) = deliver(work, key);
        assert!(!well && lines[0]["failed"]["kind"] == json!(kind), "{lines:?}");
        let message = lines[0]["failed"]["message"].as_str().unwrap();
        assert!(!message.contains("has no workshop"), "{message}");
    }
}
