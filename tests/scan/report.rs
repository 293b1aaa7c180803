//! The report that a scan leaves.

use crate::support::{Recipe, TestRig};

#[test]
fn a_scan_leaves_a_report_which_can_be_made_again_and_is_nothing_that_verify_minds() {
    let options = ["faults = [{ kind = \"cancelled\", shot = 2 }]", ""];
    let rig = TestRig::new(&Recipe { cameras: 2, angles: 6, options: &options, ..Recipe::default() });
    let scan = rig.run(&["scan", "--name", "An <owl>", "--note", "Of clay", "--tag", "birds"]);
    assert_eq!(scan.code, Some(0), "{}", scan.stderr);
    let id = rig.scan_id().unwrap();
    let path = rig.scans().join(&id).join("report.html");
    let page = std::fs::read_to_string(&path).unwrap();
    for text in [
        &id,
        "complete",
        "An &lt;owl&gt;",
        "Of clay",
        "birds",
        "cancelled",
        "Brightness",
        "data:image/jpeg;base64,",
    ] {
        assert!(page.contains(text), "no {text:?} in {page}");
    }
    rig.assert_complete(&id, "with its report");

    std::fs::remove_file(&path).unwrap();
    let made = rig.run(&["dataset", "report", &id]);
    assert_eq!((made.code, made.stdout.trim()), (Some(0), path.to_str().unwrap()), "{}", made.stderr);
    assert_eq!(std::fs::read_to_string(&path).unwrap(), page);
    let out = rig.dir.path().join("out.html");
    let made = rig.run(&["dataset", "report", &id, "--out", out.to_str().unwrap()]);
    assert_eq!(made.code, Some(0), "{}", made.stderr);
    assert_eq!(std::fs::read_to_string(&out).unwrap(), page);
    let refused = rig.run(&["dataset", "report", "2026-01-01-000000-none"]);
    assert_eq!(
        refused.code,
        rig.run(&["dataset", "show", "2026-01-01-000000-none"]).code,
        "{}",
        refused.stderr
    );
}

#[test]
fn a_report_that_cannot_be_written_does_not_change_how_the_scan_ended() {
    let rig = TestRig::new(&Recipe { scan: "", ..Recipe::default() });
    let begun = rig.run(&["scan", "--id", "taken"]);
    assert_eq!(begun.code, Some(0), "{}", begun.stderr);
    // Something else has its place when the scan ends anew.
    let path = rig.scans().join("taken/report.html");
    std::fs::remove_file(&path).unwrap();
    std::fs::create_dir(&path).unwrap();
    std::fs::write(path.join("mine"), "").unwrap();
    let retake = rig.run(&["retake", "taken", "0"]);
    assert_eq!(retake.code, Some(0), "{}", retake.stderr);
    let resumed = rig.run(&["resume", "taken"]);
    assert_eq!(resumed.code, Some(0), "{}", resumed.stderr);
    assert!(resumed.stderr.contains("the scan has no report: cannot write the report"), "{}", resumed.stderr);
    assert!(path.join("mine").is_file());
}
