//! Which part of the object is seen where.
//!
//! Along a row of pixels the line of sight is linear in the column, so where it meets an ellipsoid is the
//! root of a quadratic whose discriminant is itself quadratic in the column: the ends of the part's span in
//! the row are computed, not searched.

use std::ops::{Range, RangeInclusive};

use super::board::{self, Leaning};
use super::owl::{OWL, SHADOWS};
use super::plate::RADIUS;
use super::quadratic::Quadratic;
use crate::Area;
use crate::sight::{Sight, Vec3, dot, turned};

mod sphere;

pub(super) use sphere::Sphere;

/// Number of a pixel's part if there is none,
pub(super) const BACKGROUND: u8 = u8::MAX;
/// and if it is the plate; the owl's parts count from 0.
pub(super) const PLATE: u8 = OWL.len() as u8;
/// and if it is the board's, printed or not.
pub(super) const INK: u8 = PLATE + 1;
pub(super) const PAPER: u8 = PLATE + 2;
/// Where the light comes from, in the rig's frame.
const LIGHT: Vec3 = [0.62, -0.40, 0.68];

/// Where a camera is on the rig.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Viewpoint {
    /// What its pixels look at.
    pub sight: Sight,
    /// Degrees counter-clockwise from the object's x to the camera, seen from above.
    pub heading: f64,
    /// Millimetres from where it is mounted to what it looks at.
    pub distance: f64,
}

/// Of each pixel of a sharp picture, row by row, whether it shows the owl.
pub fn silhouette(viewpoint: &Viewpoint) -> Vec<bool> {
    let view = View::new(viewpoint);
    let Area { width, height } = viewpoint.sight.area;
    let (mut depths, mut parts) = (vec![0.0; width], vec![0; width]);
    let mut owl = Vec::with_capacity(width * height);
    for row in 0..height {
        let row = view.row(row, &mut depths, &mut parts);
        owl.extend(row.parts.iter().map(|part| usize::from(*part) < OWL.len()));
    }
    owl
}

/// Of each pixel, row by row, how far in front of the camera what it shows is, in millimetres: the plate, or the owl unless it is
/// `empty`. Infinitely far, if it is neither.
pub fn depths(viewpoint: &Viewpoint, empty: bool) -> Vec<f32> {
    let view = View::new(viewpoint);
    let view = if empty { view.cleared() } else { view };
    let Area { width, height } = viewpoint.sight.area;
    let mut parts = vec![0; width];
    let mut depths = vec![0.0; width * height];
    for (row, depths) in depths.chunks_exact_mut(width).enumerate() {
        view.find(add(view.direction, view.by_row, row as f64), depths, &mut parts);
    }
    depths
}

/// How many pixels in these `columns` and `rows` show the plate, or the owl unless it is `empty`, and how many there are.
pub fn covered(
    viewpoint: &Viewpoint,
    empty: bool,
    columns: RangeInclusive<usize>,
    rows: RangeInclusive<usize>,
) -> (usize, usize) {
    let view = View::new(viewpoint);
    let view = if empty { view.cleared() } else { view };
    let width = viewpoint.sight.area.width;
    let (mut depths, mut parts) = (vec![0.0; width], vec![BACKGROUND; width]);
    let mut seen = (0, 0);
    for row in rows {
        let row = view.row(row, &mut depths, &mut parts);
        for part in &row.parts[columns.clone()] {
            seen = (seen.0 + usize::from(*part != BACKGROUND), seen.1 + 1);
        }
    }
    seen
}

/// One camera's view of the object.
pub(super) struct View {
    /// Where the camera's centre is, in the object's frame.
    pub(super) centre: Vec3,
    /// Towards the light, of length 1.
    pub(super) light: [f32; 3],
    /// The owl's parts, as this camera sees them.
    pub(super) spheres: Vec<Sphere>,
    /// The owl's shadow is within these x and y of the plate.
    shadow: [Range<f32>; 2],
    /// The line of sight at column 0, row 0, and its change from column to column and from row to row.
    direction: Vec3,
    by_column: Vec3,
    by_row: Vec3,
    board: Option<Leaning>,
}

/// One row of a view.
pub(super) struct Row<'a> {
    view: &'a View,
    direction: [f32; 3],
    /// Distance along the line of sight, a pixel each.
    pub(super) depths: &'a [f32],
    /// Number of the part, a pixel each.
    pub(super) parts: &'a [u8],
    /// Outside of these columns there is only background.
    pub(super) object: Range<usize>,
}

impl View {
    pub(super) fn new(viewpoint: &Viewpoint) -> Self {
        let Viewpoint { sight, heading, distance: _ } = viewpoint;
        let (centre, rotation) = (sight.centre, &sight.rotation);
        let by_column = turned(rotation, [sight.focal[0].recip(), 0.0, 0.0]);
        let (sin, cos) = heading.to_radians().sin_cos();
        let light = [LIGHT[0] * cos - LIGHT[1] * sin, LIGHT[0] * sin + LIGHT[1] * cos, LIGHT[2]];
        let length = dot(light, light).sqrt();
        let light = light.map(|component| component / length);
        let spheres = OWL.iter().map(|part| Sphere::new(part, centre, by_column, light));
        Self {
            centre,
            light: single(light),
            spheres: spheres.collect(),
            shadow: [0, 1].map(|axis| shadow_range(light, axis)),
            // The centre of the first pixel is at 0.5, 0.5.
            direction: turned(rotation, sight.in_camera(0.5, 0.5)),
            by_column,
            by_row: turned(rotation, [0.0, sight.focal[1].recip(), 0.0]),
            board: None,
        }
    }

    /// The same with a board.
    pub(super) fn with_board(self, board: Leaning) -> Self {
        Self { board: Some(board), ..self }
    }

