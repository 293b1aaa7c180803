//! What arrives, in each way; and `scanner notify --test`.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustix::process::Signal;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{ServerConnection, StreamOwned};

use super::receiver::{Answer, Receiver};
use super::{rig, scan, tell, waiting, webhook};
use crate::interrupted::{begin, end, signal};
use crate::support::{Recipe, TestRig, have};

/// A program of these lines of shell.
fn program(rig: &TestRig, name: &str, lines: &str) -> PathBuf {
    let path = rig.dir.path().join(name);
    std::fs::write(&path, format!("#!/bin/sh\n{lines}\n")).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    path
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap()
}

#[test]
fn each_way_brings_the_end_of_a_scan_before_the_command_ends() {
    let receiver = Receiver::start(|_| Answer::Status(200));
    let rig = TestRig::new(&Recipe::default());
    let (told, mailed) = (rig.dir.path().join("told"), rig.dir.path().join("mailed"));
    let lamp = program(&rig, "lamp", &format!("cat > {}; echo \"$1\" >> {0}", told.display()));
    let mailer = program(&rig, "mailer", &format!("echo \"$@\" > {0}; cat >> {0}", mailed.display()));
    std::fs::write(rig.dir.path().join("secret"), "whsec_c0VjUmVU\n").unwrap();
    std::fs::write(rig.dir.path().join("token"), "tk_sEcReT\n").unwrap();
    tell(
        &rig,
        &format!(
            "{}secret_file = \"secret\"\n\
             [[notify]]\nname = \"phone\"\nthrough = \"ntfy\"\nurl = \"{url}/my-rig\"\ntoken_file = \"token\"\n\
             [[notify]]\nname = \"lamp\"\nthrough = \"command\"\ncommand = [\"{}\", \"--blink\"]\n\
             [[notify]]\nname = \"desk\"\nthrough = \"mail\"\nto = [\"me@example.org\"]\nsendmail = \"{}\"\n\
             [api]\nlisten = \"[::]:8099\"\nhosts = [\"rig.example.org\"]\n",
            webhook("hook", &(receiver.url() + "/hook")),
            lamp.display(),
            mailer.display(),
            url = receiver.url(),
        ),
    );
    let scanned = rig.run(&["scan", "--name", "Gr\u{fc}\u{df}e"]);
    assert_eq!(scanned.code, Some(0), "{}", scanned.stderr);
    let id = rig.scan_id().unwrap();
    let page = format!("http://rig.example.org:8099/scans/{id}");

    let mut got = receiver.rest();
    assert_eq!(got.len(), 2);
    got.sort_by_key(|request| request.path.len());
    let (phone, hook) = (&got[0], &got[1]);
    let json = hook.json();
    for (key, wanted) in
        [("occasion", "finished"), ("scan", &id), ("name", "Gr\u{fc}\u{df}e"), ("page", &page)]
    {
        assert_eq!(json[key], wanted, "{json}");
    }
    assert_eq!((&json["stored"], &json["shots"]), (&3.into(), &3.into()), "{json}");
    // As whoever gets it checks it: with the bytes that came, and somebody else's HMAC.
    let (message, seconds) = (hook.header("webhook-id"), hook.header("webhook-timestamp"));
    assert_eq!(json["id"], message);
    let signed = [format!("{message}.{seconds}.").as_bytes(), &hook.body].concat();
    let signature = format!("v1,{}", STANDARD.encode(hmac_sha256(b"sEcReT", &signed)));
    assert_eq!(hook.header("webhook-signature"), signature);

    assert_eq!((phone.path.as_str(), phone.header("authorization")), ("/", "Bearer tk_sEcReT"));
    let json = phone.json();
    for (key, wanted) in
        [("topic", "my-rig"), ("title", "Scan Gr\u{fc}\u{df}e is complete"), ("click", &page)]
    {
        assert_eq!(json[key], wanted, "{json}");
    }

    let (json, argument) =
        read(&told).rsplit_once('}').map(|(json, rest)| (format!("{json}}}"), rest.to_owned())).unwrap();
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!((&json["title"], argument.trim()), (&"Scan Gr\u{fc}\u{df}e is complete".into(), "--blink"));

    let mail = read(&mailed);
    assert!(mail.starts_with("-t -i\n") && mail.contains("\nTo: <me@example.org>\n"), "{mail}");
    assert!(mail.contains("\nSubject: =?utf-8?") && mail.contains(&id), "{mail}");
    assert!(!scanned.stderr.contains("sEcReT") && !scanned.stderr.contains("my-rig"), "{}", scanned.stderr);
}

/// By its definition (RFC 2104).
fn hmac_sha256(key: &[u8], data: &[u8]) -> Vec<u8> {
    use sha2::{Digest as _, Sha256};
    let pad = |byte: u8| (0..64).map(|n| key.get(n).copied().unwrap_or(0) ^ byte).collect::<Vec<_>>();
    let inner = Sha256::digest([pad(0x36), data.to_vec()].concat());
    Sha256::digest([pad(0x5c), inner.to_vec()].concat()).to_vec()
}

