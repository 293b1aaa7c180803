//! What a browser keeps, what it can be made to do with it, and tokens that may only look.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpStream;

use serde_json::{Value, json};

use crate::client::{Answer, Daemon, PATIENCE, wait_for};
use crate::support::Recipe;

const JSON: (&str, &str) = ("Content-Type", "application/json");

/// Logs a browser in, and says what it keeps.
fn log_in(daemon: &Daemon, token: &str) -> String {
    let login = daemon.anonymous("POST", "/api/v1/login", &[JSON], &json!({ "token": token }).to_string());
    assert_eq!(login.status, 200, "{}", login.json());
    login.header("set-cookie").split(';').next().unwrap().to_owned()
}

/// The cookie as it is named now: with the port, which here is another one after a restart.
fn here(daemon: &Daemon, cookie: &str) -> String {
    let (_, id) = cookie.split_once('=').unwrap();
    format!("scanner_session_{}={id}", daemon.address.port())
}

fn with(daemon: &Daemon, cookie: &str, method: &str, path: &str) -> Answer {
    daemon.anonymous(method, path, &[("Cookie", &here(daemon, cookie))], "")
}

fn session(daemon: &Daemon, cookie: &str) -> u16 {
    with(daemon, cookie, "GET", "/api/v1/session").status
}

