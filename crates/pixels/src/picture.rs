//! Pictures in memory, and what a sensor makes of them.

use crate::Area;
use crate::random::{Random, hash};

/// A full-range BT.601 picture: luma, and chroma at half width and height (rounded up), without padding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// Of the luma plane.
    pub area: Area,
    /// Luma, row by row.
    pub y: Vec<u8>,
    /// Blue difference, a byte for four pixels.
    pub u: Vec<u8>,
    /// Red difference, a byte for four pixels.
    pub v: Vec<u8>,
}

impl Picture {
    /// One colour all over.
    pub fn plain(area: Area, y: u8, u: u8, v: u8) -> Self {
        let chroma = area.chroma().pixels();
        Self { area, y: vec![y; area.pixels()], u: vec![u; chroma], v: vec![v; chroma] }
    }

    /// The same in another light, in which red and blue are so many times as bright; none for the same light.
    #[must_use]
    pub fn tinted(&self, red: f64, blue: f64) -> Option<Self> {
        let by = [red, blue].map(|gain| (gain - 1.0) as f32);
        if by.iter().all(|by| by.abs() < 1e-3) {
            return None;
        }
        let mut tinted = self.clone();
        let (width, chroma_width) = (self.area.width, self.area.chroma().width);
        let byte = |value: f32| value.round().clamp(0.0, 255.0) as u8;
        let change = |y: u8, u: u8, v: u8| {
            let [y, u, v] = [f32::from(y), f32::from(u) - 128.0, f32::from(v) - 128.0];
            // BT.601: red and blue of full range, and what they are of luma.
            let (red, blue) = ((y + 1.402 * v).max(0.0) * by[0], (y + 1.772 * u).max(0.0) * by[1]);
            (red, blue, 0.299 * red + 0.114 * blue)
        };
        for (row, lumas) in tinted.y.chunks_exact_mut(width).enumerate() {
            let start = row / 2 * chroma_width;
            for (column, luma) in lumas.iter_mut().enumerate() {
                let at = start + column / 2;
                let (.., brighter) = change(*luma, self.u[at], self.v[at]);
                *luma = byte(f32::from(*luma) + brighter);
            }
        }
        for (row, (us, vs)) in
            tinted.u.chunks_exact_mut(chroma_width).zip(tinted.v.chunks_exact_mut(chroma_width)).enumerate()
        {
            for (column, (u, v)) in us.iter_mut().zip(vs).enumerate() {
                let (red, blue, brighter) = change(self.y[2 * row * width + 2 * column], *u, *v);
                *u = byte(f32::from(*u) + (blue - brighter) / 1.772);
                *v = byte(f32::from(*v) + (red - brighter) / 1.402);
            }
        }
        Some(tinted)
    }

    /// As a portable pixmap (PPM), which many programs show.
    pub fn pixmap(&self) -> Vec<u8> {
        let (width, chroma_width) = (self.area.width, self.area.chroma().width);
        let mut file = format!("P6\n{width} {}\n255\n", self.area.height).into_bytes();
        for (row, lumas) in self.y.chunks_exact(width).enumerate() {
            let chroma = row / 2 * chroma_width;
            let pixels = lumas.iter().enumerate().map(|(column, luma)| (*luma, chroma + column / 2));
            file.extend(pixels.flat_map(|(luma, at)| rgb(luma, self.u[at], self.v[at])));
        }
        file
    }

    /// How much memory it takes.
    pub fn bytes(&self) -> usize {
        self.y.len() + self.u.len() + self.v.len()
    }
}

/// Red, green and blue of full-range BT.601, as near as bytes are.
pub(crate) fn rgb(y: u8, u: u8, v: u8) -> [u8; 3] {
    let [y, u, v] = [f32::from(y), f32::from(u) - 128.0, f32::from(v) - 128.0];
    [y + 1.402 * v, y - 0.344_136 * u - 0.714_136 * v, y + 1.772 * u]
        .map(|value| value.round().clamp(0.0, 255.0) as u8)
}

/// How a sensor turns light into numbers.
#[derive(Debug, Clone, Default)]
pub struct Response {
    /// New values of luma and chroma; none leaves them as they are.
    curves: Option<Box<([u8; 256], [u8; 256])>>,
    /// Values to be added to luma, a random stretch to each part of a row; empty adds nothing.
    noise: Vec<i8>,
    /// Number of the frame, which chooses the stretches.
    frame: u64,
}

