//! A browser that has no token, and a person who presses the rig's buttons.

use serde_json::{Value, json};

use crate::client::{Answer, Daemon, wait_for};
use crate::support::{Recipe, TestRig};

/// A start and a stop button on simulated pins.
const PINS: &str = "[gpio]\nbackend = \"sim\"\n[panel]\nbackend = \"gpio\"\nstart = \"^!GPIO22\"\nstop = \"^!GPIO23\"\nlong_press = \"300 ms\"\n";
const SIM: &str = "[panel]\nbackend = \"sim\"\n";

fn daemon(recipe: &Recipe<'_>, config: &str) -> Daemon {
    let rig = TestRig::new(recipe);
    let drop_ins = rig.dir.path().join("scanner.toml.d");
    std::fs::create_dir_all(&drop_ins).unwrap();
    std::fs::write(drop_ins.join("panel.toml"), config).unwrap();
    Daemon::start_in(rig)
}

fn post(daemon: &Daemon, path: &str, body: &Value) -> Answer {
    daemon.anonymous("POST", path, &[("Content-Type", "application/json")], &body.to_string())
}

fn begin(daemon: &Daemon, name: &str) -> Answer {
    post(daemon, "/api/v1/pair", &json!({ "name": name }))
}

fn secret(begun: &Answer) -> String {
    assert_eq!(begun.status, 201, "{}", begun.json());
    begun.json()["secret"].as_str().unwrap().to_owned()
}

fn collect(daemon: &Daemon, secret: &str) -> Answer {
    post(daemon, "/api/v1/pair/collect", &json!({ "secret": secret }))
}

/// What the asker gets in the end.
fn collected(daemon: &Daemon, secret: &str) -> Answer {
    wait_for("the pairing is decided", || Some(collect(daemon, secret)).filter(|answer| answer.status != 202))
}

fn press(daemon: &Daemon, button: &str) {
    let pressed = daemon.rig.run(&["press", button]);
    assert_eq!(pressed.code, Some(0), "{}", pressed.stderr);
}

fn status(daemon: &Daemon) -> Value {
    daemon.rig.run(&["status", "--json"]).json()
}

fn names(daemon: &Daemon) -> String {
    daemon.rig.run(&["token", "--list"]).stdout
}

