//! The `ChArUco` board, by the marks in its white squares: each says where the corners of its square are, and their edges then say
//! it exactly.

use nalgebra::{Matrix3, SMatrix, SVector, Vector3};
use scanner_pixels::target::Board;

use super::refine::{self, Cross};
use super::{Corner, Which, marks::Found};
use crate::image::Grey;

/// Parts of a square within which two marks have to say alike where a corner is.
const ALIKE: f64 = 0.15;

/// The corners of `board` in `image`, in which `marks` are.
pub(super) fn find(image: &Grey, board: &Board, marks: &[Found]) -> Vec<Corner> {
    let across = board.columns() - 1;
    // Of each corner, where marks say that it is.
    let mut told: Vec<Vec<Cross>> = vec![Vec::new(); usize::from(board.corner_count())];
    for mark in marks {
        let Some((row, column)) = place(board, mark.id) else { continue };
        let Some(plane) = homography(board.marker() / board.square(), &mark.corners) else { continue };
        for (down, right) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
            // Corners have the number of the square to their upper left.
            let (corner_row, corner_column) =
                ((row + down).wrapping_sub(1), (column + right).wrapping_sub(1));
            if corner_row >= board.rows() - 1 || corner_column >= across {
                continue;
            }
            let at = [f64::from(right) - 0.5, 0.5 - f64::from(down)];
            if let Some(cross) = seen_at(&plane, at) {
                told[usize::from(corner_row * across + corner_column)].push(cross);
            }
        }
    }
    let margin = (1.0 - board.marker() / board.square()) / 2.0;
    let found = (0..).zip(&told).filter_map(|(id, told)| {
        let cross = agreed(told)?;
        // The square at the top left of the board is black.
        let black = (id / across + id % across).is_multiple_of(2);
        let [x, y] = refine::cross(image, cross, margin, black)?;
        Some(Corner { which: Which::Board { id }, x, y })
    });
    found.collect()
}

/// The row from the top and column of the mark with this `id`.
fn place(board: &Board, id: u16) -> Option<(u16, u16)> {
    let columns = board.columns();
    // Two rows have as many marks as a row has squares; of these, the first has its first mark in the second square.
    let (pair, rest) = (id / columns, id % columns);
    let in_first = columns / 2;
    let (row, column) =
        if rest < in_first { (2 * pair, 2 * rest + 1) } else { (2 * pair + 1, 2 * (rest - in_first)) };
    (row < board.rows()).then_some((row, column))
}

/// Where a point, in squares right and up of a mark's middle, is in the image, by the mark's corners; `size` is its side.
fn homography(size: f64, corners: &[[f64; 2]; 4]) -> Option<Matrix3<f64>> {
    let half = size / 2.0;
    let mut equations = SMatrix::<f64, 8, 8>::zeros();
    let mut pixels = SVector::<f64, 8>::zeros();
    for (index, ([x, y], [u, v])) in
        [[-half, half], [half, half], [half, -half], [-half, -half]].into_iter().zip(*corners).enumerate()
    {
        equations
            .set_row(2 * index, &SMatrix::from([[x], [y], [1.0], [0.0], [0.0], [0.0], [-u * x], [-u * y]]));
        equations.set_row(
            2 * index + 1,
            &SMatrix::from([[0.0], [0.0], [0.0], [x], [y], [1.0], [-v * x], [-v * y]]),
        );
        pixels[2 * index] = u;
        pixels[2 * index + 1] = v;
    }
    let h = equations.lu().solve(&pixels)?;
    Some(Matrix3::new(h[0], h[1], h[2], h[3], h[4], h[5], h[6], h[7], 1.0))
}

/// Squares over which it is seen how many pixels they have.
const STEP: f64 = 0.1;

/// A corner at this place, and which way its edges go there.
fn seen_at(plane: &Matrix3<f64>, [x, y]: [f64; 2]) -> Option<Cross> {
    let at = |x: f64, y: f64| {
        let point = plane * Vector3::new(x, y, 1.0);
        (point.z > 1e-6).then(|| [point.x / point.z, point.y / point.z])
    };
    let (here, right, left) = (at(x, y)?, at(x + STEP, y)?, at(x - STEP, y)?);
    let (up, down) = (at(x, y + STEP)?, at(x, y - STEP)?);
    let per_square = |to: [f64; 2], from: [f64; 2]| [0, 1].map(|axis| (to[axis] - from[axis]) / (2.0 * STEP));
    Some(Cross { at: here, right: per_square(right, left), up: per_square(up, down) })
}

/// What all marks around a corner say of it; none if they do not say alike.
fn agreed(told: &[Cross]) -> Option<Cross> {
    let count = told.len() as f64;
    let mean = |of: fn(&Cross) -> [f64; 2]| {
        [0, 1].map(|axis| told.iter().map(|cross| of(cross)[axis]).sum::<f64>() / count)
    };
    if told.is_empty() {
        return None;
    }
    let cross =
        Cross { at: mean(|cross| cross.at), right: mean(|cross| cross.right), up: mean(|cross| cross.up) };
    let square = cross.right[0].hypot(cross.right[1]).max(cross.up[0].hypot(cross.up[1]));
    let apart = told.iter().map(|told| (told.at[0] - cross.at[0]).hypot(told.at[1] - cross.at[1]));
    (apart.fold(0.0, f64::max) < ALIKE * square).then_some(cross)
}
