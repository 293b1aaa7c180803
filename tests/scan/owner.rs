//! A folder of scans that two machines share, where the lock of one excludes nobody on the other: as if it were free.

use rustix::process::Signal;

use crate::interrupted::{begin_by, end, read_until, signal};
use crate::support::{Recipe, Running, TestRig};

#[test]
fn a_scan_that_another_machine_may_still_hold_is_left_alone_until_a_person_says_so() {
    let rig = TestRig::new(&Recipe { angles: 40, time_scale: 1.0, ..Recipe::default() });
    let mut first = Running::spawn(rig.command(&["scan"]).env("SCANNER_MACHINE_ID", "a"));
    let note = loop {
        let of_scan = rig.scan_id().map(|id| rig.scans().join(id).join("owner.json"));
        if let Some(note) = of_scan.filter(|note| note.exists()) {
            break note;
        }
        assert!(first.try_wait().unwrap().is_none(), "the scan ended before it was seen");
        std::thread::sleep(std::time::Duration::from_millis(20));
    };
    first.kill().unwrap();
    first.wait().unwrap();
    let id = rig.scan_id().unwrap();
    let on_b = |more: &[&str]| {
        let resume = [&["resume", &id], more].concat();
        let resumed = rig.command(&resume).env("SCANNER_MACHINE_ID", "b").output().unwrap();
        (resumed.status.success(), String::from_utf8_lossy(&resumed.stderr).into_owned())
    };
    let (done, said) = on_b(&[]);
    assert!(!done && said.contains("belongs to process") && said.contains("owner.json"), "{said}");
    let remedy = format!("scanner resume {id} --take-over");
    assert!(said.contains(&remedy), "{said}");

    // The other machine's service says so, too, instead of leaving it alone without a word.
    let mut command = rig.command(&["run"]);
    command.env("SCANNER_MACHINE_ID", "b");
    let (service, mut log) = begin_by(command, "did not end, and is left alone");
    read_until(&mut log, "ready");
    signal(&service, Signal::TERM);
    assert_eq!(end(service, log).code, Some(0));
    assert!(note.exists());

    let (done, said) = on_b(&["--take-over"]);
    assert!(done && said.contains("was taken over from another machine"), "{said}");
    assert!(!note.exists());
    rig.assert_complete(&id, "taken over");
}
