//! What the workshop has made of a scan, as the API tells it; the folder is as `scanner fleet fetch-results` leaves it.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::process::Command;

use serde_json::{Value, json};

use crate::client::Daemon;
use crate::support::{Recipe, TestRig};

const JOB: &str = "owl-0f3c21d97a1b2c3d";

struct Bench {
    daemon: Daemon,
    scan: String,
}

impl Bench {
    fn new() -> Self {
        let daemon = Daemon::start_in(TestRig::new(&Recipe::default()).without_model());
        let scan = daemon.begin();
        daemon.wait_until_idle();
        Self { daemon, scan }
    }

    fn dir(&self) -> PathBuf {
        self.daemon.rig.scans().join(&self.scan)
    }

    fn folder(&self) -> PathBuf {
        let folder = self.dir().join("workshop").join(JOB);
        fs::create_dir_all(&folder).unwrap();
        folder
    }

    fn write(&self, state: &Value) {
        let record = json!({
            "format": 1, "scan": self.scan, "rig": "pi", "offered_s": 1_800_000_000, "files": 9, "bytes": 1000,
            "list": {"bytes": 10, "crc32c": 1}, "plan": 7, "state": state, "failures": [], "lost": 0,
        });
        fs::write(self.folder().join("job.json"), record.to_string()).unwrap();
    }

    fn jobs(&self) -> Value {
        let answer = self.daemon.get(&format!("/api/v1/scans/{}/workshop", self.scan));
        assert_eq!(answer.status, 200);
        answer.json()["jobs"].clone()
    }

    fn file(&self, name: &str) -> crate::client::Answer {
        self.daemon.get(&format!("/api/v1/scans/{}/workshop/{JOB}/{name}", self.scan))
    }
}

fn put(name: &str, bytes: u64) -> Value {
    json!({"name": name, "subject": "x", "bytes": bytes, "crc32c": 0xabc})
}

#[test]
fn jobs_are_told_as_they_stand_and_what_came_back_is_sent() {
    let bench = Bench::new();
    assert_eq!(bench.jobs(), json!([]));
    assert_eq!(bench.daemon.get("/api/v1/scans/nowhere/workshop").status, 404);
    assert_eq!(bench.file("model.ply").status, 404);
    let step = json!({"working": {"said": "half of it"}});
    bench.write(&json!({"is": "running", "run": "r", "worker": "pc", "step": step}));
    let jobs = bench.jobs();
    assert_eq!(jobs[0]["job"], JOB);
    assert_eq!(jobs[0]["state"], json!({"is": "working", "worker": "pc", "said": "half of it"}));
    assert_eq!((&jobs[0]["offered"], &jobs[0]["files"]), (&json!("2027-01-15T08:00:00Z"), &json!([])));
    // There, but not named yet.
    fs::write(bench.folder().join("model.ply"), "ply\n").unwrap();
    fs::write(bench.folder().join("log.txt"), "made\n").unwrap();
    fs::write(bench.folder().join("page.html"), "<script>").unwrap();
    assert_eq!(bench.file("model.ply").status, 404);
    let files = json!([put("model.ply", 4), put("log.txt", 5), put("page.html", 8)]);
    bench.write(&json!({"is": "done", "run": "r", "worker": "pc", "took_s": 90, "files": files}));
    let jobs = bench.jobs();
    assert_eq!(jobs[0]["state"], json!({"is": "done", "worker": "pc", "took_s": 90}));
    let listed = json!([
        {"name": "model.ply", "kind": "model", "bytes": 4}, {"name": "log.txt", "kind": "log", "bytes": 5},
        {"name": "page.html", "kind": "other", "bytes": 8},
    ]);
    assert_eq!(jobs[0]["files"], listed);
    for (name, text, kind, how) in [
        ("model.ply", "ply\n", "application/octet-stream", "attachment"),
        ("log.txt", "made\n", "text/plain; charset=utf-8", "inline"),
        ("page.html", "<script>", "application/octet-stream", "attachment"),
    ] {
        let answer = bench.file(name);
        assert_eq!((answer.status, answer.body.as_slice()), (200, text.as_bytes()), "{name}");
        assert_eq!(answer.header("content-type"), kind, "{name}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert_eq!(
            answer.header("content-disposition"),
            format!("{how}; filename=\"{}-{name}\"", bench.scan)
        );
    }
    // Of another length than it came with.
    fs::write(bench.folder().join("model.ply"), "ply").unwrap();
    assert_eq!(bench.file("model.ply").status, 404);
    bench.daemon.rig.assert_complete(&bench.scan, "with what the workshop made");
}

#[test]
fn nothing_but_what_came_back_can_be_had() {
    let bench = Bench::new();
    let folder = bench.folder();
    let secret = bench.daemon.rig.dir.path().join("secret");
    fs::write(&secret, "0123").unwrap();
    symlink(&secret, folder.join("link.txt")).unwrap();
    assert!(Command::new("mkfifo").arg(folder.join("pipe.txt")).status().unwrap().success());
    let plan = fs::metadata(bench.dir().join("plan.json")).unwrap().len();
    let files = json!([put("link.txt", 4), put("pipe.txt", 0), put("../../plan.json", plan), put(".x", 0)]);
    bench.write(&json!({"is": "done", "run": "r", "worker": "pc", "took_s": 90, "files": files}));
    let length = fs::metadata(folder.join("job.json")).unwrap().len();
    assert!(length > 0);
    assert_eq!(bench.jobs()[0]["files"], json!([]));
    for name in ["link.txt", "pipe.txt", "job.json", ".x", "..%2f..%2fplan.json", "..", "%2e%2e", "a%00b", ""]
    {
        let status = bench.file(name).status;
        assert!(status == 404 || status == 400, "{name}: {status}");
    }
    for path in [
        format!("/api/v1/scans/{}/workshop/../plan.json", bench.scan),
        format!("/api/v1/scans/{}/workshop/%2e%2e/plan.json", bench.scan),
    ] {
        assert_eq!(bench.daemon.get(&path).status, 404, "{path}");
    }
    // Half of it: as nobody of ours writes it.
    fs::write(folder.join("job.json"), "{\"format\": 1, \"scan\"").unwrap();
    let state = bench.jobs()[0]["state"].clone();
    assert!(state["is"] == "unknown" && state["message"].as_str().unwrap().contains("is damaged"), "{state}");
    fs::remove_file(folder.join("job.json")).unwrap();
    symlink(&secret, folder.join("job.json")).unwrap();
    assert_eq!(bench.jobs()[0]["state"]["is"], "unknown");
    // In place of the folder.
    let workshop = bench.dir().join("workshop");
    fs::rename(&workshop, bench.dir().join("elsewhere")).unwrap();
    symlink("elsewhere", &workshop).unwrap();
    assert_eq!(bench.jobs(), json!([]));
    fs::remove_file(&workshop).unwrap();
    fs::write(&workshop, "x").unwrap();
    assert_eq!(bench.jobs(), json!([]));
}
