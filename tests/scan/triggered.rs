//! Cameras without a sensor's timestamps: released only while the rig stands still, as the simulated world knows.

use crate::refused::edit;
use crate::support::{Recipe, TestRig};

#[test]
fn a_camera_that_is_triggered_is_so_only_at_rest_and_nothing_moves_while_it_exposes() {
    let triggered = "timestamps = \"trigger\"\ntrigger_log = \"LOG\"";
    let faults = "faults = [{ kind = \"stall\", shot = 4 }, { kind = \"cancelled\", shot = 8 }, \
                  { kind = \"abort\", shot = 12 }]\nfault_state = \"STATE\"";
    let options = [format!("{triggered}\n{faults}"), String::new()];
    let options = options.each_ref().map(String::as_str);
    let rig = TestRig::new(&Recipe {
        cameras: 2,
        angles: 12,
        time_scale: 10.0,
        options: &options,
        ..Recipe::default()
    });
    let log = rig.dir.path().join("triggers");
    edit(&rig, "LOG", log.to_str().unwrap());
    edit(&rig, "STATE", rig.dir.path().join("faults").to_str().unwrap());
    edit(&rig, "settle = \"1 ms\"", "settle = \"50 ms\"");
    let scan = rig.run(&["scan"]);
    assert_eq!(scan.code, Some(0), "{}", scan.stderr);
    rig.assert_complete(&rig.scan_id().unwrap(), "triggered");
    let log = std::fs::read_to_string(log).unwrap();
    for what in ["trigger ", "exposure "] {
        assert!(log.lines().filter(|line| line.starts_with(what)).count() >= 12, "{log}");
    }
    assert!(log.lines().all(|line| line.ends_with(" still")), "{log}");
}
