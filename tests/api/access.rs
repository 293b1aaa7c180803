//! Who is let in.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::{Value, json};

use crate::client::{Daemon, wait_for};
use crate::support::Recipe;

const OPEN: [&str; 6] =
    ["/healthz", "/readyz", "/api/v1/login", "/api/v1/pair", "/api/v1/pair/collect", "/api/v1/pair/give-up"];

#[test]
fn every_route_wants_a_token_but_for_health_login_and_pairing() {
    let daemon = Daemon::start(&Recipe::default());
    let document = daemon.anonymous("GET", "/api/v1/openapi.json", &[], "").json();
    let mut walked = 0;
    for (path, operations) in document["paths"].as_object().unwrap() {
        let filled = path.replace("{scan}", "owl").replace("{shot}", "0").replace("{id}", "1");
        let filled =
            filled.replace("{camera}", "cam0").replace("{name}", "ring").replace("{format}", "colmap");
        let filled = filled.replace("{suffix}", "cr2").replace("{version}", "1").replace("{key}", "cameras");
        let filled = filled.replace("{number}", "1").replace("{job}", "owl-1").replace("{file}", "log.txt");
        assert!(!filled.contains('{'), "{path}: fill in its parameter");
        for method in operations.as_object().unwrap().keys().map(|method| method.to_uppercase()) {
            if OPEN.contains(&path.as_str()) {
                continue;
            }
            let body = if method == "GET" { "" } else { "{}" };
            for headers in
                [&[][..], &[("Authorization", "Bearer scanner_0000")], &[("Cookie", "scanner_session=")]]
            {
                let answer = daemon.anonymous(&method, &filled, headers, body);
                assert_eq!(answer.status, 401, "{method} {path}");
                assert_eq!(answer.header("content-type"), "application/problem+json");
                assert_eq!(answer.json()["type"], "/problems/unauthorized");
            }
            walked += 1;
        }
    }
    assert!(walked > 30, "{walked} operations");
    for path in ["/api", "/api/", "/api/v1", "/api/v1/nothing", "/api/v2/status", "/api/v1/../v1/status"] {
        assert_eq!(daemon.anonymous("GET", path, &[], "").status, 401, "{path}");
    }
    for path in ["/healthz", "/readyz", "/", "/scans/owl", "/docs", "/docs/"] {
        assert_eq!(daemon.anonymous("GET", path, &[], "").status, 200, "{path}");
    }
    // Nothing outside the page can be had by a path.
    for path in
        ["/../Cargo.toml", "/..%2fCargo.toml", "/%2e%2e/%2e%2e/etc/passwd.txt", "/assets/../../Cargo.toml"]
    {
        assert_eq!(daemon.anonymous("GET", path, &[], "").status, 404, "{path}");
    }
}

#[test]
fn a_browser_logs_in_with_a_token_and_gets_a_cookie_that_a_page_cannot_read() {
    let daemon = Daemon::start(&Recipe::default());
    let body = json!({ "token": daemon.token }).to_string();
    let json = ("Content-Type", "application/json");
    let login = daemon.anonymous("POST", "/api/v1/login", &[json], &body);
    assert_eq!(login.status, 200, "{}", login.json());
    let cookie = login.header("set-cookie").to_owned();
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"), "{cookie}");
    let pair = cookie.split(';').next().unwrap();
    let session = daemon.anonymous("GET", "/api/v1/session", &[("Cookie", pair)], "");
    assert_eq!(session.json()["name"], "test");
    // A token that was revoked is none, at once.
    assert_eq!(daemon.rig.run(&["token", "test", "--revoke"]).code, Some(0));
    assert_eq!(daemon.anonymous("GET", "/api/v1/session", &[("Cookie", pair)], "").status, 401);
    let wrong = json!({ "token": "scanner_0" }).to_string();
    let mut answers = Vec::new();
    for _ in 0..8 {
        let answer = daemon.anonymous("POST", "/api/v1/login", &[json], &wrong);
        if answer.status == 429 {
            assert!(answer.json()["retry_after"].as_f64().unwrap() > 0.0);
            assert!(answer.header("retry-after").parse::<u64>().unwrap() > 0);
        }
        answers.push(answer.status);
    }
    assert_eq!(answers[..5], [401; 5]);
    assert_eq!(answers[5..], [429; 3]);
}