#[test]
fn a_test_says_of_each_what_became_of_it_whoever_sends_it() {
    let receiver = Receiver::start(|_| Answer::Status(200));
    let rig = rig(&Recipe::default(), "");
    let nobody = rig.run(&["notify", "--test"]);
    assert_eq!(nobody.code, Some(1), "{}", nobody.stderr);
    assert!(nobody.stderr.contains("nobody is told"), "{}", nobody.stderr);
    let all = webhook("hook", &receiver.url())
        + "on = [\"failed\"]\n[[notify]]\nname = \"lamp\"\nthrough = \"command\"\ncommand = [\"/no/such/lamp\"]\n"
        + &webhook("signed", &receiver.url())
        + "secret_file = \"no-such-secret\"\n";
    tell(&rig, &all);
    for by in ["this command", "the running scanner"] {
        let service = (by == "the running scanner").then(|| begin(&rig, &["run"], "ready"));
        let tried = rig.run(&["notify", "--test"]);
        assert_eq!(tried.code, Some(1), "{}", tried.stderr);
        assert!(tried.stdout.contains(&format!("Sent by {by}")), "{}", tried.stdout);
        let json = rig.run(&["notify", "--test", "--json"]).json();
        let errors: Vec<_> = json.as_array().unwrap().iter().map(|one| one["error"].as_str()).collect();
        assert_eq!(errors[0], None, "{json}");
        assert!(errors[1].unwrap().contains("cannot start /no/such/lamp"), "{json}");
        assert!(errors[2].unwrap().contains("no-such-secret is missing"), "{json}");
        let got = [receiver.next(), receiver.next()];
        assert!(got.iter().all(|it| it.json()["occasion"].is_null() && it.json()["scan"].is_null()));
        if let Some((service, log)) = service {
            signal(&service, Signal::TERM);
            assert_eq!(end(service, log).code, Some(0));
        }
    }
    // It is no message that waits.
    assert_eq!(["hook", "lamp", "signed"].map(|name| waiting(&rig, name)), [0, 0, 0]);
    tell(&rig, &webhook("hook", &receiver.url()));
    assert_eq!(rig.run(&["notify", "--test"]).code, Some(0));
}

#[test]
fn a_command_that_never_ends_is_ended_with_the_service_and_no_scan_waits_for_it() {
    let rig = TestRig::new(&Recipe::default());
    let begun = rig.dir.path().join("begun");
    let command =
        program(&rig, "endless", &format!("trap '' TERM; : > {}; sleep 1000 & wait; wait", begun.display()));
    tell(
        &rig,
        &format!(
            "[[notify]]\nname = \"endless\"\nthrough = \"command\"\ncommand = [\"{}\"]\ntimeout = \"30 s\"\n",
            command.display()
        ),
    );
    let (service, log) = begin(&rig, &["run"], "ready");
    scan(&rig);
    while !begun.exists() {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    scan(&rig);
    signal(&service, Signal::TERM);
    let ended = end(service, log);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(ended.stderr.contains("endless was ended: its time was up"), "{}", ended.stderr);
    assert!(ended.stderr.contains("2 notifications for \"endless\" are not delivered"), "{}", ended.stderr);
    crate::interrupted::assert_no_process_left(&rig);
}

#[test]
fn https_is_spoken_with_who_is_known_by_a_certificate_and_with_nobody_else() {
    if !have("openssl", "HTTPS") {
        return;
    }
    let rig = rig(&Recipe::default(), "");
    let made = Command::new("openssl")
        .current_dir(rig.dir.path())
        .args(
            "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc -days 3650 -subj /CN=hook"
                .split(' '),
        )
        .args(["-addext", "basicConstraints=critical,CA:FALSE", "-addext", "subjectAltName=DNS:localhost"])
        .args(["-keyout", "hook.key", "-out", "hook.crt"])
        .output()
        .unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let certificate = CertificateDer::from_pem_file(rig.dir.path().join("hook.crt")).unwrap();
    let key = PrivateKeyDer::from_pem_file(rig.dir.path().join("hook.key")).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    let config = Arc::new(config);
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            use std::io::{Read as _, Write as _};
            let mut stream =
                StreamOwned::new(ServerConnection::new(config.clone()).unwrap(), stream.unwrap());
            // Whoever does not believe us hangs up.
            let mut bytes = [0; 4096];
            if stream.read(&mut bytes).is_ok_and(|length| length > 0) {
                let _ =
                    stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
                stream.conn.send_close_notify();
                let _ = stream.flush();
            }
        }
    });
    let hook = webhook("hook", &format!("https://localhost:{port}/hook"));
    tell(&rig, &(hook.clone() + "ca = \"hook.crt\"\n"));
    let tried = rig.run(&["notify", "--test"]);
    assert_eq!(tried.code, Some(0), "{}", tried.stdout);
    tell(&rig, &hook);
    let tried = rig.run(&["notify", "--test", "--json"]);
    assert_eq!(tried.code, Some(1), "{}", tried.stdout);
    let error = tried.json()[0]["error"].as_str().unwrap().to_owned();
    assert!(error.contains("https://localhost") && error.contains("`ca`"), "{error}");
}
