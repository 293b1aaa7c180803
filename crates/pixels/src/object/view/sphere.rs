//! A part of the object, as one camera sees it.

use std::ops::Range;

use super::{add, apply, dot32, single};
use crate::object::owl::Part;
use crate::object::quadratic::Quadratic;
use crate::sight::{Vec3, dot};

/// A part as the unit sphere at the origin, and the view as it looks from there.
pub(in crate::object) struct Sphere {
    /// What takes points of the object there: a matrix and a shift.
    matrix: [[f32; 3]; 3],
    shift: [f32; 3],
    /// Towards the light, and 1 over its squared length.
    light: [f32; 3],
    per_light: f32,
    to_unit: [Vec3; 3],
    centre: Vec3,
    by_column: Vec3,
}

/// Columns of a row in which a part is seen, and how far away.
pub(super) struct Span {
    pub(super) columns: Range<usize>,
    /// Column that the polynomials count from, for precision.
    pub(super) origin: f64,
    pub(super) a: Quadratic,
    pub(super) b: Quadratic,
    pub(super) discriminant: Quadratic,
}

impl Sphere {
    /// `part` for a camera at `centre`, whose line of sight changes by `by_column`, in light from the direction `light`.
    pub(super) fn new(part: &Part, centre: Vec3, by_column: Vec3, light: Vec3) -> Self {
        let to_unit = part.to_sphere();
        let towards = apply(&to_unit, light);
        Self {
            matrix: to_unit.map(single),
            shift: single(apply(&to_unit, part.centre)).map(|component| -component),
            light: single(towards),
            per_light: dot(towards, towards).recip() as f32,
            to_unit,
            centre: apply(&to_unit, add(centre, part.centre, -1.0)),
            by_column: apply(&to_unit, by_column),
        }
    }

    /// The direction in which the part faces at `point` of its surface, of length 1.
    #[inline]
    pub(in crate::object) fn normal(&self, point: [f32; 3]) -> [f32; 3] {
        let [x, y, z] = self.on_sphere(point);
        let [right, front, up] = &self.matrix;
        let normal: [f32; 3] = std::array::from_fn(|axis| right[axis] * x + front[axis] * y + up[axis] * z);
        let per_length = dot32(normal, normal).sqrt().recip();
        normal.map(|component| component * per_length)
    }

    /// Squared distance of the light's ray to `point` from the middle of the part, 1 at its surface.
    #[inline]
    pub(super) fn apart_from_light(&self, point: [f32; 3]) -> f32 {
        let from = self.on_sphere(point);
        let along = dot32(from, self.light);
        dot32(from, from) - along * along * self.per_light
    }

    #[inline]
    fn on_sphere(&self, point: [f32; 3]) -> [f32; 3] {
        std::array::from_fn(|axis| dot32(self.matrix[axis], point) + self.shift[axis])
    }

    pub(super) fn span(&self, direction: Vec3, width: usize) -> Option<Span> {
        let direction = apply(&self.to_unit, direction);
        let (centre, by_column) = (self.centre, self.by_column);
        let a =
            Quadratic(dot(direction, direction), 2.0 * dot(direction, by_column), dot(by_column, by_column));
        let b = Quadratic(dot(centre, direction), dot(centre, by_column), 0.0);
        let discriminant = b.squared().plus(a, 1.0 - dot(centre, centre));
        let columns = discriminant.positive(width)?;
        let origin = columns.start.midpoint(columns.end) as f64;
        Some(Span {
            columns,
            origin,
            a: a.from(origin),
            b: b.from(origin),
            discriminant: discriminant.from(origin),
        })
    }
}
