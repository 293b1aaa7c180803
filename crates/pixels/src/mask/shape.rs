//! The shape of a mask: what is too small to be true goes, small gaps close.

use std::collections::VecDeque;
use std::iter::StepBy;
use std::ops::Range;

use crate::Area;

/// Pixels of a mask, row by row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shape {
    /// How large the picture is.
    pub area: Area,
    /// Whether each pixel is inside.
    pub inside: Vec<bool>,
}

impl Shape {
    /// How many pixels are inside.
    pub fn count(&self) -> usize {
        self.inside.iter().filter(|inside| **inside).count()
    }

    /// With what is inside of `other`, too, if that is as large.
    #[must_use]
    pub fn with(mut self, other: &Self) -> Self {
        if self.area == other.area {
            self.inside.iter_mut().zip(&other.inside).for_each(|(inside, other)| *inside |= other);
        }
        self
    }

    /// White where it is in a picture of size `to`, a byte a pixel, and black elsewhere.
    pub fn enlarged(&self, to: Area) -> Vec<u8> {
        let Area { width, height } = self.area;
        let value = |inside: bool| if inside { u8::MAX } else { 0 };
        if to == self.area {
            return self.inside.iter().map(|inside| value(*inside)).collect();
        }
        // Between which two pixels of the small one, and how far from the first.
        let place = |at: usize, small: usize, large: usize| {
            let at = ((at as f32 + 0.5) * small as f32 / large as f32 - 0.5).clamp(0.0, (small - 1) as f32);
            let first = at as usize;
            (first, (first + 1).min(small - 1), at - first as f32)
        };
        let columns: Vec<_> = (0..to.width).map(|column| place(column, width, to.width)).collect();
        let mut pixels = Vec::with_capacity(to.pixels());
        for row in 0..to.height {
            let (above, below, down) = place(row, height, to.height);
            let at = |row: usize, column: usize| f32::from(u8::from(self.inside[row * width + column]));
            pixels.extend(columns.iter().map(|&(left, right, across)| {
                let along = |row: usize| at(row, left) + (at(row, right) - at(row, left)) * across;
                value(along(above) + (along(below) - along(above)) * down >= 0.5)
            }));
        }
        pixels
    }

    /// Gaps up to twice `reach` wide closed.
    pub(super) fn closed(&self, reach: usize) -> Self {
        self.spread(reach, true).spread(reach, false)
    }

    /// Without what is narrower than twice `reach`.
    pub(super) fn opened(&self, reach: usize) -> Self {
        self.spread(reach, false).spread(reach, true)
    }

    /// Without its outermost `reach` pixels.
    pub(super) fn shrunk(&self, reach: usize) -> Self {
        self.spread(reach, false)
    }

    /// Pixels within `reach` of one that is `inside`, or not, become like it, in a square. Beyond the edge there is nothing.
    fn spread(&self, reach: usize, inside: bool) -> Self {
        let Area { width, height } = self.area;
        let mut rows = self.inside.clone();
        for row in 0..height {
            spread_line(&self.inside, &mut rows, (row * width..(row + 1) * width).step_by(1), reach, inside);
        }
        let mut both = rows.clone();
        for column in 0..width {
            spread_line(&rows, &mut both, (column..width * height).step_by(width), reach, inside);
        }
        Self { area: self.area, inside: both }
    }

    /// Without pieces that have fewer pixels than `least`, nor than a `part` of the largest.
    pub(super) fn large_pieces(&self, least: usize, part: f64) -> Self {
        let (pieces, sizes) = self.pieces(true);
        let largest = sizes.iter().copied().max().unwrap_or(0);
        let least = least.max((largest as f64 * part) as usize);
        let inside = pieces.iter().map(|piece| piece.is_some_and(|piece| sizes[piece] >= least));
        Self { area: self.area, inside: inside.collect() }
    }

    /// With holes filled that have at most `most` pixels.
    pub(super) fn filled(&self, most: usize) -> Self {
        let Area { width, height } = self.area;
        let (pieces, mut sizes) = self.pieces(false);
        // What reaches the edge is no hole.
        for (at, piece) in pieces.iter().enumerate() {
            let (x, y) = (at % width, at / width);
            let at_edge = x == 0 || y == 0 || x + 1 == width || y + 1 == height;
            if let (true, Some(piece)) = (at_edge, *piece) {
                sizes[piece] = usize::MAX;
            }
        }
        let inside = pieces.iter().map(|piece| piece.is_none_or(|piece| sizes[piece] <= most));
        Self { area: self.area, inside: inside.collect() }
    }

