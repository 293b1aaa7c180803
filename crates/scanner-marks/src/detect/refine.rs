//! Corners, from the edges that meet there.

use scanner_pixels::target::{MODULES, cell_is_black};

use crate::image::Grey;

/// Parts of an edge that are left out at either end: another edge is near.
const ENDS: f64 = 0.08;
/// Pixels of a cell's side from which on those behind the edge do not matter.
const LARGE_CELL: f64 = 7.0;
/// Pixels from where the edge of small cells should be to where it is looked for.
const SMALL_REACH: f64 = 2.0;
/// Pixels from where an edge should be to where it is looked for.
const MOST_REACH: f64 = 3.0;
/// Least difference of shades over a pixel that is a step.
const LEAST_STEP: f64 = 12.0;

/// The corners of mark `id`, whose corners are nearly `corners`: where lines through its four edges meet. None if it is too small
/// or its edges are not there.
pub(super) fn mark(image: &Grey, id: u16, corners: [[f64; 2]; 4]) -> Option<[[f64; 2]; 4]> {
    let mut corners = corners;
    // Each time from better places.
    for _ in 0..3 {
        let mut lines = [([0.0; 2], 0.0); 4];
        for (index, line) in lines.iter_mut().enumerate() {
            *line = edge(image, [0, 1, 2].map(|on| corners[(index + on) % 4]), clear_cells(id, index))?;
        }
        let before = corners;
        for index in 0..4 {
            corners[index] = crossing(lines[(index + 3) % 4], lines[index])?;
        }
        let moved = before.iter().zip(&corners).map(|(a, b)| (a[0] - b[0]).hypot(a[1] - b[1]));
        if moved.fold(0.0, f64::max) > 3.0 {
            return None;
        }
    }
    Some(corners)
}

/// A line: its normal, of length 1, and its distance along that.
type Line = ([f64; 2], f64);

/// Which of the cells along an edge have a black one behind them: there, no other edge is near. Edges are counted as the corners
/// where they begin.
fn clear_cells(id: u16, edge: usize) -> [bool; MODULES] {
    const LAST: usize = MODULES - 1;
    std::array::from_fn(|cell| {
        let (row, column) = match edge {
            0 => (1, cell),
            1 => (cell, LAST - 1),
            2 => (LAST - 1, LAST - cell),
            _ => (LAST - cell, 1),
        };
        cell_is_black(id, row, column)
    })
}

/// The line along the edge from the first to the second of three corners, by the cells that are `clear` if they are small.
fn edge(image: &Grey, [from, to, inward]: [[f64; 2]; 3], clear: [bool; MODULES]) -> Option<Line> {
    let along = [to[0] - from[0], to[1] - from[1]];
    let length = along[0].hypot(along[1]);
    if length < 8.0 {
        return None;
    }
    let direction = along.map(|part| part / length);
    // Out of the mark: its corners go clockwise in the image, whose y is down.
    let out = [direction[1], -direction[0]];
    // How high cells are, across the edge: seen at a slant, they are less high than wide.
    let side = [inward[0] - to[0], inward[1] - to[1]];
    let cell = (side[0] * out[0] + side[1] * out[1]).abs() / MODULES as f64;
    let all = cell > LARGE_CELL;
    let reach = if all { MOST_REACH } else { SMALL_REACH };
    let samples = ((length * 2.0 * (1.0 - 2.0 * ENDS)).ceil() as usize).clamp(32, 200);
    let fitted = |all: bool| {
        let parts =
            (0..samples).map(|sample| ENDS + (1.0 - 2.0 * ENDS) * (sample as f64 + 0.5) / samples as f64);
        let is_clear = |part: &f64| all || clear[((part * MODULES as f64) as usize).min(MODULES - 1)];
        let parts: Vec<f64> = parts.filter(is_clear).collect();
        let point = |part: &f64| {
            let middle = [from[0] + along[0] * part, from[1] + along[1] * part];
            let (across, weight) = step_at(image, middle, out, reach)?;
            Some(Point { along: part * length, across, weight })
        };
        let points: Vec<Point> = parts.iter().filter_map(point).collect();
        line(&points, parts.len())
    };
    let fitted = if all { fitted(true) } else { fitted(false).or_else(|| fitted(true)) };
    Some(through(from, direction, out, fitted?))
}

/// Where four squares meet, nearly.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cross {
    pub(super) at: [f64; 2],
    /// Pixels to the next corner to the right, and up, on the board.
    pub(super) right: [f64; 2],
    pub(super) up: [f64; 2],
}

/// Where four squares meet near `cross`, of which the upper left is `black` or not, and the white ones are white so far from their
/// edges as `margin` says, in squares. None if they do not look so.
pub(super) fn cross(image: &Grey, cross: Cross, margin: f64, black: bool) -> Option<[f64; 2]> {
    let mut at = cross.at;
    for _ in 0..3 {
        // The lower right square has the shade of the upper left one.
        let across = half_edges(image, at, cross.right, cross.up, margin, !black)?;
        let upward = half_edges(image, at, cross.up, cross.right, margin, !black)?;
        let before = at;
        at = crossing(across, upward)?;
        if (at[0] - before[0]).hypot(at[1] - before[1]) < 0.02 {
            break;
        }
    }
    let square = cross.right[0].hypot(cross.right[1]).max(cross.up[0].hypot(cross.up[1]));
    let moved = (at[0] - cross.at[0]).hypot(at[1] - cross.at[1]);
    let inside = |at: f64, size: usize| at > 2.0 && at < size as f64 - 2.0;
    (moved < (square * 0.1).max(1.0) && inside(at[0], image.width) && inside(at[1], image.height))
        .then_some(at)
}

