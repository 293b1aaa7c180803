//! Whether table and cameras of a scan are where they should be, by the ring of marks in its images.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;
use serde_json::json;

use super::error::CalibrationError;
use super::history::History;
use super::points::directions;
use super::program::Marks;
use super::record::{Calibration, LyingRing};
use super::sightings::{Sighting, Verdict};
use crate::model::{Extrinsics, Intrinsics, Lighting, Pose};
use crate::plan::geometry::CameraPose;
use crate::plan::{Plan, ShotIndex};
use crate::scan::Stored;
use crate::units::{Degrees, Millimetres};

/// A camera that was moved has moved on if it is further from there than this, in millimetres.
const FURTHER_MM: f64 = 1.0;
/// What went to a file and back may differ by so much.
const SAME: f64 = 1e-9;

/// Looks at the images of a scan.
#[derive(Debug)]
pub struct Watch {
    calibration: Calibration,
    ring: LyingRing,
    tolerance: Degrees,
    /// From where the table comes to each point.
    directions: Vec<i8>,
    /// Of each camera of the plan, whether it is as it was calibrated.
    fits: Vec<bool>,
    /// Started when it is first needed, by the thread that looks: it ends with that.
    marks: Option<Marks>,
}

impl Watch {
    /// By a `calibration` of the rig, of a scan of this `plan`; none if it says nothing of any of its cameras, or there was no ring.
    pub fn of(calibration: Calibration, plan: &Plan, tolerance: Degrees) -> Option<Self> {
        let ring = calibration.ring.clone().filter(|ring| !ring.marks.is_empty())?;
        let fits = plan.cameras.iter().map(|camera| {
            let found = calibration.camera(&camera.name).map(|found| found.extrinsics);
            let is_it =
                found.zip(camera.extrinsics).is_some_and(|(found, planned)| is_same(&found, &planned));
            is_it && camera.intrinsics.intrinsics().is_some()
        });
        let fits: Vec<bool> = fits.collect();
        let any = fits.iter().any(|fits| *fits);
        let directions = directions(&plan.points);
        any.then_some(Self { calibration, ring, tolerance, directions, fits, marks: None })
    }

    /// Whether the image of `shot` can tell.
    pub fn watches(&self, plan: &Plan, shot: ShotIndex) -> bool {
        let camera = usize::from(plan.camera_of(shot).0);
        plan.lighting_of(shot) == Lighting::Front && self.fits.get(camera).copied().unwrap_or(false)
    }

    /// What the image of `stored` in the dataset at `dir` says; none if it cannot tell. Call it on one thread.
    ///
    /// # Errors
    /// The image cannot be read, or the program that finds marks does not answer: it is started anew then.
    pub fn look(
        &mut self,
        dir: &Path,
        plan: &Plan,
        stored: &Stored,
    ) -> Result<Option<Sighting>, CalibrationError> {
        if !self.watches(plan, stored.shot) {
            return Ok(None);
        }
        let camera = plan.camera(plan.camera_of(stored.shot));
        let point_index = plan.point_of(stored.shot);
        let point = plan.point(point_index);
        let (Some(extrinsics), Some(planned)) = (camera.extrinsics, camera.intrinsics.intrinsics()) else {
            return Ok(None);
        };
        let found = self.calibration.camera(&camera.name);
        // A plan has one lens position for all; that of a stack's image is known better.
        let lens = found.and_then(|found| found.lens_at(Some(point.focus?)));
        let lens = lens.filter(|lens| lens.position.is_some()).map_or(planned, |lens| lens.intrinsics);
        let direction = self.directions.get(point_index.0 as usize).copied().unwrap_or(1);
        let backlash_deg = self.calibration.rig.backlash_deg.unwrap_or(0.0);
        // What is not asked for by name, rail and tilt, has carried the camera elsewhere.
        let still = Pose { turntable: Degrees::ZERO, lift: Millimetres::ZERO, ..point.pose };
        let stand = CameraPose::measured(&extrinsics, &still);
        let Intrinsics { fx, fy, cx, cy, distortion, .. } = lens;
        let bent = distortion.unwrap_or_default();
        let question = json!({"locate": {
            "image": dir.join(&stored.image),
            "lens": {"fx": fx, "fy": fy, "cx": cx, "cy": cy, "k1": bent.k1, "k2": bent.k2, "p1": bent.p1, "p2": bent.p2},
            "stand": {"rotation": stand.rotation, "centre_mm": stand.centre()},
            "turntable": {"scale": extrinsics.turntable, "backlash_deg": backlash_deg},
            "lift": {"mm_per_mm": extrinsics.lift},
            "ring": self.ring,
            "axes": {
                "turntable_deg": point.pose.turntable.get(), "lift_mm": point.pose.lift.get(), "direction": direction,
            },
            "tolerance_deg": self.tolerance.get(),
        }});
        let marks = match &mut self.marks {
            Some(marks) => marks,
            None => self.marks.insert(Marks::start()?),
        };
        let asked = marks.ask::<Answer>(&question, &stored.image);
        match &asked {
            // It is in order: what it was asked is not.
            Ok(_) | Err(CalibrationError::Refused(_)) => {}
            Err(_) => self.marks = None,
        }
        let Answer { verdict, says, marks, table, camera } = asked?;
        Ok(Some(Sighting {
            shot: stored.shot.0,
            image: stored.image.clone(),
            crc32c: stored.crc32c,
            verdict,
            says,
            marks,
            offset_deg: table.as_ref().map(|table| table.offset_deg),
            deviation_deg: table.as_ref().map(|table| table.deviation_deg),
            backlash_deg: if direction < 0 { backlash_deg } else { 0.0 },
            moved_mm: camera.as_ref().map(|camera| camera.moved_mm),
            turned_deg: camera.as_ref().map(|camera| camera.turned_deg),
        }))
    }
}

