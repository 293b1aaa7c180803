//! Rigs whose cameras see what the gate has to find, and what a scan says of that.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;

use serde_json::Value;

use crate::support::{Finished, Recipe, TestRig};

/// A rig whose cameras see the object as large as it is, whatever the size of their images.
pub(super) struct Rig<'a> {
    pub(super) angles: u32,
    pub(super) heights: &'a [u32],
    pub(super) size: (u32, u32),
    pub(super) seed: u32,
    /// Of each camera, in `[camera.options]`.
    pub(super) faults: &'a [&'a str],
    /// Of each camera.
    pub(super) camera: &'a str,
    pub(super) gate: &'a str,
    pub(super) scan: &'a str,
}

/// Each image is on the disk before the next one is taken: on a busy machine, later ones may else be stored first.
pub(super) const IN_ORDER: &str = "queue_depth = 1";

impl Default for Rig<'_> {
    fn default() -> Self {
        Self {
            angles: 24,
            heights: &[0],
            size: (320, 240),
            seed: 1,
            faults: &[""],
            camera: "",
            gate: "",
            scan: "",
        }
    }
}

impl Rig<'_> {
    pub(super) fn build(&self) -> TestRig {
        let Self { angles, heights, size: (width, height), seed, faults, camera, gate, scan } = self;
        let rig = TestRig::new(&Recipe { recovery: "capture_timeout = \"30 s\"", ..Recipe::default() });
        let heights = heights.iter().map(|height| format!("\"{height} mm\"")).collect::<Vec<_>>().join(", ");
        let mut text = format!(
            r#"
[gate]
{gate}
[scan]
plan = "cylinder"
{scan}
[plan.cylinder]
shape = "cylinder"
order = "given"
angles = {angles}
heights = [{heights}]
[motion.lift]
speed = "40 mm/s"
acceleration = "100 mm/s2"
travel = ["0 mm", "200 mm"]
"#
        );
        for (index, faults) in faults.iter().enumerate() {
            let (pitch, high) = (70.0 * 64.0 / f64::from(*width), 60 + 40 * index);
            write!(
                text,
                r#"
[[camera]]
name = "cam{index}"
driver = "scanner-sim"
id = "{index}"
width = {width}
height = {height}
focal_length = "4.74 mm"
pixel_pitch = "{pitch} um"
{camera}
[camera.mount]
distance = "300 mm"
height = "{high} mm"
look_at_height = "50 mm"
[camera.options]
seed = {seed}
{faults}
"#
            )
            .unwrap();
        }
        let folder = rig.dir.path().join("scanner.toml.d");
        std::fs::create_dir(&folder).unwrap();
        std::fs::write(folder.join("gate.toml"), text).unwrap();
        rig
    }
}

/// What the log says of each image that is flagged, in order.
pub(super) fn flagged(scan: &Finished) -> Vec<(String, String)> {
    let lines = scan.stderr.lines().filter_map(|line| line.split_once(" flagged ").map(|(_, rest)| rest));
    lines.filter_map(|rest| rest.split_once(": ")).map(|(shot, why)| (shot.into(), why.into())).collect()
}

pub(super) fn labels(flagged: &[(String, String)]) -> BTreeSet<&str> {
    flagged.iter().map(|(shot, _)| shot.as_str()).collect()
}

/// The facts of every image of a camera, by label.
pub(super) fn facts(rig: &TestRig, id: &str, camera: &str) -> BTreeMap<String, Value> {
    let folder = rig.scans().join(id).join("metadata").join(camera);
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    files.map(|file| (stem(&file), read(&file)["stored"]["facts"].clone())).collect()
}

pub(super) fn stem(file: &Path) -> String {
    file.file_stem().unwrap().to_string_lossy().into_owned()
}

pub(super) fn read(file: &Path) -> Value {
    serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap()
}

/// Lowest and highest of each number of the verdicts.
pub(super) fn extremes(rig: &TestRig, id: &str, cameras: usize) -> BTreeMap<String, (f64, f64)> {
    let mut extremes = BTreeMap::new();
    for camera in 0..cameras {
        for facts in facts(rig, id, &format!("cam{camera}")).values() {
            for (name, value) in facts["verdict"].as_object().unwrap() {
                let Some(value) = value.as_f64() else { continue };
                let (low, high) = extremes.entry(name.clone()).or_insert((value, value));
                (*low, *high) = (low.min(value), high.max(value));
            }
        }
    }
    extremes
}

/// Two rings of 16 angles. In the first one: blurred, moved, too bright, the picture of before, out of focus. In the second
/// one: its first image is blurred, and a light is bumped at its eleventh.
pub(super) fn seeded(bumps: u32) -> String {
    format!(
        r#"faults = [
            {{ kind = "blurred", shot = 5 }}, {{ kind = "motion_blurred", shot = 7 }}, {{ kind = "overexposed", shot = 9 }},
            {{ kind = "duplicate", shot = 11 }}, {{ kind = "defocused", shot = 13 }}, {{ kind = "blurred", shot = 16 }},
            {{ kind = "dimmed", from = 26, times = {bumps} }},
        ]"#
    )
}

pub(super) fn label(shot: u32) -> String {
    format!("r{:02}_a{:03}", shot / 16 + 1, shot % 16 + 1)
}

/// What is found of each image in its metadata, by label.
pub(super) fn found(rig: &TestRig, id: &str) -> BTreeMap<String, Vec<(String, f64, f64)>> {
    let mut found = BTreeMap::new();
    for (label, facts) in facts(rig, id, "cam0") {
        let findings = facts["verdict"]["findings"].as_array().cloned().unwrap_or_default();
        let finding = |finding: &Value| {
            let number = |key: &str| finding[key].as_f64().unwrap();
            (finding["kind"].as_str().unwrap().to_owned(), number("value"), number("limit"))
        };
        if !findings.is_empty() {
            found.insert(label, findings.iter().map(finding).collect());
        }
    }
    found
}

/// The records of this type in a scan's journal.
pub(super) fn records(rig: &TestRig, id: &str, kind: &str) -> Vec<Value> {
    let journal = std::fs::read_to_string(rig.scans().join(id).join("journal.jsonl")).unwrap();
    let entries = journal.lines().filter_map(|line| line.find('{').map(|at| &line[at..]));
    let records = entries.map(|json| serde_json::from_str::<Value>(json).unwrap());
    let found = records.filter_map(|entry| {
        [&entry, &entry["record"]].into_iter().find(|record| record["type"] == kind).cloned()
    });
    found.collect()
}
