//! Tests of the dataset as a whole.

mod best;
mod described;
mod extended;
mod failing_disk;
mod failures;
mod forged;
mod journals;
mod order;
mod past;
mod places;
mod power;
mod power_cut;
mod power_model;
mod replayed;
mod retake;
mod round_trip;
mod scans;
mod several;
mod swept;

use std::path::Path;
use std::sync::Arc;

use scanner_pixels::tiles::TILES;

use crate::frame::File;
use crate::model::{FileKind, FileType, Intrinsics, Mount, Pose};
use crate::plan::{CameraIndex, Plan, PlanCamera, Point, PointIndex, ShotIndex};
use crate::scan::{FrameFacts, Luma, Measured, Record, Stored, Verdict};
use crate::units::{Degrees, Millimetres, Seconds};

use super::{Dataset, Disk, OsDisk, ScanId, StoreError, create_on};

/// A folder for one test: in memory where there is such a place, because thousands are made.
fn scratch() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap()
}

fn id() -> ScanId {
    "2026-11-21-143005-owl".parse().unwrap()
}

fn plan(points: u32) -> Plan {
    let intrinsics = Intrinsics {
        width: 4056,
        height: 3040,
        fx: 3900.0,
        fy: 3900.0,
        cx: 2028.0,
        cy: 1520.0,
        pixel_pitch: None,
        distortion: None,
    };
    let mount = Mount {
        distance: Millimetres::new(300.0),
        height: Millimetres::ZERO,
        azimuth: Degrees::ZERO,
        look_at_height: Millimetres::ZERO,
    };
    let point = |n| {
        let pose = Pose { turntable: Degrees::new(f64::from(n) * 0.1), ..Pose::default() };
        Point::new(format!("r01_a{n:03}"), pose)
    };
    Plan {
        points: (0..points).map(point).collect(),
        cameras: vec![PlanCamera {
            name: "cam0".into(),
            intrinsics: crate::model::Optics::Intrinsics(intrinsics),
            mount: Some(mount),
            extrinsics: None,
            files: PlanCamera::image_alone(),
        }],
    }
}

/// The same of a camera that makes two files of each shot beside the image.
fn plan_with_raw(points: u32) -> Plan {
    let mut plan = plan(points);
    plan.cameras[0].files = vec![FileType::Jpeg, FileType::Raw, FileType::Raw];
    plan
}

/// What passes for the files of a shot of `plan`.
fn files_of(plan: &Plan, shot: u32) -> Vec<(FileKind, Vec<u8>)> {
    let raw = |suffix: &str| FileKind::Raw { suffix: suffix.to_owned().try_into().unwrap() };
    let bytes = |first: u8| (0..200_u32).map(|i| (i * 11 + shot * 37) as u8 ^ first).collect();
    let all = [(FileKind::Jpeg, jpeg(shot)), (raw("cr2"), bytes(1)), (raw("dng"), bytes(2))];
    all.into_iter().take(plan.cameras[0].files.len()).collect()
}

/// Stores a shot with all of its files.
fn store(dataset: &Dataset, shot: u32, attempt: u32) -> Result<Stored, StoreError> {
    let made = files_of(&dataset.plan(), shot);
    let files: Vec<File<'_>> = made.iter().map(|(kind, bytes)| File { kind, bytes }).collect();
    dataset.store(ShotIndex(shot), attempt, &files, facts())
}

/// What passes for the image of a shot: the marks of a JPEG around bytes that no other shot has.
fn jpeg(shot: u32) -> Vec<u8> {
    let mut bytes = vec![0xFF, 0xD8];
    bytes.extend((0..300_u32).map(|i| (i * 7 + shot * 31 + 1) as u8 | 1));
    bytes.extend([0xFF, 0xD9]);
    bytes
}

pub(in crate::dataset) fn facts() -> FrameFacts {
    FrameFacts {
        taken_at: "2026-11-21T13:30:05.25Z".parse().unwrap(),
        sensor_timestamp_ns: 123_456_789,
        exposure: Seconds::new(0.01),
        gain: 1.5,
        white_balance: None,
        focus: None,
        clock_uncertainty_us: None,
        sequence: 7,
        sharpness: 123.456_789_012_345_67,
        clipped_dark: 0.0,
        clipped_bright: 1.0 / 3.0,
        measured: Some(Box::new(Measured {
            detail: [1.0 / 3.0, 2.5, 0.0, 9.0],
            luma: Luma([7; TILES]),
            luma_crc32c: 5,
            tiles: None,
        })),
        verdict: Some(Box::new(Verdict { neighbours: 3, sharpness: Some(0.1 + 0.2), ..Verdict::default() })),
    }
}

fn new(root: &Path, points: u32) -> Dataset {
    create_on(Arc::new(OsDisk), root, &id(), plan(points)).unwrap()
}

/// Attempts and stores a shot as a scan does.
fn take(dataset: &Dataset, shot: u32, attempt: u32) -> Result<(), StoreError> {
    let shot = ShotIndex(shot);
    dataset.note(&Record::Attempted { shot, attempt })?;
    store(dataset, shot.0, attempt).map(|stored| {
        assert_eq!(stored.shot, shot);
        assert_eq!(dataset.plan().shot(PointIndex(shot.0), CameraIndex(0)), shot);
    })
}

/// Every file of a folder with its content, by path in it.
fn files(dir: &Path) -> std::collections::BTreeMap<String, Vec<u8>> {
    let mut found = std::collections::BTreeMap::new();
    let mut folders = vec![dir.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(dir).unwrap().to_string_lossy().into_owned();
                // Only there while the dataset is open, with a sign of life that grows.
                if name == crate::dataset::layout::OWNER {
                    continue;
                }
                found.insert(name, std::fs::read(&path).unwrap());
            }
        }
    }
    found
}

/// All that the journal of the scan at `dir` says.
fn records_in(dir: &Path) -> Vec<super::Entry> {
    super::read_journal(std::fs::File::open(dir.join("journal.jsonl")).unwrap()).unwrap().entries
}

/// A disk shared by a test and a dataset.
fn shared(disk: &Arc<impl Disk + 'static>) -> Arc<dyn Disk> {
    Arc::clone(disk) as Arc<dyn Disk>
}
