//! The last rung: a driver that nothing can end.

use crate::fuse::NeverAnswers;
use crate::support::{Recipe, Running, TestRig};

#[test]
fn a_camera_stuck_in_the_kernel_is_not_waited_for_and_the_others_finish() {
    let Some(mut fuse) = NeverAnswers::mount() else { return };
    let stuck = format!(
        "wedge_file = {:?}\nfaults = [{{ kind = \"wedge\", shot = 2 }}]",
        fuse.file().display().to_string()
    );
    let options = [stuck.as_str(), ""];
    let recipe = Recipe {
        cameras: 2,
        angles: 6,
        options: &options,
        scan: "on_wedged_camera = \"continue\"",
        ..Recipe::default()
    };
    let rig = TestRig::new(&recipe);
    let mut scan = Running::spawn(&mut rig.command(&["scan", "--json"]));
    // Whatever the stuck camera does, questions are answered.
    let mut answered = 0;
    let mut wedged = false;
    while scan.try_wait().unwrap().is_none() {
        let status = rig.run(&["status", "--json"]);
        if status.code == Some(0) {
            answered += 1;
            wedged |= status.stdout.contains("\"wedged\"");
        }
    }
    let ended = scan.finish();
    fuse.abort();
    assert_eq!(ended.code, Some(4), "{}", ended.stderr);
    let summary = ended.json();
    // The first shot of the stuck camera, and all six of the other one.
    assert_eq!((&summary["stored"], &summary["failed"]), (&7.into(), &5.into()), "{}", ended.stderr);
    assert!(ended.stderr.contains("a reboot is needed"), "{}", ended.stderr);
    assert!(wedged && answered > 0, "status did not answer");
    let id = rig.scan_id().unwrap();
    assert_eq!(rig.run(&["dataset", "verify", &id, "--json"]).json()["state"], "incomplete");
}

#[test]
fn or_the_scan_pauses_and_cancel_is_still_heard() {
    let Some(mut fuse) = NeverAnswers::mount() else { return };
    let stuck = format!(
        "wedge_file = {:?}\nfaults = [{{ kind = \"wedge\", shot = 0 }}]",
        fuse.file().display().to_string()
    );
    let options = [stuck.as_str()];
    let rig = TestRig::new(&Recipe { options: &options, ..Recipe::default() });
    let paused = rig.run(&["scan", "--json"]);
    assert_eq!(paused.code, Some(5), "{}", paused.stderr);
    assert!(paused.json()["reason"].as_str().unwrap().contains("a reboot is needed"), "{}", paused.stdout);
    let id = rig.scan_id().unwrap();
    fuse.abort();

    // Stuck again, and cancelled in the middle of the ladder: before the process is found to be stuck.
    let Some(mut fuse) = NeverAnswers::mount() else { return };
    let text = std::fs::read_to_string(&rig.config).unwrap();
    let file = text.lines().find(|line| line.starts_with("wedge_file")).unwrap();
    let text = text.replace(file, &format!("wedge_file = {:?}", fuse.file().display().to_string()));
    std::fs::write(&rig.config, text.replace("300 ms", "8 s")).unwrap();
    let mut scan = Running::spawn(&mut rig.command(&["resume", &id]));
    // Before it has begun, a cancel would give the resume up.
    while !rig.run(&["status"]).stdout.contains("shots stored") {
        assert!(scan.try_wait().unwrap().is_none(), "it ended before it began");
    }
    while rig.run(&["cancel"]).code != Some(0) {
        assert!(scan.try_wait().unwrap().is_none(), "it ended before it could be cancelled");
    }
    assert_eq!(scan.finish().code, Some(6));
    fuse.abort();
}
