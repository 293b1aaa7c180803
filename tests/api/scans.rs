//! Scans: begun, looked at, sent and removed; and what happens meanwhile.

use std::io::{BufRead as _, BufReader};
use std::time::Instant;

use serde_json::{Value, json};

use crate::client::{Daemon, PATIENCE, Socket, wait_for};
use crate::support::{Recipe, TestRig};

#[test]
fn of_two_starts_at_once_one_succeeds_and_the_other_is_told_why_not() {
    let daemon = Daemon::start(&Recipe { angles: 6, time_scale: 2.0, ..Recipe::default() });
    let mut answers: Vec<_> = std::thread::scope(|scope| {
        let starts: Vec<_> =
            (0..2).map(|_| scope.spawn(|| daemon.post("/api/v1/scans", &json!({})))).collect();
        starts.into_iter().map(|start| start.join().unwrap()).collect()
    });
    answers.sort_by_key(|answer| answer.status);
    assert_eq!(answers.iter().map(|answer| answer.status).collect::<Vec<_>>(), [201, 409]);
    assert_eq!(answers[1].json()["type"], "/problems/in_use");
    let id = answers[0].json()["id"].as_str().unwrap().to_owned();
    assert_eq!(answers[0].header("location"), format!("/api/v1/scans/{id}"));
    assert_eq!(daemon.delete(&format!("/api/v1/scans/{id}")).status, 409);
    assert_eq!(daemon.post("/api/v1/rig/pause", &json!({ "scan": "another" })).status, 409);
    assert_eq!(daemon.post("/api/v1/rig/pause", &json!({ "scan": id })).status, 202);
    daemon.wait_until_idle();
    assert_eq!(daemon.post(&format!("/api/v1/scans/{id}/resume"), &json!({})).status, 201);
    daemon.wait_until_idle();
    let detail = daemon.get(&format!("/api/v1/scans/{id}")).json();
    assert_eq!(detail["scan"]["state"], "complete", "{detail}");
    assert!(detail["journal"].as_array().unwrap().iter().any(|note| note["what"] == "paused"), "{detail}");
    assert_eq!(daemon.post(&format!("/api/v1/scans/{id}/verify"), &json!({})).json()["sound"], true);
    assert_eq!(daemon.delete(&format!("/api/v1/scans/{id}")).status, 204);
    assert_eq!(daemon.get(&format!("/api/v1/scans/{id}")).status, 404);
    assert_eq!(daemon.post("/api/v1/rig/pause", &json!({})).status, 409);
}

#[test]
fn a_plan_of_ones_own_is_checked_as_those_of_the_configuration_are() {
    let daemon = Daemon::start(&Recipe::default());
    let begun =
        daemon.post("/api/v1/scans", &json!({ "inline": { "shape": "ring", "angles": 2 }, "id": "own" }));
    assert_eq!(begun.status, 201, "{}", begun.json());
    daemon.wait_until_idle();
    assert_eq!(daemon.get("/api/v1/scans/own").json()["plan"]["points"].as_array().unwrap().len(), 2);
    for (plan, named) in [
        (json!({ "shape": "ring", "angles": 0 }), "angles"),
        (json!({ "shape": "ring", "angles": 3, "height": "5 mm" }), "lift"),
        (json!({ "shape": "ring" }), "angles"),
        (json!({ "shape": "list" }), "file"),
    ] {
        for path in ["/api/v1/plans/preview", "/api/v1/scans"] {
            let body = if path.ends_with("scans") { json!({ "inline": plan }) } else { plan.clone() };
            let answer = daemon.post(path, &body);
            assert_eq!(answer.status, 422, "{plan}: {}", answer.json());
            assert!(answer.json()["detail"].as_str().unwrap().contains(named), "{}", answer.json());
        }
    }
    assert_eq!(daemon.post("/api/v1/scans", &json!({ "plan": "nowhere" })).status, 422);
    assert_eq!(daemon.post("/api/v1/scans", &json!({ "id": "../x" })).status, 400);
    assert_eq!(daemon.post("/api/v1/scans", &json!({ "id": "own" })).status, 409);
    let preview = daemon.post("/api/v1/plans/preview", &json!({ "shape": "ring", "angles": 5 })).json();
    assert_eq!(
        (&preview["shots"], preview["points"][0]["eyes"][0]["at"].as_array().unwrap().len()),
        (&json!(5), 3)
    );
}

