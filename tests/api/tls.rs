//! HTTPS, with certificates made as docs/api.md says.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use ureq::Agent;
use ureq::tls::{Certificate, RootCerts, TlsConfig};

use crate::client::{Daemon, PATIENCE, connect_slowly, has_hung_up, large_scan, wait_for};
use crate::support::{Recipe, Running, TestRig, have};

/// A certificate for this machine and its key, in `folder`.
fn certify(folder: &Path, name: &str) {
    let made = Command::new("openssl")
        .current_dir(folder)
        .args(
            "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc -days 3650 -subj /CN=scanner"
                .split(' '),
        )
        .args(["-addext", "basicConstraints=critical,CA:FALSE"])
        .args(["-addext", "subjectAltName=DNS:scanner.local,DNS:localhost,IP:127.0.0.1"])
        .args(["-keyout", &format!("{name}.key"), "-out", &format!("{name}.crt")])
        .output()
        .unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
}

/// A daemon that serves HTTPS.
fn daemon() -> Option<Daemon> {
    if !have("openssl", "HTTPS") {
        return None;
    }
    let rig = TestRig::new(&Recipe::default());
    certify(rig.dir.path(), "scanner");
    configure(&rig, "scanner");
    Some(Daemon::start_in(rig))
}

fn configure(rig: &TestRig, name: &str) {
    let drop_ins = rig.dir.path().join("scanner.toml.d");
    std::fs::create_dir_all(&drop_ins).unwrap();
    let text = format!("[api]\ncertificate = \"{name}.crt\"\nkey = \"scanner.key\"\n");
    std::fs::write(drop_ins.join("tls.toml"), text).unwrap();
}

fn roots(daemon: &Daemon) -> CertificateDer<'static> {
    CertificateDer::from_pem_file(daemon.rig.dir.path().join("scanner.crt")).unwrap()
}

/// Who believes the daemon's certificate as it is now.
fn agent(daemon: &Daemon) -> Agent {
    let root = Certificate::from_der(roots(daemon).as_ref()).to_owned();
    let tls = TlsConfig::builder()
        .unversioned_rustls_crypto_provider(Arc::new(ring::default_provider()))
        .root_certs(RootCerts::Specific(Arc::new(vec![root])))
        .build();
    let config =
        Agent::config_builder().tls_config(tls).http_status_as_error(false).timeout_global(Some(PATIENCE));
    config.build().into()
}

fn status(daemon: &Daemon, agent: &Agent, headers: &[(&str, &str)]) -> Result<u16, ureq::Error> {
    let url = format!("https://{}/api/v1/status", daemon.address);
    let mut request = agent.get(url).header("Authorization", format!("Bearer {}", daemon.token));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    Ok(request.call()?.status().as_u16())
}