#[test]
fn who_holds_the_start_button_lets_in_the_one_that_waits_once() {
    for panel in [PINS, SIM] {
        let daemon = daemon(&Recipe::default(), panel);
        let begun = begin(&daemon, "phone");
        let secret = secret(&begun);
        assert!(begun.json()["hold_s"].as_u64().unwrap() >= 1);
        let told = status(&daemon);
        let code = begun.json()["code"].as_str().unwrap().to_owned();
        assert!(code.len() == 6 && code.bytes().all(|digit| digit.is_ascii_digit()), "{code}");
        let asks = &told["pairings"][0];
        assert_eq!((&asks["name"], &asks["address"]), (&json!("phone"), &json!("127.0.0.1")), "{told}");
        assert_eq!(asks["code"], json!(code), "{told}");
        assert_eq!(told["led"], "pairing", "{told}");
        assert!(!told.to_string().contains(&secret));
        let text = daemon.rig.run(&["status"]).stdout;
        assert!(text.contains("\"phone\" at 127.0.0.1 asks to be let in; if its page shows"), "{text}");
        assert!(text.contains(&format!("hold the start button, or: scanner pair {code}")), "{text}");

        let waiting = collect(&daemon, &secret);
        assert_eq!(waiting.status, 202);
        assert!(waiting.json()["left_s"].as_f64().unwrap() > 0.0);
        assert_eq!(waiting.header("set-cookie"), "");
        assert_eq!(waiting.json()["button"], true);
        for wrong in ["", "0", &secret[1..]] {
            let answer = collect(&daemon, wrong);
            assert_eq!((answer.status, answer.header("set-cookie")), (410, ""));
        }

        press(&daemon, "cancel");
        let paired = collected(&daemon, &secret);
        assert_eq!(paired.status, 200, "{}", paired.json());
        assert_eq!(paired.json(), json!({ "name": "phone", "may": "use" }), "no token for a page to read");
        let cookie = paired.header("set-cookie").to_owned();
        assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"), "{cookie}");
        let pair = cookie.split(';').next().unwrap();
        let session = daemon.anonymous("GET", "/api/v1/session", &[("Cookie", pair)], "");
        assert_eq!(session.json()["name"], "phone");
        let again = collect(&daemon, &secret);
        assert_eq!((again.status, again.header("set-cookie")), (410, ""), "it is handed over once");
        assert!(names(&daemon).contains("phone"), "{}", names(&daemon));

        // The hold was for the pairing alone, and one press is for one pairing.
        assert_eq!(daemon.rig.scan_id(), None);
        let secret = self::secret(&begin(&daemon, "phone"));
        assert_eq!(collect(&daemon, &secret).status, 202);
        press(&daemon, "cancel");
        assert_eq!(collected(&daemon, &secret).json()["name"], "phone-2");
        assert_eq!(status(&daemon)["led"], "ready");
        // What was logged in by pairing leaves nothing when it logs out: nobody else has that token.
        let secret = self::secret(&begin(&daemon, "tablet"));
        press(&daemon, "cancel");
        let paired = collected(&daemon, &secret);
        let tablet = paired.header("set-cookie").split(';').next().unwrap().to_owned();
        assert!(names(&daemon).contains("tablet"), "{}", names(&daemon));
        assert_eq!(daemon.anonymous("POST", "/api/v1/logout", &[("Cookie", &tablet)], "").status, 204);
        assert!(!names(&daemon).contains("tablet"), "{}", names(&daemon));
        // Revoked as any other.
        assert_eq!(daemon.rig.run(&["token", "phone", "--revoke"]).code, Some(0));
        assert_eq!(daemon.anonymous("GET", "/api/v1/session", &[("Cookie", pair)], "").status, 401);
    }
}

#[test]
fn a_short_press_is_a_scan_which_ends_the_pairing_and_keeps_the_buttons() {
    let daemon = daemon(&Recipe { angles: 200, time_scale: 5.0, ..Recipe::default() }, PINS);
    let secret = secret(&begin(&daemon, "phone"));
    press(&daemon, "start");
    let over = collected(&daemon, &secret);
    assert_eq!(over.status, 410);
    assert!(over.json()["detail"].as_str().unwrap().contains("in use"), "{}", over.json());
    let scanning =
        wait_for("a scan is under way", || Some(status(&daemon)).filter(|now| !now["scan"].is_null()));
    assert_eq!((&scanning["scanning"], &scanning["pairings"]), (&json!(true), &json!([])), "{scanning}");
    let refused = begin(&daemon, "phone");
    assert_eq!(refused.status, 409);
    assert!(refused.json()["detail"].as_str().unwrap().contains("scanner token"), "{}", refused.json());
    assert_eq!(status(&daemon)["scanning"], true);
    // Held, it cancels, as always.
    press(&daemon, "cancel");
    daemon.wait_until_idle();
    assert_eq!(status(&daemon)["last"]["end"], "cancelled");
    assert!(!names(&daemon).contains("phone"));
    assert_eq!(collect(&daemon, &secret).status, 410);
}

