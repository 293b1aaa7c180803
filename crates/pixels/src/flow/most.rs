//! Whether any part of a picture is displaced.

use super::{Block, Field, Moved, Seen, Symmetric};

/// What is less than so many standard errors is noise: among some hundred parts, none exceeds it.
const NOISE: f64 = 4.5;
/// Neighbouring blocks, of which each part consists, are no more than so many sides apart, along either side.
const APART: f64 = 1.5;
/// If this share of what has texture is not found again, it has gone farther than is looked.
const LOST: f64 = 0.5;
/// As in a swing: an edge says nothing of the direction along it.
const PRIOR: f64 = 1e-3;

/// The largest displacement of any part of a picture.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Most {
    /// So many pixels; none if it may be noise, infinitely many if most of the picture is not found again.
    pub pixels: f64,
    /// From so many pixels on it would have been seen, in half of the picture's parts that have texture.
    pub seen_from: f64,
}

impl Field {
    /// The largest displacement of a block, or of one with its neighbours, which have less noise together. What is small in
    /// the picture counts as much as what is large; but a block that is displaced farther than any neighbour can be has slipped along
    /// an edge or before a background, and counts only as far as a neighbour may be displaced. None if nothing has texture.
    pub fn most(&self) -> Option<Most> {
        let lost = self.blocks.iter().filter(|block| block.seen == Seen::Lost).count();
        let textured = self.moved().count() + lost;
        if textured == 0 {
            return None;
        }
        if lost as f64 > LOST * textured as f64 {
            return Some(Most { pixels: f64::INFINITY, seen_from: 0.0 });
        }
        let side = self.blocks.get(1).map_or(0.0, |next| {
            let first = self.blocks[0].middle;
            (next.middle[0] - first[0]).max(next.middle[1] - first[1])
        });
        let (mut pixels, mut seen_from) = (0.0_f64, Vec::new());
        for block in &self.blocks {
            let Seen::Moved(moved) = block.seen else { continue };
            let others = self.blocks.iter().filter(|other| !std::ptr::eq(*other, block));
            let near: Vec<Moved> = others.filter_map(|other| near(block, other, APART * side)).collect();
            let part = near.iter().fold(Part::default().with(&moved), Part::with);
            let alone = Part::default().with(&moved).displaced();
            let follows = near.iter().map(|other| reach(other, moved.way)).reduce(f64::max);
            pixels = pixels.max(alone.min(follows.unwrap_or(alone))).max(part.displaced());
            seen_from.push(part.seen_from());
        }
        seen_from.sort_by(f64::total_cmp);
        Some(Most { pixels, seen_from: seen_from[seen_from.len() / 2] })
    }
}

fn near(block: &Block, other: &Block, apart: f64) -> Option<Moved> {
    let is_near = [0, 1].iter().all(|axis| (block.middle[*axis] - other.middle[*axis]).abs() <= apart);
    match other.seen {
        Seen::Moved(moved) if is_near => Some(moved),
        Seen::Moved(_) | Seen::Flat | Seen::Lost => None,
    }
}

/// How far a block may be displaced in the direction of `way`, by what is known of it.
fn reach(moved: &Moved, [x, y]: [f64; 2]) -> f64 {
    let length = x.hypot(y).max(f64::MIN_POSITIVE);
    let direction = [x / length, y / length];
    let along = moved.way[0] * direction[0] + moved.way[1] * direction[1];
    let prior = Symmetric { xx: PRIOR, xy: 0.0, yy: PRIOR };
    let covariance = moved.information.plus(prior).inverse();
    let error =
        covariance.map_or(f64::INFINITY, |covariance| covariance.product(direction, direction).sqrt());
    (along + NOISE * error).max(0.0)
}

/// Blocks that are taken to be displaced alike.
#[derive(Debug, Default, Clone, Copy)]
struct Part {
    information: Symmetric,
    told: [f64; 2],
}

impl Part {
    fn with(self, moved: &Moved) -> Self {
        let told = moved.information.times(moved.way);
        Self {
            information: self.information.plus(moved.information),
            told: [self.told[0] + told[0], self.told[1] + told[1]],
        }
    }

    /// How far, in pixels; 0 if that may be noise.
    fn displaced(self) -> f64 {
        let prior = Symmetric { xx: PRIOR, xy: 0.0, yy: PRIOR };
        let Some(covariance) = self.information.plus(prior).inverse() else { return 0.0 };
        let way = covariance.times(self.told);
        let errors = self.information.product(way, way).max(0.0).sqrt();
        if errors > NOISE { way[0].hypot(way[1]) } else { 0.0 }
    }

    fn seen_from(self) -> f64 {
        NOISE / self.information.eigen().0[0].sqrt()
    }
}
