//! The service, asked through its socket.

use rustix::process::Signal;

use crate::interrupted::{begin, end, signal, slow_rig};

#[test]
fn a_paused_scan_goes_on_where_the_service_is_asked_to() {
    let rig = slow_rig(16);
    let (service, log) = begin(&rig, &["run"], "ready");
    assert_eq!(rig.run(&["start"]).code, Some(0));
    let id = rig.scan_id().unwrap();
    let status = rig.run(&["status"]).stdout;
    assert!(status.contains("streaming (driver ") || status.contains("capturing (shot "), "{status}");
    let refused = rig.run(&["start", "--resume", &id]);
    assert_eq!(refused.code, Some(7), "{}", refused.stderr);
    assert!(refused.stderr.contains(&format!("scan {id} is under way")), "{}", refused.stderr);
    assert_eq!(rig.run(&["pause"]).code, Some(0));
    while rig.run(&["status", "--json"]).json()["scanning"] == true {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    let resumed = rig.run(&["start", "--resume", &id]);
    assert_eq!(resumed.code, Some(0), "{}", resumed.stderr);
    while rig.run(&["status", "--json"]).json()["scanning"] == true {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    rig.assert_complete(&id, "resumed by the service");
    assert_eq!(rig.run(&["start", "--resume", "2020-01-01-000000-owl"]).code, Some(10));
    assert_eq!(rig.run(&["start", "--resume", "../../etc"]).code, Some(10));
    signal(&service, Signal::TERM);
    assert_eq!(end(service, log).code, Some(0));
}
