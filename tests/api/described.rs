//! What scans are called.

use serde_json::{Value, json};

use crate::client::{Daemon, wait_for};
use crate::support::Recipe;

fn patch(daemon: &Daemon, scan: &str, kind: &str, body: &str) -> (u16, Value) {
    let bearer = format!("Bearer {}", daemon.token);
    let headers = [("Authorization", bearer.as_str()), ("Content-Type", kind)];
    let answer = daemon.anonymous("PATCH", &format!("/api/v1/scans/{scan}"), &headers, body);
    (answer.status, answer.json())
}

const MERGE: &str = "application/merge-patch+json";

#[test]
fn a_scan_is_called_something_else_while_it_is_under_way_and_afterwards() {
    let daemon = Daemon::start(&Recipe { angles: 8, time_scale: 2.0, ..Recipe::default() });
    let begun = daemon.post("/api/v1/scans", &json!({ "name": "first", "tags": ["wood"] }));
    assert_eq!(begun.status, 201, "{}", begun.json());
    let id = begun.json()["id"].as_str().unwrap().to_owned();
    let (status, summary) = patch(&daemon, &id, MERGE, r#"{"name": "Große Eule", "note": "a\nb"}"#);
    assert_eq!((status, &summary["name"], &summary["note"]), (200, &json!("Große Eule"), &json!("a\nb")));
    assert_eq!((&summary["tags"], &summary["scan"]["state"]), (&json!(["wood"]), &json!("running")));
    // Whoever looks at the rig sees it, the page and the command line.
    wait_for("the status says so", || {
        (daemon.get("/api/v1/status").json()["scan"]["name"] == "Große Eule").then_some(())
    });
    assert!(daemon.rig.run(&["status"]).stdout.contains("(Große Eule)"));
    let renamed = daemon.rig.run(&["dataset", "describe", &id, "--tag", "stone", "--json"]);
    assert_eq!(renamed.json(), json!({ "name": "Große Eule", "note": "a\nb", "tags": ["stone"] }));
    daemon.wait_until_idle();
    let (status, summary) = patch(&daemon, &id, "application/json", r#"{"note": null, "tags": ["b", "a"]}"#);
    assert_eq!((status, &summary["note"], &summary["tags"]), (200, &Value::Null, &json!(["a", "b"])));
    let detail = daemon.get(&format!("/api/v1/scans/{id}")).json();
    assert_eq!((&detail["name"], &detail["scan"]["state"]), (&json!("Große Eule"), &json!("complete")));
    let report = daemon.post(&format!("/api/v1/scans/{id}/verify"), &json!({})).json();
    assert_eq!((&report["sound"], &report["notes"]), (&json!(true), &json!([])), "{report}");
}

#[test]
fn what_cannot_be_said_is_refused_and_changes_nothing() {
    let daemon = Daemon::start(&Recipe::default());
    let id = daemon.begin();
    daemon.wait_until_idle();
    assert_eq!(patch(&daemon, &id, MERGE, r#"{"name": "Owl"}"#).0, 200);
    let journal = || std::fs::read(daemon.rig.scans().join(&id).join("journal.jsonl")).unwrap();
    let before = journal();
    for (body, status, says) in [
        (format!(r#"{{"name": "{}"}}"#, "x".repeat(101)), 422, "101 characters"),
        (r#"{"name": "a\u0007"}"#.into(), 422, "U+0007"),
        (r#"{"title": "a"}"#.into(), 422, "title"),
        (r#"["a"]"#.into(), 422, "object"),
        ("{".into(), 400, "EOF"),
    ] {
        let (found, problem) = patch(&daemon, &id, MERGE, &body);
        assert_eq!((found, &problem["type"]), (status, &json!("/problems/bad_request")), "{body}: {problem}");
        assert!(problem["detail"].as_str().unwrap().contains(says), "{body}: {problem}");
    }
    assert_eq!(patch(&daemon, &id, "text/plain", "{}").0, 415);
    assert_eq!(patch(&daemon, "2020-01-01-000000-owl", MERGE, "{}").0, 404);
    assert_eq!(daemon.post("/api/v1/scans", &json!({ "name": "a\nb" })).status, 422);
    assert_eq!(journal(), before);
    // Who may only look may not.
    let look = daemon.rig.run(&["token", "looker", "--look-only"]).stdout.trim().to_owned();
    let bearer = format!("Bearer {look}");
    let headers = [("Authorization", bearer.as_str()), ("Content-Type", MERGE)];
    let answer = daemon.anonymous("PATCH", &format!("/api/v1/scans/{id}"), &headers, "{}");
    assert_eq!((answer.status, answer.json()["type"].clone()), (403, json!("/problems/look_only")));
}

#[test]
fn scans_are_found_by_what_is_said_of_them_page_by_page() {
    let daemon = Daemon::start(&Recipe { angles: 1, ..Recipe::default() });
    for (id, name, tag) in [("one", "Owl", "wood"), ("two", "Wasp", "wood"), ("three", "Owlet", "stone")] {
        let body = json!({ "id": id, "name": name, "tags": [tag] });
        assert_eq!(daemon.post("/api/v1/scans", &body).status, 201);
        daemon.wait_until_idle();
    }
    let found = |query: &str| {
        let page = daemon.get(&format!("/api/v1/scans?{query}")).json();
        let ids: Vec<String> = page["scans"]
            .as_array()
            .unwrap()
            .iter()
            .map(|scan| scan["id"].as_str().unwrap().into())
            .collect();
        (ids, page["total"].as_u64().unwrap(), page["next"].as_str().map(str::to_owned))
    };
    assert_eq!(found("search=OWL"), (vec!["three".into(), "one".into()], 2, None));
    assert_eq!(found("search=owl%20wood").0, ["one"]);
    assert_eq!(found("search=two").0, ["two"]);
    assert_eq!(found("search=%20").1, 3);
    let (first, total, next) = found("search=owl&limit=1");
    assert_eq!((first, total), (vec!["three".to_owned()], 2));
    assert_eq!(found(&format!("search=owl&limit=1&after={}", next.unwrap())).0, ["one"]);
    // What it is called now is what it is found by.
    assert_eq!(patch(&daemon, "one", MERGE, r#"{"name": "Eule"}"#).0, 200);
    assert_eq!(found("search=owl").0, ["three"]);
    assert_eq!(found("search=eule").0, ["one"]);
    assert_eq!(daemon.get(&format!("/api/v1/scans?search={}", "x".repeat(201))).status, 400);
}
