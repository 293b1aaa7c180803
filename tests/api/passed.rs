//! A socket that systemd made, as `scanner.socket` has it.

use std::net::{TcpListener, UdpSocket};
use std::os::fd::OwnedFd;
use std::process::{Command, Stdio};

use command_fds::{CommandFdExt as _, FdMapping};
use serde_json::Value;

use crate::client::wait_for;
use crate::support::{Recipe, Running, TestRig};

/// The service, with `sockets` passed on as systemd does.
fn run(rig: &TestRig, sockets: Vec<OwnedFd>) -> Running {
    let script = format!("LISTEN_PID=$$ LISTEN_FDS={} exec \"$@\"", sockets.len());
    let mut command = Command::new("sh");
    command
        .args(["-c", &script, "sh", env!("CARGO_BIN_EXE_scanner"), "--config"])
        .arg(&rig.config)
        .arg("run");
    let number = |(index, parent_fd)| FdMapping { parent_fd, child_fd: 3 + index };
    command.fd_mappings((0..).zip(sockets).map(number).collect()).unwrap();
    command.env("RUST_LOG", "info").env_remove("JOURNAL_STREAM");
    Running::spawn(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()))
}

fn end(mut child: Running) -> (Option<i32>, String) {
    let pid = rustix::process::Pid::from_raw(child.id() as i32).unwrap();
    let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
    let mut log = String::new();
    std::io::Read::read_to_string(&mut child.stderr.take().unwrap(), &mut log).unwrap();
    (child.wait().unwrap().code(), log)
}

#[test]
fn the_api_is_served_at_a_socket_that_was_passed_also_after_a_reload() {
    for listen in ["", "listen = \"127.0.0.1:1\"\n"] {
        let rig = TestRig::new(&Recipe::default());
        let drop_ins = rig.dir.path().join("scanner.toml.d");
        std::fs::create_dir_all(&drop_ins).unwrap();
        std::fs::write(drop_ins.join("api.toml"), format!("[api]\n{listen}")).unwrap();
        let socket = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = socket.local_addr().unwrap();
        let child = run(&rig, vec![socket.into()]);
        let healthy = || ureq::get(format!("http://{address}/healthz")).call().is_ok();
        wait_for("the API answers", || healthy().then_some(()));
        let status: Value = rig.run(&["status", "--json"]).json();
        assert_eq!(status["api"]["address"], address.to_string(), "{status}");
        std::fs::write(drop_ins.join("api.toml"), format!("[api]\n{listen}hosts = [\"rig.example\"]\n"))
            .unwrap();
        let reload = rig.run(&["reload"]);
        assert_eq!(reload.code, Some(0), "{}", reload.stderr);
        wait_for("the API answers again", || healthy().then_some(()));
        // Drivers do not inherit it.
        assert_eq!(rig.run(&["start"]).code, Some(0));
        wait_for("the scan is complete", || {
            (rig.run(&["status", "--json"]).json()["last"]["end"] == "complete").then_some(())
        });
        let (code, log) = end(child);
        assert_eq!(code, Some(0), "{log}");
        assert!(log.contains("a socket of the service manager"), "{log}");
        assert!(std::net::TcpStream::connect(address).is_err(), "nobody keeps the socket");
    }
}

#[test]
fn what_is_no_socket_for_the_api_is_refused() {
    let tcp = || OwnedFd::from(TcpListener::bind("127.0.0.1:0").unwrap());
    let rig = TestRig::new(&Recipe::default());
    for (sockets, told) in [
        (vec![tcp(), tcp()], "passes 2 sockets"),
        (vec![UdpSocket::bind("127.0.0.1:0").unwrap().into()], "does not listen for TCP"),
        (vec![std::fs::File::open("/dev/null").unwrap().into()], "cannot be used"),
    ] {
        let mut child = run(&rig, sockets);
        let mut log = String::new();
        std::io::Read::read_to_string(&mut child.stderr.take().unwrap(), &mut log).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(3), "{log}");
        assert!(log.contains(told), "{log}");
    }
}
