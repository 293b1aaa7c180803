//! What has changed since the calibration before.

use std::fmt;

use super::record::{CalibratedCamera, Calibration};
use crate::units::rounded;

/// Changes below these are not worth a word, however well they are known: millimetres,
const LEAST_MM: f64 = 0.5;
/// degrees,
const LEAST_DEG: f64 = 0.1;
/// and parts of a focal length.
const LEAST_FOCAL: f64 = 0.003;
/// So many deviations are no accident.
const SURE: f64 = 4.0;

/// Something that has changed.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// A camera stands elsewhere.
    Moved {
        /// Which.
        camera: String,
        /// How far, in millimetres: x, y, z of the rig's frame.
        by_mm: [f64; 3],
    },
    /// It looks elsewhere.
    Turned {
        /// Which.
        camera: String,
        /// By how many degrees.
        by_deg: f64,
    },
    /// Its lens has another focal length.
    Focal {
        /// Which.
        camera: String,
        /// As a part of the one before.
        factor: f64,
    },
    /// The turntable has another play.
    Backlash {
        /// Before, in degrees.
        before_deg: f64,
        /// Now.
        now_deg: f64,
    },
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Moved { camera, by_mm } => {
                let [x, y, z] = by_mm;
                write!(f, "{camera} has moved by {:.1} mm (x {x:+.1}, y {y:+.1}, z {z:+.1})", length(by_mm))
            }
            Self::Turned { camera, by_deg } => write!(f, "{camera} has turned by {by_deg:.2}°"),
            Self::Focal { camera, factor } => {
                write!(f, "the lens of {camera} has {:+.2} % focal length", (factor - 1.0) * 100.0)
            }
            Self::Backlash { before_deg, now_deg } => {
                let [now, before] = [now_deg, before_deg].map(|backlash| rounded(*backlash, 2));
                write!(f, "the turntable's backlash is {now}°, {before}° before")
            }
        }
    }
}

/// What `now` has found otherwise than `before`.
pub fn changes(before: &Calibration, now: &Calibration) -> Vec<Change> {
    let mut changes = Vec::new();
    for camera in &now.cameras {
        if let Some(known) = before.camera(&camera.name) {
            of_camera(known, camera, &mut changes);
        }
    }
    let (a, b) = (&before.rig, &now.rig);
    if let (Some(before_deg), Some(now_deg)) = (a.backlash_deg, b.backlash_deg) {
        let deviation =
            a.backlash_deviation_deg.unwrap_or_default().hypot(b.backlash_deviation_deg.unwrap_or_default());
        if (now_deg - before_deg).abs() > LEAST_DEG.max(SURE * deviation) {
            changes.push(Change::Backlash { before_deg, now_deg });
        }
    }
    changes
}

fn of_camera(before: &CalibratedCamera, now: &CalibratedCamera, changes: &mut Vec<Change>) {
    let camera = || now.name.clone();
    let by_mm: [f64; 3] =
        std::array::from_fn(|axis| now.extrinsics.centre[axis] - before.extrinsics.centre[axis]);
    let deviation = length(&before.deviations.centre_mm).hypot(length(&now.deviations.centre_mm));
    if length(&by_mm) > LEAST_MM.max(SURE * deviation) {
        changes.push(Change::Moved { camera: camera(), by_mm });
    }
    let by_deg = angle_between(&before.extrinsics.rotation, &now.extrinsics.rotation);
    let deviation = length(&before.deviations.turn_deg).hypot(length(&now.deviations.turn_deg));
    if by_deg > LEAST_DEG.max(SURE * deviation) {
        changes.push(Change::Turned { camera: camera(), by_deg });
    }
    if let (Some(a), Some(b)) = (before.lens_at(None), now.lens_at(None)) {
        let factor = b.intrinsics.fx / a.intrinsics.fx;
        let deviation = (a.deviations[0] / a.intrinsics.fx).hypot(b.deviations[0] / b.intrinsics.fx);
        if (factor - 1.0).abs() > LEAST_FOCAL.max(SURE * deviation) {
            changes.push(Change::Focal { camera: camera(), factor });
        }
    }
}

fn length(vector: &[f64; 3]) -> f64 {
    vector.iter().map(|part| part * part).sum::<f64>().sqrt()
}

/// Degrees by which one rotation has to be turned to be the other.
fn angle_between(a: &[[f64; 3]; 3], b: &[[f64; 3]; 3]) -> f64 {
    let trace: f64 = a.iter().flatten().zip(b.iter().flatten()).map(|(a, b)| a * b).sum();
    ((trace - 1.0) / 2.0).clamp(-1.0, 1.0).acos().to_degrees()
}
