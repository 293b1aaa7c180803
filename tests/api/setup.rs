//! The rig set up through the API: as in a terminal, byte for byte.

use std::fs;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::FileExt as _;
use std::process::Stdio;
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use crate::client::{Answer, Daemon, wait_for};
use crate::largest::{ANSWERS, FOLDERS};
use crate::support::{Finished, Recipe, Running, TestRig};

/// What answers no question.
const WRONG: &str = "~ ! ~";

fn rig() -> TestRig {
    let dir = tempfile::Builder::new().prefix("scanner-test-").tempdir().unwrap();
    let config = dir.path().join("scanner.toml");
    fs::write(&config, FOLDERS).unwrap();
    TestRig { dir, config }
}

/// `scanner setup` hears these lines, and then the end of its input.
fn terminal(rig: &TestRig, lines: &str) -> Finished {
    let mut command = rig.command(&["setup"]);
    let mut running = Running::spawn(command.stdin(Stdio::piped()).env("RUST_LOG", "warn"));
    // Who leaves early does not hear the rest.
    let _ = running.stdin.take().unwrap().write_all(lines.as_bytes());
    running.finish()
}

fn drop_in(rig: &TestRig) -> String {
    fs::read_to_string(rig.dir.path().join("scanner.toml.d/50-setup.toml")).unwrap_or_default()
}

fn state(daemon: &Daemon) -> Value {
    let answer = daemon.get("/api/v1/setup");
    assert_eq!(answer.status, 200, "{}", answer.json());
    answer.json()
}

fn put(daemon: &Daemon, key: &str, answer: &str) -> Answer {
    let bearer = format!("Bearer {}", daemon.token);
    let headers = [("Authorization", bearer.as_str()), ("Content-Type", "application/json")];
    let body = json!({ "answer": answer }).to_string();
    daemon.anonymous("PUT", &format!("/api/v1/setup/answers/{key}"), &headers, &body)
}

fn next(daemon: &Daemon) -> String {
    state(daemon)["next"].as_str().unwrap_or_default().to_owned()
}

/// Answers what is asked, one after the other.
fn answer(daemon: &Daemon, answers: &[&str]) {
    for text in answers {
        let key = next(daemon);
        let answered = put(daemon, &key, text);
        assert_eq!(answered.status, 200, "{key}: {}", answered.json());
    }
}

/// Takes what is usual to the end.
fn rest(daemon: &Daemon) {
    while !next(daemon).is_empty() {
        answer(daemon, &[""]);
    }
}

/// Puts the answers in force, and waits until they are.
fn apply(daemon: &mut Daemon, body: &Value) {
    let applied = daemon.post("/api/v1/setup/apply", body);
    assert_eq!(applied.status, 202, "{}", applied.json());
    daemon.address = wait_for("what was set up is in force", || {
        let status = daemon.rig.run(&["status", "--json"]);
        let status: Value = serde_json::from_str(&status.stdout).ok()?;
        let in_force = status["cameras"].as_array().is_some_and(|cameras| !cameras.is_empty());
        status["api"]["address"].as_str().filter(|_| in_force)?.parse().ok()
    });
}

