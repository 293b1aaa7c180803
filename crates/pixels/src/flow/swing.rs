//! One signed number for each picture of something that swings.
//!
//! What swings moves a picture's blocks differently: on a turntable, what is near goes to one side and what is far to the
//! other. But they move together. So the displacement of each block is a number of the picture's times one of the block's,
//! a vector; those of the blocks are found from the pictures that are displaced (the first principal component, each
//! block weighted by what is known of it), and kept.

use super::{Field, Moved, Seen, Symmetric};

/// How often vectors and numbers are found from each other: the first component is found after a few.
const ROUNDS: usize = 12;
/// What a block's vector is held to nothing by, in pixels to the power of -2: an edge says nothing of the direction along it.
const PRIOR: f64 = 1.0;
/// The vectors are such that this share of the blocks, weighted by how well they are known, is displaced by less than the
/// picture's number.
const SHARE: f64 = 0.9;

/// How the blocks of a picture move together.
#[derive(Debug, Clone, PartialEq)]
pub struct Swing {
    /// By block, for a picture that is displaced by one pixel.
    ways: Vec<[f64; 2]>,
}

/// How far a picture has swung.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Along {
    /// So many pixels, to one side or the other, of the block that nine in ten are not displaced more than.
    pub pixels: f64,
    /// Its standard error, in pixels.
    pub error: f64,
}

impl Swing {
    /// From fields between one picture and each of several others. None if nothing moves that has texture, or fields
    /// are of different sizes.
    pub fn of(fields: &[Field]) -> Option<Self> {
        let blocks = fields.first()?.blocks.len();
        if fields.iter().any(|field| field.blocks.len() != blocks) {
            return None;
        }
        let size = |field: &&Field| {
            field.moved().map(|moved| moved.information.product(moved.way, moved.way)).sum::<f64>()
        };
        let most = fields.iter().max_by(|a, b| size(a).total_cmp(&size(b)))?;
        let mut swing = Self { ways: vec![[0.0; 2]; blocks] };
        for (way, block) in swing.ways.iter_mut().zip(&most.blocks) {
            if let Seen::Moved(moved) = block.seen {
                *way = moved.way;
            }
        }
        for _ in 0..ROUNDS {
            let along: Vec<f64> =
                fields.iter().map(|field| swing.along(field).map_or(0.0, |along| along.pixels)).collect();
            for (block, way) in swing.ways.iter_mut().enumerate() {
                let mut information = Symmetric { xx: PRIOR, xy: 0.0, yy: PRIOR };
                let mut sum = [0.0; 2];
                for (field, along) in fields.iter().zip(&along) {
                    let Some(moved) = moved(field, block) else { continue };
                    information = information.plus(moved.information.scaled(along * along));
                    let told = moved.information.times(moved.way);
                    sum = [sum[0] + along * told[0], sum[1] + along * told[1]];
                }
                *way = information.inverse()?.times(sum);
            }
            swing.scale(most)?;
        }
        Some(swing)
    }

    /// Makes the vectors such that the picture's number is in pixels of the block at [`SHARE`].
    fn scale(&mut self, known_by: &Field) -> Option<()> {
        let weigh = |(block, way): (usize, &[f64; 2])| {
            moved(known_by, block).map(|moved| (way[0].hypot(way[1]), moved.weight()))
        };
        let mut ways: Vec<(f64, f64)> = self.ways.iter().enumerate().filter_map(weigh).collect();
        ways.sort_by(|a, b| a.0.total_cmp(&b.0));
        let wanted = SHARE * ways.iter().map(|(_, weight)| weight).sum::<f64>();
        let mut sum = 0.0;
        let (unit, _) = ways.into_iter().find(|(_, weight)| {
            sum += weight;
            sum >= wanted
        })?;
        if unit < f64::EPSILON {
            return None;
        }
        for way in &mut self.ways {
            *way = way.map(|pixels| pixels / unit);
        }
        Some(())
    }

    /// How far a picture has swung, whose field is against the same picture, or one as displaced. None if nothing of it
    /// is known of blocks that move.
    pub fn along(&self, field: &Field) -> Option<Along> {
        if field.blocks.len() != self.ways.len() {
            return None;
        }
        let (mut told, mut information) = (0.0, 0.0);
        for (block, way) in self.ways.iter().enumerate() {
            let Some(moved) = moved(field, block) else { continue };
            told += moved.information.product(*way, moved.way);
            information += moved.information.product(*way, *way);
        }
        (information > 0.0).then(|| Along { pixels: told / information, error: information.sqrt().recip() })
    }
}

fn moved(field: &Field, block: usize) -> Option<&Moved> {
    match &field.blocks.get(block)?.seen {
        Seen::Moved(moved) => Some(moved),
        Seen::Flat | Seen::Lost => None,
    }
}
