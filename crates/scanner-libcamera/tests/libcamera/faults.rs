//! Cameras that fail, under the real libcamera.

use std::fs;

use crate::pictures::decoded;
use crate::rig::{Recipe, Rig};

#[test]
fn a_stall_is_cured_by_a_restart() {
    let rig = Rig::new(&Recipe { points: 16, ..Recipe::default() });
    let mut scan = rig.begin();
    scan.until("(4/16");
    rig.behave("stall");
    // The canary: without a stall, nothing would fail.
    scan.until("failed: timeout");
    rig.behave("fps 60");
    scan.until("is back: restart");
    scan.complete();
    assert_eq!(rig.images(0).len(), 16);
    assert!(!rig.is_left_behind());
}

#[test]
fn a_camera_that_does_not_stop_is_replaced() {
    let rig = Rig::new(&Recipe { points: 16, ..Recipe::default() });
    let mut scan = rig.begin();
    scan.until("(4/16");
    rig.behave("wedge");
    scan.until("failed: timeout").until("restart of camera cam0 failed");
    rig.behave("fps 60");
    scan.until("is back: respawn");
    scan.complete();
    assert_eq!(rig.images(0).len(), 16);
    assert!(!rig.is_left_behind());
}

#[test]
fn frames_that_come_too_slowly_are_a_failure_and_no_frame_of_before_is_taken_for_one_of_after() {
    let rig = Rig::new(&Recipe { points: 8, ..Recipe::default() });
    let mut scan = rig.begin();
    scan.until("(3/8");
    rig.behave("fps 0.05");
    // Its stop waits for frames, too.
    scan.until("failed: timeout").until("restart of camera cam0 failed");
    rig.behave("fps 60");
    scan.until("is back: respawn");
    scan.complete();
    assert_eq!(rig.images(0).len(), 8);
    assert!(!rig.is_left_behind());
}

#[test]
fn a_camera_that_is_unplugged_is_gone_and_is_found_again_by_a_new_driver() {
    let rig = Rig::new(&Recipe { points: 16, ..Recipe::default() });
    let mut scan = rig.begin();
    scan.until("(4/16");
    rig.behave("fps 60\nunplugged");
    scan.until("failed: gone").until("is back: respawn");
    let log = scan.complete();
    assert!(!log.contains("failed: crashed"), "{log}");
    assert_eq!(rig.images(0).len(), 16);
    assert!(!rig.is_left_behind());
}

#[test]
fn little_memory_means_fewer_buffers_and_too_little_says_what_to_do() {
    // A frame of 640x480 in NV12 is 0.46 MB; four of them are asked for, at least.
    let rig = Rig::new(&Recipe { camera: "live = \"off\"", ..Recipe::default() });
    rig.behave("fps 60\nmemory 1.2");
    let (code, log) = rig.run(&["scan"]);
    assert!(code == Some(11) && log.contains("no_memory") && log.contains("cma="), "{log}");
    assert!(log.contains("buffers a stream: ") && log.contains("trying with"), "{log}");
    rig.behave("fps 60\nmemory 2");
    let (code, log) = rig.run(&["scan"]);
    assert_eq!(code, Some(0), "{log}");
    assert_eq!(rig.images(0).len(), 8);
}

#[test]
fn images_keep_their_size_when_memory_comes_and_goes() {
    let rig = Rig::new(&Recipe { points: 16, sizes: &[(1280, 960), (640, 480)], ..Recipe::default() });
    rig.reconfigure("width = 1280\nheight = 960\n", "live = \"off\"\n");
    rig.behave("fps 60\nmemory 3");
    let mut scan = rig.begin();
    scan.until("trying 640x480 instead").until("(4/16");
    // Now there would be room for larger ones.
    rig.behave("fps 60\nwedge");
    scan.until("restart of camera cam0 failed");
    rig.behave("fps 60");
    scan.until("is back: respawn").until("(8/16");
    drop(scan);
    assert!(!rig.is_left_behind());
    let (code, log) = rig.run(&["resume", &rig.scan_id()]);
    assert_eq!(code, Some(0), "{log}");
    for image in rig.images(0) {
        assert_eq!(decoded(&image).1, (640, 480));
    }
}