    /// Luma of one of the board's two parts, in light of 1.
    pub(super) fn board_luma(&self, part: u8) -> f32 {
        let facing = self.board.map_or(0.0, |board| board.facing(self.light));
        let luma = if part == INK { board::INK } else { board::PAPER };
        luma * (0.45 + 0.6 * facing)
    }

    /// The same without the owl.
    pub(super) fn cleared(mut self) -> Self {
        self.spheres.clear();
        // Nothing is between these, so there is no shadow either.
        self.shadow = [0.0..0.0, 0.0..0.0];
        self
    }

    /// How close to the light's ray to `point` of the plate a part comes, squared and 1 at its surface.
    #[inline]
    pub(super) fn apart_from_light(&self, point: [f32; 3]) -> Option<f32> {
        let near = self.shadow.iter().zip(point).all(|(range, coordinate)| range.contains(&coordinate));
        near.then(|| {
            SHADOWS
                .iter()
                .fold(f32::INFINITY, |apart, &part| self.spheres[part].apart_from_light(point).min(apart))
        })
    }

    /// What is seen in each column of `row`; `depths` and `parts` are as long as the picture is wide.
    pub(super) fn row<'a>(&'a self, row: usize, depths: &'a mut [f32], parts: &'a mut [u8]) -> Row<'a> {
        let direction = add(self.direction, self.by_row, row as f64);
        self.find(direction, depths, parts);
        let is_part = |part: &u8| *part != BACKGROUND;
        let first = parts.iter().position(is_part).unwrap_or(0);
        let end = parts.iter().rposition(is_part).map_or(first, |last| last + 1);
        Row { view: self, direction: single(direction), depths, parts, object: first..end }
    }

    fn find(&self, direction: Vec3, depths: &mut [f32], parts: &mut [u8]) {
        depths.fill(f32::INFINITY);
        parts.fill(BACKGROUND);
        self.find_plate(direction, depths, parts);
        if let Some(board) = &self.board {
            self.find_board(board, direction, depths, parts);
        }
        for (part, sphere) in self.spheres.iter().enumerate() {
            let Some(span) = sphere.span(direction, depths.len()) else { continue };
            let [a, b, discriminant] = [span.a, span.b, span.discriminant].map(Quadratic::single);
            let offset = (span.columns.start as f64 - span.origin) as f32;
            let range = span.columns;
            let pixels = depths[range.clone()].iter_mut().zip(&mut parts[range]);
            for (column, (depth, seen)) in pixels.enumerate() {
                let x = column as f32 + offset;
                let root = discriminant(x).max(0.0).sqrt();
                let t = (-b(x) - root) / a(x);
                if t > 0.0 && t < *depth {
                    *depth = t;
                    *seen = part as u8;
                }
            }
        }
    }

    fn find_board(&self, board: &Leaning, direction: Vec3, depths: &mut [f32], parts: &mut [u8]) {
        for (column, (depth, part)) in depths.iter_mut().zip(parts).enumerate() {
            let direction = add(direction, self.by_column, column as f64);
            if let Some((met, black)) = board.met(self.centre, direction)
                && (met as f32) < *depth
            {
                *depth = met as f32;
                *part = if black { INK } else { PAPER };
            }
        }
    }

    /// The plate is where the line of sight, at z = 0, is not farther from the axis than its radius.
    fn find_plate(&self, direction: Vec3, depths: &mut [f32], parts: &mut [u8]) {
        let height = self.centre[2];
        let across = |axis: usize| {
            Quadratic(
                self.centre[axis] * direction[2] - height * direction[axis],
                self.centre[axis] * self.by_column[2] - height * self.by_column[axis],
                0.0,
            )
            .squared()
        };
        let down = Quadratic(direction[2], self.by_column[2], 0.0);
        let inside = down.squared().times(RADIUS * RADIUS).plus(across(0), -1.0).plus(across(1), -1.0);
        let Some(columns) = inside.positive(depths.len()) else { return };
        for column in columns {
            let t = -height / down.at(column as f64);
            if t > 0.0 {
                depths[column] = t as f32;
                parts[column] = PLATE;
            }
        }
    }
}

impl Row<'_> {
    /// The point that is seen in `column`.
    #[inline]
    pub(super) fn point(&self, column: usize) -> [f32; 3] {
        let (x, depth) = (column as f32, self.depths[column]);
        let View { centre, by_column, .. } = self.view;
        std::array::from_fn(|axis| {
            centre[axis] as f32 + depth * (self.direction[axis] + by_column[axis] as f32 * x)
        })
    }
}

/// Between which coordinates along `axis` shadows fall on the plate.
fn shadow_range(light: Vec3, axis: usize) -> Range<f32> {
    SHADOWS.iter().fold(f32::INFINITY..f32::NEG_INFINITY, |range, &part| {
        let part = &OWL[part];
        let centre = part.centre[axis] - part.centre[2] * light[axis] / light[2];
        // As wide as the penumbra, and drawn out by the light's slant.
        let radius = part.radii.into_iter().fold(0.0, f64::max) * 1.1 / light[2];
        range.start.min((centre - radius) as f32)..range.end.max((centre + radius) as f32)
    })
}

fn single(vector: Vec3) -> [f32; 3] {
    vector.map(|component| component as f32)
}

fn apply(matrix: &[Vec3; 3], vector: Vec3) -> Vec3 {
    matrix.map(|row| dot(row, vector))
}

fn add(a: Vec3, b: Vec3, factor: f64) -> Vec3 {
    std::array::from_fn(|axis| a[axis] + b[axis] * factor)
}

#[inline]
pub(super) fn dot32(a: [f32; 3], b: [f32; 3]) -> f32 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}
