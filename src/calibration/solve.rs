//! From the images of a calibration to the rig.

use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::error::CalibrationError;
use super::points::directions;
use super::program::Marks;
use super::record::{
    CalibratedCamera, CalibratedLens, Calibration, Deviations, FORMAT, LyingRing, RigGeometry, Targets,
};
use crate::dataset::{self, Contents};
use crate::model::{Distortion, Extrinsics, Intrinsics, Lighting};
use crate::plan::geometry::extrinsics;
use crate::scan::Stored;
use crate::units::Dioptres;

/// How long the search for the rig may take.
const PATIENCE: Duration = Duration::from_secs(600);

/// What was found in one image.
#[derive(Debug, Clone, PartialEq)]
pub struct Seen {
    /// Its path in the dataset.
    pub image: String,
    /// How many corners of the board,
    pub board: usize,
    /// and how many of the ring.
    pub ring: usize,
    /// As the solver takes it.
    pub(super) view: Value,
}

/// Looks for the targets in each image of the calibration at `dir`, and tells after each how many are done, of how many: a `false`
/// gives it up.
///
/// # Errors
/// An image cannot be read, or the program does not answer.
pub fn find(
    dir: &Path,
    targets: &Targets,
    tell: &dyn Fn(usize, usize) -> bool,
) -> Result<(Contents, Vec<Seen>), CalibrationError> {
    let contents = dataset::read_contents(dir)?;
    let plan = &contents.plan;
    let directions = directions(&plan.points);
    let images: Vec<&Stored> =
        contents.tally().stored().filter(|stored| plan.lighting_of(stored.shot) == Lighting::Front).collect();
    let mut marks = Marks::start()?;
    let mut seen = Vec::with_capacity(images.len());
    for (done, stored) in images.iter().enumerate() {
        if !tell(done, images.len()) {
            return Err(CalibrationError::GivenUp);
        }
        let point_index = plan.point_of(stored.shot);
        let point = plan.point(point_index);
        let question = json!({"detect": {
            "image": dir.join(&stored.image), "board": board(targets), "ring": ring(targets),
        }});
        let Found { corners } = marks.ask(&question, &stored.image)?;
        let of = |target: &str| corners.iter().filter(|corner| corner["target"] == target).count();
        seen.push(Seen {
            image: stored.image.clone(),
            board: of("board"),
            ring: of("ring"),
            view: json!({
                "camera": plan.camera(plan.camera_of(stored.shot)).name,
                "axes": {
                    "turntable_deg": point.pose.turntable.get(), "lift_mm": point.pose.lift.get(),
                    "direction": directions[point_index.0 as usize],
                },
                "lens_position": point.focus.map(Dioptres::get),
                "corners": corners,
            }),
        });
    }
    drop(marks);
    tell(images.len(), images.len());
    if seen.iter().all(|seen| seen.board == 0) {
        let squares = format!("{} by {} squares of {} mm", targets.columns, targets.rows, targets.square_mm);
        return Err(CalibrationError::NothingSeen { images: seen.len(), squares });
    }
    Ok((contents, seen))
}

