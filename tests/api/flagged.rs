//! Images that the gate has found to be bad.

use serde_json::{Value, json};

use crate::client::Daemon;
use crate::support::Recipe;

#[test]
fn what_is_found_of_an_image_is_with_its_shot_also_where_it_was_found_later() {
    // The first image of a ring is compared once there are others.
    let faults = "faults = [{ kind = \"dimmed\", shot = 0 }, { kind = \"dimmed\", shot = 6 }]";
    // One image after the other: where later ones are on the disk before it, it is compared at once.
    let scan = "queue_depth = 1";
    let daemon = Daemon::start(&Recipe { angles: 9, options: &[faults], scan, ..Recipe::default() });
    let id = daemon.begin();
    daemon.wait_until_idle();
    let shots = daemon.get(&format!("/api/v1/scans/{id}/shots")).json();
    let bad: Vec<usize> = (0..9)
        .filter(|&shot| {
            let findings = &shots["shots"][shot]["facts"]["verdict"]["findings"];
            findings
                .as_array()
                .is_some_and(|findings| findings.iter().any(|finding| finding["kind"] == "darker"))
        })
        .collect();
    assert_eq!(bad, [0, 6], "{shots:#}");
    let detail = daemon.get(&format!("/api/v1/scans/{id}")).json();
    let noted: Vec<&Value> =
        detail["journal"].as_array().unwrap().iter().filter(|note| note["what"] == "flagged").collect();
    assert_eq!((noted.len(), &noted[0]["shot"]), (1, &json!(0)), "{detail}");
    assert!(noted[0]["reason"].as_str().unwrap().starts_with("darker than its neighbours by 2"), "{detail}");
    assert_eq!(daemon.get("/api/v1/status").json()["scan"]["flagged"], 2);
}
