//! Who may do what at the broker.

use std::io::{Read as _, Write as _};
use std::process::{Command, Stdio};
use std::time::Duration;

use futures_util::StreamExt as _;
use scanner_fleet::admin::{self, Listed};
use scanner_fleet::broker::{self, Persistence};
use scanner_fleet::keys;

use crate::bench::{Differences, Fleet, wait_for};

async fn connect(fleet: &Fleet, seed: &str) -> Result<async_nats::Client, String> {
    let (events, _) = tokio::sync::mpsc::unbounded_channel();
    let client = broker::connect(&fleet.known(), seed, "a test", Persistence::Once, events).await;
    client.map_err(|error| error.to_string())
}

pub(crate) fn listed(fleet: &Fleet) -> Vec<Listed> {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(admin::list(&fleet.known(), &fleet.key())).unwrap()
}

#[test]
fn who_has_no_key_learns_and_does_nothing() {
    let Some(fleet) = Fleet::new(&Differences { angles: 2, ..Differences::default() }) else { return };
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        assert!(async_nats::connect(fleet.address()).await.is_err(), "without a key");
        let stranger = keys::load_or_make(&fleet.folder().join("stranger.nk")).unwrap();
        let refused = connect(&fleet, &stranger.seed).await.unwrap_err();
        assert!(refused.contains("not accepted"), "{refused}");
    });
}

/// A node hears nothing of another one, and what it says in its name or to it is dropped.
#[test]
fn the_key_of_a_node_opens_no_camera_of_another() {
    let what = Differences { angles: 2, nodes: Some(2), ..Differences::default() };
    let Some(fleet) = Fleet::new(&what) else { return };
    wait_for("both nodes", || listed(&fleet).len() == 2);
    let thief = keys::load(&fleet.folder().join("node1.nk")).unwrap();
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let client = connect(&fleet, &thief.seed).await.unwrap();
        let mut heard = Vec::new();
        for subject in ["scanner.node.node0.>", "scanner.node.*.up.>", ">", "scanner.node.node0.up.announce"]
        {
            heard.push(client.subscribe(subject).await.unwrap());
        }
        let open = r#"{"version":1,"session":"stolen","camera":"cam","holder":"thief"}"#;
        client.publish("scanner.node.node0.down.open", open.into()).await.unwrap();
        // Not even itself may it tell anything, in the lead's name.
        client.publish("scanner.node.node1.down.open", open.into()).await.unwrap();
        client.flush().await.unwrap();
        tokio::time::sleep(Duration::from_secs(5)).await;
        for mut messages in heard {
            assert!(tokio::time::timeout(Duration::from_millis(50), messages.next()).await.is_err());
        }
    });
    for log in ["node0.log", "node1.log"] {
        assert!(!fleet.log(log).contains("session opened"), "{}", fleet.log(log));
    }
    // The lead's key opens it.
    let scan = fleet.rig.run(&["scan", "--json"]);
    assert_eq!(scan.code, Some(0), "{}", scan.stderr);
    assert!(fleet.log("node0.log").contains("session opened"));
}

#[test]
fn a_node_is_let_in_while_the_broker_runs_and_shut_out_again() {
    let Some(mut fleet) = Fleet::new(&Differences { angles: 2, ..Differences::default() }) else { return };
    let folder = fleet.folder().join("fleet");
    let (pid, program) = (fleet.folder().join("nats.pid"), env!("CARGO_BIN_EXE_scanner-fleet"));
    let tell = |arguments: &[&str]| {
        let mut command = Command::new(program);
        command.args(arguments).arg("--folder").arg(&folder).arg("--pid").arg(&pid);
        let output = command.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    };
    wait_for("the node", || !listed(&fleet).is_empty());
    tell(&["remove", "node0"]);
    wait_for("its end", || listed(&fleet).is_empty());
    // It knocks, which the broker's log says, and is let in by who says that it is the right one.
    let log = fleet.folder().join("nats.log");
    let key = keys::load(&fleet.folder().join("node0.nk")).unwrap();
    wait_for("it to knock", || {
        let output = Command::new(program)
            .args(["knocks", "--json", "--log"])
            .arg(&log)
            .arg("--folder")
            .arg(&folder)
            .output();
        let knocks: serde_json::Value = serde_json::from_slice(&output.unwrap().stdout).unwrap();
        knocks[0]["key"] == key.public && knocks[0]["name"] == "node0" && knocks[0]["role"] == "node"
    });
    let answer = |name: &str, answer: &str| {
        let mut command = Command::new(program);
        command.args(["accept", name, "--log"]).arg(&log).arg("--folder").arg(&folder).arg("--pid").arg(&pid);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut accept = command.spawn().unwrap();
        // Who is not known is not asked about.
        let _ = accept.stdin.take().unwrap().write_all(answer.as_bytes());
        let output = accept.wait_with_output().unwrap();
        (output.status.success(), String::from_utf8_lossy(&output.stdout).contains(&key.public))
    };
    assert_eq!(answer("node1", "y\n"), (false, false), "nobody knocks by that name");
    assert_eq!(answer("node0", "n\n"), (false, true));
    assert_eq!(answer("node0", ""), (false, true));
    assert!(admin::Fleet::read(&folder).unwrap().nodes.is_empty());
    assert_eq!(answer("node0", "y\n"), (true, true));
    // It is not told: it asks again by itself, or is started anew.
    fleet.kill_node(0);
    fleet.start_node(0);
    wait_for("the node", || !listed(&fleet).is_empty());
    let nodes = listed(&fleet);
    assert_eq!((nodes[0].said.node.as_str(), nodes[0].said.cameras[0].name.as_str()), ("node0", "cam"));
    assert!(nodes[0].clock_ahead_ms.unwrap().abs() < 200.0, "{nodes:?}");
}

/// After the broker's start all nodes come at once, to a machine that may be busy: who takes long to show a key is not sent away, or
/// all of them come again, and again. The broker's own limit is 2 s.
#[test]
fn who_is_slow_to_show_a_key_is_waited_for() {
    let Some(fleet) = Fleet::new(&Differences { angles: 2, ..Differences::default() }) else { return };
    let mut slow = std::net::TcpStream::connect(("127.0.0.1", fleet.port)).unwrap();
    std::thread::sleep(Duration::from_secs(3));
    slow.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
    let mut said = Vec::new();
    // Nothing more comes, which is an error of its own.
    let _ = slow.read_to_end(&mut said);
    let said = String::from_utf8_lossy(&said);
    assert!(said.starts_with("INFO ") && !said.contains("-ERR"), "{said}");
}
