//! By how many pixels one small picture is displaced against another, block by block, to some hundredths of a pixel.
//!
//! Least squares over each block, with both gradients (Lucas and Kanade), begun in smaller pictures, so that up to some
//! eight pixels are found. Each block's brightness and contrast are free: light that flickers displaces nothing. Noise
//! is taken from what the fit leaves over, so that every displacement comes with its standard error.
//!
//! What is not seen: a displacement along an edge (such a block counts only across it), by whole periods of a pattern,
//! and in blocks that have no texture.

mod grain;
mod level;
mod most;
mod patch;
mod solve;
mod swing;
#[cfg(test)]
mod tests;

pub use most::Most;
pub use swing::{Along, Swing};

use grain::Grain;
use level::Level;

/// Blocks across a picture, about, and how many pixels they have to a side: a multiple of 8.
const ACROSS: usize = 12;
const LEAST_SIDE: usize = 24;
const MOST_SIDE: usize = 64;

/// Luma, prepared to be compared: smoothed a little, in full, half and quarter size.
#[derive(Debug, Clone, PartialEq)]
pub struct Luma {
    full: Level,
    half: Level,
    quarter: Level,
    grain: Grain,
}

impl Luma {
    /// Of the rows of a picture.
    pub fn of(rows: &[&[u8]]) -> Self {
        let full = Level::smoothed(rows);
        let half = full.halved();
        let quarter = half.halved();
        Self { full, half, quarter, grain: Grain::of(rows) }
    }

    /// Pixels in a row.
    pub fn width(&self) -> usize {
        self.full.area.width
    }
}

/// How the blocks of one picture are displaced against those of another.
#[derive(Debug, Clone, PartialEq)]
pub struct Field {
    /// Row by row; none between pictures of different sizes, or smaller than a block.
    pub blocks: Vec<Block>,
}

/// One block of the first picture.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Block {
    /// Its middle, from the picture's upper left corner.
    pub middle: [f64; 2],
    /// What became of it.
    pub seen: Seen,
}

/// What became of a block.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Seen {
    /// It is there, displaced by so much or by nothing.
    Moved(Moved),
    /// Nothing to be seen in it, for this noise.
    Flat,
    /// The other picture shows something else there.
    Lost,
}

/// A displacement, and how well it is known.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Moved {
    /// To the right and down, in pixels; of an edge, only across it.
    pub way: [f64; 2],
    /// Inverse of its covariance, in pixels to the power of -2; of rank one for an edge.
    information: Symmetric,
    errors: [f64; 2],
}

impl Moved {
    /// How far, in pixels.
    pub fn pixels(&self) -> f64 {
        self.way[0].hypot(self.way[1])
    }

    /// Standard errors in the direction that is known best and across that, in pixels; that along an edge is infinite.
    pub fn errors(&self) -> [f64; 2] {
        self.errors
    }

    /// One for a block that is known well, and less for others: no few of them are to outweigh all.
    fn weight(&self) -> f64 {
        1.0 / (1.0 + (self.errors[0] / solve::GOOD_ERROR).powi(2))
    }
}

/// How far most of a picture is displaced at most.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Farthest {
    /// So many pixels, less what noise alone makes of them.
    pub pixels: f64,
    /// Standard error of the block that it is taken from, in pixels.
    pub error: f64,
}

impl Field {
    /// The blocks whose displacement is known.
    pub fn moved(&self) -> impl Iterator<Item = &Moved> {
        self.blocks.iter().filter_map(|block| match &block.seen {
            Seen::Moved(moved) => Some(moved),
            Seen::Flat | Seen::Lost => None,
        })
    }

    /// The displacement that `share` of the blocks with texture, weighted by how well they are known, do not exceed.
    /// None if there is no texture.
    pub fn farthest(&self, share: f64) -> Option<Farthest> {
        let mut ways: Vec<(f64, f64, f64)> = self
            .moved()
            .map(|moved| {
                // Of noise alone, a displacement's square is its variance, in each direction that is known.
                let noise =
                    moved.errors.into_iter().filter(|error| error.is_finite()).map(|error| error * error);
                let pixels = (moved.pixels().powi(2) - noise.sum::<f64>()).max(0.0).sqrt();
                (pixels, moved.errors[0], moved.weight())
            })
            .collect();
        ways.sort_by(|a, b| a.0.total_cmp(&b.0));
        let wanted = share * ways.iter().map(|(.., weight)| weight).sum::<f64>();
        let mut sum = 0.0;
        ways.into_iter()
            .find(|(.., weight)| {
                sum += weight;
                sum >= wanted
            })
            .map(|(pixels, error, _)| Farthest { pixels, error })
    }
}

/// How `to` is displaced against `from`.
pub fn between(from: &Luma, to: &Luma) -> Field {
    let area = from.full.area;
    let side = (area.width / ACROSS / 8 * 8).clamp(LEAST_SIDE, MOST_SIDE);
    let (columns, rows) = (area.width / side, area.height / side);
    if area != to.full.area {
        return Field { blocks: Vec::new() };
    }
    let (left, top) = ((area.width - columns * side) / 2, (area.height - rows * side) / 2);
    let places = (0..rows).flat_map(|row| (0..columns).map(move |column| (column, row)));
    let block = |(column, row)| {
        let (x, y) = (left + column * side, top + row * side);
        let middle = [x, y].map(|start| start as f64 + side as f64 / 2.0);
        Block { middle, seen: solve::block(from, to, patch::Rect { x, y, width: side, height: side }) }
    };
    Field { blocks: places.map(block).collect() }
}

/// A symmetric matrix of two rows.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
struct Symmetric {
    xx: f64,
    xy: f64,
    yy: f64,
}

impl Symmetric {
    /// One that has `values` along `direction`, a unit vector, and across it.
    fn along(direction: [f64; 2], values: [f64; 2]) -> Self {
        let ([x, y], [along, across]) = (direction, values);
        Self {
            xx: along * x * x + across * y * y,
            xy: (along - across) * x * y,
            yy: along * y * y + across * x * x,
        }
    }

    /// None if it has none to speak of.
    fn inverse(self) -> Option<Self> {
        let determinant = self.xx * self.yy - self.xy * self.xy;
        let trace = self.xx + self.yy;
        (determinant > 1e-9 * trace * trace).then(|| Self {
            xx: self.yy / determinant,
            xy: -self.xy / determinant,
            yy: self.xx / determinant,
        })
    }

    fn times(self, [x, y]: [f64; 2]) -> [f64; 2] {
        [self.xx * x + self.xy * y, self.xy * x + self.yy * y]
    }

    fn plus(self, other: Self) -> Self {
        Self { xx: self.xx + other.xx, xy: self.xy + other.xy, yy: self.yy + other.yy }
    }

    fn scaled(self, by: f64) -> Self {
        Self { xx: self.xx * by, xy: self.xy * by, yy: self.yy * by }
    }

    /// `a` times this times `b`.
    fn product(self, a: [f64; 2], b: [f64; 2]) -> f64 {
        let [x, y] = self.times(b);
        a[0] * x + a[1] * y
    }

    /// The larger eigenvalue, the smaller one, and the direction of the larger one.
    fn eigen(self) -> ([f64; 2], [f64; 2]) {
        let (mean, half) = (f64::midpoint(self.xx, self.yy), (self.xx - self.yy) / 2.0);
        let apart = half.hypot(self.xy);
        let angle = self.xy.atan2(half) / 2.0;
        ([mean + apart, mean - apart], [angle.cos(), angle.sin()])
    }
}