#[test]
fn stop_refuses_and_a_held_button_without_a_pairing_lets_nobody_in() {
    let daemon = daemon(&Recipe::default(), PINS);
    let secret = secret(&begin(&daemon, "phone"));
    press(&daemon, "stop");
    let over = collected(&daemon, &secret);
    assert_eq!((over.status, over.json()["type"].as_str()), (410, Some("/problems/pairing")));
    assert!(over.json()["detail"].as_str().unwrap().contains("refused"), "{}", over.json());
    // A press of before is none for the next one.
    press(&daemon, "cancel");
    // By now it has been held for long enough, which nothing shows.
    std::thread::sleep(std::time::Duration::from_millis(1500));
    let secret = self::secret(&begin(&daemon, "laptop"));
    // In which it would have been let in.
    std::thread::sleep(std::time::Duration::from_millis(700));
    assert_eq!(collect(&daemon, &secret).status, 202);
    let given_up = post(&daemon, "/api/v1/pair/give-up", &json!({ "secret": "wrong" }));
    assert_eq!((given_up.status, collect(&daemon, &secret).status), (204, 202));
    post(&daemon, "/api/v1/pair/give-up", &json!({ "secret": secret }));
    assert_eq!(collect(&daemon, &secret).status, 410);
    assert_eq!(status(&daemon)["pairings"], json!([]));
    assert_eq!(daemon.rig.scan_id(), None);
}

#[test]
fn where_nobody_can_approve_it_is_said_how_to_log_in_instead() {
    let without_start = PINS.replace("start = \"^!GPIO22\"\n", "");
    let off = format!("{SIM}[api]\npairing = false\n");
    for config in ["", &without_start, &off] {
        let daemon = daemon(&Recipe::default(), config);
        let refused = begin(&daemon, "phone");
        assert_eq!(refused.status, 409, "{config}");
        assert_eq!(refused.json()["type"], "/problems/pairing");
        assert!(refused.json()["detail"].as_str().unwrap().contains("scanner token"), "{}", refused.json());
    }
}

#[test]
fn names_are_checked_and_pairings_are_begun_at_a_measured_pace() {
    let daemon = daemon(&Recipe::default(), SIM);
    for name in ["", "a/b", "<script>", &"x".repeat(65)] {
        assert_eq!(begin(&daemon, name).status, 400, "{name:?}");
    }
    for _ in 0..5 {
        let secret = secret(&begin(&daemon, "phone"));
        post(&daemon, "/api/v1/pair/give-up", &json!({ "secret": secret }));
    }
    let sixth = begin(&daemon, "phone");
    assert_eq!(sixth.status, 429);
    assert_eq!(sixth.json()["type"], "/problems/too_many_attempts");
    assert!(sixth.header("retry-after").parse::<u64>().unwrap() > 0);
    // Who has a token is not held up by that.
    assert_eq!(daemon.get("/api/v1/status").status, 200);
}

/// Asks from another address of this machine.
fn ask_from(daemon: &Daemon, host: u8, path: &str, body: &Value) -> (u16, Value) {
    use std::io::{Read as _, Write as _};
    use std::net::{Ipv4Addr, SocketAddrV4, TcpStream};

    use rustix::net::{AddressFamily, SocketType, bind, connect, socket};
    let socket = socket(AddressFamily::INET, SocketType::STREAM, None).unwrap();
    bind(&socket, &SocketAddrV4::new(Ipv4Addr::new(127, 0, 0, host), 0)).unwrap();
    connect(&socket, &daemon.address).unwrap();
    let mut stream = TcpStream::from(socket);
    stream.set_read_timeout(Some(crate::client::PATIENCE)).unwrap();
    let body = body.to_string();
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        daemon.address,
        body.len()
    );
    stream.write_all((head + &body).as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
    (status, serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap_or_default())
}

