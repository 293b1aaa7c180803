//! How the scanner stands, published at a real broker (mosquitto), as others read it there.

use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use rustix::process::Signal;
use serde_json::Value;

use crate::interrupted::{assert_no_process_left, begin_until_all, end, read_until, signal};
use crate::support::{Recipe, Running, TestRig, have};

/// How long what was published may take to come: for a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

fn is_there() -> bool {
    have("mosquitto", "MQTT") && have("mosquitto_sub", "MQTT")
}

/// A broker of our own.
struct Broker {
    file: PathBuf,
    port: u16,
    running: Option<Running>,
}

impl Broker {
    /// One that is not started yet, with these lines in its configuration.
    fn new(folder: &Path, lines: &str) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let file = folder.join("mosquitto.conf");
        // As root, it would else become a user who may not read the folder.
        std::fs::write(&file, format!("user root\nlistener {port} 127.0.0.1\n{lines}\n")).unwrap();
        Self { file, port, running: None }
    }

    fn start(&mut self) {
        let path = format!("{}:/usr/sbin", std::env::var("PATH").unwrap());
        let mut command = Command::new("mosquitto");
        command.arg("-c").arg(&self.file).env("PATH", path).stdout(Stdio::null()).stderr(Stdio::null());
        self.running = Some(Running::spawn(command.stdin(Stdio::null())));
        while std::net::TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            thread::sleep(Duration::from_millis(20));
        }
    }

    fn stop(&mut self) {
        self.running = None;
    }

    /// What is published below `topic`, from now on, and what stays there.
    fn listen(&self, topic: &str, more: &[&str]) -> Listener {
        let mut command = Command::new("mosquitto_sub");
        command.args(["-h", "localhost", "-p", &self.port.to_string(), "-v", "-t", topic]).args(more);
        let mut running = Running::spawn(command.stdin(Stdio::null()).stdout(Stdio::piped()));
        let stdout = running.stdout.take().unwrap();
        let (sender, lines) = channel();
        thread::spawn(move || {
            for line in BufReader::new(stdout).lines() {
                let _ = sender.send(line.unwrap());
            }
        });
        Listener { _running: running, lines }
    }
}

struct Listener {
    _running: Running,
    lines: Receiver<String>,
}

impl Listener {
    /// The next message: its topic, and what it says.
    fn next(&self) -> (String, String) {
        let line = self.lines.recv_timeout(PATIENCE).unwrap();
        let (topic, text) = line.split_once(' ').unwrap();
        (topic.into(), text.into())
    }

    /// States, until one is as wanted.
    fn until(&self, wanted: impl Fn(&Value) -> bool) -> Vec<Value> {
        let mut states = Vec::new();
        loop {
            let state: Value = serde_json::from_str(&self.next().1).unwrap();
            states.push(state);
            if wanted(states.last().unwrap()) {
                return states;
            }
        }
    }
}

fn publish(rig: &TestRig, lines: &str) {
    let folder = rig.dir.path().join("scanner.toml.d");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("mqtt.toml"), format!("[mqtt]\n{lines}\n")).unwrap();
}

fn complete(state: &Value) -> bool {
    state["state"] == "ready" && state["percent"] == 100
}

#[test]
fn a_scan_is_followed_at_a_broker_and_a_death_is_told() {
    if !is_there() {
        return;
    }
    let rig = TestRig::new(&Recipe { angles: 12, time_scale: 4.0, ..Recipe::default() });
    let mut broker = Broker::new(rig.dir.path(), "allow_anonymous true");
    broker.start();
    publish(&rig, &format!("broker = \"mqtt://127.0.0.1:{}\"\ntopic = \"workshop/owl\"", broker.port));
    let (service, log) = begin_until_all(&rig, &["ready", "below workshop/owl"]);
    let (states, there) =
        (broker.listen("workshop/owl/state", &[]), broker.listen("workshop/owl/availability", &[]));
    states.until(|state| state["state"] == "ready" && state["scan"].is_null());
    assert_eq!(there.next().1, "online");
    assert_eq!(rig.run(&["start"]).code, Some(0));
    let seen = states.until(complete);
    assert!(seen.iter().any(|state| state["state"] == "scanning"), "{seen:?}");
    let last = seen.last().unwrap();
    assert_eq!((last["stored"].as_u64(), last["shots"].as_u64()), (Some(12), Some(12)), "{last}");
    assert_eq!(last["scan"], rig.scan_id().unwrap());
    assert_eq!((&last["needs_person"], &last["seconds_left"]), (&Value::Bool(false), &Value::Null));

    // What Home Assistant finds: every value that it is told to read is in what is published.
    let (topic, found) = broker.listen("homeassistant/#", &[]).next();
    assert_eq!(topic, "homeassistant/device/workshop_owl/config");
    let found: Value = serde_json::from_str(&found).unwrap();
    assert_eq!(found["state_topic"], "workshop/owl/state");
    assert_eq!(found["availability_topic"], "workshop/owl/availability");
    let components = found["components"].as_object().unwrap();
    assert!(components.len() >= 8);
    for (key, component) in components {
        assert!(last.get(key).is_some(), "{key} is not published");
        assert!(
            component["value_template"].as_str().unwrap().contains(&format!("value_json.{key}")),
            "{component}"
        );
    }
    let states = components["state"]["options"].as_array().unwrap();
    assert!(states.contains(&last["state"]));

    signal(&service, Signal::KILL);
    end(service, log);
    assert_eq!(there.next().1, "offline");
    drop(broker);
    assert_no_process_left(&rig);
}

