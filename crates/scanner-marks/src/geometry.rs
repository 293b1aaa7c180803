//! What is known, or to be found, of a rig: lenses, where cameras stand, and what the axes do.
//!
//! The rig's frame is right-handed, in millimetres: z along the turntable's axis, up. The table's frame turns with the table,
//! and is the rig's with the turntable at 0°. A camera's frame is x right, y down, z forward. The centre of an image's first
//! pixel is at (0.5, 0.5).

use nalgebra::{Matrix2x3, Matrix3, Rotation3, Vector2, Vector3};
use serde::{Deserialize, Serialize};

use scanner_pixels::target::{Mark, Unfit};

/// A lens, as `OpenCV` describes it; but `OpenCV` has the centre of the first pixel at 0, and a `cx` and `cy` less by 0.5.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lens {
    /// Focal length over the pixels' pitch across, in pixels.
    pub fx: f64,
    /// Focal length over the pixels' pitch down, in pixels.
    pub fy: f64,
    /// Principal point from the left edge, in pixels.
    pub cx: f64,
    /// Principal point from the top edge, in pixels.
    pub cy: f64,
    /// Radial distortion, of the square of the distance from the principal point.
    #[serde(default)]
    pub k1: f64,
    /// Radial distortion, of its fourth power.
    #[serde(default)]
    pub k2: f64,
    /// Tangential distortion.
    #[serde(default)]
    pub p1: f64,
    /// Tangential distortion.
    #[serde(default)]
    pub p2: f64,
}

/// Where a camera stands and looks with all axes at zero.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stand {
    /// Its rows are the camera's right, down and forward in the rig's frame.
    pub rotation: [[f64; 3]; 3],
    /// Where its centre is in the rig's frame, in mm.
    pub centre_mm: [f64; 3],
}

/// What is commanded of the axes while an image is taken.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Axes {
    /// The turntable's angle in degrees; the object turns counter-clockwise, seen from above.
    pub turntable_deg: f64,
    /// The lift's height in mm.
    #[serde(default)]
    pub lift_mm: f64,
    /// The side from which the turntable came: 1 if its angle grew, -1 if it fell.
    #[serde(default = "forward")]
    pub direction: i8,
}

fn forward() -> i8 {
    1
}

/// What the turntable really does.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Turntable {
    /// Degrees that it turns per degree commanded.
    pub scale: f64,
    /// How much further the table stands at the same command when it came from above than when it came from below, in degrees.
    #[serde(default)]
    pub backlash_deg: f64,
}

impl Default for Turntable {
    fn default() -> Self {
        Self { scale: 1.0, backlash_deg: 0.0 }
    }
}

/// What the lift really does.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lift {
    /// Millimetres that cameras move in the rig's frame per mm commanded.
    pub mm_per_mm: [f64; 3],
}

impl Default for Lift {
    fn default() -> Self {
        Self { mm_per_mm: [0.0, 0.0, 1.0] }
    }
}

/// A mark of the ring as it lies in the ring's plane.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lying {
    /// Its id.
    pub id: u16,
    /// Its middle, from where the axis goes through the plane.
    pub x_mm: f64,
    /// Its middle.
    pub y_mm: f64,
    /// Where its top points, counter-clockwise from x.
    pub heading_deg: f64,
}

/// The ring as it lies on the table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LyingRing {
    /// How far its plane leans: turned about the table's x and y, by the right hand.
    #[serde(default)]
    pub tilt_deg: [f64; 2],
    /// Side of a mark in mm, as it is.
    pub side_mm: f64,
    /// Its marks.
    pub marks: Vec<Lying>,
}

impl Lying {
    pub(crate) fn of(mark: &Mark) -> Self {
        Self {
            id: mark.id,
            x_mm: mark.middle[0],
            y_mm: mark.middle[1],
            heading_deg: mark.heading.to_degrees(),
        }
    }

    /// Its corners in the ring's plane if its side is this long: top left, top right, bottom right, bottom left.
    pub(crate) fn corners(&self, side_mm: f64) -> [Vector3<f64>; 4] {
        let mark = Mark {
            id: self.id,
            middle: [self.x_mm, self.y_mm],
            heading: self.heading_deg.to_radians(),
            side: side_mm,
        };
        mark.corners().map(Vector3::from)
    }
}

