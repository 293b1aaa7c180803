//! A rig that trembles after each move, and how long a scan waits for it.

use std::fs;

use crate::refused::edit;
use crate::support::{Recipe, TestRig};

/// No image is to be displaced by more pixels.
const LIMIT: f64 = 0.3;
/// A part of the picture is displaced as far as the object's farthest point, or less; and its displacement at most moments of the
/// exposure, less than at the worst one. What three frames can hide of this swing is two thirds of the limit.
const TOLERANCE: f64 = 0.15;

/// What a scan has left.
pub(crate) struct Scanned {
    /// By how many pixels each image was displaced while it was exposed, by its shot; all but the first, before which nothing moved.
    pub(crate) displaced: Vec<f64>,
    pub(crate) log: String,
}

impl Scanned {
    /// How long images of the kinds that were learned or corrected wait, in milliseconds, the last word on each last.
    pub(crate) fn waits(&self) -> Vec<f64> {
        let waits = self.log.split(" wait ").skip(1).filter_map(|rest| rest.split_once(" from now on"));
        waits.map(|(time, _)| milliseconds(time)).collect()
    }

    fn worst(&self) -> f64 {
        self.displaced.iter().copied().fold(0.0, f64::max)
    }
}

fn milliseconds(time: &str) -> f64 {
    match time.strip_suffix("ms") {
        Some(milliseconds) => milliseconds.parse().unwrap(),
        None => 1000.0 * time.strip_suffix('s').unwrap().parse::<f64>().unwrap(),
    }
}

/// A scan of a rig with this `settle`, of which more is written differently.
pub(crate) fn scanned(settle: &str, more: &[(&str, &str)], environment: &[(&str, &str)]) -> Scanned {
    let rig = TestRig::new(&Recipe { angles: 10, size: (160, 120), time_scale: 1.0, ..Recipe::default() })
        .without_model();
    edit(&rig, "settle = \"1 ms\"", settle);
    // Seen from nearby: the object fills the picture, and ten degrees are six pixels.
    edit(&rig, "pixel_pitch = \"70 um\"", "pixel_pitch = \"14 um\"");
    edit(&rig, "speed = \"60 deg/s\"", "speed = \"900 deg/s\"");
    edit(&rig, "acceleration = \"120 deg/s2\"", "acceleration = \"9000 deg/s2\"");
    let seen = rig.dir.path().join("seen");
    fs::create_dir(&seen).unwrap();
    edit(&rig, "[camera.options]", &format!("[camera.options]\nseen = \"{}\"", seen.display()));
    for (from, to) in more {
        edit(&rig, from, to);
    }
    let mut command = rig.command(&["scan"]);
    command.envs(environment.iter().copied()).env("RUST_LOG", "info,scanner::run::still=debug");
    let scan = crate::support::Finished::from(command.output().unwrap());
    assert_eq!(scan.code, Some(0), "{settle}: {}", scan.stderr);
    rig.assert_complete(&rig.scan_id().unwrap(), settle);
    let displaced = (1..10).map(|shot| fs::read_to_string(seen.join(format!("{shot}.displaced"))).unwrap());
    Scanned { displaced: displaced.map(|pixels| pixels.parse().unwrap()).collect(), log: scan.stderr }
}

/// Ten degrees at first, eight times a second, of which 1/20 is left after 300 ms.
const TREMBLE: (&str, &str) = (
    "[plan.ring]",
    "[motion.tremble]\namplitude = \"10 deg\"\nperiod = \"120 ms\"\ndecay = \"100 ms\"\n[plan.ring]",
);

#[test]
fn frames_show_how_long_a_wait_has_to_be() {
    let too_soon = scanned("settle = \"0 ms\"", &[TREMBLE], &[]);
    assert!(too_soon.worst() > 2.0, "it does not tremble: {:?}", too_soon.displaced);
    let learned = scanned("settle_by = \"frames\"\nsettle = \"1500 ms\"", &[TREMBLE], &[]);
    assert!(learned.worst() < LIMIT + TOLERANCE, "{:?}\n{}", learned.displaced, learned.log);
    let wait = learned.waits().last().copied().unwrap_or_default();
    assert!(wait > 150.0 && wait < 1000.0, "{wait} ms\n{}", learned.log);
}