/// Stretches of noise to draw from begin at any of so many values.
const STARTS: usize = 1 << 14;
/// Pixels of a row that get one stretch.
const STRETCH: usize = 1 << 13;
/// Standard deviation of the noise, of 255.
const NOISE_DEVIATION: f64 = 1.2;

impl Response {
    /// A sensor with noise, of `seed`.
    pub fn noisy(seed: u64) -> Self {
        let mut random = Random::new(seed);
        let noise = (0..STARTS + STRETCH)
            .map(|_| {
                // The sum of twelve is close to normal, with deviation 1.
                let normal = (0..12).map(|_| random.unit()).sum::<f64>() - 6.0;
                (normal * NOISE_DEVIATION).round() as i8
            })
            .collect();
        Self { curves: None, noise, frame: 0 }
    }

    /// Sees `factor` times the light that pictures are made for.
    pub fn expose(&mut self, factor: f64) {
        self.curves = ((factor - 1.0).abs() > 1e-3).then(|| {
            let curve = |zero: f64| {
                std::array::from_fn(|value| {
                    ((value as f64 - zero) * factor + zero).round().clamp(0.0, 255.0) as u8
                })
            };
            Box::new((curve(0.0), curve(128.0)))
        });
    }

    /// Draws the noise of frame number `frame`.
    pub fn begin(&mut self, frame: u64) {
        self.frame = frame;
    }

    /// Makes `target` of `source`, which is luma of row number `row`.
    pub fn luma(&self, source: &[u8], target: &mut [u8], row: usize) {
        self.curve(0, source, target);
        if self.noise.is_empty() {
            return;
        }
        for (part, values) in target.chunks_mut(STRETCH).enumerate() {
            let place = self.frame << 28 | (row as u64) << 8 | part as u64;
            let start = hash(place) as usize % STARTS;
            for (value, noise) in values.iter_mut().zip(&self.noise[start..]) {
                *value = value.saturating_add_signed(*noise);
            }
        }
    }

    /// Makes `target` of `source`, which is chroma of a row.
    pub fn chroma(&self, source: &[u8], target: &mut [u8]) {
        self.curve(1, source, target);
    }

    /// Makes `target` of `u` and `v`, the chroma of a row, pair by pair.
    pub fn chroma_pairs(&self, u: &[u8], v: &[u8], target: &mut [u8]) {
        for (pair, (&u, &v)) in target.chunks_exact_mut(2).zip(u.iter().zip(v)) {
            self.chroma(&[u, v], pair);
        }
    }

    fn curve(&self, which: usize, source: &[u8], target: &mut [u8]) {
        let Some(curves) = &self.curves else { return target.copy_from_slice(source) };
        let curve = if which == 0 { &curves.0 } else { &curves.1 };
        for (target, source) in target.iter_mut().zip(source) {
            *target = curve[usize::from(*source)];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_light_changes_colours_and_how_bright_they_are_and_white_light_nothing() {
        let grey = Picture::plain(Area { width: 3, height: 3 }, 100, 128, 128);
        assert_eq!(grey.tinted(1.0, 1.0), None);
        let warm = grey.tinted(1.5, 1.0).unwrap();
        // Red 150, green and blue 100.
        assert_eq!((warm.y[8], warm.u[3], warm.v[3]), (115, 120, 153));
        let cold = grey.tinted(1.0, 0.5).unwrap();
        assert_eq!((cold.y[0], cold.u[0], cold.v[0]), (94, 103, 132));
    }

    #[test]
    fn light_scales_luma_and_saturation_and_noise_differs_from_frame_to_frame() {
        let grey = vec![100; 40_000];
        let (mut row, mut other, mut pair) = (vec![0; 40_000], vec![0; 40_000], [0; 2]);
        let mut response = Response::default();
        response.expose(0.5);
        response.luma(&grey, &mut row, 0);
        response.chroma_pairs(&[138], &[128], &mut pair);
        assert_eq!((row[0], pair), (50, [133, 128]));
        let mut response = Response::noisy(1);
        response.begin(1);
        response.luma(&grey, &mut row, 0);
        response.begin(2);
        response.luma(&grey, &mut other, 0);
        let mean = row.iter().map(|&value| f64::from(value)).sum::<f64>() / 40_000.0;
        assert!((mean - 100.0).abs() < 0.2, "{mean}");
        assert_ne!(row, other);
    }
}
