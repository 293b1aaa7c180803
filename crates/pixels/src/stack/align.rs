//! How much larger one picture shows everything than another: a lens that is focused nearer breathes.

use super::pyramid::{Plane, down, down_bytes};
use crate::Area;
use crate::picture::Picture;

/// The search begins where pictures are at most so wide.
const COARSEST: usize = 160;
/// Steps at each size,
const STEPS: usize = 12;
/// which end where they change this little.
const SMALLEST_STEP: f64 = 1e-7;
/// No lens breathes by more than this part over its whole range.
const MOST: f64 = 0.15;

/// Compares pictures with one of their stack, by their luma in several sizes.
#[derive(Debug)]
pub struct Aligner {
    /// The finest first, at half width and height.
    sizes: Vec<Plane>,
}

impl Aligner {
    /// That compares with `picture`.
    pub fn new(picture: &Picture) -> Self {
        Self { sizes: sizes(picture) }
    }

    /// How many times as large `other`, of the same size, shows everything around the picture's middle; 1 if that is not to be
    /// seen.
    pub fn scale_of(&self, other: &Picture) -> f64 {
        let others = sizes(other);
        let mut scale = 1.0;
        for (own, other) in self.sizes.iter().zip(&others).rev() {
            for _ in 0..STEPS {
                let Some(off) = off(own, other, scale) else { break };
                scale /= 1.0 + off.clamp(-0.05, 0.05);
                if off.abs() < SMALLEST_STEP {
                    break;
                }
            }
        }
        if (scale - 1.0).abs() < MOST { scale } else { 1.0 }
    }
}

fn sizes(picture: &Picture) -> Vec<Plane> {
    let mut sizes = vec![down_bytes(&picture.y, picture.area)];
    while let Some(last) = sizes.last()
        && last.area.width > COARSEST
    {
        let next = down(last);
        sizes.push(next);
    }
    sizes
}

/// By what part `scale` is too large, by how `other` differs from `own` where that has edges.
fn off(own: &Plane, other: &Plane, scale: f64) -> Option<f64> {
    let Area { width, height } = own.area;
    let (middle_x, middle_y) = (width as f64 / 2.0 - 0.5, height as f64 / 2.0 - 0.5);
    let (mut product, mut square) = (0.0, 0.0);
    for row in 1..height.saturating_sub(1) {
        let down = row as f64 - middle_y;
        let from_y = middle_y + down * scale;
        if from_y < 0.0 || from_y >= height as f64 - 1.0 {
            continue;
        }
        let (upper, part_y) = (from_y as usize, from_y.fract() as f32);
        let [above, line, below] = [row - 1, row, row + 1].map(|row| &own.values[row * width..][..width]);
        let [upper, lower] = [upper, upper + 1].map(|row| &other.values[row * width..][..width]);
        let (mut row_product, mut row_square) = (0.0_f32, 0.0_f32);
        for column in 1..width - 1 {
            let across = column as f64 - middle_x;
            let from_x = middle_x + across * scale;
            if from_x < 0.0 || from_x >= width as f64 - 1.0 {
                continue;
            }
            let (left, part_x) = (from_x as usize, from_x.fract() as f32);
            let mix = |row: &[i16]| {
                let (a, b) = (f32::from(row[left]), f32::from(row[left + 1]));
                a + (b - a) * part_x
            };
            let (high, low) = (mix(upper), mix(lower));
            let seen = high + (low - high) * part_y;
            let slope_x = (f32::from(line[column + 1]) - f32::from(line[column - 1])) / 2.0;
            let slope_y = (f32::from(below[column]) - f32::from(above[column])) / 2.0;
            let slope = slope_x * across as f32 + slope_y * down as f32;
            row_product += slope * (seen - f32::from(line[column]));
            row_square += slope * slope;
        }
        product += f64::from(row_product);
        square += f64::from(row_square);
    }
    (square > 0.0).then(|| product / square)
}
