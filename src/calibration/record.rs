//! What a calibration has found.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::model::{Extrinsics, Intrinsics, Mount};
use crate::units::Dioptres;

/// The newest version of the file.
pub(super) const FORMAT: u32 = 1;

/// The rig as a calibration has found it. What is called a deviation is a standard deviation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Calibration {
    /// Version of the file.
    pub format: u32,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    pub made: Timestamp,
    /// The scan whose images it is made from.
    pub scan: String,
    /// The program that made it.
    pub software: String,
    /// Each camera.
    pub cameras: Vec<CalibratedCamera>,
    /// What the axes do.
    pub rig: RigGeometry,
    /// The ring of marks as it lies on the turntable; none if none was seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ring: Option<LyingRing>,
    /// The targets that were looked for.
    pub targets: Targets,
    /// How far corners are from where they should be, rms in pixels.
    pub rms_px: f64,
    /// How many corners count.
    pub used: usize,
    /// How many were left out, since they do not fit the others.
    pub dropped: usize,
    /// What makes it doubtful, in words.
    pub warnings: Vec<String>,
}

/// A camera as it was found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CalibratedCamera {
    /// Its name.
    pub name: String,
    /// Where it was configured to stand.
    pub mount: Mount,
    /// Where it stands, and how the axes carry it.
    pub extrinsics: Extrinsics,
    /// Of its place and directions.
    pub deviations: Deviations,
    /// Its lens, at each lens position that was tried.
    pub lenses: Vec<CalibratedLens>,
    /// As of all, for its own corners.
    pub rms_px: f64,
    /// How many of its corners count.
    pub used: usize,
}

/// How well a camera's place is known.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Deviations {
    /// Of its centre in the rig's frame, in millimetres.
    pub centre_mm: [f64; 3],
    /// Of its directions, in degrees about its right, down and forward.
    pub turn_deg: [f64; 3],
}

/// A lens as it was found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CalibratedLens {
    /// The lens position at which it is so; none if the lens was not moved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub position: Option<Dioptres>,
    /// What was found.
    pub intrinsics: Intrinsics,
    /// Deviations of fx, fy, cx and cy in pixels, and of k1, k2, p1 and p2; 0 for what was taken as it was configured.
    pub deviations: [f64; 8],
    /// What was measured: the rest is as it was configured, since the images do not tell.
    pub measured: Vec<String>,
}

/// What the axes do.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RigGeometry {
    /// Degrees that the turntable turns for each that it is told to.
    pub turntable: f64,
    /// Its deviation; none if it was not measured.
    pub turntable_deviation: Option<f64>,
    /// By how many degrees the turntable stands further on when it came from above; none if it was not measured.
    pub backlash_deg: Option<f64>,
    /// Its deviation.
    pub backlash_deviation_deg: Option<f64>,
    /// Where a millimetre of the lift carries cameras, in millimetres; none if it was not measured.
    pub lift: Option<[f64; 3]>,
    /// Its deviation.
    pub lift_deviation: Option<[f64; 3]>,
}

/// The ring of marks as it lies on the turntable.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LyingRing {
    /// How far its plane leans: degrees about the table's x and y.
    pub tilt_deg: [f64; 2],
    /// Side of a mark in millimetres, as it was printed.
    pub side_mm: f64,
    /// Its marks.
    pub marks: Vec<LyingMark>,
}

/// A mark of the ring, in the ring's plane.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LyingMark {
    /// Its number.
    pub id: u16,
    /// Its middle, in millimetres from the axis.
    pub x_mm: f64,
    /// Its middle.
    pub y_mm: f64,
    /// Where its top points, in degrees counter-clockwise from x.
    pub heading_deg: f64,
}

/// The printed targets.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Targets {
    /// Squares in a row of the board,
    pub columns: u16,
    /// rows of squares,
    pub rows: u16,
    /// millimetres along a square,
    pub square_mm: f64,
    /// and along a mark in it.
    pub marker_mm: f64,
    /// Marks of the ring,
    pub count: u16,
    /// millimetres from its middle to theirs,
    pub radius_mm: f64,
    /// and along one of them.
    pub mark_mm: f64,
}

impl Default for Targets {
    /// Those that `scanner board` prints without being told otherwise.
    fn default() -> Self {
        let (board, ring) =
            (scanner_pixels::target::Board::default(), scanner_pixels::target::Ring::default());
        Self {
            columns: board.columns(),
            rows: board.rows(),
            square_mm: board.square(),
            marker_mm: board.marker(),
            count: ring.count(),
            radius_mm: ring.radius(),
            mark_mm: ring.mark_side(),
        }
    }
}

impl Targets {
    /// Whether there can be such targets.
    ///
    /// # Errors
    /// There cannot, and why not.
    pub fn check(&self) -> Result<(), scanner_pixels::target::Unfit> {
        let Self { columns, rows, square_mm, marker_mm, count, radius_mm, mark_mm } = *self;
        scanner_pixels::target::Board::new(columns, rows, square_mm, marker_mm)?;
        scanner_pixels::target::Ring::new(count, radius_mm, mark_mm)?;
        Ok(())
    }
}

impl Calibration {
    /// The camera of this name.
    pub fn camera(&self, name: &str) -> Option<&CalibratedCamera> {
        self.cameras.iter().find(|camera| camera.name == name)
    }
}

impl CalibratedCamera {
    /// Its lens at `position`: the nearest of those that were tried.
    pub fn lens_at(&self, position: Option<Dioptres>) -> Option<&CalibratedLens> {
        let apart = |lens: &CalibratedLens| match (lens.position, position) {
            (Some(a), Some(b)) => (a.get() - b.get()).abs(),
            (Some(_) | None, None) | (None, Some(_)) => 0.0,
        };
        self.lenses.iter().min_by(|a, b| apart(a).total_cmp(&apart(b)))
    }
}
