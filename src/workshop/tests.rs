use std::os::unix::fs::symlink;
use std::process::Command;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::*;

const ID: &str = "2026-11-21-143005-owl-0f3c21d97a1b2c3d";

struct Scan(TempDir);

impl Scan {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn folder(&self, job: &str) -> std::path::PathBuf {
        let folder = self.0.path().join(FOLDER).join(job);
        fs::create_dir_all(&folder).unwrap();
        folder
    }

    /// A job that stands so, in the form that docs/workshop.md has.
    fn says(&self, job: &str, offered_s: u64, state: &Value, failures: &Value) {
        let record = json!({
            "format": 1, "scan": "2026-11-21-143005-owl", "rig": "pi", "offered_s": offered_s, "files": 9, "bytes": 1000,
            "list": {"bytes": 10, "crc32c": 1}, "plan": 7, "state": state, "failures": failures, "lost": 0,
        });
        fs::write(self.folder(job).join(RECORD), record.to_string()).unwrap();
    }

    fn jobs(&self) -> Vec<WorkshopJob> {
        jobs(self.0.path()).unwrap()
    }

    fn one(&self) -> WorkshopJob {
        let mut jobs = self.jobs();
        assert_eq!(jobs.len(), 1, "{jobs:?}");
        jobs.remove(0)
    }
}

fn put(name: &str, bytes: u64) -> Value {
    json!({"name": name, "subject": "x", "bytes": bytes, "crc32c": 3})
}

#[test]
fn each_state_is_told_as_it_stands() {
    let scan = Scan::new();
    assert_eq!(scan.jobs(), []);
    fs::create_dir(scan.0.path().join(FOLDER)).unwrap();
    assert_eq!(scan.jobs(), []);
    // Nothing is known of it yet: its files are being fetched.
    fs::write(scan.folder(ID).join("model.ply"), "12").unwrap();
    assert_eq!(scan.jobs(), []);
    let worker = || "pc".to_owned();
    let running = |step: Value| json!({"is": "running", "run": "r", "worker": "pc", "step": step});
    for (state, shown) in [
        (json!({"is": "queued"}), WorkshopState::Waiting),
        (
            running(json!({"fetching": {"bytes": 5, "of": 10}})),
            WorkshopState::Fetching { worker: worker(), bytes: 5, of_bytes: 10 },
        ),
        (
            running(json!({"working": {"said": "half"}})),
            WorkshopState::Working { worker: worker(), said: "half".into() },
        ),
        (running(json!("putting")), WorkshopState::Putting { worker: worker() }),
        (json!({"is": "failed", "reason": "no"}), WorkshopState::Failed { reason: "no".into() }),
        (json!({"is": "fetched", "worker": "pc"}), WorkshopState::Done { worker: worker(), took_s: None }),
    ] {
        scan.says(ID, 1_800_000_000, &state, &json!([]));
        let job = scan.one();
        assert_eq!((job.job.as_str(), job.state, job.files), (ID, shown, vec![]), "{state}");
        assert_eq!(job.offered, Timestamp::from_second(1_800_000_000).ok());
        assert!(job.changed.is_some());
    }
    scan.says("older-1", 1_700_000_000, &json!({"is": "queued"}), &json!([]));
    scan.says("newer-1", 1_900_000_000, &json!({"is": "queued"}), &json!([]));
    let order: Vec<String> = scan.jobs().into_iter().map(|job| job.job).collect();
    assert_eq!(order, ["newer-1", ID, "older-1"]);
}