#[test]
fn images_and_archives_are_sent_whole_or_in_part_and_not_again() {
    let daemon = Daemon::start(&Recipe { cameras: 2, ..Recipe::default() });
    let id = daemon.begin();
    daemon.wait_until_idle();
    let shots = daemon.get(&format!("/api/v1/scans/{id}/shots")).json();
    let shots = shots["shots"].as_array().unwrap();
    assert_eq!(shots.len(), 6);
    for (index, shot) in shots.iter().enumerate() {
        assert_eq!((&shot["shot"], &shot["state"]), (&json!(index), &json!("done")), "{shot}");
    }
    for kind in ["image", "thumbnail"] {
        let path = format!("/api/v1/scans/{id}/shots/3/{kind}");
        check_parts(&daemon, &path);
    }
    assert_eq!(daemon.get(&format!("/api/v1/scans/{id}/shots/6/image")).status, 404);
    for path in ["..%2f..%2fetc", "a/../b", "%00", "Owl"] {
        assert!(matches!(daemon.get(&format!("/api/v1/scans/{path}")).status, 404 | 400), "{path}");
    }
    let archive = check_parts(&daemon, &format!("/api/v1/scans/{id}/archive.zip"));
    let file = daemon.rig.dir.path().join("archive.zip");
    std::fs::write(&file, &archive).unwrap();
    let script = "import sys, zipfile; z = zipfile.ZipFile(sys.argv[1]); assert z.testzip() is None; \
                  [print(i.filename, i.file_size) for i in z.infolist()]";
    let python = std::process::Command::new("python3").args(["-c", script]).arg(&file).output().unwrap();
    assert!(python.status.success(), "{}", String::from_utf8_lossy(&python.stderr));
    let listed = String::from_utf8(python.stdout).unwrap();
    let mut files = 0;
    for line in listed.lines() {
        let (name, length) = line.split_once(' ').unwrap();
        let on_disk = std::fs::metadata(daemon.rig.scans().join(name)).unwrap();
        assert_eq!(on_disk.len().to_string(), length, "{name}");
        files += 1;
    }
    assert_eq!(files, 3 + 3 * 6, "{listed}");
    // What is unpacked is a dataset that is in order.
    let elsewhere = daemon.rig.dir.path().join("unpacked");
    let script = "import sys, zipfile; zipfile.ZipFile(sys.argv[1]).extractall(sys.argv[2])";
    assert!(
        std::process::Command::new("python3")
            .args(["-c", script])
            .args([&file, &elsewhere])
            .status()
            .unwrap()
            .success()
    );
    let verify = daemon.rig.run(&["dataset", "verify", elsewhere.join(&id).to_str().unwrap()]);
    assert_eq!(verify.code, Some(0), "{}{}", verify.stdout, verify.stderr);
    let support = daemon.get("/api/v1/support.zip");
    assert_eq!(support.status, 200);
    assert!(!String::from_utf8_lossy(&support.body).contains(&daemon.token));
}

/// All of it in parts is all of it; who has it gets nothing.
pub(crate) fn check_parts(daemon: &Daemon, path: &str) -> Vec<u8> {
    let whole = daemon.get(path);
    assert_eq!(whole.status, 200, "{path}");
    let (length, tag) = (whole.body.len(), whole.header("etag").to_owned());
    assert!(length > 100 && !tag.is_empty());
    assert_eq!(daemon.get_with(path, &[("If-None-Match", &tag)]).status, 304);
    let cuts = [0, 1, 37, length / 3, length / 2, length - 1, length];
    let mut joined = Vec::new();
    for pair in cuts.windows(2) {
        let range = format!("bytes={}-{}", pair[0], pair[1] - 1);
        let part = daemon.get_with(path, &[("Range", &range), ("If-Range", &tag)]);
        assert_eq!(part.status, 206, "{range}");
        assert_eq!(part.header("content-range"), format!("bytes {}-{}/{length}", pair[0], pair[1] - 1));
        joined.extend(part.body);
    }
    assert!(joined == whole.body, "{path}: parts differ from the whole");
    let beyond = daemon.get_with(path, &[("Range", &format!("bytes={length}-"))]);
    assert_eq!(beyond.status, 416);
    let changed = daemon.get_with(path, &[("Range", "bytes=0-9"), ("If-Range", "\"other\"")]);
    assert_eq!((changed.status, changed.body.len()), (200, length));
    whole.body
}