/// The events, by this cookie, from the line on that says that they are there.
fn events(daemon: &Daemon, cookie: &str) -> BufReader<TcpStream> {
    let mut stream = TcpStream::connect(daemon.address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let head = format!(
        "GET /api/v1/events HTTP/1.1\r\nHost: {}\r\nCookie: {}\r\n\r\n",
        daemon.address,
        here(daemon, cookie)
    );
    stream.write_all(head.as_bytes()).unwrap();
    let mut stream = BufReader::new(stream);
    let mut line = String::new();
    stream.read_line(&mut line).unwrap();
    assert!(line.contains(" 200 "), "{line}");
    stream
}

#[test]
fn what_a_browser_keeps_is_no_token_and_ends_with_logout_but_not_with_a_restart() {
    let mut daemon = Daemon::start(&Recipe::default());
    let (one, other) = (log_in(&daemon, &daemon.token), log_in(&daemon, &daemon.token));
    assert_ne!(one, other);
    for cookie in [&one, &other] {
        assert_eq!(*cookie, here(&daemon, cookie), "rigs at two ports of one host have a cookie each");
        assert!(!cookie.contains(&daemon.token["scanner_".len()..]), "{cookie}");
        let id = cookie.split_once('=').unwrap().1;
        let bearer = format!("Bearer {id}");
        assert_eq!(daemon.anonymous("GET", "/api/v1/session", &[("Authorization", &bearer)], "").status, 401);
        let token = format!("scanner_session={}", daemon.token);
        assert_eq!(session(&daemon, &token), 401, "nor is a token a session");
    }
    daemon.restart();
    wait_for("it serves again", || TcpStream::connect(daemon.address).ok());
    assert_eq!((session(&daemon, &one), session(&daemon, &other)), (200, 200));

    let listening = events(&daemon, &one);
    let logout = with(&daemon, &one, "POST", "/api/v1/logout");
    assert_eq!(logout.status, 204);
    assert!(logout.header("set-cookie").contains("Max-Age=0"), "{}", logout.header("set-cookie"));
    // To its end, which there would not be.
    assert!(listening.lines().count() > 0);
    assert_eq!((session(&daemon, &one), session(&daemon, &other)), (401, 200), "one browser, not the token");
    assert_eq!(daemon.get("/api/v1/session").status, 200);
    daemon.restart();
    wait_for("it serves again", || TcpStream::connect(daemon.address).ok());
    assert_eq!((session(&daemon, &one), session(&daemon, &other)), (401, 200));

    assert_eq!(daemon.rig.run(&["token", "test", "--revoke"]).code, Some(0));
    assert_eq!(session(&daemon, &other), 401);
    // One of the same name is another token.
    assert_eq!(daemon.rig.run(&["token", "test"]).code, Some(0));
    assert_eq!(session(&daemon, &other), 401);
}

#[test]
fn a_page_of_somebody_else_has_a_browser_capture_nothing() {
    let daemon = Daemon::start(&Recipe::default());
    let cookie = log_in(&daemon, &daemon.token);
    let own = format!("http://{}/live", daemon.address);
    let taken =
        || daemon.get("/api/v1/status").json()["cameras"][0]["counters"]["captured"].as_u64().unwrap();
    let ask = |path: &str, headers: &[(&str, &str)]| {
        let headers: Vec<_> = headers.iter().copied().chain([("Cookie", cookie.as_str())]).collect();
        daemon.anonymous("GET", path, &headers, "")
    };
    for headers in [
        &[("Sec-Fetch-Site", "cross-site")][..],
        &[("Sec-Fetch-Site", "same-site"), ("Referer", &own)],
        // Another port, an unknown page: without encryption browsers say no more.
        &[("Referer", "http://127.0.0.1:1/")],
        &[],
    ] {
        for path in ["/api/v1/preview.jpg", "/api/v1/live/cam0/mjpeg", "/api/v1/support.zip"] {
            let refused = ask(path, headers);
            assert_eq!(refused.status, 403, "{path} {headers:?}");
            assert_eq!(refused.json()["type"], "/problems/foreign", "{path} {headers:?}");
        }
    }
    assert_eq!(ask("/api/v1/status", &[("Sec-Fetch-Site", "cross-site")]).status, 403);
    assert_eq!(taken(), 0);
    for headers in [("Sec-Fetch-Site", "same-origin"), ("Sec-Fetch-Site", "none"), ("Referer", &own)] {
        assert_eq!(ask("/api/v1/preview.jpg", &[headers]).status, 200, "{headers:?}");
    }
    assert_eq!(daemon.get("/api/v1/preview.jpg").status, 200, "a program is no browser");
    assert!(taken() >= 4);
    // Links from elsewhere lead to the page, and a monitor looks whence it likes.
    for path in ["/", "/scans", "/healthz", "/api/v1/openapi.json"] {
        let answer = daemon.anonymous("GET", path, &[("Sec-Fetch-Site", "cross-site")], "");
        assert_eq!(answer.status, 200, "{path}");
    }
    let site = ("Sec-Fetch-Site", "same-site");
    for path in ["/api/v1/login", "/api/v1/pair"] {
        assert_eq!(daemon.anonymous("POST", path, &[JSON, site], "{}").status, 403, "{path}");
    }
}

#[test]
fn a_token_that_may_only_look_captures_and_changes_nothing() {
    let daemon = Daemon::start(&Recipe::default());
    let scan = daemon.begin();
    daemon.wait_until_idle();
    let made = daemon.rig.run(&["token", "guest", "--look-only"]);
    assert_eq!(made.code, Some(0), "{}", made.stderr);
    let guest = made.stdout.trim();
    let listed = daemon.rig.run(&["token", "--list"]).stdout;
    assert!(
        listed.lines().any(|line| line.contains("guest") && line.trim_end().ends_with("look")),
        "{listed}"
    );
    let bearer = format!("Bearer {guest}");
    let document = daemon.get("/api/v1/openapi.json").json();
    let (mut looked, mut refused) = (Vec::new(), 0);
    for (path, operations) in document["paths"].as_object().unwrap() {
        let filled = path.replace("{scan}", &scan).replace("{shot}", "0").replace("{id}", "1");
        let filled = filled.replace("{camera}", "cam0").replace("{name}", "ring");
        let endless = path.ends_with("/mjpeg") || path == "/api/v1/events";
        let open = ["/api/v1/login", "/api/v1/pair", "/api/v1/pair/collect", "/api/v1/pair/give-up"];
        for method in operations.as_object().unwrap().keys().map(|method| method.to_uppercase()) {
            if endless || open.contains(&path.as_str()) {
                continue;
            }
            let body = if method == "GET" { "" } else { "{}" };
            let answer = daemon.anonymous(&method, &filled, &[JSON, ("Authorization", &bearer)], body);
            if answer.status != 403 {
                looked.push(format!("{method} {path}"));
                continue;
            }
            let problem = answer.json();
            assert_eq!(problem["type"], "/problems/look_only", "{method} {path}");
            assert!(problem["detail"].as_str().unwrap().contains("\"guest\" may only look"), "{problem}");
            refused += 1;
        }
    }
    let acting: Vec<_> = looked.iter().filter(|operation| !operation.starts_with("GET ")).collect();
    let harmless = [
        "POST /api/v1/plans/preview",
        "POST /api/v1/scans/{scan}/verify",
        "POST /api/v1/logout",
        "POST /api/v1/configuration/check",
    ];
    assert!(acting.iter().all(|operation| harmless.contains(&operation.as_str())), "{acting:?}");
    for capturing in ["GET /api/v1/preview.jpg", "GET /api/v1/support.zip"] {
        assert!(!looked.iter().any(|operation| operation == capturing), "{capturing}");
    }
    for looking in ["GET /api/v1/status", "GET /api/v1/scans/{scan}/shots/{shot}/image", "GET /metrics"] {
        assert!(looked.iter().any(|operation| operation == looking), "{looking}");
    }
    assert!(looked.len() > 20 && refused > 15, "{looked:?}, {refused} refused");
    daemon.rig.assert_complete(&scan, "a guest was here");

    // As a browser, too.
    let cookie = log_in(&daemon, guest);
    let may = with(&daemon, &cookie, "GET", "/api/v1/session").json();
    assert_eq!(may, json!({ "name": "guest", "may": "look" }));
    assert_eq!(daemon.get("/api/v1/session").json()["may"], Value::from("use"));
    assert_eq!(with(&daemon, &cookie, "DELETE", &format!("/api/v1/scans/{scan}")).status, 403);
    let again = daemon.rig.run(&["token", "--list"]).stdout;
    assert_eq!(again, listed);
}
