//! Several pictures of one view made one: those of a focus stack, each sharp elsewhere, and those of an exposure bracket.
//!
//! What each picture counts for, pixel by pixel, says how it is blended with the others: in parts by their fineness, so that no
//! seam is seen (Burt and Adelson 1983). Exposures are fused by contrast, saturation and how well they are exposed (Mertens,
//! Kautz and Van Reeth 2007), which needs neither exposure times nor the sensor's response. Lens positions are merged by how
//! much fine detail there is around a pixel.
//!
//! Pictures are looked at one after the other, twice: first all are weighed, then all are blended. So there is never more than
//! one of them in memory, beside what has come of those before, however many there are. All sums are of whole numbers, or as
//! exact, so their order does not matter.

mod align;
mod measure;
mod pyramid;
mod resample;

use crate::Area;
use crate::picture::Picture;
use pyramid::{FINE, Pyramid, to_byte};

pub use align::Aligner;

/// What differs between the pictures of a stack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Where the lens is focused.
    Focus,
    /// How much light there is.
    Exposure,
}

/// A stack that is being merged: [`weigh`](Self::weigh) every picture, then [`blend`](Self::blend) every one, in any order.
///
/// A picture's `scale` is how many times as large it shows everything as the merged one, around its middle: a lens that is
/// focused nearer shows it a little larger, or smaller ([`Aligner`] finds out).
#[derive(Debug)]
pub struct Stack {
    area: Area,
    kind: Kind,
    /// What all pictures count for together, at half width and height.
    sums: Vec<f64>,
    luma: Pyramid,
    blue: Pyramid,
    red: Pyramid,
}

/// The whole of all weights.
const WHOLE: f64 = 32_768.0;

impl Stack {
    /// Nothing yet, of pictures of this size.
    pub fn new(area: Area, kind: Kind) -> Self {
        let chroma = area.chroma();
        let sums = vec![0.0; chroma.pixels()];
        Self { area, kind, sums, luma: Pyramid::default(), blue: Pyramid::default(), red: Pyramid::default() }
    }

    /// Notes what `picture` counts for. All are to be weighed before the first one is blended.
    pub fn weigh(&mut self, picture: &Picture, scale: f64) {
        let resampled = resample::scaled(picture, scale);
        let weights = self.weights(resampled.as_ref().unwrap_or(picture), scale);
        for (sum, weight) in self.sums.iter_mut().zip(weights) {
            *sum += f64::from(weight);
        }
    }

    /// Adds `picture`, which was weighed with this scale, to what is merged.
    pub fn blend(&mut self, picture: &Picture, scale: f64) {
        let resampled = resample::scaled(picture, scale);
        let picture = resampled.as_ref().unwrap_or(picture);
        let weights = self.weights(picture, scale);
        let share = |(weight, sum): (f32, &f64)| (f64::from(weight) / sum * WHOLE).round() as u16;
        let shares: Vec<u16> = weights.into_iter().zip(&self.sums).map(share).collect();
        let chroma = self.area.chroma();
        self.luma.add_fine(&picture.y, self.area, &shares);
        self.blue.add(&picture.u, chroma, &shares);
        self.red.add(&picture.v, chroma, &shares);
    }

    /// The merged picture; black, if nothing was blended.
    #[must_use]
    pub fn finish(self) -> Picture {
        let Self { area, sums, luma, blue, red, .. } = self;
        drop(sums);
        let [luma, blue, red] = [luma, blue, red].map(Pyramid::collapse);
        if luma.is_empty() {
            return Picture::plain(area, 0, 128, 128);
        }
        let chroma = area.chroma();
        let bytes = |values: &[i16]| values.iter().map(|value| to_byte(*value)).collect();
        let mut picture = Picture { area, y: bytes(&luma), u: bytes(&blue), v: bytes(&red) };
        // Where parts of several pictures give less than black or more than white, a colour that is left would be of nothing.
        for place in 0..chroma.pixels() {
            let (row, column) = (2 * (place / chroma.width), 2 * (place % chroma.width));
            let beside = |row: usize, column: usize| {
                i32::from(luma[row.min(area.height - 1) * area.width + column.min(area.width - 1)])
            };
            let sum = beside(row, column)
                + beside(row, column + 1)
                + beside(row + 1, column)
                + beside(row + 1, column + 1);
            let mean = sum as f32 / (4 * FINE) as f32;
            if !(-1.0..=256.0).contains(&mean) {
                let [u, v] = [blue[place], red[place]].map(|value| f32::from(value) / FINE as f32 - 128.0);
                [picture.u[place], picture.v[place]] = shown(mean, u, v);
            }
        }
        picture
    }

    fn weights(&self, picture: &Picture, scale: f64) -> Vec<f32> {
        let mut weights = match self.kind {
            Kind::Focus => measure::detail(picture),
            Kind::Exposure => measure::exposed(picture),
        };
        resample::fade_outside(&mut weights, self.area.chroma(), scale);
        weights
    }
}

/// What is left of the colour differences `u` and `v` at `luma`, once red, green and blue are between black and white.
fn shown(luma: f32, u: f32, v: f32) -> [u8; 2] {
    // BT.601.
    let colours = [luma + 1.402 * v, luma - 0.344_136 * u - 0.714_136 * v, luma + 1.772 * u];
    let [red, green, blue] = colours.map(|value| value.clamp(0.0, 255.0));
    let luma = 0.299 * red + 0.587 * green + 0.114 * blue;
    [(blue - luma) / 1.772, (red - luma) / 1.402].map(|value| (value + 128.0).round() as u8)
}

#[cfg(test)]
mod tests;