    /// The piece that each pixel belongs to, of those that are `inside` or not, and how large the pieces are. Pixels that
    /// touch at a side are of one piece.
    fn pieces(&self, inside: bool) -> (Vec<Option<usize>>, Vec<usize>) {
        let Area { width, height } = self.area;
        let mut pieces = vec![None; self.inside.len()];
        let mut sizes = Vec::new();
        let mut border = VecDeque::new();
        for start in 0..self.inside.len() {
            if self.inside[start] != inside || pieces[start].is_some() {
                continue;
            }
            let piece = sizes.len();
            sizes.push(0);
            pieces[start] = Some(piece);
            border.push_back(start);
            while let Some(at) = border.pop_front() {
                sizes[piece] += 1;
                let (x, y) = (at % width, at / width);
                let near = [
                    (x > 0).then(|| at - 1),
                    (x + 1 < width).then(|| at + 1),
                    (y > 0).then(|| at - width),
                    (y + 1 < height).then(|| at + width),
                ];
                for near in near.into_iter().flatten() {
                    if self.inside[near] == inside && pieces[near].is_none() {
                        pieces[near] = Some(piece);
                        border.push_back(near);
                    }
                }
            }
        }
        (pieces, sizes)
    }
}

/// Makes the pixels `line` of `to` what they are in `from`, but `inside` within `reach` of one that is.
fn spread_line(from: &[bool], to: &mut [bool], line: StepBy<Range<usize>>, reach: usize, inside: bool) {
    let mut until = 0;
    for (index, at) in line.clone().enumerate() {
        if from[at] == inside {
            until = index + reach + 1;
        }
        to[at] = if index < until { inside } else { !inside };
    }
    let mut until = 0;
    for (index, at) in line.rev().enumerate() {
        if from[at] == inside {
            until = index + reach + 1;
        }
        if index < until {
            to[at] = inside;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(rows: &[&str]) -> Shape {
        let inside = rows.iter().flat_map(|row| row.chars().map(|pixel| pixel == '#')).collect();
        Shape { area: Area { width: rows[0].len(), height: rows.len() }, inside }
    }

    #[test]
    fn gaps_close_and_spurs_go_and_the_rest_stays() {
        let gap = shape(&[".........", ".........", "..##.##..", "..##.##..", ".........", "........."]);
        let one = shape(&[".........", ".........", "..#####..", "..#####..", ".........", "........."]);
        assert_eq!(gap.closed(1), one);
        let spur = shape(&[".......", ".###...", ".######", ".###...", "......."]);
        assert_eq!(spur.opened(1), shape(&[".......", ".###...", ".###...", ".###...", "......."]));
    }

    #[test]
    fn holes_are_filled_up_to_their_size_and_bays_are_none() {
        let holes = shape(&["#########", "#.##..###", "####..###", "########.", "#########"]);
        assert_eq!(
            holes.filled(1),
            shape(&["#########", "####..###", "####..###", "########.", "#########"])
        );
        assert_eq!(
            holes.filled(4),
            shape(&["#########", "#########", "#########", "########.", "#########"])
        );
    }

    #[test]
    fn two_are_one_if_they_are_of_one_picture() {
        let (one, other) = (shape(&["#..", "..."]), shape(&["..#", "#.."]));
        assert_eq!(one.clone().with(&other), shape(&["#.#", "#.."]));
        assert_eq!(one.clone().with(&shape(&["###"])), one);
    }

    #[test]
    fn an_edge_keeps_its_place_in_a_large_picture() {
        let half = shape(&["..##", "..##"]);
        assert_eq!(half.enlarged(half.area)[..4], [0, 0, 255, 255]);
        let large = half.enlarged(Area { width: 11, height: 5 });
        for row in large.chunks_exact(11) {
            assert!(row.is_sorted());
            assert_eq!(row.iter().position(|value| *value == 255), Some(5));
        }
    }

    #[test]
    fn small_pieces_go() {
        let pieces = shape(&["##..#", "##...", "...##"]);
        assert_eq!(pieces.large_pieces(2, 0.0), shape(&["##...", "##...", "...##"]));
        assert_eq!(pieces.large_pieces(1, 0.9), shape(&["##...", "##...", "....."]));
    }
}