/// A board as it is printed.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Board {
    /// Squares in a row.
    pub columns: u16,
    /// Rows of squares.
    pub rows: u16,
    /// Side of a square in mm.
    pub square_mm: f64,
    /// Side of a mark in mm, with its black border.
    pub marker_mm: f64,
}

impl TryFrom<Board> for scanner_pixels::target::Board {
    type Error = Unfit;

    fn try_from(board: Board) -> Result<Self, Unfit> {
        Self::new(board.columns, board.rows, board.square_mm, board.marker_mm)
    }
}

/// A ring as it is printed.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ring {
    /// How many marks it has.
    pub count: u16,
    /// Radius of the circle on which their middles are, in mm.
    pub radius_mm: f64,
    /// Side of a mark in mm, with its black border.
    pub mark_mm: f64,
}

impl TryFrom<Ring> for scanner_pixels::target::Ring {
    type Error = Unfit;

    fn try_from(ring: Ring) -> Result<Self, Unfit> {
        Self::new(ring.count, ring.radius_mm, ring.mark_mm)
    }
}

/// What [`Lens::project_with_slopes`] has: where a point is in the image, how that changes with the point, and how with each of
/// the lens's eight numbers.
pub(crate) type Slopes = (Vector2<f64>, Matrix2x3<f64>, [[f64; 2]; 8]);

impl Lens {
    /// Its numbers in the order in which they are written.
    pub(crate) fn numbers(&self) -> [f64; 8] {
        [self.fx, self.fy, self.cx, self.cy, self.k1, self.k2, self.p1, self.p2]
    }

    pub(crate) fn from_numbers([fx, fy, cx, cy, k1, k2, p1, p2]: [f64; 8]) -> Self {
        Self { fx, fy, cx, cy, k1, k2, p1, p2 }
    }

    /// Where `point` of the camera's frame is in the image; none if it is not in front of the camera.
    pub fn project(&self, point: [f64; 3]) -> Option<[f64; 2]> {
        self.project_with_slopes(&Vector3::from(point)).map(|(pixel, ..)| pixel.into())
    }

    pub(crate) fn project_with_slopes(&self, point: &Vector3<f64>) -> Option<Slopes> {
        if point.z < 1.0 {
            return None;
        }
        let per_depth = point.z.recip();
        let (x, y) = (point.x * per_depth, point.y * per_depth);
        let (xx, yy, xy) = (x * x, y * y, x * y);
        let r2 = xx + yy;
        let radial = 1.0 + r2 * (self.k1 + r2 * self.k2);
        let bent_x = x * radial + 2.0 * self.p1 * xy + self.p2 * (r2 + 2.0 * xx);
        let bent_y = y * radial + self.p1 * (r2 + 2.0 * yy) + 2.0 * self.p2 * xy;
        let pixel = Vector2::new(self.fx * bent_x + self.cx, self.fy * bent_y + self.cy);

        // How the bent place changes with x and y, and these with the point.
        let per_r2 = self.k1 + 2.0 * self.k2 * r2;
        let xx_slope = radial + 2.0 * xx * per_r2 + 2.0 * self.p1 * y + 6.0 * self.p2 * x;
        let mixed = 2.0 * xy * per_r2 + 2.0 * self.p1 * x + 2.0 * self.p2 * y;
        let yy_slope = radial + 2.0 * yy * per_r2 + 6.0 * self.p1 * y + 2.0 * self.p2 * x;
        let row = |focal: f64, by_x: f64, by_y: f64| {
            [focal * by_x * per_depth, focal * by_y * per_depth, -focal * (by_x * x + by_y * y) * per_depth]
        };
        let (across, down) = (row(self.fx, xx_slope, mixed), row(self.fy, mixed, yy_slope));
        let by_point = Matrix2x3::new(across[0], across[1], across[2], down[0], down[1], down[2]);
        let by_lens = [
            [bent_x, 0.0],
            [0.0, bent_y],
            [1.0, 0.0],
            [0.0, 1.0],
            [self.fx * x * r2, self.fy * y * r2],
            [self.fx * x * r2 * r2, self.fy * y * r2 * r2],
            [self.fx * 2.0 * xy, self.fy * (r2 + 2.0 * yy)],
            [self.fx * (r2 + 2.0 * xx), self.fy * 2.0 * xy],
        ];
        Some((pixel, by_point, by_lens))
    }