#[test]
fn however_many_ask_a_person_finds_and_lets_in_the_one_whose_code_the_page_shows() {
    let daemon = daemon(&Recipe::default(), SIM);
    let crowd = || {
        for host in 2..12 {
            ask_from(&daemon, host, "/api/v1/pair", &json!({ "name": "phone" }));
        }
    };
    crowd();
    let begun = begin(&daemon, "phone");
    let (mine, code) = (secret(&begun), begun.json()["code"].as_str().unwrap().to_owned());
    (0..6).for_each(|_| crowd());
    let waiting = collect(&daemon, &mine);
    assert_eq!(waiting.status, 202, "it is not crowded out");
    assert_eq!(waiting.json()["button"], false, "it could be for anybody");
    // All have the same name.
    let told = status(&daemon);
    let pairings = told["pairings"].as_array().unwrap();
    assert!(pairings.len() > 10, "{told}");
    let of_it: Vec<_> = pairings.iter().filter(|pairing| pairing["code"] == json!(code)).collect();
    assert!(of_it.len() == 1 && of_it[0]["address"] == "127.0.0.1", "{told}");
    assert!(
        daemon
            .rig
            .run(&["status"])
            .stdout
            .contains(&format!("if its page shows {code}, scanner pair {code}"))
    );

    // The button lets in nobody.
    press(&daemon, "cancel");
    let other = pairings.iter().find(|pairing| pairing["code"] != json!(code)).unwrap();
    let other = other["code"].as_str().unwrap();
    assert_eq!(daemon.rig.run(&["pair", other, "--refuse"]).code, Some(0));
    assert_eq!(collect(&daemon, &mine).status, 202);
    assert!(!names(&daemon).contains("phone"), "{}", names(&daemon));

    let wrong = daemon.rig.run(&["pair", "nobody"]);
    assert_ne!(wrong.code, Some(0));
    assert!(wrong.stderr.contains("scanner status"), "{}", wrong.stderr);
    let spaced = format!("{} {}", &code[..3], &code[3..]);
    let paired = daemon.rig.run(&["pair", &spaced]);
    assert_eq!(paired.code, Some(0), "{}", paired.stderr);
    assert!(paired.stdout.contains("\"phone\" at 127.0.0.1 is let in"), "{}", paired.stdout);
    let session = collected(&daemon, &mine);
    assert_eq!((session.status, &session.json()["name"]), (200, &json!("phone")));
    assert_eq!(names(&daemon).matches("phone").count(), 1, "and nobody else: {}", names(&daemon));
}

#[test]
fn a_link_of_open_lets_one_browser_in_once_and_needs_no_button_and_no_approval() {
    let daemon = daemon(&Recipe::default(), "[api]\npairing = false\n");
    let opened = daemon.rig.run(&["open", "phone", "--json"]).json();
    let link = opened["links"][0].as_str().unwrap();
    let (page, secret) = link.split_once("/#login=").unwrap();
    assert!(page.starts_with("http://127.0.0.1:"), "{link}");
    assert!(opened["lasts_s"].as_u64().unwrap() > 0);
    assert!(!names(&daemon).contains("phone"), "no token before somebody comes");
    assert_eq!(collect(&daemon, &secret[1..]).status, 410);
    let paired = collect(&daemon, secret);
    assert_eq!((paired.status, paired.json()), (200, json!({ "name": "phone", "may": "use" })));
    let cookie = paired.header("set-cookie").split(';').next().unwrap().to_owned();
    assert_eq!(daemon.anonymous("GET", "/api/v1/session", &[("Cookie", &cookie)], "").status, 200);
    let again = collect(&daemon, secret);
    assert_eq!((again.status, again.header("set-cookie")), (410, ""));

    let text = daemon.rig.run(&["open"]).stdout;
    assert!(
        text.starts_with(&format!("{page}/#login=")) && text.contains("once, within 5 minutes"),
        "{text}"
    );
    let wrong = daemon.rig.run(&["open", "a/b"]);
    assert!(wrong.code == Some(1) && wrong.stderr.contains("is no name for a token"), "{}", wrong.stderr);
}

#[test]
fn open_says_what_is_missing_where_there_is_no_page() {
    let rig = TestRig::new(&Recipe::default());
    let opened = rig.run(&["open"]);
    assert_eq!(opened.code, Some(10), "{}", opened.stderr);
    assert!(opened.stderr.contains("no scanner is running"), "{}", opened.stderr);
}