/// The newest of the calibrations of a rig that fits a scan of this `plan`.
///
/// # Errors
/// One of them cannot be read.
pub fn fitting(
    history: &History,
    plan: &Plan,
    tolerance: Degrees,
) -> Result<Option<Watch>, CalibrationError> {
    for number in history.numbers()? {
        let watch = Watch::of(history.read(number)?.calibration, plan, tolerance);
        if watch.is_some() {
            return Ok(watch);
        }
    }
    Ok(None)
}

fn is_same(a: &Extrinsics, b: &Extrinsics) -> bool {
    let numbers = |of: &Extrinsics| {
        let Extrinsics { centre, rotation, look_at_distance, lift, turntable } = *of;
        let alone = [look_at_distance, turntable];
        [centre, lift].concat().into_iter().chain(rotation.concat()).chain(alone).collect::<Vec<_>>()
    };
    numbers(a).iter().zip(numbers(b)).all(|(a, b)| (a - b).abs() <= SAME * a.abs().max(1.0))
}

/// Which of the things that images say are new. Once a table has slipped, all images after that say so: told is that it has, and
/// once more if it slips again.
#[derive(Debug, Clone)]
pub struct News {
    tolerance: Degrees,
    /// As it was last told, in degrees.
    table: f64,
    /// The same of each camera that was moved, in millimetres.
    cameras: BTreeMap<String, [f64; 3]>,
}

impl News {
    /// Nothing was told yet.
    pub fn new(tolerance: Degrees) -> Self {
        Self { tolerance, table: 0.0, cameras: BTreeMap::new() }
    }

    /// Whether it is new what an image of `camera` says.
    pub fn note(&mut self, camera: &str, sighting: &Sighting) -> bool {
        match sighting.verdict {
            Verdict::Unknown => false,
            Verdict::AsCommanded | Verdict::TableElsewhere => {
                let Some(offset) = sighting.offset_deg else { return false };
                let is_new = (offset - self.table).abs() > self.tolerance.get();
                if is_new {
                    self.table = offset;
                }
                is_new && sighting.verdict.is_displaced()
            }
            Verdict::CameraMoved => {
                let moved = sighting.moved_mm.unwrap_or_default();
                let apart = |told: &[f64; 3]| {
                    told.iter().zip(moved).map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt() > FURTHER_MM
                };
                let is_new = self.cameras.get(camera).is_none_or(apart);
                if is_new {
                    self.cameras.insert(camera.to_owned(), moved);
                }
                is_new
            }
        }
    }
}

// What `scanner-marks` answers, as far as it matters here; its README says the rest.

#[derive(Deserialize)]
struct Answer {
    verdict: Verdict,
    says: String,
    marks: usize,
    table: Option<Table>,
    camera: Option<Camera>,
}

#[derive(Deserialize)]
struct Table {
    offset_deg: f64,
    deviation_deg: f64,
}

#[derive(Deserialize)]
struct Camera {
    moved_mm: [f64; 3],
    turned_deg: [f64; 3],
}

#[cfg(test)]
mod tests {
    use super::*;

    fn says(verdict: Verdict, offset: f64, moved: [f64; 3]) -> Sighting {
        Sighting {
            shot: 1,
            image: String::new(),
            crc32c: 0,
            verdict,
            says: String::new(),
            marks: 6,
            offset_deg: Some(offset),
            deviation_deg: Some(0.01),
            backlash_deg: 0.0,
            moved_mm: Some(moved),
            turned_deg: Some([0.0; 3]),
        }
    }

    #[test]
    fn a_slip_is_told_once_and_the_next_one_again() {
        let mut news = News::new(Degrees::new(0.1));
        let mut told = |verdict, offset| news.note("cam0", &says(verdict, offset, [0.0; 3]));
        assert!(!told(Verdict::AsCommanded, 0.03));
        assert!(told(Verdict::TableElsewhere, 0.3));
        assert!(!told(Verdict::TableElsewhere, 0.31), "known by now");
        assert!(!told(Verdict::Unknown, 0.0));
        assert!(told(Verdict::TableElsewhere, 0.6));
        assert!(!told(Verdict::AsCommanded, 0.02), "it is back, which is no trouble");
        assert!(told(Verdict::TableElsewhere, 0.3));
        // At the edge of what is tolerated, it is not told again and again.
        assert!(!told(Verdict::AsCommanded, 0.0));
        assert!(told(Verdict::TableElsewhere, 0.11));
        assert!(!told(Verdict::AsCommanded, 0.09));
        assert!(!told(Verdict::TableElsewhere, 0.11));
    }

    #[test]
    fn each_camera_that_was_moved_is_told_once() {
        let mut news = News::new(Degrees::new(0.1));
        let mut told = |camera, x| news.note(camera, &says(Verdict::CameraMoved, 0.0, [x, 0.0, 0.0]));
        assert!(told("cam0", 0.4));
        assert!(!told("cam0", 0.6));
        assert!(told("cam1", 0.5));
        assert!(told("cam0", 3.0));
    }
}