    /// The line of sight of a pixel in the camera's frame, 1 forward.
    pub(crate) fn ray(&self, pixel: [f64; 2]) -> Vector3<f64> {
        let (bent_x, bent_y) = ((pixel[0] - self.cx) / self.fx, (pixel[1] - self.cy) / self.fy);
        let (mut x, mut y) = (bent_x, bent_y);
        for _ in 0..20 {
            let r2 = x * x + y * y;
            let radial = (1.0 + r2 * (self.k1 + r2 * self.k2)).max(0.2);
            let (next_x, next_y) = (
                (bent_x - 2.0 * self.p1 * x * y - self.p2 * (r2 + 2.0 * x * x)) / radial,
                (bent_y - self.p1 * (r2 + 2.0 * y * y) - 2.0 * self.p2 * x * y) / radial,
            );
            (x, y) = (next_x, next_y);
        }
        Vector3::new(x, y, 1.0)
    }

    /// What is wrong with its numbers, if anything is.
    pub(crate) fn fault(&self) -> Option<String> {
        let named = ["fx", "fy", "cx", "cy", "k1", "k2", "p1", "p2"].into_iter().zip(self.numbers());
        for (name, number) in named {
            if !number.is_finite() || name.starts_with('f') && number <= 0.0 {
                return Some(format!("{name} cannot be {number}"));
            }
        }
        None
    }
}

impl Stand {
    pub(crate) fn matrix(&self) -> Matrix3<f64> {
        let [right, down, forward] = self.rotation.map(|row| Vector3::from(row).transpose());
        Matrix3::from_rows(&[right, down, forward])
    }

    pub(crate) fn centre(&self) -> Vector3<f64> {
        Vector3::from(self.centre_mm)
    }

    /// What is wrong with its numbers, if anything is.
    pub(crate) fn fault(&self) -> Option<String> {
        if !self.centre_mm.iter().all(|part| part.is_finite()) {
            return Some(format!("centre_mm cannot be {:?}", self.centre_mm));
        }
        let matrix = self.matrix();
        let off = (matrix * matrix.transpose() - Matrix3::identity()).norm();
        if !(off < 1e-3 && matrix.determinant() > 0.0) {
            return Some(
                "rotation is none: its rows have to be of length 1, and right, down, forward right-handed"
                    .to_owned(),
            );
        }
        None
    }
}

/// The rows of `matrix`.
pub(crate) fn rows(matrix: &Matrix3<f64>) -> [[f64; 3]; 3] {
    [0, 1, 2].map(|row| [matrix[(row, 0)], matrix[(row, 1)], matrix[(row, 2)]])
}

/// The nearest rotation to `matrix`, which is nearly one.
pub(crate) fn as_rotation(matrix: &Matrix3<f64>) -> Matrix3<f64> {
    Rotation3::from_matrix_eps(matrix, 1e-14, 50, Rotation3::identity()).into_inner()
}

/// The rotation about `turn` by its length in radians.
pub(crate) fn turned_by(turn: &Vector3<f64>) -> Matrix3<f64> {
    Rotation3::from_scaled_axis(*turn).into_inner()
}

/// The rotation counter-clockwise about z.
pub(crate) fn about_z(radians: f64) -> Matrix3<f64> {
    turned_by(&Vector3::new(0.0, 0.0, radians))
}

/// How `turned_by(turn) * turned` changes with `turn`: the derivative is `-[turned_by(turn) * v]x` times this.
pub(crate) fn turn_slopes(turn: &Vector3<f64>) -> Matrix3<f64> {
    let angle = turn.norm();
    let cross = turn.cross_matrix();
    if angle < 1e-6 {
        return Matrix3::identity() + cross * 0.5;
    }
    let squared = angle * angle;
    Matrix3::identity()
        + cross * ((1.0 - angle.cos()) / squared)
        + cross * cross * ((angle - angle.sin()) / (squared * angle))
}