#[test]
fn what_is_asked_written_and_said_of_wrong_answers_is_what_a_terminal_asks_writes_and_says() {
    let daemon = Daemon::start_in(rig());
    let other = rig();
    fs::create_dir(other.dir.path().join("scanner.toml.d")).unwrap();
    fs::copy(
        daemon.rig.dir.path().join("scanner.toml.d/api.toml"),
        other.dir.path().join("scanner.toml.d/api.toml"),
    )
    .unwrap();
    let lines: Vec<&str> = ANSWERS.iter().flat_map(|line| [WRONG, line]).chain(["yes", ""]).collect();
    let said = terminal(&other, &lines.join("\n"));
    assert_eq!(said.code, Some(0), "{}{}", said.stdout, said.stderr);
    let wrong: Vec<&str> = said
        .stdout
        .lines()
        .filter_map(|line| line.strip_prefix("That does not do: ")?.strip_suffix('.'))
        .collect();

    assert_eq!(state(&daemon)["described"], "nothing");
    let mut refused = Vec::new();
    for (at, text) in ANSWERS.iter().enumerate() {
        let key = next(&daemon);
        let asked = state(&daemon)["questions"].as_array().unwrap().last().unwrap().clone();
        assert_eq!(asked["key"], json!(key));
        let answered = put(&daemon, &key, WRONG);
        assert_eq!(answered.status, 422, "{key}: {}", answered.json());
        refused.push(answered.json()["detail"].as_str().unwrap().to_owned());
        let prompt = format!("[{}]: ", asked["usual"].as_str().unwrap());
        assert!(said.stdout.matches(&prompt).count() >= 2, "{at} {key}: {prompt} was not asked");
        assert_eq!(put(&daemon, &key, text).status, 200);
    }
    assert_eq!(refused, wrong);
    assert_eq!(next(&daemon), "");
    let preview = daemon.get("/api/v1/setup/drop-in").json();
    assert_eq!(preview["text"], json!(drop_in(&other)));
    assert!(!drop_in(&other).is_empty());
    assert_eq!(preview["placed_by_hand"], "turntable");
    assert!(said.stdout.contains(preview["scan"].as_str().unwrap()), "{}", said.stdout);
    assert_eq!(drop_in(&daemon.rig), "", "nothing is written before that is wanted");

    // An answer that was given can be given anew, what is behind it is asked again only if it does not fit.
    let back = put(&daemon, "distance", "320 mm");
    assert_eq!((back.status, &back.json()["next"]), (200, &Value::Null));
    let too_early = put(&daemon, "tilts", "0, 10");
    assert_eq!((too_early.status, too_early.json()["type"].clone()), (409, json!("/problems/setup")));
    assert_eq!(put(&daemon, "cameras", "simulated").json()["next"], "names");
    assert_eq!(put(&daemon, "heights", "0").status, 409);
    assert_eq!(put(&daemon, "colour", "red").status, 404);
    assert_eq!(daemon.post("/api/v1/setup/apply", &json!({})).status, 409);
    assert_eq!(daemon.delete("/api/v1/setup/answers").json()["next"], "cameras");
}

#[test]
fn what_was_begun_in_a_terminal_goes_on_here_and_back_there() {
    let daemon = Daemon::start_in(rig());
    let left = terminal(&daemon.rig, "simulated 2\nlow, high\nhalf a l");
    assert_eq!(left.code, Some(1), "{}", left.stderr);
    assert_eq!(next(&daemon), "rig");
    let questions = state(&daemon)["questions"].clone();
    assert_eq!((&questions[1]["key"], &questions[1]["answer"]), (&json!("names"), &json!("low, high")));
    answer(&daemon, &["turntable", "sim"]);
    let on = terminal(&daemon.rig, "26\nquit\n");
    assert_eq!(on.code, Some(0), "{}", on.stderr);
    assert!(on.stdout.contains("It goes on where it was left"), "{}", on.stdout);
    assert!(on.stdout.contains("Pin of the emergency stop"), "{}", on.stdout);
    assert_eq!(next(&daemon), "wiring");
}

#[test]
fn from_nothing_to_a_finished_scan() {
    let mut daemon = Daemon::start_in(rig());
    // A service that has no rig yet has nothing to scan with, and says so.
    let begun = daemon.post("/api/v1/scans", &json!({}));
    assert_eq!((begun.status, begun.json()["type"].clone()), (422, json!("/problems/plan")));
    assert!(begun.json()["detail"].as_str().unwrap().contains("scanner setup"), "{}", begun.json());

    let looked = daemon.post("/api/v1/setup/look", &json!({})).json();
    let disks = looked["found"]["disks"].as_array().unwrap();
    assert!(disks[0]["free"].as_f64().unwrap() > 0.0, "{looked}");
    answer(&daemon, &["simulated 2", "low, high", "simulated", "300 mm", "60, 260", "0", "35", "2", "0 mm"]);
    let picture = daemon.get("/api/v1/setup/picture.jpg?camera=scanner-sim:1");
    assert_eq!((picture.status, picture.header("content-type")), (200, "image/jpeg"));
    assert!(picture.body.starts_with(&[0xFF, 0xD8]));
    // No program is started that was not found, nor chosen from afar.
    let driver = put(&daemon, "cameras", "/bin/sh:0");
    assert_eq!(driver.status, 403, "{}", driver.json());
    assert!(
        driver.json()["detail"].as_str().unwrap().contains("not chosen over the network"),
        "{}",
        driver.json()
    );
    for unknown in ["/bin/sh:0", "libcamera:0", "nothing"] {
        assert_eq!(daemon.get(&format!("/api/v1/setup/picture.jpg?camera={unknown}")).status, 404);
    }
    rest(&daemon);
    apply(&mut daemon, &json!({}));
    let state = state(&daemon);
    assert_eq!(
        (&state["is_set_up"], &state["described"], &state["refused"]),
        (&json!(true), &json!("rig"), &Value::Null)
    );
    assert!(!daemon.rig.dir.path().join("state/setup.toml").exists(), "there is nothing to go on with");
    assert_eq!(daemon.rig.run(&["check-config"]).code, Some(0));
    let id = daemon.begin();
    daemon.wait_until_idle();
    daemon.rig.assert_complete(&id, "after the setup");
}