#[test]
fn the_list_goes_on_page_by_page_and_has_each_scan_once() {
    let daemon = Daemon::start(&Recipe { angles: 1, ..Recipe::default() });
    let mut begun: Vec<String> = Vec::new();
    for _ in 0..5 {
        let id = format!("scan-{}", begun.len());
        assert_eq!(daemon.post("/api/v1/scans", &json!({ "id": id })).status, 201);
        daemon.wait_until_idle();
        begun.insert(0, id);
    }
    let (mut listed, mut after) = (Vec::new(), String::new());
    loop {
        let page = daemon.get(&format!("/api/v1/scans?limit=2{after}")).json();
        assert_eq!(page["total"], 5);
        listed.extend(
            page["scans"].as_array().unwrap().iter().map(|scan| scan["id"].as_str().unwrap().to_owned()),
        );
        match page["next"].as_str() {
            Some(next) => after = format!("&after={next}"),
            None => break,
        }
    }
    assert_eq!(listed, begun);
    assert_eq!(daemon.get("/api/v1/scans?limit=0").status, 400);
    // One that names no place, as an id does not; and pages hold though the scan at the end of the first one goes.
    assert_eq!(daemon.get("/api/v1/scans?after=scan-1").status, 400);
    let page = daemon.get("/api/v1/scans?limit=2").json();
    assert_eq!(daemon.delete("/api/v1/scans/scan-3").status, 204);
    assert_eq!(daemon.post("/api/v1/scans", &json!({ "id": "scan-5" })).status, 201);
    daemon.wait_until_idle();
    let page = daemon.get(&format!("/api/v1/scans?limit=2&after={}", page["next"].as_str().unwrap())).json();
    let ids: Vec<_> = page["scans"].as_array().unwrap().iter().map(|scan| scan["id"].clone()).collect();
    assert_eq!((ids, &page["total"]), (vec![json!("scan-2"), json!("scan-1")], &json!(5)));
}

/// The next message of a stream of events.
fn next(socket: &mut Socket) -> Value {
    let begun = Instant::now();
    loop {
        // Pings come all the time.
        assert!(begun.elapsed() < PATIENCE, "waited in vain for a message");
        if let tungstenite::Message::Text(text) = socket.read().unwrap() {
            return serde_json::from_str(&text).unwrap();
        }
    }
}

#[test]
fn events_come_after_a_snapshot_numbered_and_whoever_was_away_gets_what_was_missed() {
    let daemon = Daemon::start(&Recipe { angles: 4, ..Recipe::default() });
    let mut socket = daemon.socket("/api/v1/events/ws");
    let snapshot = next(&mut socket);
    assert_eq!((&snapshot["type"], &snapshot["gap"]), (&json!("snapshot"), &json!(true)), "{snapshot}");
    let (stream, first) =
        (snapshot["stream"].as_str().unwrap().to_owned(), snapshot["number"].as_u64().unwrap());
    let id = daemon.begin();
    let mut events = Vec::new();
    while events.last().is_none_or(|event: &Value| event["event"] != "finished") {
        let message = next(&mut socket);
        if message["type"] == "event" {
            assert_eq!(message["scan"], json!(id), "{message}");
            assert_eq!(message["number"], first + 1 + events.len() as u64, "{message}");
            events.push(message);
        }
    }
    assert_eq!(events.iter().filter(|event| event["event"] == "stored").count(), 4);
    // Over a WebSocket and as server-sent events.
    let known = first + 3;
    let mut again = daemon.socket(&format!("/api/v1/events/ws?after={stream}-{known}"));
    let snapshot = next(&mut again);
    assert_eq!((&snapshot["gap"], &snapshot["number"]), (&json!(false), &json!(known)));
    for event in &events[3..] {
        assert_eq!(next(&mut again), *event);
    }
    let lines = server_sent(&daemon, &format!("{stream}-{known}"), 1 + events.len() - 3);
    assert!(lines[0].1.contains("\"gap\":false"), "{lines:?}");
    assert_eq!(lines[1].0, format!("{stream}-{}", known + 1));
    // What is unknown, of another run or of the future, is a gap.
    for after in [format!("{stream}-999999"), "0-3".into(), "nonsense".into()] {
        let mut socket = daemon.socket(&format!("/api/v1/events/ws?after={after}"));
        assert_eq!(next(&mut socket)["gap"], true, "{after}");
    }
    wait_for("the status says so", || {
        let message = next(&mut socket);
        (message["type"] == "status" && message["status"]["scanning"] == false).then_some(())
    });
}