#[test]
fn only_what_is_named_and_here_as_it_has_to_be_is_told() {
    let scan = Scan::new();
    let folder = scan.folder(ID);
    for (name, text) in [
        ("model.ply", "12"),
        ("picture.jpg", "123"),
        ("log.txt", "1"),
        ("short.txt", "1"),
        ("failed-1.txt", "1234"),
        ("stray.txt", "1"),
        (".hidden", "1"),
    ] {
        fs::write(folder.join(name), text).unwrap();
    }
    fs::write(scan.0.path().join("plan.json"), "{}").unwrap();
    symlink("model.ply", folder.join("link.ply")).unwrap();
    assert!(Command::new("mkfifo").arg(folder.join("pipe.txt")).status().unwrap().success());
    fs::create_dir(folder.join("folder.txt")).unwrap();
    let files = json!([
        put("model.ply", 2),
        put("model.ply", 2),
        put("picture.jpg", 3),
        put("log.txt", 1),
        put("short.txt", 2),
        put("gone.txt", 1),
        put("link.ply", 2),
        put("pipe.txt", 0),
        put("folder.txt", 4096),
        put(".hidden", 1),
        put("../../plan.json", 2),
        put("job.json", 1),
        put("", 1),
        put("a/b", 1),
        put("con.txt", 1),
    ]);
    let failures = json!([
        {"worker": "one", "reason": "broken", "log": put("failed-1.txt", 4)}, {"worker": "two", "reason": "late", "log": null},
        {"worker": "three", "reason": "lost", "log": put("failed-3.txt", 4)},
    ]);
    scan.says(
        ID,
        1,
        &json!({"is": "done", "run": "r", "worker": "pc", "took_s": 7, "files": files}),
        &failures,
    );
    let job = scan.one();
    let found: Vec<_> = job.files.iter().map(|file| (file.name.as_str(), file.kind, file.bytes)).collect();
    let expected = [
        ("model.ply", WorkshopFileKind::Model, 2),
        ("picture.jpg", WorkshopFileKind::Picture, 3),
        ("log.txt", WorkshopFileKind::Log, 1),
        ("failed-1.txt", WorkshopFileKind::Log, 4),
    ];
    assert_eq!(found, expected);
    let logs: Vec<_> = job.failures.iter().map(|failure| failure.log.as_deref()).collect();
    assert_eq!(logs, [Some("failed-1.txt"), None, None]);
    assert_eq!(job.state, WorkshopState::Done { worker: "pc".into(), took_s: Some(7) });
}

#[test]
fn what_cannot_be_read_is_said_and_what_is_foreign_is_left_alone() {
    let scan = Scan::new();
    for foreign in ["A", "a.b", "-a", "a b", &"x".repeat(82)] {
        scan.says(foreign, 1, &json!({"is": "queued"}), &json!([]));
    }
    fs::write(scan.0.path().join(FOLDER).join("file"), "x").unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    fs::write(elsewhere.path().join(RECORD), "{}").unwrap();
    symlink(elsewhere.path(), scan.0.path().join(FOLDER).join("linked")).unwrap();
    let broken: Vec<_> = scan.jobs().into_iter().map(|job| (job.job, job.state)).collect();
    // A link and a file in the place of a job's folder: nobody looks behind them.
    assert_eq!(broken.len(), 2, "{broken:?}");
    assert!(broken.iter().all(|(_, state)| matches!(state, WorkshopState::Unknown { .. })), "{broken:?}");

    let scan = Scan::new();
    let record = scan.folder(ID).join(RECORD);
    let long = format!("{{\"format\": 1, \"x\": \"{}\"}}", "x".repeat(LONGEST as usize));
    for (text, says) in [
        ("{\"format\": 1, \"offe", "EOF"),
        ("", "EOF"),
        ("{\"format\": 2, \"offered_s\": 1, \"state\": {\"is\": \"queued\"}}", "format 2"),
        ("{\"format\": 1, \"offered_s\": 1, \"state\": {\"is\": \"dreaming\"}}", "dreaming"),
        (long.as_str(), "longer than"),
    ] {
        fs::write(&record, text).unwrap();
        let WorkshopState::Unknown { message } = scan.one().state else { panic!("{text:.40}") };
        assert!(message.contains(says) && message.contains("job.json"), "{message}");
    }
    fs::remove_file(&record).unwrap();
    assert!(Command::new("mkfifo").arg(&record).status().unwrap().success());
    assert!(matches!(scan.one().state, WorkshopState::Unknown { .. }));

    let scan = Scan::new();
    symlink(elsewhere.path(), scan.0.path().join(FOLDER)).unwrap();
    assert_eq!(scan.jobs(), []);
}