#[test]
fn nobody_sets_up_during_a_scan_nor_with_a_token_that_may_only_look() {
    let daemon = Daemon::start(&Recipe { angles: 8, time_scale: 2.0, ..Recipe::default() });
    daemon.begin();
    for (path, body) in [("/api/v1/setup/look", json!({})), ("/api/v1/setup/apply", json!({}))] {
        let refused = daemon.post(path, &body);
        assert_eq!(
            (refused.status, refused.json()["type"].clone()),
            (409, json!("/problems/in_use")),
            "{path}"
        );
    }
    assert_eq!(daemon.get("/api/v1/setup/picture.jpg?camera=scanner-sim:0").status, 409);
    // Questions move nothing.
    assert_eq!(put(&daemon, "cameras", "simulated").status, 200);
    let look = daemon.rig.run(&["token", "looker", "--look-only"]).stdout.trim().to_owned();
    let bearer = format!("Bearer {look}");
    for path in ["/api/v1/setup", "/api/v1/setup/drop-in", "/api/v1/setup/picture.jpg?camera=scanner-sim:0"] {
        let refused = daemon.anonymous("GET", path, &[("Authorization", &bearer)], "");
        assert_eq!(
            (refused.status, refused.json()["type"].clone()),
            (403, json!("/problems/look_only")),
            "{path}"
        );
    }
    daemon.post("/api/v1/rig/cancel", &json!({}));
    daemon.wait_until_idle();
}

/// A turntable on simulated pins, all of whose questions are answered.
fn wired() -> Daemon {
    let daemon = Daemon::start_in(rig());
    answer(&daemon, &["simulated", "cam0", "turntable", "sim"]);
    rest(&daemon);
    daemon
}

fn try_part(daemon: &Daemon, part: &str) -> Value {
    let tried = daemon.post("/api/v1/setup/trial", &json!({ "part": part }));
    assert_eq!(tried.status, 200, "{part}: {}", tried.json());
    tried.json()
}

/// Moves an axis, until a machine that has other things to do, too, makes its steps in time.
fn move_axis(daemon: &Daemon, part: &str) {
    let moved = (0..40).any(|_| try_part(daemon, part)["became"].is_null());
    assert!(moved, "{part} never came to its end");
}

fn say(daemon: &Daemon, text: &str) -> Answer {
    daemon.post("/api/v1/setup/trial/answer", &json!({ "answer": text }))
}

fn pins(daemon: &Daemon) -> std::path::PathBuf {
    daemon.rig.dir.path().join("run/pins")
}

/// Tries a contact, and gives a pin a level for a moment meanwhile.
fn press(daemon: &Daemon, part: &str, pin: u64, level: &[u8]) -> Value {
    thread::scope(|scope| {
        let tried = scope.spawn(|| try_part(daemon, part));
        wait_for("it may be pressed", || {
            (state(daemon)["trial"]["at_work"] == json!({ "part": part, "phase": "press" })).then_some(())
        });
        let file = OpenOptions::new().write(true).open(pins(daemon)).unwrap();
        file.write_all_at(level, pin).unwrap();
        // Looked at every 5 ms, but by a program that may have to wait for a processor.
        thread::sleep(Duration::from_secs(1));
        file.write_all_at(b"-", pin).unwrap();
        tried.join().unwrap()
    })
}

fn became(daemon: &Daemon, part: &str) -> Value {
    let state = state(daemon);
    let parts = state["trial"]["parts"].as_array().unwrap();
    parts.iter().find(|known| known["part"] == part).unwrap()["became"].clone()
}

