//! A rig that offers by itself, and shows what comes of it.

use std::fs;
use std::process::{Command, Stdio};

use scanner_fleet::workshop::JOBS;
use scanner_fleet::workshop::job::JobId;
use serde_json::{Value, json};

use super::bench::{Workshop, begun, gated};
use crate::bench::wait_for;
use crate::seen::{body, get};
use crate::support::{self, Running};

/// The service of the workshop's rig, and its API.
struct Service {
    _running: Running,
    address: String,
    token: String,
}

impl Service {
    fn new(workshop: &Workshop) -> Self {
        let drop_ins = workshop.folder().join("scanner.toml.d");
        fs::create_dir_all(&drop_ins).unwrap();
        let text = format!(
            "[api]\nlisten = \"127.0.0.1:0\"\n[[deliver]]\nname = \"shop\"\nto = \"workshop\"\nbroker = \"{}\"\nkey = \"fleet/workshop.nk\"\n",
            workshop.address()
        );
        fs::write(drop_ins.join("workshop.toml"), text).unwrap();
        let mut service = workshop.rig.command(&["run"]);
        let log = fs::File::create(workshop.folder().join("service.log")).unwrap();
        let running = Running::spawn(service.stdout(Stdio::null()).stderr(log));
        let mut address = String::new();
        wait_for("the API", || {
            let status = workshop.rig.run(&["status", "--json"]);
            let status = serde_json::from_str::<Value>(&status.stdout).unwrap_or_default();
            status["api"]["address"].as_str().unwrap_or_default().clone_into(&mut address);
            !address.is_empty()
        });
        let token = workshop.rig.run(&["token", "test"]).stdout.trim().to_owned();
        Self { _running: running, address, token }
    }

    fn get(&self, path: &str) -> Value {
        body(&get(&self.address, &self.token, &format!("/api/v1{path}")))
    }

    fn delivery(&self) -> Value {
        self.get("/status")["deliveries"][0].clone()
    }

    fn jobs_of(&self, scan: &str) -> Value {
        self.get(&format!("/scans/{scan}/workshop"))["jobs"].clone()
    }
}

fn jobs(workshop: &Workshop) -> Vec<JobId> {
    let jobs = workshop.with(async |shop| shop.jobs().await.unwrap());
    jobs.into_iter().map(|(job, _)| job).collect()
}

#[test]
fn a_rig_offers_each_scan_once_and_shows_what_comes_of_it() {
    let Some(mut workshop) = Workshop::new(&["a"]) else { return };
    support::built("scanner");
    // Of the empty rig, nobody wants a model.
    let empty = workshop.rig.command(&["reference"]).env("SCANNER_SIM_EMPTY", "1").output().unwrap();
    assert!(empty.status.success(), "{}", String::from_utf8_lossy(&empty.stderr));
    drop(workshop.broker.take());

    let service = Service::new(&workshop);
    wait_for("the trouble to be told", || service.delivery()["trouble"].is_string());
    let delivery = service.delivery();
    assert!(delivery["trouble"].as_str().unwrap().contains("no connection to the broker"), "{delivery}");
    assert_eq!((&delivery["to"], &delivery["waiting"]), (&json!("workshop"), &json!(1)), "{delivery}");
    let doctor = |workshop: &Workshop| {
        let found = workshop.rig.run(&["doctor", "--json"]).json();
        let of = found.as_array().unwrap().iter().find(|found| found["check"] == "delivery");
        of.unwrap()["found"].as_str().unwrap().to_owned()
    };
    assert!(doctor(&workshop).contains("nothing can be delivered to shop now"), "{}", doctor(&workshop));
    assert_eq!(service.jobs_of(&workshop.scan), json!([]));
    workshop.start_broker();
    wait_for("the offer", || service.delivery()["waiting"] == 0);
    assert_eq!(service.delivery()["trouble"], Value::Null);
    assert!(doctor(&workshop).contains("shop is there, and takes scans"), "{}", doctor(&workshop));
    assert_eq!((jobs(&workshop).len(), workshop.messages(JOBS)), (1, 1));
    let standing = service.get(&format!("/scans/{}", workshop.scan))["deliveries"][0].clone();
    assert_eq!(
        (&standing["to"], &standing["state"]),
        (&json!("workshop"), &json!("delivered")),
        "{standing}"
    );

    // One that ends while it runs.
    let begun_one = workshop.rig.run(&["start"]);
    assert_eq!(begun_one.code, Some(0), "{}", begun_one.stderr);
    wait_for("the second offer", || jobs(&workshop).len() == 2);
    let second = workshop.rig.scan_id().unwrap();
    // It goes away once more, and comes back: what was offered stays so.
    drop(workshop.broker.take());
    workshop.start_broker();

    let folder = workshop.folder().to_owned();
    workshop.worker("a", &gated(&folder, "a"), "");
    begun(&folder, "a");
    let mut follow = Command::new(env!("CARGO_BIN_EXE_scanner-fleet"));
    follow.args(["fetch-results", "--follow", "--broker", &workshop.address(), "--scans"]);
    follow.arg(workshop.rig.scans()).arg("--key").arg(workshop.key());
    let _follow = Running::spawn(follow.stdout(Stdio::null()).stderr(Stdio::null()));
    let is = |scan: &str| service.jobs_of(scan)[0]["state"].clone();
    wait_for("what the worker does", || is(&workshop.scan)["is"] == "working");
    assert_eq!(is(&workshop.scan)["worker"], "a");
    wait_for("that the other one waits", || is(&second)["is"] == "waiting");
    fs::write(folder.join("go"), "").unwrap();
    for scan in [&workshop.scan, &second] {
        wait_for("the result", || is(scan)["is"] == "done");
        let jobs = service.jobs_of(scan);
        assert_eq!((jobs.as_array().unwrap().len(), &jobs[0]["state"]["worker"]), (1, &json!("a")), "{jobs}");
        let names: Vec<&str> =
            jobs[0]["files"].as_array().unwrap().iter().map(|file| file["name"].as_str().unwrap()).collect();
        assert_eq!(names, ["model.ply", "picture.png", "log.txt"], "{jobs}");
        let job = jobs[0]["job"].as_str().unwrap();
        let path = format!("/api/v1/scans/{scan}/workshop/{job}/model.ply");
        let answer = get(&service.address, &service.token, &path);
        let plan = fs::read(workshop.rig.scans().join(scan).join("plan.json")).unwrap();
        assert!(answer.ends_with(&plan));
    }
    wait_for("the queue to be empty", || workshop.messages(JOBS) == 0);
    assert_eq!(jobs(&workshop).len(), 2);
    let log = fs::read_to_string(workshop.folder().join("service.log")).unwrap();
    assert_eq!(
        log.matches("delivered to \"shop\": ").count() - log.matches("not delivered to \"shop\": ").count(),
        2,
        "{log}"
    );
}