/// What stands on the table swings nine times a second, of which the program believes this.
fn swinging(believed: &str) -> [(&'static str, String); 1] {
    let swing = format!(
        "shaper = \"zv\"\n\
         [motion.turntable.swing]\nfrequency = \"{believed}\"\ndamping = 0.05\n\
         [motion.turntable.simulated.swing]\nfrequency = \"9 Hz\"\ndamping = 0.05\n[plan.ring]"
    );
    [("[plan.ring]", swing)]
}

/// Of a rig whose shaper believes this frequency. On a busy machine frames are missing, and then a wait is learned late, or is longer
/// than it has to be: so it scans again, a few times, until it is as `expected`.
fn shaped(believed: &str, environment: &[(&str, &str)], expected: impl Fn(&Scanned) -> bool) -> Scanned {
    let swinging = swinging(believed);
    let swinging = swinging.each_ref().map(|(from, to)| (*from, to.as_str()));
    let scan = || scanned("settle_by = \"frames\"\nsettle = \"1500 ms\"", &swinging, environment);
    (1..4).map(|_| scan()).find(expected).unwrap_or_else(scan)
}

#[test]
fn a_shaper_that_does_not_fit_costs_time_and_no_image() {
    let fits = shaped("9 Hz", &[], |scan| scan.waits().last().is_some_and(|wait| *wait < 600.0));
    let has_learned = |scan: &Scanned| !scan.waits().is_empty();
    let off = shaped("9.9 Hz", &[], has_learned);
    let heavier = shaped("9 Hz", &[("SCANNER_SIM_HEAVIER", "0.8")], has_learned);
    for scan in [&fits, &off, &heavier] {
        assert!(scan.worst() < LIMIT + TOLERANCE, "{:?}\n{}", scan.displaced, scan.log);
    }
    let [fits, off, heavier] = [fits, off, heavier].map(|scan| (scan.waits().last().copied(), scan.log));
    let wait =
        |(wait, log): &(Option<f64>, String)| wait.unwrap_or_else(|| panic!("nothing was learned: {log}"));
    let waits = [wait(&fits), wait(&off), wait(&heavier)];
    assert!(waits[0] < 600.0, "{waits:?}\n{}", fits.1);
    assert!(waits[1] > waits[0] && waits[2] > waits[0], "{waits:?}\n{}\n{}", off.1, heavier.1);
}

#[test]
fn what_becomes_heavier_is_taken_again_and_waited_for_longer() {
    // The first move is to where the rig stands; the next three are learned from.
    let scan = shaped("9 Hz", &[("SCANNER_SIM_HEAVIER", "7:0.8")], |scan| scan.waits().len() > 1);
    assert!(scan.worst() < LIMIT + TOLERANCE, "{:?}\n{}", scan.displaced, scan.log);
    let waits = scan.waits();
    assert!(waits.len() > 1 && waits.last() > waits.first(), "{waits:?}\n{}", scan.log);
    assert!(scan.log.contains("and is taken again"), "{}", scan.log);
}

#[test]
fn a_camera_that_shows_nothing_is_waited_for_as_configured() {
    let blind = ("id = \"0\"", "id = \"0\"\nlive = \"off\"");
    let blind = scanned("settle_by = \"frames\"\nsettle = \"800 ms\"", &[TREMBLE, blind], &[]);
    assert!(blind.worst() < LIMIT, "{:?}", blind.displaced);
    assert!(blind.log.contains("cam0 has no low-resolution frames beside its images"), "{}", blind.log);
    assert!(blind.waits().is_empty(), "{}", blind.log);
}