/// The rig that shows what was `seen` in the calibration of these `contents`.
///
/// # Errors
/// Too little is configured to begin with, or nothing fits.
pub fn solve(contents: &Contents, seen: &[Seen], targets: &Targets) -> Result<Calibration, CalibrationError> {
    let plan = &contents.plan;
    let mut cameras = Vec::new();
    let mut nominal = Vec::new();
    for camera in &plan.cameras {
        let unknown = |what| CalibrationError::Unknown { camera: camera.name.clone(), what };
        let mount = camera.mount.ok_or_else(|| unknown("[camera.mount]"))?;
        let known =
            camera.intrinsics.intrinsics().ok_or_else(|| unknown("focal_length and pixel_pitch (or fx)"))?;
        let stand = extrinsics(&mount);
        let Intrinsics { width, height, fx, fy, cx, cy, .. } = known;
        cameras.push(json!({
            "name": camera.name, "width": width, "height": height,
            "lens": {"fx": fx, "fy": fy, "cx": cx, "cy": cy},
            "stand": {"rotation": stand.rotation, "centre_mm": stand.centre},
        }));
        nominal.push((mount, known, stand));
    }
    let views: Vec<_> = seen.iter().map(|seen| &seen.view).collect();
    let question = json!({"solve": {
        "board": board(targets), "ring": ring(targets), "cameras": cameras, "views": views,
    }});
    let answer: Answer = Marks::start()?.ask_for(&question, "the rig", PATIENCE)?;
    let has = |name: &str| answer.turntable_measured.iter().any(|measured| measured == name);
    let lift = if answer.lift_measured { answer.lift.mm_per_mm } else { [0.0, 0.0, 1.0] };
    let found = plan.cameras.iter().zip(nominal).filter_map(|(camera, (mount, known, stand))| {
        let found = answer.cameras.iter().find(|found| found.name == camera.name)?;
        (found.used > 0).then(|| CalibratedCamera {
            name: camera.name.clone(),
            mount,
            extrinsics: Extrinsics {
                centre: found.stand.centre_mm,
                rotation: found.stand.rotation,
                look_at_distance: stand.look_at_distance,
                lift,
                turntable: answer.turntable.scale,
            },
            deviations: Deviations {
                centre_mm: found.centre_deviation_mm,
                turn_deg: found.turn_deviation_deg,
            },
            lenses: found.lenses.iter().map(|lens| lens.calibrated(&known)).collect(),
            rms_px: found.rms_px,
            used: found.used,
        })
    });
    Ok(Calibration {
        format: FORMAT,
        made: Timestamp::now(),
        scan: contents.manifest.id.to_string(),
        software: concat!("scanner ", env!("CARGO_PKG_VERSION")).into(),
        cameras: found.collect(),
        rig: RigGeometry {
            turntable: answer.turntable.scale,
            turntable_deviation: has("scale").then_some(answer.turntable_deviation.scale),
            backlash_deg: has("backlash_deg").then_some(answer.turntable.backlash_deg),
            backlash_deviation_deg: has("backlash_deg").then_some(answer.turntable_deviation.backlash_deg),
            lift: answer.lift_measured.then_some(answer.lift.mm_per_mm),
            lift_deviation: answer.lift_measured.then_some(answer.lift_deviation.mm_per_mm),
        },
        ring: answer.ring,
        targets: *targets,
        rms_px: answer.rms_px,
        used: answer.used,
        dropped: answer.dropped,
        warnings: answer.warnings,
    })
}

fn board(targets: &Targets) -> Value {
    let Targets { columns, rows, square_mm, marker_mm, .. } = targets;
    json!({"columns": columns, "rows": rows, "square_mm": square_mm, "marker_mm": marker_mm})
}

fn ring(targets: &Targets) -> Value {
    let Targets { count, radius_mm, mark_mm, .. } = targets;
    json!({"count": count, "radius_mm": radius_mm, "mark_mm": mark_mm})
}

// What `scanner-marks` answers, as far as it matters here; its README says the rest.

#[derive(Deserialize)]
struct Found {
    corners: Vec<Value>,
}

#[derive(Deserialize)]
struct Answer {
    cameras: Vec<FoundCamera>,
    turntable: Turntable,
    turntable_deviation: Turntable,
    turntable_measured: Vec<String>,
    lift: Lift,
    lift_deviation: Lift,
    lift_measured: bool,
    ring: Option<LyingRing>,
    rms_px: f64,
    used: usize,
    dropped: usize,
    warnings: Vec<String>,
}

#[derive(Deserialize)]
struct FoundCamera {
    name: String,
    lenses: Vec<FoundLens>,
    stand: Stand,
    centre_deviation_mm: [f64; 3],
    turn_deviation_deg: [f64; 3],
    rms_px: f64,
    used: usize,
}

#[derive(Deserialize)]
struct FoundLens {
    lens_position: Option<f64>,
    lens: Lens,
    deviation: Lens,
    measured: Vec<String>,
}

#[derive(Deserialize)]
struct Lens {
    fx: f64,
    fy: f64,
    cx: f64,
    cy: f64,
    k1: f64,
    k2: f64,
    p1: f64,
    p2: f64,
}

#[derive(Deserialize)]
struct Stand {
    rotation: [[f64; 3]; 3],
    centre_mm: [f64; 3],
}

#[derive(Deserialize)]
struct Turntable {
    scale: f64,
    backlash_deg: f64,
}

#[derive(Deserialize)]
struct Lift {
    mm_per_mm: [f64; 3],
}

impl FoundLens {
    fn calibrated(&self, known: &Intrinsics) -> CalibratedLens {
        let Lens { fx, fy, cx, cy, k1, k2, p1, p2 } = self.lens;
        let off = &self.deviation;
        CalibratedLens {
            position: self.lens_position.map(Dioptres::new),
            intrinsics: Intrinsics {
                fx,
                fy,
                cx,
                cy,
                distortion: Some(Distortion { k1, k2, p1, p2 }),
                ..*known
            },
            deviations: [off.fx, off.fy, off.cx, off.cy, off.k1, off.k2, off.p1, off.p2],
            measured: self.measured.clone(),
        }
    }
}
