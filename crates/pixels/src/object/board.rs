//! A calibration board that leans on the simulated turntable, in the owl's place.

use crate::sight::{Vec3, dot};
use crate::target::Board;

/// Luma of its paper and of its ink in light of 1.
pub(super) const PAPER: f32 = 0.82;
pub(super) const INK: f32 = 0.06;

/// A board that stands on its lower edge on the plate, and leans back.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Leaning {
    board: Board,
    origin: Vec3,
    right: Vec3,
    up: Vec3,
    normal: Vec3,
}

/// How it is held: what is not black or white of it is behind it.
const LEANS_BACK: f64 = 28.0;
/// Where the middle of its lower edge stands, in mm in front of the axis, and how it is turned, so that nothing is symmetrical.
const STANDS: [f64; 3] = [12.0, 4.0, 3.0];
const FACES: f64 = 11.0;

impl Leaning {
    /// `board` where the simulated rig has it.
    pub fn new(board: Board) -> Self {
        let (sin_lean, cos_lean) = LEANS_BACK.to_radians().sin_cos();
        let (sin, cos) = FACES.to_radians().sin_cos();
        // Its printed side faces +x, turned by a little.
        let right = [-sin, cos, 0.0];
        let up = [-cos * sin_lean, -sin * sin_lean, cos_lean];
        let normal = [cos * cos_lean, sin * cos_lean, sin_lean];
        let half = board.size()[0] / 2.0;
        let origin =
            std::array::from_fn(|axis| STANDS[axis] - half * right[axis] + (board.margin() + 1.0) * up[axis]);
        Self { board, origin, right, up, normal }
    }

    /// Where a point of the board's frame is in the object's.
    pub fn placed(&self, point: Vec3) -> Vec3 {
        std::array::from_fn(|axis| {
            self.origin[axis]
                + point[0] * self.right[axis]
                + point[1] * self.up[axis]
                + point[2] * self.normal[axis]
        })
    }

    /// How far along `direction` from `centre` the board is met, and whether it is printed black there.
    #[inline]
    pub(super) fn met(&self, centre: Vec3, direction: Vec3) -> Option<(f64, bool)> {
        let towards = dot(self.normal, direction);
        let from: Vec3 = std::array::from_fn(|axis| self.origin[axis] - centre[axis]);
        let depth = dot(self.normal, from) / towards;
        if depth.is_nan() || depth <= 0.0 {
            return None;
        }
        let at: Vec3 = std::array::from_fn(|axis| direction[axis] * depth - from[axis]);
        let black = self.board.is_black(dot(at, self.right), dot(at, self.up))?;
        // From behind there is nothing printed.
        Some((depth, black && towards < 0.0))
    }

    /// How much light from `light` falls on it, 0 to 1.
    pub(super) fn facing(&self, light: [f32; 3]) -> f32 {
        (0..3).map(|axis| self.normal[axis] as f32 * light[axis]).sum::<f32>().max(0.0)
    }
}