fn connect(daemon: &Daemon) -> TcpStream {
    let stream = TcpStream::connect(daemon.address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

/// Agrees on encryption over `stream`, once something is written.
fn encrypt(daemon: &Daemon, stream: TcpStream) -> StreamOwned<ClientConnection, TcpStream> {
    let mut store = RootCertStore::empty();
    store.add(roots(daemon)).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(store)
        .with_no_client_auth();
    let name = "localhost".try_into().unwrap();
    StreamOwned::new(ClientConnection::new(Arc::new(config), name).unwrap(), stream)
}

#[test]
fn requests_are_encrypted_and_cookies_and_origins_are_those_of_https() {
    let Some(daemon) = daemon() else { return };
    let agent = agent(&daemon);
    let own = daemon.address;
    assert_eq!(status(&daemon, &agent, &[]).unwrap(), 200);
    assert_eq!(status(&daemon, &agent, &[("Origin", &format!("https://{own}"))]).unwrap(), 200);
    assert_eq!(status(&daemon, &agent, &[("Origin", &format!("http://{own}"))]).unwrap(), 403);
    assert_eq!(status(&daemon, &agent, &[("Host", "evil.example")]).unwrap(), 403);
    let login = agent
        .post(format!("https://{own}/api/v1/login"))
        .send_json(json!({ "token": daemon.token }))
        .unwrap();
    assert_eq!(login.status().as_u16(), 200);
    let cookie = login.headers()["set-cookie"].to_str().unwrap();
    assert!(
        cookie.starts_with("__Host-") && cookie.contains("; Path=/;") && cookie.ends_with("; Secure"),
        "{cookie}"
    );
    assert!(!login.headers().contains_key("strict-transport-security"));
    // Who does not know the certificate does not speak to it.
    let stranger = Agent::config_builder()
        .tls_config(
            TlsConfig::builder()
                .unversioned_rustls_crypto_provider(Arc::new(ring::default_provider()))
                .root_certs(RootCerts::Specific(Arc::default()))
                .build(),
        )
        .build();
    assert!(status(&daemon, &stranger.into(), &[]).is_err());
}

#[test]
fn plain_http_is_told_and_silence_keeps_nobody_waiting() {
    let Some(daemon) = daemon() else { return };
    let agent = agent(&daemon);
    let plain = daemon.get("/api/v1/status");
    assert_eq!(plain.status, 400);
    assert!(plain.json()["detail"].as_str().unwrap().contains("https://"), "{}", plain.json());
    let silent: Vec<TcpStream> = (0..100).map(|_| connect(&daemon)).collect();
    let mut half: Vec<TcpStream> = (0..100).map(|_| connect(&daemon)).collect();
    for stream in &mut half {
        // A handshake that goes no further.
        stream.write_all(&[0x16, 0x03, 0x01, 0x02, 0x00, 0x01]).unwrap();
    }
    for _ in 0..20 {
        assert_eq!(status(&daemon, &agent, &[]).unwrap(), 200);
    }
    for mut stream in silent.into_iter().chain(half).step_by(50) {
        let mut rest = Vec::new();
        // It is hung up on, one way or another.
        let _ = stream.read_to_end(&mut rest);
    }
    let mut garbage = connect(&daemon);
    garbage.write_all(&[0x16; 600]).unwrap();
    let _ = garbage.read_to_end(&mut Vec::new());
    assert_eq!(status(&daemon, &agent, &[]).unwrap(), 200);
}

#[test]
fn a_live_view_goes_over_tls_in_a_program_and_in_scanner_watch() {
    let Some(daemon) = daemon() else { return };
    let stream = encrypt(&daemon, connect(&daemon));
    let address = format!("ws://{}/api/v1/live/cam0", daemon.address).parse().unwrap();
    let request = tungstenite::ClientRequestBuilder::new(address)
        .with_header("Origin", format!("https://{}", daemon.address))
        .with_header("Authorization", format!("Bearer {}", daemon.token));
    let (mut socket, _) = tungstenite::client(request, stream).unwrap();
    let mut frames = 0;
    while frames < 3 {
        frames += i32::from(socket.read().unwrap().is_binary());
    }

    let watch = |args: &[&str]| {
        let mut command = daemon.rig.command(&["watch", "cam0", "--seconds", "3"]);
        let done = command.args(args).env("SCANNER_TOKEN", &daemon.token).output().unwrap();
        (done.status.code(), String::from_utf8_lossy(&[done.stdout, done.stderr].concat()).into_owned())
    };
    let url = format!("https://{}", daemon.address);
    let certificate = daemon.rig.dir.path().join("scanner.crt");
    let (code, told) = watch(&["--url", &url, "--ca", certificate.to_str().unwrap()]);
    assert!(code == Some(0) && told.contains(" fps"), "{code:?} {told}");
    let (code, told) = watch(&["--url", &url, "--ca", "/nonexistent.crt"]);
    assert!(code == Some(1) && told.contains("/nonexistent.crt"), "{code:?} {told}");
}

/// What is written waits for room in the send buffer of the system, which a slow client makes in minutes.
#[test]
fn who_takes_a_download_slowly_gets_all_of_it_and_who_takes_nothing_is_hung_up_on() {
    if !have("openssl", "HTTPS") {
        return;
    }
    let rig = TestRig::new(&Recipe::default());
    certify(rig.dir.path(), "scanner");
    let (id, files) = large_scan(&rig);
    configure(&rig, "scanner");
    let daemon = Daemon::start_in(rig);
    let begin = || {
        let mut stream = encrypt(&daemon, connect_slowly(&daemon));
        let (host, token) = (daemon.address, &daemon.token);
        let path = format!("/api/v1/scans/{id}/shots/0/thumbnail");
        write!(stream, "GET {path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\n").unwrap();
        write!(stream, "Connection: close\r\n\r\n").unwrap();
        let mut head = [0; 12];
        stream.read_exact(&mut head).unwrap();
        assert_eq!(&head, b"HTTP/1.1 200");
        stream
    };
    // The slow one has to outlast the one that takes nothing, and began before it.
    let (mut slow, stalled) = (begin(), begin());
    let (mut taken, begun) = (Vec::new(), Instant::now());
    while !has_hung_up(&stalled.sock, Duration::from_secs(1)) {
        assert!(begun.elapsed() < PATIENCE * 2, "who takes nothing is served for ever");
        let mut piece = [0; 1 << 14];
        slow.read_exact(&mut piece).unwrap();
        taken.extend(piece);
    }
    assert!(!has_hung_up(&slow.sock, Duration::ZERO), "hung up on after {} bytes", taken.len());
    slow.read_to_end(&mut taken).unwrap();
    let stored = std::fs::read(&files[0]).unwrap();
    let body = taken.windows(4).position(|end| end == b"\r\n\r\n").unwrap() + 4;
    assert!(taken[body..] == stored, "{} bytes of {}", taken.len() - body, stored.len());
}

#[test]
fn a_new_certificate_is_read_by_a_reload_and_a_wrong_one_leaves_the_old_one_in_force() {
    let Some(daemon) = daemon() else { return };
    let old = agent(&daemon);
    let folder = daemon.rig.dir.path();
    // Renewed without its key: refused.
    certify(folder, "other");
    std::fs::rename(folder.join("scanner.crt"), folder.join("old.crt")).unwrap();
    std::fs::rename(folder.join("other.crt"), folder.join("scanner.crt")).unwrap();
    let reload = daemon.rig.run(&["reload"]);
    assert_eq!(reload.code, Some(3), "{}", reload.stderr);
    assert!(reload.stderr.contains("is not that of the certificate"), "{}", reload.stderr);
    assert_eq!(status(&daemon, &old, &[]).unwrap(), 200);
    let check = daemon.rig.run(&["check-config"]);
    assert_eq!(check.code, Some(3), "{}", check.stderr);
    assert!(check.stderr.contains("is not that of the certificate"), "{}", check.stderr);
    // With it, and nobody who is connected is hung up on.
    let mut events = connect_events(&daemon, &old);
    std::fs::rename(folder.join("other.key"), folder.join("scanner.key")).unwrap();
    let reload = daemon.rig.run(&["reload"]);
    assert_eq!(reload.code, Some(0), "{}", reload.stderr);
    assert!(reload.stdout.contains("certificate was read again"), "{}", reload.stdout);
    assert_eq!(status(&daemon, &agent(&daemon), &[]).unwrap(), 200);
    let mut byte = [0];
    events.read_exact(&mut byte).unwrap();
    for (file, told) in [("scanner.key", "is missing"), ("scanner.crt", "is missing")] {
        let aside = folder.join("aside");
        std::fs::rename(folder.join(file), &aside).unwrap();
        let check = daemon.rig.run(&["check-config"]);
        assert!(check.stderr.contains(told) && check.stderr.contains(file), "{}", check.stderr);
        std::fs::write(folder.join(file), "no PEM").unwrap();
        let check = daemon.rig.run(&["check-config"]);
        assert!(check.code == Some(3) && check.stderr.contains("PEM"), "{}", check.stderr);
        std::fs::rename(aside, folder.join(file)).unwrap();
    }
    assert_eq!(daemon.rig.run(&["check-config"]).code, Some(0));
}

/// The stream of events, with its first line read.
fn connect_events(daemon: &Daemon, agent: &Agent) -> impl std::io::Read + use<> {
    let url = format!("https://{}/api/v1/events", daemon.address);
    let answer = agent.get(url).header("Authorization", format!("Bearer {}", daemon.token)).call().unwrap();
    assert_eq!(answer.status().as_u16(), 200);
    answer.into_body().into_reader()
}

#[test]
fn without_its_certificate_the_service_scans_and_does_not_fall_back_to_plain_http() {
    if !have("openssl", "HTTPS") {
        return;
    }
    let rig = TestRig::new(&Recipe::default());
    configure(&rig, "scanner");
    let api = rig.dir.path().join("scanner.toml.d/api.toml");
    std::fs::write(api, "[api]\nlisten = \"127.0.0.1:0\"\n").unwrap();
    let mut child = Running::spawn(&mut rig.command(&["run"]));
    let status = || serde_json::from_str::<Value>(&rig.run(&["status", "--json"]).stdout).ok();
    let refused = wait_for("it says so", || status().filter(|now| now["api"]["state"] == "refused"));
    assert!(refused["api"]["message"].as_str().unwrap().contains("scanner.crt"), "{refused}");
    assert_eq!(rig.run(&["start"]).code, Some(0));
    certify(rig.dir.path(), "scanner");
    wait_for("it listens once they are there", || {
        std::thread::sleep(Duration::from_millis(200));
        status().filter(|now| now["api"]["state"] == "listening")
    });
    let pid = rustix::process::Pid::from_raw(child.id() as i32).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0));
    let alone = rig.dir.path().join("scanner.toml.d/tls.toml");
    for (text, told) in
        [("certificate = \"scanner.crt\"", "has no key"), ("key = \"scanner.key\"", "has no certificate")]
    {
        std::fs::write(&alone, format!("[api]\n{text}\n")).unwrap();
        let check = rig.run(&["check-config"]);
        assert!(check.code == Some(3) && check.stderr.contains(told), "{}", check.stderr);
    }
}