#[test]
fn parts_are_tried_before_they_are_in_force_and_what_was_wired_the_other_way_round_is_put_right() {
    let mut daemon = wired();
    let parts = state(&daemon)["trial"]["parts"].clone();
    assert_eq!(parts[0]["part"], "emergency_stop", "what stops the rig comes first");
    assert_eq!(press(&daemon, "emergency_stop", 26, b"1")["became"], "works");
    // The two buttons are swapped, which is seen at the first.
    let swapped = press(&daemon, "start_button", 6, b"0");
    assert_eq!((&swapped["became"], became(&daemon, "start_button")), (&json!("changed"), json!("changed")));
    assert!(swapped["message"].as_str().unwrap().contains("The stop button answered instead"));
    assert_eq!(press(&daemon, "start_button", 6, b"0")["became"], "works");
    assert_eq!(say(&daemon, "cw").status, 409, "nothing was asked");
    move_axis(&daemon, "turntable_way");
    let wrong = say(&daemon, "left");
    assert_eq!((wrong.status, &wrong.json()["detail"]), (422, &json!("ccw, cw or none was expected")));
    let turned = say(&daemon, "cw").json();
    assert!(turned["message"].as_str().unwrap().contains("direction is !GPIO27 now"), "{turned}");
    assert_eq!(try_part(&daemon, "light")["became"], Value::Null);
    assert_eq!(fs::read(pins(&daemon)).unwrap()[18], b'1', "it is on while somebody looks");
    assert_eq!(say(&daemon, "yes").json()["became"], "works");
    assert_eq!(fs::read(pins(&daemon)).unwrap()[18], b'0', "and off afterwards");
    assert_eq!(try_part(&daemon, "light")["became"], Value::Null);
    let bearer = format!("Bearer {}", daemon.token);
    let ended = daemon.anonymous("POST", "/api/v1/setup/trial/end", &[("Authorization", &bearer)], "");
    assert_eq!(
        (ended.status, fs::read(pins(&daemon)).unwrap()[18]),
        (204, b'0'),
        "who leaves leaves it safe"
    );
    let pin =
        |pin: &str| daemon.post("/api/v1/setup/trial/pin", &json!({ "part": "stop_button", "pin": pin }));
    let taken = pin("17");
    assert!(taken.json()["detail"].as_str().unwrap().contains("GPIO17 is the turntable step already"));
    assert_eq!((taken.status, pin("13").status), (422, 200));

    // Where the table stands is known to nobody but who is at the rig.
    let unsaid = daemon.post("/api/v1/setup/apply", &json!({}));
    assert_eq!(unsaid.status, 409, "{}", unsaid.json());
    assert_eq!(drop_in(&daemon.rig), "");
    apply(&mut daemon, &json!({ "placed": true }));
    let written = drop_in(&daemon.rig);
    for line in ["start = \"^!GPIO6\"", "stop = \"^!GPIO13\"", "direction = \"!GPIO27\"", "pin = \"GPIO18\""]
    {
        assert!(written.contains(line), "{line}: {written}");
    }
    // The pins are the service's own from now on.
    let refused = daemon.post("/api/v1/setup/trial", &json!({ "part": "light" }));
    assert_eq!((refused.status, refused.json()["type"].clone()), (409, json!("/problems/in_use")));
}

#[test]
fn a_move_brakes_when_somebody_wants_it_to_end_and_no_scan_begins_meanwhile() {
    let daemon = wired();
    thread::scope(|scope| {
        let tried = scope.spawn(|| try_part(&daemon, "start_button"));
        wait_for("it may be pressed", || {
            (state(&daemon)["trial"]["at_work"]["phase"] == "press").then_some(())
        });
        let scan = daemon.post("/api/v1/scans", &json!({}));
        assert_eq!((scan.status, scan.json()["type"].clone()), (409, json!("/problems/in_use")));
        assert_eq!(daemon.post("/api/v1/rig/cancel", &json!({})).status, 202);
        let ended = tried.join().unwrap();
        assert_eq!(ended["became"], "fails", "{ended}");
        assert!(ended["message"].as_str().unwrap().contains("Nothing was seen"), "{ended}");
    });
    let before = drop_in(&daemon.rig);
    thread::scope(|scope| {
        // A whole turn takes its time.
        let tried = scope.spawn(|| try_part(&daemon, "turntable_distance"));
        wait_for("it has begun", || {
            (state(&daemon)["trial"]["at_work"]["part"] == "turntable_distance").then_some(())
        });
        assert_eq!(daemon.post("/api/v1/rig/cancel", &json!({})).status, 202);
        let ended = tried.join().unwrap();
        assert_eq!(ended["became"], "fails", "{ended}");
    });
    assert_eq!(drop_in(&daemon.rig), before);
}
