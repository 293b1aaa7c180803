//! What was measured, put into a plan.

use std::fmt;

use super::record::Calibration;
use crate::model::{Mount, Optics, Size};
use crate::plan::PlanCamera;
use crate::units::Dioptres;

/// Why what was measured of a camera is not used.
#[derive(Debug, Clone, PartialEq)]
pub enum Unfit {
    /// It was not there.
    New,
    /// Its mount is configured otherwise now.
    Moved {
        /// How it was.
        then: Mount,
    },
    /// Its images have another size now, and so perhaps another part of its sensor.
    Size {
        /// Theirs when it was calibrated.
        then: Size,
        /// Theirs now.
        now: Size,
    },
}

impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::New => f.write_str("it was not there when the rig was calibrated"),
            Self::Moved { then: _ } => {
                f.write_str("its [camera.mount] is not what it was when the rig was calibrated")
            }
            Self::Size { then, now } => {
                let sizes = [then, now].map(|Size { width, height }| format!("{width}x{height}"));
                write!(f, "the rig was calibrated with images of {}, and they are {} now", sizes[0], sizes[1])
            }
        }
    }
}

/// Puts what `calibration` has found of `camera` into it, with its lens as it is at `position`.
pub fn apply(
    calibration: &Calibration,
    camera: &mut PlanCamera,
    position: Option<Dioptres>,
) -> Result<(), Unfit> {
    let found = calibration.camera(&camera.name).ok_or(Unfit::New)?;
    if camera.mount != Some(found.mount) {
        return Err(Unfit::Moved { then: found.mount });
    }
    if let Some(lens) = found.lens_at(position) {
        let then = Size { width: lens.intrinsics.width, height: lens.intrinsics.height };
        if let Some(now) = camera.intrinsics.size().filter(|now| *now != then) {
            return Err(Unfit::Size { then, now });
        }
        let pixel_pitch = camera.intrinsics.intrinsics().and_then(|known| known.pixel_pitch);
        let pixel_pitch = pixel_pitch.or(lens.intrinsics.pixel_pitch);
        camera.intrinsics = Optics::Intrinsics(crate::model::Intrinsics { pixel_pitch, ..lens.intrinsics });
    }
    camera.extrinsics = Some(found.extrinsics);
    Ok(())
}
