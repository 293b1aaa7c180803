//! Pictures as masks are made from them: brightness and colour apart, and made comparable.

use crate::Area;

/// Brightness and the blue and red difference of a pixel, as JPEG has them; no colour is 0.
pub(super) type Colour = [f32; 3];

/// A decoded photograph, small enough to be worked on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Photo {
    /// Pixels in a row.
    pub width: usize,
    /// Red, green and blue of each pixel, row by row.
    pub pixels: Vec<[u8; 3]>,
}

impl Photo {
    /// Its size.
    pub fn area(&self) -> Area {
        Area { width: self.width, height: self.pixels.len() / self.width.max(1) }
    }

    /// Each pixel, its channels `gains` times as bright.
    pub(super) fn colours(&self, gains: [f32; 3]) -> Vec<Colour> {
        let colour = |pixel: &[u8; 3]| {
            let [red, green, blue]: [f32; 3] =
                std::array::from_fn(|channel| f32::from(pixel[channel]) * gains[channel]);
            // BT.601, full range.
            let luma = 0.299 * red + 0.587 * green + 0.114 * blue;
            [luma, (blue - luma) / 1.772, (red - luma) / 1.402]
        };
        self.pixels.iter().map(colour).collect()
    }
}

/// Values from here on may be clipped, and those up to [`DARKEST`] drown in noise: they say nothing of the light.
const BRIGHTEST: u8 = 245;
const DARKEST: u8 = 24;
/// Logarithms of ratios are counted in so many steps to a doubling.
const STEPS: f32 = 40.0;
/// Doublings to either side that are looked at.
const DOUBLINGS: f32 = 2.0;

/// How many times as bright each channel of `shot` is as that of `reference`, where both show the same: what most pixels
/// agree on, since those of an object agree on nothing.
pub(super) fn gains(reference: &Photo, shot: &Photo) -> [f32; 3] {
    std::array::from_fn(|channel| {
        let mut counts = vec![0_u32; (2.0 * DOUBLINGS * STEPS) as usize + 1];
        let usable = |value: u8| (DARKEST..BRIGHTEST).contains(&value);
        let ratios = || {
            let pairs = reference.pixels.iter().zip(&shot.pixels);
            pairs
                .map(|(before, now)| (before[channel], now[channel]))
                .filter(|(a, b)| usable(*a) && usable(*b))
        };
        let step =
            |(before, now): (u8, u8)| ((f32::from(now) / f32::from(before)).log2() + DOUBLINGS) * STEPS + 0.5;
        for pair in ratios() {
            if let Some(count) = counts.get_mut(step(pair) as usize) {
                *count += 1;
            }
        }
        // Of three neighbours, since noise spreads over them.
        let sums: Vec<u32> = counts.windows(3).map(|near| near.iter().sum()).collect();
        let Some((most, _)) = sums.iter().enumerate().max_by_key(|(_, count)| **count) else { return 1.0 };
        let near = |pair: &(u8, u8)| (most..most + 3).contains(&(step(*pair) as usize));
        let (mut before, mut now) = (0_u64, 0_u64);
        for pair in ratios().filter(near) {
            before += u64::from(pair.0);
            now += u64::from(pair.1);
        }
        if before == 0 { 1.0 } else { now as f32 / before as f32 }
    })
}
