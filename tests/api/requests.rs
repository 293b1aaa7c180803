//! Requests that are not as the document says.

use serde_json::{Value, json};

use crate::client::Daemon;
use crate::support::Recipe;

const JSON: (&str, &str) = ("Content-Type", "application/json");

#[test]
fn an_array_is_no_object_and_begins_and_moves_nothing() {
    let daemon = Daemon::start(&Recipe::default());
    let bearer = format!("Bearer {}", daemon.token);
    let region = json!([0.0, 0.0, 0.5, 0.5]);
    for (method, path, body) in [
        ("POST", "/api/v1/scans", json!(["ring"])),
        ("POST", "/api/v1/scans", json!({ "inline": ["ring", null, null, 3] })),
        ("POST", "/api/v1/plans/preview", json!(["ring", null, null, 3])),
        ("POST", "/api/v1/axes/jog", json!(["turntable", 1])),
        ("POST", "/api/v1/axes/home", json!([["turntable"]])),
        ("POST", "/api/v1/rig/pause", json!([null])),
        ("POST", "/api/v1/rig/cancel", json!([null])),
        ("POST", "/api/v1/lights", json!([true])),
        ("POST", "/api/v1/capture", json!(["cam0"])),
        ("POST", "/api/v1/capture", json!({ "settings": ["4 ms"] })),
        ("POST", "/api/v1/capture/test", json!(["cam0"])),
        ("PUT", "/api/v1/cameras/cam0/controls", json!(["4 ms"])),
        ("PUT", "/api/v1/cameras/cam0/controls", json!({ "crop": region })),
        ("POST", "/api/v1/scans/owl/retake", json!([[0]])),
        ("POST", "/api/v1/scans/owl/extend", json!([[0]])),
        ("POST", "/api/v1/login", json!([daemon.token])),
        ("POST", "/api/v1/pair", json!(["phone"])),
        ("POST", "/api/v1/pair/collect", json!(["secret"])),
        ("POST", "/api/v1/pair/give-up", json!(["secret"])),
    ] {
        let answer = daemon.anonymous(method, path, &[JSON, ("Authorization", &bearer)], &body.to_string());
        assert_eq!(answer.status, 422, "{method} {path} {body}");
        let problem = answer.json();
        assert_eq!(problem["type"], "/problems/bad_request", "{method} {path} {body}");
        assert!(problem["detail"].as_str().unwrap().contains("sequence, expected an object"), "{problem}");
    }
    assert_eq!(daemon.rig.scan_id(), None);
}

#[test]
fn a_body_of_another_type_is_not_read() {
    let daemon = Daemon::start(&Recipe::default());
    let bearer = format!("Bearer {}", daemon.token);
    for path in
        ["/api/v1/scans", "/api/v1/capture/test", "/api/v1/lights", "/api/v1/login", "/api/v1/rig/pause"]
    {
        for kind in
            [None, Some("text/plain"), Some("application/x-www-form-urlencoded"), Some("application/jsonx")]
        {
            let kind = kind.map(|kind| ("Content-Type", kind));
            let headers: Vec<_> = kind.into_iter().chain([("Authorization", bearer.as_str())]).collect();
            let answer = daemon.anonymous("POST", path, &headers, r#"{"on": true}"#);
            assert_eq!(answer.status, 415, "{path} {kind:?}");
            assert_eq!(answer.header("content-type"), "application/problem+json");
        }
    }
    // Where it may be left out, there is no type either.
    let nothing = daemon.anonymous("POST", "/api/v1/axes/home", &[("Authorization", &bearer)], "");
    assert_eq!(nothing.status, 204);
    let kind = ("Content-Type", "Application/JSON; charset=utf-8");
    let home = daemon.anonymous("POST", "/api/v1/axes/home", &[kind, ("Authorization", &bearer)], "{}");
    assert_eq!(home.status, 204);
    assert_eq!(daemon.rig.scan_id(), None);
}

#[test]
fn what_is_not_there_or_cannot_be_done_to_it_is_told_in_a_problem_document() {
    let daemon = Daemon::start(&Recipe::default());
    let bearer = format!("Bearer {}", daemon.token);
    let ask = |method: &str, path: &str| daemon.anonymous(method, path, &[("Authorization", &bearer)], "");
    let problem = |method: &str, path: &str, status: u16, kind: &str| {
        let answer = ask(method, path);
        assert_eq!(answer.status, status, "{method} {path}");
        assert_eq!(answer.header("content-type"), "application/problem+json", "{method} {path}");
        assert_eq!(answer.json()["type"], kind, "{method} {path}");
        assert_eq!(answer.json()["status"], status, "{method} {path}");
        answer
    };
    for path in [
        "/api",
        "/api/",
        "/api/v1/nothing",
        "/api/v2/status",
        "/api/x.png",
        "/metrics/",
        "/metrics/x",
        "/healthz/x",
        "/readyz/",
        "/nothing.js",
        "/assets/nothing.css",
    ] {
        problem("GET", path, 404, "/problems/not_found");
    }
    for (method, path, allowed) in [
        ("PUT", "/api/v1/scans", "GET,HEAD,POST"),
        ("GET", "/api/v1/lights", "POST"),
        ("DELETE", "/metrics", "GET,HEAD"),
        ("POST", "/api/v1/openapi.json", "GET,HEAD"),
        ("POST", "/scans/owl", "GET,HEAD"),
    ] {
        let answer = problem(method, path, 405, "/problems/bad_request");
        assert_eq!(answer.header("allow"), allowed, "{method} {path}");
    }
    // A view of the page is none of them.
    assert_eq!(ask("GET", "/scans/owl").status, 200);
    assert_eq!(ask("GET", "/apiary").status, 200);
}

#[test]
fn what_no_camera_takes_is_refused_before_the_camera_was_open() {
    let daemon = Daemon::start(&Recipe::default());
    let bearer = format!("Bearer {}", daemon.token);
    let set = |controls: &Value| {
        let headers = [JSON, ("Authorization", bearer.as_str())];
        daemon.anonymous("PUT", "/api/v1/cameras/cam0/controls", &headers, &controls.to_string())
    };
    assert_eq!(daemon.get("/api/v1/cameras").json()["cameras"][0]["model"], Value::Null, "not open yet");
    for wrong in [
        json!({ "gain": -1 }),
        json!({ "exposure": "0 s" }),
        json!({ "exposure": "-4 ms" }),
        json!({ "focus": "-1 dpt" }),
        json!({ "white_balance": [-1, 1] }),
        json!({ "crop": { "x": 0.5, "y": 0, "width": 0.6, "height": 1 } }),
    ] {
        let refused = set(&wrong);
        assert_eq!(refused.status, 400, "{wrong}: {}", refused.json());
    }
    assert_eq!(daemon.get("/api/v1/cameras").json()["cameras"][0]["chosen"], json!({}));
    assert_eq!(set(&json!({ "gain": 2 })).status, 200);
}