#[test]
fn a_broker_that_is_away_holds_no_scan_and_learns_how_it_stands_once_it_is_back() {
    if !is_there() {
        return;
    }
    let rig = TestRig::new(&Recipe::default());
    let mut broker = Broker::new(rig.dir.path(), "allow_anonymous true");
    publish(&rig, &format!("broker = \"mqtt://127.0.0.1:{}\"\ndiscovery = false", broker.port));
    let nothing = format!("nothing is published at mqtt://127.0.0.1:{}", broker.port);
    let (service, mut log) = begin_until_all(&rig, &["ready", &nothing]);
    let scan = || {
        assert_eq!(rig.run(&["start"]).code, Some(0));
        while rig.run(&["status", "--json"]).json()["scanning"] == true {
            thread::sleep(Duration::from_millis(20));
        }
    };
    scan();
    broker.start();
    let states = broker.listen("#", &[]);
    let mut messages = vec![states.next(), states.next()];
    messages.sort();
    assert_eq!(messages[0], ("scanner/availability".into(), "online".into()));
    assert!(complete(&serde_json::from_str(&messages[1].1).unwrap()), "{messages:?}");
    // In the middle of the next one it goes away.
    broker.stop();
    scan();
    broker.start();
    read_until(&mut log, "below scanner");
    read_until(&mut log, "below scanner");
    let ids = rig.scan_ids();
    let latest = broker
        .listen("scanner/state", &[])
        .until(|state| complete(state) && state["scan"] == ids[1].as_str());
    assert_eq!(latest.last().unwrap()["stored"], 3);
    signal(&service, Signal::TERM);
    assert_eq!(end(service, log).code, Some(0));
    drop(broker);
    assert_no_process_left(&rig);
}

#[test]
fn who_is_not_let_in_says_why_and_gets_in_once_the_password_is_right() {
    if !is_there() || !have("mosquitto_passwd", "MQTT with a password") || !have("openssl", "MQTT over TLS") {
        return;
    }
    let rig = TestRig::new(&Recipe::default());
    let folder = rig.dir.path();
    let run = |program: &str, args: &[&str]| {
        let done = Command::new(program).args(args).current_dir(folder).output().unwrap();
        assert!(done.status.success(), "{program}: {}", String::from_utf8_lossy(&done.stderr));
    };
    run("mosquitto_passwd", &["-b", "-c", "users", "rig", "right"]);
    let subject = [
        "-subj",
        "/CN=localhost",
        "-addext",
        "subjectAltName=DNS:localhost",
        "-addext",
        "basicConstraints=critical,CA:FALSE",
    ];
    let made =
        ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-noenc", "-days", "2"];
    run("openssl", &[&made[..], &subject, &["-keyout", "key.pem", "-out", "cert.pem"]].concat());
    let here = folder.display();
    let lines = format!(
        "certfile {here}/cert.pem\nkeyfile {here}/key.pem\nallow_anonymous false\npassword_file {here}/users"
    );
    let mut broker = Broker::new(folder, &lines);
    broker.start();
    let address = format!("broker = \"mqtts://localhost:{}\"\n", broker.port);
    // Without our certificate, the broker is nobody whom we know.
    publish(&rig, &format!("{address}user = \"rig\"\npassword_file = \"password\""));
    std::fs::write(folder.join("password"), "wrong\n").unwrap();
    let unknown = "name another file of certificates with `ca` under [mqtt]";
    let (service, mut log) = begin_until_all(&rig, &["ready", unknown]);
    publish(&rig, &format!("{address}user = \"rig\"\npassword_file = \"password\"\nca = \"cert.pem\""));
    assert_eq!(rig.run(&["reload"]).code, Some(0));
    read_until(&mut log, "it does not let us in");
    std::fs::write(folder.join("password"), "right\n").unwrap();
    read_until(&mut log, "below scanner");
    let certificate = folder.join("cert.pem");
    let more = ["--cafile", certificate.to_str().unwrap(), "-u", "rig", "-P", "right"];
    assert_eq!(broker.listen("scanner/availability", &more).next().1, "online");
    signal(&service, Signal::TERM);
    let ended = end(service, log);
    drop(broker);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(
        !ended.stderr.contains("right\n") && !ended.stderr.contains("wrong"),
        "no password is in the log"
    );
    assert_no_process_left(&rig);
}
