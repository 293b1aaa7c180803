//! Coded marks along the turntable's edge.

use std::f64::consts::TAU;

use super::{IDS, MODULES, Polygon, Unfit, Vec2, count, length, mark_is_black, mark_polygons};
use crate::sight::Vec3;

/// The id of a ring's first mark; those before are the board's.
pub const FIRST_RING_ID: u16 = 100;

/// Marks of `AprilTag`'s family 36h11 on a circle around the turntable's axis, ids [`FIRST_RING_ID`] and on.
///
/// **Its frame** is the table's: millimetres, the origin on the axis, z up out of the printed side. Mark k's middle is at
/// 360° * k / count, counter-clockwise seen from above, the first at +x; its top points outwards. Top is that of `OpenCV`'s
/// pictures of `DICT_APRILTAG_36h11`, as on the board; the `AprilTag` project's have it at the bottom.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ring {
    count: u16,
    radius: f64,
    mark: f64,
}

/// One mark of a ring, where it lies in the ring's plane.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Mark {
    /// Its id.
    pub id: u16,
    /// Its middle, in mm.
    pub middle: Vec2,
    /// Radians, counter-clockwise, from +x to where its top points.
    pub heading: f64,
    /// Its side in mm, with its black border.
    pub side: f64,
}

impl Default for Ring {
    /// 24 marks of 18 mm on a circle with a radius of 92 mm: for a plate with one of 105 mm, as the simulated rig has it.
    fn default() -> Self {
        Self { count: 24, radius: 92.0, mark: 18.0 }
    }
}

impl Ring {
    /// `count` marks with sides of `mark` mm, their middles on a circle with this `radius` in mm.
    pub fn new(marks: u16, radius: f64, mark: f64) -> Result<Self, Unfit> {
        count("marks on a ring", marks, 3, IDS - FIRST_RING_ID)?;
        length("a ring's radius", radius)?;
        length("a ring's mark", mark)?;
        // Between the inner corners of neighbours there is at least the width of a cell.
        let (sin, cos) = (TAU / f64::from(marks) / 2.0).sin_cos();
        let longest_mm = radius * sin / (f64::midpoint(sin, cos) + 0.5 / MODULES as f64);
        if mark > longest_mm {
            return Err(Unfit::Crowded { target: "ring", mark_mm: mark, longest_mm });
        }
        Ok(Self { count: marks, radius, mark })
    }

    /// How many marks it has.
    pub fn count(&self) -> u16 {
        self.count
    }

    /// Radius of the circle on which the middles of the marks are, in mm.
    pub fn radius(&self) -> f64 {
        self.radius
    }

    /// Side of a mark in mm, with its black border.
    pub fn mark_side(&self) -> f64 {
        self.mark
    }

    /// How much white belongs to the ring inside and outside of its marks, in mm: one cell of a mark.
    pub fn margin(&self) -> f64 {
        self.mark / MODULES as f64
    }

    /// The ring's inner and outer radius in mm, with the white around its marks.
    pub fn extent(&self) -> [f64; 2] {
        let half = self.mark / 2.0;
        [(self.radius - half - self.margin()).max(0.0), (self.radius + half).hypot(half) + self.margin()]
    }

    /// Its marks as printed.
    pub fn marks(&self) -> Vec<Mark> {
        (0..self.count).map(|index| self.mark(index)).collect()
    }

    /// The mark with this `id` as printed.
    pub fn mark_with_id(&self, id: u16) -> Option<Mark> {
        id.checked_sub(FIRST_RING_ID).filter(|index| *index < self.count).map(|index| self.mark(index))
    }

    /// Whether it is black at (`x`, `y`); none beside the ring.
    #[inline]
    pub fn is_black(&self, x: f64, y: f64) -> Option<bool> {
        let [inner, outer] = self.extent();
        let squared = x * x + y * y;
        if !(squared >= inner * inner && squared < outer * outer) {
            return None;
        }
        let turns = y.atan2(x) / TAU * f64::from(self.count);
        let index = turns.round().rem_euclid(f64::from(self.count)) as u16 % self.count;
        let mark = self.mark(index);
        let [right, up] = mark.relative([x, y]);
        Some(mark_is_black(mark.id, mark.side, right, up).unwrap_or(false))
    }

    /// What is printed black, on white.
    pub fn polygons(&self) -> Vec<Polygon> {
        self.marks().iter().flat_map(Mark::polygons).collect()
    }

    /// Mark `index`, counted from 0 at +x.
    fn mark(&self, index: u16) -> Mark {
        let heading = TAU * f64::from(index) / f64::from(self.count);
        let (sin, cos) = heading.sin_cos();
        Mark {
            id: FIRST_RING_ID + index,
            middle: [self.radius * cos, self.radius * sin],
            heading,
            side: self.mark,
        }
    }
}

impl Mark {
    /// Its corners in the ring's frame: top left, top right, bottom right, bottom left, as `OpenCV` counts them.
    pub fn corners(&self) -> [Vec3; 4] {
        let half = self.side / 2.0;
        [[-half, half], [half, half], [half, -half], [-half, -half]].map(|corner| {
            let [x, y] = self.placed(corner);
            [x, y, 0.0]
        })
    }

    /// What is printed black of it, in the ring's plane.
    pub fn polygons(&self) -> Vec<Polygon> {
        let placed = |corner: Vec2| self.placed(corner.map(|part| part * self.side));
        mark_polygons(self.id).into_iter().map(|polygon| polygon.map(placed)).collect()
    }

    /// Where in the ring's plane is what lies `right` and `up` of its middle.
    pub(super) fn placed(self, [right, up]: Vec2) -> Vec2 {
        let (sin, cos) = self.heading.sin_cos();
        [self.middle[0] + up * cos + right * sin, self.middle[1] + up * sin - right * cos]
    }

    /// How far right and up of its middle a point of the ring's plane is.
    pub(super) fn relative(self, [x, y]: Vec2) -> Vec2 {
        let (sin, cos) = self.heading.sin_cos();
        let (dx, dy) = (x - self.middle[0], y - self.middle[1]);
        [dx * sin - dy * cos, dx * cos + dy * sin]
    }
}
