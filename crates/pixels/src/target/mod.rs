//! What printed targets look like, in millimetres: the [`Board`] that a camera is measured with, and the [`Ring`] of marks along
//! the turntable's edge.
//!
//! Both are black on white in a plane whose printed side is seen from +z.

mod board;
mod codes;
mod ring;

use std::fmt;

pub use board::Board;
pub use codes::{IDS, MODULES, is_black as cell_is_black};
pub use ring::{FIRST_RING_ID, Mark, Ring};

/// A point in the plane of a target: x, y.
pub type Vec2 = [f64; 2];

/// Corners of a convex area that is printed black, one after the other around it.
pub type Polygon = [Vec2; 4];

/// Why there is no such target.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Unfit {
    /// A length is no number, not positive, or larger than any printer.
    Length {
        /// What is that long.
        what: &'static str,
        /// Its millimetres.
        mm: f64,
    },
    /// There are too few or too many of something.
    Count {
        /// Of what.
        what: &'static str,
        /// How many were asked for.
        count: u32,
        /// The fewest that can be.
        from: u32,
        /// The most that can be.
        to: u32,
    },
    /// The marks have no white left around them.
    Crowded {
        /// Which target.
        target: &'static str,
        /// The mark's side that was asked for, in mm.
        mark_mm: f64,
        /// The longest side that fits, in mm.
        longest_mm: f64,
    },
}

impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Length { what, mm } => {
                write!(f, "{what} cannot be {mm} mm: take more than 0 and at most {LONGEST_MM} mm")
            }
            Self::Count { what, count, from, to } => {
                write!(f, "there cannot be {count} {what}: take {from} to {to}")
            }
            Self::Crowded { target, mark_mm, longest_mm } => write!(
                f,
                "marks of {mark_mm} mm leave no white around them on this {target}: make them at most {longest_mm:.2} mm"
            ),
        }
    }
}

impl std::error::Error for Unfit {}

/// Longest length that a target can have.
const LONGEST_MM: f64 = 5000.0;

/// `mm`, if it can be the length of `what`.
fn length(what: &'static str, mm: f64) -> Result<f64, Unfit> {
    if mm > 0.0 && mm <= LONGEST_MM { Ok(mm) } else { Err(Unfit::Length { what, mm }) }
}

/// `count`, if there can be as many of `what`.
fn count(what: &'static str, count: u16, from: u16, to: u16) -> Result<u16, Unfit> {
    if (from..=to).contains(&count) {
        return Ok(count);
    }
    Err(Unfit::Count { what, count: count.into(), from: from.into(), to: to.into() })
}

/// Whether mark `id` of this `side` is black at (`x`, `y`) from its middle, x to its right and y to its top; none beside it.
fn mark_is_black(id: u16, side: f64, x: f64, y: f64) -> Option<bool> {
    let cell = |from_edge: f64| {
        let cells = from_edge / side * MODULES as f64;
        (cells >= 0.0 && cells < MODULES as f64).then_some(cells as usize)
    };
    Some(codes::is_black(id, cell(side / 2.0 - y)?, cell(x + side / 2.0)?))
}

/// What is black of mark `id`, as rectangles from its middle, x to its right and y to its top, in parts of its side.
fn mark_polygons(id: u16) -> Vec<Polygon> {
    let per_cell = 1.0 / MODULES as f64;
    let mut polygons = Vec::new();
    for row in 0..MODULES {
        let mut column = 0;
        while column < MODULES {
            let run = (column..MODULES).take_while(|column| codes::is_black(id, row, *column)).count();
            if run > 0 {
                let (left, right) = (column as f64 * per_cell - 0.5, (column + run) as f64 * per_cell - 0.5);
                let (top, bottom) = (0.5 - row as f64 * per_cell, 0.5 - (row + 1) as f64 * per_cell);
                polygons.push([[left, top], [right, top], [right, bottom], [left, bottom]]);
            }
            column += run + 1;
        }
    }
    polygons
}

#[cfg(test)]
mod tests;
