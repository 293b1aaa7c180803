//! The plate on the simulated turntable: stone, with marks.
//!
//! Dots in rings, as photogrammetry likes them, and a code along the rim that looks different from everywhere.

use super::noise::Noise;
use super::owl::{STONE, octaves};
use crate::random::hash;

/// Radius of the plate in mm.
pub(super) const RADIUS: f64 = 105.0;
/// How many marks the plate has.
pub const MARKS: u16 = 12;
/// They stand on this circle around its centre,
const MARK_CIRCLE: f32 = 82.0;
/// each a white dot of this radius
const DOT_RADIUS: f32 = 2.6;
/// in a black disc of this one.
const DISC_RADIUS: f32 = 6.0;
/// Sectors of the code along the plate's rim.
const CODE_SECTORS: f32 = 90.0;

/// Luma that is stored as 255.
const BRIGHTEST: f32 = 1.3;
/// Side of the finest texels in mm.
const FINEST: f64 = 0.2;

/// The plate's texture, drawn once.
#[derive(Debug)]
pub(super) struct Plate {
    texel: f64,
    side: usize,
    lumas: Vec<u8>,
}

impl Plate {
    /// With texels fit for pictures whose pixels cover `footprint` mm.
    pub(super) fn new(noise: &Noise, footprint: f64) -> Self {
        let texel = Self::texel(footprint);
        let side = (2.0 * RADIUS / texel).ceil() as usize + 2;
        let position = |index: usize| (index as f64 * texel - RADIUS) as f32;
        let octaves = octaves(texel);
        let lumas = (0..side * side).map(|index| {
            let (x, y) = (position(index % side), position(index / side));
            let (luma, _) = STONE.at(noise, [x, y, 0.0], octaves);
            (luma * ink(x, y) * (255.0 / BRIGHTEST)) as u8
        });
        Self { texel, side, lumas: lumas.collect() }
    }

    /// Whether it is also fit for pictures whose pixels cover `footprint` mm.
    pub(super) fn fits(&self, footprint: f64) -> bool {
        (Self::texel(footprint) - self.texel).abs() < FINEST / 2.0
    }

    /// Luma at (`x`, `y`), in light of 1.
    #[inline]
    pub(super) fn at(&self, x: f32, y: f32) -> f32 {
        let per_texel = self.texel.recip() as f32;
        let place = |coordinate: f32| {
            let texels = ((coordinate + RADIUS as f32) * per_texel).max(0.0);
            let whole = (texels as usize).min(self.side - 2);
            (whole, texels - whole as f32)
        };
        let ((column, right), (row, down)) = (place(x), place(y));
        let start = row * self.side + column;
        let pair = |start: usize| match self.lumas.get(start..start + 2) {
            Some(&[left_value, right_value]) => {
                let left_value = f32::from(left_value);
                left_value + (f32::from(right_value) - left_value) * right
            }
            Some(_) | None => 0.0,
        };
        let above = pair(start);
        (above + (pair(start + self.side) - above) * down) * (BRIGHTEST / 255.0)
    }

    /// The pixels' size, down to the next of a few.
    fn texel(footprint: f64) -> f64 {
        [0.4, 0.8, 1.6, 3.2].into_iter().rfind(|texel| *texel <= footprint).unwrap_or(FINEST)
    }
}

/// Luma of the plate's ink at (`x`, `y`): 1 where there is none.
fn ink(x: f32, y: f32) -> f32 {
    let radius = (x * x + y * y).sqrt();
    if radius < MARK_CIRCLE - DISC_RADIUS {
        return 1.0;
    }
    let turn = y.atan2(x) * (0.5 / std::f32::consts::PI) + 0.5;
    if radius > MARK_CIRCLE + DISC_RADIUS + 2.0 {
        let sector = (turn * CODE_SECTORS) as u64;
        let rings = ((radius - MARK_CIRCLE - DISC_RADIUS - 2.0) * 0.28) as u64;
        let black = rings < 3 && hash(sector << 8 | rings) & 1 == 1;
        return if black { 0.12 } else { 1.0 };
    }
    let [mark_x, mark_y] = mark((turn * f32::from(MARKS)) as u16);
    let distance = ((x - mark_x).powi(2) + (y - mark_y).powi(2)).sqrt();
    if distance < DOT_RADIUS {
        1.4
    } else if distance < DISC_RADIUS {
        0.12
    } else {
        1.0
    }
}

/// Where mark number `index` is on the plate: its white dot's centre.
pub fn mark(index: u16) -> [f32; 2] {
    let turn = (f32::from(index) + 0.5) / f32::from(MARKS) - 0.5;
    let (sin, cos) = (turn * std::f32::consts::TAU).sin_cos();
    [MARK_CIRCLE * cos, MARK_CIRCLE * sin]
}