/// The line through two edges that meet at `at` and go along `along` from there, forth and back; on the side to which `side` goes it
/// is white behind `at` (`white_behind`) or ahead.
fn half_edges(
    image: &Grey,
    at: [f64; 2],
    along: [f64; 2],
    side: [f64; 2],
    margin: f64,
    white_behind: bool,
) -> Option<Line> {
    let length = along[0].hypot(along[1]);
    let direction = along.map(|part| part / length);
    let turned = [direction[1], -direction[0]];
    let height = turned[0] * side[0] + turned[1] * side[1];
    let out = if height < 0.0 { turned.map(|part| -part) } else { turned };
    // No further than the squares' white margin is wide, across the edge.
    let reach = (height.abs() * margin * 0.8).min(MOST_REACH);
    if reach < 1.0 || length < 10.0 {
        return None;
    }
    // Where the other edge blurs it, there is no step.
    let (near, far) = ((length * 0.04).max(2.0), length * 0.42);
    let samples = ((far - near).ceil() as usize).clamp(4, 60);
    let mut points = Vec::with_capacity(2 * samples);
    for ahead in [false, true] {
        let before = points.len();
        let out = if ahead == white_behind { out.map(|part| -part) } else { out };
        for sample in 0..samples {
            let from_cross = near + (far - near) * (sample as f64 + 0.5) / samples as f64;
            let from_cross = if ahead { from_cross } else { -from_cross };
            let middle = [at[0] + direction[0] * from_cross, at[1] + direction[1] * from_cross];
            if let Some((across, weight)) = step_at(image, middle, out, reach) {
                let across = if ahead == white_behind { -across } else { across };
                points.push(Point { along: from_cross, across, weight });
            }
        }
        // Half of an edge that is covered still says where it is.
        if (points.len() - before) * 2 < samples {
            return None;
        }
    }
    Some(through(at, direction, out, line(&points, 2 * samples)?))
}

/// The line that begins `offset` out of `from`, and there rises by `slope` against `direction`.
fn through(from: [f64; 2], direction: [f64; 2], out: [f64; 2], (offset, slope): (f64, f64)) -> Line {
    let normal = [out[0] - direction[0] * slope, out[1] - direction[1] * slope];
    let per_length = normal[0].hypot(normal[1]).recip();
    let normal = normal.map(|part| part * per_length);
    let on_it = [from[0] + out[0] * offset, from[1] + out[1] * offset];
    (normal, normal[0] * on_it[0] + normal[1] * on_it[1])
}

/// How far along `out` from `middle` it gets white, and how clear that is.
fn step_at(image: &Grey, middle: [f64; 2], out: [f64; 2], reach: f64) -> Option<(f64, f64)> {
    const STEP: f64 = 0.25;
    let steps = (reach / STEP) as i32;
    let shade = |offset: f64| image.at(middle[0] + out[0] * offset, middle[1] + out[1] * offset);
    let (mut sum, mut total) = (0.0, 0.0);
    for step in -steps..=steps {
        let offset = f64::from(step) * STEP;
        let rise = shade(offset + 0.5) - shade(offset - 0.5);
        if rise > 0.0 {
            sum += rise * rise * offset;
            total += rise * rise;
        }
    }
    (total > LEAST_STEP * LEAST_STEP).then(|| (sum / total, total.sqrt()))
}

/// A point of an edge.
#[derive(Debug, Clone, Copy)]
struct Point {
    along: f64,
    across: f64,
    weight: f64,
}

/// Offset and slope of a line through `points`, without those that lie beside it; none if it has not half as many as `wanted`.
fn line(points: &[Point], wanted: usize) -> Option<(f64, f64)> {
    let mut kept = points.to_vec();
    let mut fitted = None;
    for _ in 0..3 {
        if kept.len() < 5 || kept.len() * 2 < wanted {
            return None;
        }
        let total: f64 = kept.iter().map(|point| point.weight).sum();
        let mean =
            |of: fn(&Point) -> f64| kept.iter().map(|point| of(point) * point.weight).sum::<f64>() / total;
        let (along, across) = (mean(|point| point.along), mean(|point| point.across));
        let spread: f64 = kept.iter().map(|point| (point.along - along).powi(2) * point.weight).sum();
        let both = kept.iter().map(|point| (point.along - along) * (point.across - across) * point.weight);
        let slope = both.sum::<f64>() / spread;
        let offset = across - slope * along;
        fitted = Some((offset, slope));
        let off = |point: &Point| (point.across - offset - slope * point.along).abs();
        let mut beside: Vec<f64> = kept.iter().map(off).collect();
        let middle = beside.len() / 2;
        let (_, median, _) = beside.select_nth_unstable_by(middle, f64::total_cmp);
        let limit = (*median * 3.5).max(0.05);
        kept.retain(|point| off(point) <= limit);
    }
    fitted
}

/// Where two lines meet.
fn crossing(a: Line, b: Line) -> Option<[f64; 2]> {
    let determinant = a.0[0] * b.0[1] - a.0[1] * b.0[0];
    (determinant.abs() > 0.05)
        .then(|| [(a.1 * b.0[1] - b.1 * a.0[1]) / determinant, (b.1 * a.0[0] - a.1 * b.0[0]) / determinant])
}