#[test]
fn requests_for_other_hosts_and_from_other_pages_are_refused() {
    let daemon = Daemon::start(&Recipe::default());
    let bearer = format!("Bearer {}", daemon.token);
    let own = daemon.address.to_string();
    let status = |headers: &[(&str, &str)]| daemon.get_with("/api/v1/status", headers).status;
    assert_eq!(status(&[("Host", &own)]), 200);
    assert_eq!(status(&[("Host", "localhost")]), 200);
    assert_eq!(status(&[("Host", "evil.example")]), 403);
    assert_eq!(status(&[("Host", "127.0.0.2")]), 403);
    assert_eq!(status(&[("Origin", &format!("http://{own}"))]), 200);
    assert_eq!(status(&[("Origin", "http://evil.example")]), 403);
    assert_eq!(status(&[("Origin", "null")]), 403);
    // Whoever opens the page by another name reads what to do about it.
    let page = daemon.anonymous("GET", "/", &[("Host", "rig.example")], "");
    assert_eq!(page.status, 403);
    let detail = page.json()["detail"].as_str().unwrap().to_owned();
    assert!(detail.contains("\"rig.example\"") && detail.contains("`api.hosts`"), "{detail}");
    // A page of somebody else's may not open a WebSocket either, for which browsers ask nobody.
    for (origin, wanted) in [(format!("http://{own}"), "101"), ("http://evil.example".into(), "403")] {
        for path in ["/api/v1/events/ws", "/api/v1/live/cam0"] {
            let answer = raw(
                &daemon,
                &format!(
                    "GET {path} HTTP/1.1\r\nHost: {own}\r\nOrigin: {origin}\r\nAuthorization: {bearer}\r\n\
                     Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
                     Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
                ),
            );
            assert_eq!(answer.split(' ').nth(1), Some(wanted), "{path} from {origin}: {answer}");
        }
    }
    // What watches over machines names no host.
    assert!(raw(&daemon, "GET /healthz HTTP/1.0\r\n\r\n").starts_with("HTTP/1.0 200"));
    assert!(raw(&daemon, "GET /api/v1/status HTTP/1.0\r\n\r\n").starts_with("HTTP/1.0 403"));
    let answer = daemon.get("/api/v1/status");
    assert_eq!(answer.header("x-content-type-options"), "nosniff");
    assert!(answer.header("content-security-policy").contains("default-src 'self'"));
}

#[test]
fn whoever_sends_slowly_keeps_nobody_else_from_being_served_and_is_let_go() {
    let daemon = Daemon::start(&Recipe::default());
    let slow: Vec<TcpStream> = (0..200)
        .map(|_| {
            let mut stream = TcpStream::connect(daemon.address).unwrap();
            stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: local").unwrap();
            stream
        })
        .collect();
    for _ in 0..20 {
        assert_eq!(daemon.get("/api/v1/status").status, 200);
    }
    // They are hung up on, some time.
    let mut stream = &slow[0];
    stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).unwrap();
    let large = "x".repeat(100_000);
    assert_eq!(
        daemon.anonymous("POST", "/api/v1/login", &[("Content-Type", "application/json")], &large).status,
        413
    );
    let long = format!("GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: {}\r\n\r\n", "x".repeat(100_000));
    let answer = raw(&daemon, &long);
    assert!(answer.is_empty() || answer.contains(" 431 "), "{answer}");
}

#[test]
fn where_the_port_is_taken_the_service_scans_nevertheless() {
    let daemon = Daemon::start(&Recipe::default());
    let other = crate::support::TestRig::new(&Recipe::default());
    let drop_ins = other.dir.path().join("scanner.toml.d");
    std::fs::create_dir_all(&drop_ins).unwrap();
    std::fs::write(drop_ins.join("api.toml"), format!("[api]\nlisten = \"{}\"\n", daemon.address)).unwrap();
    let mut child = crate::support::Running::spawn(&mut other.command(&["run"]));
    let status = wait_for("it says so", || {
        let status: Value = serde_json::from_str(&other.run(&["status", "--json"]).stdout).ok()?;
        (status["api"]["state"] == "refused").then_some(status)
    });
    assert!(status["api"]["message"].as_str().unwrap().contains("in use"), "{status}");
    assert_eq!(other.run(&["start"]).code, Some(0));
    wait_for("the scan is complete", || {
        let status: Value = serde_json::from_str(&other.run(&["status", "--json"]).stdout).ok()?;
        (status["last"]["end"] == "complete").then_some(())
    });
    // Once it is free, it listens there.
    let address = daemon.address;
    drop(daemon);
    wait_for("it listens", || {
        let status: Value = serde_json::from_str(&other.run(&["status", "--json"]).stdout).ok()?;
        (status["api"]["address"] == address.to_string()).then_some(())
    });
    rustix::process::kill_process(
        rustix::process::Pid::from_raw(child.id() as i32).unwrap(),
        rustix::process::Signal::TERM,
    )
    .unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn who_is_refused_is_heard_out_and_can_ask_again() {
    let daemon = Daemon::start(&Recipe::default());
    let mut stream = TcpStream::connect(daemon.address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    let head = format!(
        "POST /api/v1/scans HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n",
        daemon.address
    );
    for turn in 0..3 {
        stream.write_all(head.as_bytes()).unwrap();
        // The body comes in a packet of its own.
        std::thread::sleep(Duration::from_millis(100));
        stream.write_all(b"{}").unwrap();
        let mut answer = vec![0; 4096];
        let length = stream.read(&mut answer).unwrap();
        let answer = String::from_utf8_lossy(&answer[..length]);
        assert!(answer.starts_with("HTTP/1.1 401"), "{turn}: {answer}");
        assert!(!answer.to_lowercase().contains("connection: close"), "{turn}: {answer}");
    }
}

/// What is answered to these bytes, as far as it comes at once.
fn raw(daemon: &Daemon, request: &str) -> String {
    let mut stream = TcpStream::connect(daemon.address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    // Who is refused may be hung up on before all is sent.
    let _ = stream.write_all(request.as_bytes());
    let mut answer = vec![0; 4096];
    let length = stream.read(&mut answer).unwrap_or(0);
    String::from_utf8_lossy(&answer[..length]).into_owned()
}