#[test]
fn where_the_largest_images_do_not_fit_the_next_smaller_ones_are_taken() {
    let rig = Rig::new(&Recipe { sizes: &[(1280, 960), (640, 480)], ..Recipe::default() });
    rig.reconfigure("width = 1280\nheight = 960\n", "live = \"off\"\n");
    rig.behave("fps 60\nmemory 3");
    let (code, log) = rig.run(&["scan"]);
    assert!(code == Some(0) && log.contains("trying 640x480 instead"), "{log}");
    assert_eq!(rig.images(0).len(), 8);
}

#[test]
fn a_camera_that_another_process_holds_is_named_released_and_used_once_free() {
    let folder = tempfile::tempdir().unwrap();
    let lock = folder.path().join("media0");
    let options = format!("options = {{ device = \"{}\" }}", lock.display());
    let recipe = Recipe { points: 200, camera: &options, ..Recipe::default() };
    let holder = Rig::new(&recipe).locked_by(&lock);
    holder.behave("fps 10");
    let rig = Rig::new(&Recipe { points: 4, ..recipe }).locked_by(&lock);
    let mut other = holder.begin();
    other.until("(2/200");

    let (code, log) = rig.run(&["scan"]);
    assert!(code == Some(11) && log.contains("busy"), "{log}");
    // As the kernel cuts names.
    let holds = format!("{} is held by scanner-libcame (process ", lock.display());
    assert!(log.contains(&holds), "{log}");
    let (code, said) = rig.run(&["devices"]);
    assert!(code == Some(0) && said.contains("scanner-libcame (process "), "{said}");
    let (code, said) = rig.run(&["devices", "--release"]);
    assert!(code == Some(11) && said.contains("list it in recovery.may_end"), "{said}");

    drop(other);
    assert!(!holder.is_left_behind());
    let (code, log) = rig.run(&["scan"]);
    assert_eq!(code, Some(0), "{log}");
    assert_eq!(rig.images(0).len(), 4);
}

#[test]
fn a_holder_that_may_be_ended_is_ended() {
    let folder = tempfile::tempdir().unwrap();
    let lock = folder.path().join("media0");
    let options = format!("options = {{ device = \"{}\" }}", lock.display());
    let recipe = Recipe { points: 200, camera: &options, ..Recipe::default() };
    let holder = Rig::new(&recipe).locked_by(&lock);
    holder.behave("fps 10");
    let may_end = "may_end = [\"scanner-libcame\"]";
    let rig = Rig::new(&Recipe { points: 4, recovery: may_end, ..recipe }).locked_by(&lock);
    let mut other = holder.begin();
    other.until("(2/200");
    let (code, log) = rig.run(&["scan"]);
    assert!(code == Some(0) && log.contains("ending a program that holds the camera"), "{log}");
    // Who lost it takes it back by itself, as soon as it is free.
    other.until("failed: crashed").until("is back: respawn").until("(4/200");
    let (code, said) = rig.run(&["devices", "--release"]);
    assert!(code == Some(0) && said.contains("ended scanner-libcame (process "), "{said}");
}

#[test]
fn a_driver_of_an_earlier_life_is_ended_at_start_up() {
    let rig = Rig::new(&Recipe::default());
    let mut stray = std::process::Command::new("sleep").arg("60").spawn().unwrap();
    let pid = stray.id();
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let ticks = stat.rsplit_once(')').unwrap().1.split_whitespace().nth(19).unwrap();
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap();
    let identity = format!(r#"{{"pid":{pid},"start_ticks":{ticks},"boot":"{}"}}"#, boot.trim());
    fs::create_dir_all(rig.dir.path().join("run")).unwrap();
    // Of a camera that is no longer configured.
    fs::write(rig.dir.path().join("run/driver-old.pid"), identity).unwrap();
    let (code, log) = rig.run(&["devices"]);
    assert!(code == Some(0) && log.contains("an earlier life of this program left behind"), "{log}");
    assert!(!stray.wait().unwrap().success());
}
