//! What the lead's doctor, API and support bundle say of nodes.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::bench::{Differences, Fleet, wait_for};
use crate::support::Running;

/// What is answered to a GET, as it comes.
pub(crate) fn get(address: &str, token: &str, path: &str) -> Vec<u8> {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n\r\n"
    )
    .unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    assert!(answer.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&answer));
    answer
}

pub(crate) fn body(answer: &[u8]) -> Value {
    let text = String::from_utf8_lossy(answer);
    serde_json::from_str(text.split_once("\r\n\r\n").unwrap().1).unwrap()
}

#[test]
fn nodes_are_seen_with_their_clocks_and_logs_and_a_silent_one_is_told() {
    let what = Differences { angles: 2, nodes: Some(2), ..Differences::default() };
    let Some(mut fleet) = Fleet::new(&what) else { return };
    let key = fleet.folder().join("fleet/lead.nk");
    let program = env!("CARGO_BIN_EXE_scanner-fleet");
    let ask = |fleet: &Fleet, what: &str| {
        let output = Command::new(program)
            .args([what, "--broker", &fleet.address(), "--key"])
            .arg(&key)
            .args((what == "list").then_some("--json"))
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice::<Value>(&output.stdout).unwrap()
    };
    let here =
        |nodes: &Value| nodes.as_array().unwrap().iter().filter(|node| node["state"] == "here").count();
    wait_for("both nodes", || here(&ask(&fleet, "list")) == 2);
    fleet.kill_node(1);
    wait_for("one to be missed", || here(&ask(&fleet, "list")) == 1);

    let doctor = fleet.rig.run(&["doctor", "--json"]).json();
    let said: Vec<&Value> =
        doctor.as_array().unwrap().iter().filter(|found| found["check"] == "nodes").collect();
    assert_eq!(said.len(), 2, "{doctor}");
    assert!(said[0]["found"].as_str().unwrap().starts_with("node0 is there"), "{}", said[0]);
    assert_eq!(said[1]["verdict"], "problem", "{}", said[1]);
    assert!(said[1]["what_to_do"].as_str().unwrap().contains("scanner-node"), "{}", said[1]);

    let reports = ask(&fleet, "report");
    let report = &reports["node0"];
    assert!(reports["node1"].is_null(), "{reports}");
    assert!(report["configuration"].as_str().unwrap().contains("node0.nk"), "{report}");
    let log = report["log"].to_string();
    assert!(log.contains("the lead accepts this node"), "{log}");

    let drop_ins = fleet.folder().join("scanner.toml.d");
    std::fs::create_dir_all(&drop_ins).unwrap();
    std::fs::write(drop_ins.join("api.toml"), "[api]\nlisten = \"127.0.0.1:0\"\n").unwrap();
    let mut service = fleet.rig.command(&["run"]);
    let _service = Running::spawn(service.stdout(Stdio::null()).stderr(Stdio::null()));
    let mut address = String::new();
    wait_for("the API", || {
        let status = fleet.rig.run(&["status", "--json"]);
        let status = serde_json::from_str::<Value>(&status.stdout).unwrap_or_default();
        address = status["api"]["address"].as_str().unwrap_or_default().to_owned();
        !address.is_empty()
    });
    let token = fleet.rig.run(&["token", "test"]).stdout.trim().to_owned();
    let nodes = body(&get(&address, &token, "/api/v1/nodes"));
    assert_eq!(nodes["not_seen"], serde_json::json!([]), "{nodes}");
    assert_eq!((&nodes["nodes"][0]["node"], &nodes["nodes"][0]["state"]), (&"node0".into(), &"here".into()));
    assert!(nodes["nodes"][0]["clock_uncertainty_ms"].as_f64().unwrap() < 200.0, "{nodes}");
    assert_eq!(
        (&nodes["nodes"][1]["node"], &nodes["nodes"][1]["state"]),
        (&"node1".into(), &"silent".into())
    );
    let bundle = get(&address, &token, "/api/v1/support.zip");
    for told in ["scanner-support/nodes-0.json", "the lead accepts this node"] {
        assert!(
            bundle.windows(told.len()).any(|bytes| bytes == told.as_bytes()),
            "{told} is not in the bundle"
        );
    }

    // Nobody can look: that is not known to be a fault of a node.
    drop(fleet.broker.take());
    let doctor = fleet.rig.run(&["doctor", "--json"]).json();
    let said: Vec<&Value> =
        doctor.as_array().unwrap().iter().filter(|found| found["check"] == "nodes").collect();
    assert_eq!((said.len(), &said[0]["verdict"]), (1, &"unknown".into()), "{doctor}");
    assert!(said[0]["found"].as_str().unwrap().contains("no connection to the broker"), "{}", said[0]);
}
