//! What is in the way at the place itself: a full disk, a storage that refuses or is gone. Everything arrives once.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{ChildStdout, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use crate::interrupted::{assert_no_process_left, begin, end, signal};
use crate::refused::SmallDisk;
use crate::support::{Recipe, Running, TestRig, skipped};

use super::{assert_delivered, configured, nas, rig, wait_until, waiting};

/// How the first target stands, as the service says.
fn now(rig: &TestRig) -> Value {
    rig.run(&["status", "--json"]).json()["deliveries"][0].clone()
}

fn trouble(rig: &TestRig) -> String {
    now(rig)["trouble"].as_str().unwrap_or_default().to_owned()
}

#[test]
fn a_full_disk_delays_and_what_is_there_is_not_sent_again() {
    let rig = rig(&Recipe { size: (320, 240), ..Recipe::default() }, "");
    let Some(disk) = SmallDisk::mount(nas(&rig), 24_576) else { return };
    let (service, log) = begin(&rig, &["run"], "ready");
    assert_eq!(rig.run(&["start"]).code, Some(0));
    wait_until("the disk is full", || trouble(&rig).contains("no room left"));
    let id = rig.scan_id().unwrap();
    assert!(!nas(&rig).join(&id).join("delivered.json").exists());
    // A place that is there, and takes nothing: both are said.
    let doctor = rig.run(&["doctor"]).stdout;
    assert!(doctor.contains("nas is there, but the last try") && doctor.contains("no room left"), "{doctor}");
    let plan = fs::read_to_string(nas(&rig).join(&id).join("plan.json")).unwrap();
    disk.remount("size=20m");
    wait_until("it is whole there", || nas(&rig).join(&id).join("delivered.json").exists());
    assert_eq!(fs::read_to_string(nas(&rig).join(&id).join("plan.json")).unwrap(), plan);
    wait_until("that is told", || now(&rig)["waiting"] == 0 && now(&rig)["trouble"].is_null());
    assert_delivered(&rig, &id);
    signal(&service, Signal::TERM);
    let ended = end(service, log);
    // Each reason once, however often it was tried.
    let told = |what: &str, but: &str| {
        ended.stderr.lines().filter(|line| line.contains(what) && !line.contains(but)).count()
    };
    let (there, not) =
        (told("delivered to \"nas\"", "not delivered"), told("not delivered to \"nas\"", "still not"));
    assert_eq!((there, not), (1, 1), "{}", ended.stderr);
    assert_no_process_left(&rig);
}

/// The process that delivers a scan of this rig, while there is one.
fn deliverer(rig: &TestRig) -> Option<Pid> {
    let mark = rig.scans().to_string_lossy().into_owned();
    fs::read_dir("/proc").unwrap().flatten().find_map(|entry| {
        let pid = entry.file_name().to_str()?.parse().ok()?;
        let line = String::from_utf8(fs::read(entry.path().join("cmdline")).ok()?).ok()?;
        let is_it = line.split('\0').next()?.ends_with("scanner-deliver") && line.contains(&mark);
        if is_it { Pid::from_raw(pid) } else { None }
    })
}

#[test]
fn a_program_that_is_killed_is_told_and_the_next_one_goes_on() {
    let rig = rig(&Recipe { angles: 16, size: (320, 240), ..Recipe::default() }, "pace = \"100 kB\"");
    fs::create_dir(nas(&rig)).unwrap();
    assert_eq!(rig.run(&["scan"]).code, Some(0));
    let id = rig.scan_id().unwrap();
    let mut by_hand = Running::spawn(&mut rig.command(&["deliver"]));
    wait_until("it is being delivered", || {
        assert!(by_hand.try_wait().unwrap().is_none(), "it was too fast for this test");
        nas(&rig).join(&id).join("images/cam0").exists()
    });
    // However slow this machine is, it goes no further.
    let deliverer = deliverer(&rig).unwrap();
    kill_process(deliverer, Signal::STOP).unwrap();
    // One at a time: another one does not send the same once more.
    let other = rig.run(&["deliver"]);
    assert!(other.code != Some(0) && other.stderr.contains("another process delivers"), "{}", other.stderr);
    kill_process(deliverer, Signal::KILL).unwrap();
    let killed = by_hand.finish();
    assert!(killed.code == Some(1) && killed.stderr.contains("has ended by itself"), "{}", killed.stderr);
    assert!(!nas(&rig).join(&id).join("delivered.json").exists());
    let status = rig.run(&["deliver", "--status", "--json"]).json();
    assert_eq!((&status[0]["trouble"]["kind"], &status[0]["waiting"]), (&json!("program"), &json!([id])));
    let brought = rig.run(&["deliver", "--json"]);
    let done = &brought.json()[0]["done"];
    assert!(done["sent_files"].as_u64().unwrap() < done["files"].as_u64().unwrap(), "{}", brought.stdout);
    assert_delivered(&rig, &id);
    assert_no_process_left(&rig);
}

/// Storage that speaks S3 (moto), gone with this value.
struct Storage {
    process: Running,
    answers: BufReader<ChildStdout>,
    here: Value,
}