/// The first server-sent events: id and data.
fn server_sent(daemon: &Daemon, after: &str, count: usize) -> Vec<(String, String)> {
    use std::io::Write as _;
    let mut stream = std::net::TcpStream::connect(daemon.address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    write!(
        stream,
        "GET /api/v1/events HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {}\r\nLast-Event-ID: {after}\r\n\r\n",
        daemon.address, daemon.token
    )
    .unwrap();
    let (mut events, mut id, mut data) = (Vec::new(), String::new(), String::new());
    let begun = Instant::now();
    for line in BufReader::new(stream).lines() {
        // Comments come all the time, so that no read takes long.
        assert!(begun.elapsed() < PATIENCE, "waited in vain for {count} events: {events:?}");
        let line = line.unwrap();
        if let Some(text) = line.strip_prefix("id: ") {
            text.clone_into(&mut id);
        } else if let Some(text) = line.strip_prefix("data: ") {
            text.clone_into(&mut data);
        }
        if !id.is_empty() && !data.is_empty() {
            events.push((std::mem::take(&mut id), std::mem::take(&mut data)));
        }
        if events.len() == count {
            break;
        }
    }
    events
}

#[test]
fn what_is_counted_is_what_happened() {
    let daemon = Daemon::start(&Recipe {
        angles: 3,
        options: &["faults = [{ kind = \"queue_buffer\", shot = 1, times = 1 }]"],
        ..Recipe::default()
    });
    let id = daemon.begin();
    daemon.wait_until_idle();
    let text = String::from_utf8(daemon.get("/metrics").body).unwrap();
    for line in [
        "scanner_shots_stored_total 3",
        "scanner_attempts_total{camera=\"cam0\",outcome=\"queue_buffer\"} 1",
        "scanner_attempts_total{camera=\"cam0\",outcome=\"captured\"} 3",
        "scanner_recoveries_total{camera=\"cam0\",rung=\"restart\",outcome=\"recovered\"} 1",
        "scanner_queue_depth 0",
    ] {
        assert!(text.lines().any(|found| found == line), "{line} is not in\n{text}");
    }
    let log = daemon.get(&format!("/api/v1/log?scan={id}")).json();
    let lines = log["lines"].as_array().unwrap();
    assert!(lines.iter().any(|line| line["message"].as_str().unwrap().contains("scan complete")), "{log}");
    assert!(lines.iter().all(|line| line["scan"] == json!(id)), "{log}");
    let preflight = daemon.post("/api/v1/preflight", &json!({})).json();
    assert!(preflight["findings"].as_array().unwrap().len() > 5, "{preflight}");
    assert_eq!(preflight["go"] == true, preflight["reasons"].as_array().unwrap().is_empty());
}

/// That there is room for something is not what it is asked for.
#[test]
fn a_preflight_says_no_where_a_start_would() {
    let rig = TestRig::new(&Recipe::default());
    let text = std::fs::read_to_string(&rig.config).unwrap();
    std::fs::write(&rig.config, text.replace("keep_free = \"1 MB\"", "keep_free = \"900000 GB\"")).unwrap();
    std::fs::create_dir(rig.scans()).unwrap();
    let daemon = Daemon::start_in(rig);
    let preflight = daemon.post("/api/v1/preflight", &json!({})).json();
    assert_eq!(preflight["go"], false, "{preflight}");
    let reasons = preflight["reasons"].to_string();
    assert!(reasons.contains("would be refused: not enough space"), "{reasons}");
}

#[test]
fn a_preflight_misses_the_disk_of_the_scans() {
    let daemon = Daemon::start(&Recipe::default());
    daemon.begin();
    daemon.wait_until_idle();
    let preflight = || daemon.post("/api/v1/preflight", &json!({})).json();
    let storage = |preflight: &Value| {
        let findings = preflight["findings"].as_array().unwrap();
        findings.iter().find(|finding| finding["check"] == "storage").unwrap().clone()
    };
    assert_eq!(storage(&preflight())["verdict"], "fine");
    let scans = daemon.rig.scans();
    std::fs::rename(&scans, daemon.rig.dir.path().join("away")).unwrap();
    // As the mount point of a disk.
    std::fs::create_dir(&scans).unwrap();
    let missed = preflight();
    assert_eq!((&missed["go"], &storage(&missed)["verdict"]), (&json!(false), &json!("problem")), "{missed}");
    let says = |reason: &Value| reason.as_str().unwrap().contains("mount its disk");
    assert!(missed["reasons"].as_array().unwrap().iter().any(says), "{missed}");
}

#[test]
fn the_report_of_a_scan_is_a_page_that_asks_for_nothing() {
    let daemon = Daemon::start(&Recipe { cameras: 2, ..Recipe::default() });
    let id = daemon.begin();
    daemon.wait_until_idle();
    let report = daemon.get(&format!("/api/v1/scans/{id}/report"));
    assert_eq!((report.status, report.header("content-type")), (200, "text/html; charset=utf-8"));
    let policy = report.header("content-security-policy");
    assert!(policy.starts_with("default-src 'none'; style-src 'unsafe-inline'; img-src data:;"), "{policy}");
    let page = String::from_utf8(report.body).unwrap();
    assert!(page.contains(&id) && page.contains("complete") && page.contains("data:image/jpeg"), "{page}");
    assert_eq!(daemon.get("/api/v1/scans/2026-01-01-000000-none/report").status, 404);
    assert_eq!(daemon.get("/api/v1/scans/..%2f/report").status, 404);
}