impl Storage {
    /// At a free port, or at this one. None where it is not installed.
    fn start(port: u64) -> Option<Self> {
        let project = Path::new(env!("CARGO_MANIFEST_DIR"));
        let ours = project.join(".cache/moto");
        let python =
            if ours.join(".complete").is_file() { ours.join("bin/python3") } else { "python3".into() };
        let mut look = Command::new(&python);
        look.args(["-c", "import moto"]).stdout(Stdio::null()).stderr(Stdio::null());
        if !look.status().is_ok_and(|status| status.success()) {
            skipped("moto is not installed: .ci/prepare test");
            return None;
        }
        let mut command = Command::new(python);
        command.arg(project.join("crates/deliver/tests/storage.py")).arg(port.to_string());
        let mut process =
            Running::spawn(command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()));
        let answers = BufReader::new(process.stdout.take().unwrap());
        let mut storage = Self { process, answers, here: Value::Null };
        storage.here = storage.answer();
        Some(storage)
    }

    fn answer(&mut self) -> Value {
        let mut line = String::new();
        self.answers.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap_or_else(|_| panic!("the storage says {line:?}"))
    }

    fn tell(&mut self, what: &Value) -> Value {
        writeln!(self.process.stdin.as_mut().unwrap(), "{what}").unwrap();
        self.answer()
    }

    /// Lines of a `[[deliver]]` that goes there.
    fn lines(&self, rig: &TestRig) -> String {
        fs::write(rig.dir.path().join("s3.secret"), self.here["secret"].as_str().unwrap()).unwrap();
        format!(
            "[[deliver]]\nname = \"cloud\"\nto = \"s3\"\nbucket = \"scans\"\nsecret_file = \"s3.secret\"\nendpoint = {}\naccess_key = {}\n",
            self.here["endpoint"], self.here["access_key"]
        )
    }

    /// That all of the scan is there, with the bytes that it has here, and nothing else.
    fn assert_has(&mut self, rig: &TestRig, id: &str) {
        let to = rig.dir.path().join("got");
        let mut get = |key: String| {
            self.tell(&json!({"do": "get", "key": key, "to": to}));
            fs::read(&to).unwrap()
        };
        let list: Value = serde_json::from_slice(&get(format!("{id}/delivered.json"))).unwrap();
        let mut expected = vec![format!("{id}/delivered.json")];
        for file in list["files"].as_array().unwrap() {
            let path = file["path"].as_str().unwrap();
            let here = fs::read(rig.scans().join(id).join(path)).unwrap();
            assert!(get(format!("{id}/{path}")) == here, "{path} is another one there");
            expected.push(format!("{id}/{path}"));
        }
        assert!(expected.contains(&format!("{id}/images/cam0/r01_a001.jpg")), "{expected:?}");
        expected.sort();
        let there = self.tell(&json!({"do": "list"}));
        assert_eq!(
            there.as_object().unwrap().keys().collect::<Vec<_>>(),
            expected.iter().collect::<Vec<_>>()
        );
    }
}

#[test]
fn a_storage_that_refuses_or_is_gone_delays_and_everything_arrives_once() {
    let Some(mut storage) = Storage::start(0) else { return };
    let rig = configured(&Recipe::default(), |rig| storage.lines(rig));
    storage.tell(&json!({"do": "refuse", "as": [507, "XMinioStorageFull"]}));
    let (service, log) = begin(&rig, &["run"], "ready");
    assert_eq!(rig.run(&["start"]).code, Some(0));
    wait_until("it is full there", || trouble(&rig).contains("no room left"));
    let id = rig.scan_id().unwrap();
    storage.tell(&json!({"do": "refuse", "as": null}));
    wait_until("it is there", || now(&rig)["waiting"] == 0);
    storage.assert_has(&rig, &id);
    for (path, count) in storage.tell(&json!({"do": "taken"})).as_object().unwrap() {
        assert_eq!(count, 1, "{path} was taken more than once");
    }
    // It goes away; scans go on, and what is wrong is said. What comes back has nothing.
    let port = storage.here["port"].as_u64().unwrap();
    drop(storage);
    assert_eq!(rig.run(&["start"]).code, Some(0));
    wait_until("the second scan has ended", || rig.run(&["status", "--json"]).json()["scanning"] == false);
    wait_until("nobody answers", || trouble(&rig).contains("cannot be reached"));
    let doctor = rig.run(&["doctor"]).stdout;
    assert!(doctor.contains("nothing can be delivered to cloud now"), "{doctor}");
    signal(&service, Signal::TERM);
    let ended = end(service, log);
    assert!(ended.stderr.contains("delivered to \"cloud\": "), "{}", ended.stderr);
    let Some(mut storage) = Storage::start(port) else { return };
    let folder = rig.dir.path().join("scanner.toml.d/deliver.toml");
    fs::write(folder, storage.lines(&rig)).unwrap();
    let second = rig.scan_id().unwrap();
    assert!(second != id && waiting(&rig) == 1);
    assert_eq!(rig.run(&["deliver"]).code, Some(0));
    storage.assert_has(&rig, &second);
    // What was lost there is found when somebody has it looked at, and brought again.
    assert_eq!(rig.run(&["deliver", &id]).code, Some(0));
    let objects = storage.tell(&json!({"do": "list"}));
    assert!(objects.get(format!("{id}/delivered.json")).is_some(), "{objects}");
    assert_no_process_left(&rig);
}
