//! Pictures in memory, and how they come to lie in a frame.

use crate::camera_driver::host::Layout;
use crate::model::{ColourGains, PixelFormat, Size};

/// A full-range BT.601 picture: luma, and chroma at half width and height (rounded up), without padding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// Of the luma plane.
    pub size: Size,
    /// Luma, row by row.
    pub y: Vec<u8>,
    /// Blue difference, a byte for four pixels.
    pub u: Vec<u8>,
    /// Red difference, a byte for four pixels.
    pub v: Vec<u8>,
}

impl Picture {
    /// One colour all over.
    pub fn plain(size: Size, y: u8, u: u8, v: u8) -> Self {
        let chroma = chroma_size(size);
        let pixels = |size: Size| size.width as usize * size.height as usize;
        Self { size, y: vec![y; pixels(size)], u: vec![u; pixels(chroma)], v: vec![v; pixels(chroma)] }
    }

    /// The same in another light, in which red and blue are so many times as bright; none for the same light.
    #[must_use]
    pub fn tinted(&self, tint: ColourGains) -> Option<Self> {
        let by = [tint.red, tint.blue].map(|gain| (gain - 1.0) as f32);
        if by.iter().all(|by| by.abs() < 1e-3) {
            return None;
        }
        let mut tinted = self.clone();
        let (width, chroma_width) = (self.size.width as usize, chroma_size(self.size).width as usize);
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

    /// How much memory it takes.
    pub fn bytes(&self) -> usize {
        self.y.len() + self.u.len() + self.v.len()
    }
}

/// The size of the chroma planes of a picture of `size`.
pub fn chroma_size(size: Size) -> Size {
    Size { width: size.width.div_ceil(2), height: size.height.div_ceil(2) }
}

impl Layout {
    /// Writes `picture`, which has this layout's size, into `memory` as a sensor with `response` sees it.
    pub fn write(&self, picture: &Picture, response: &Response, memory: &mut Vec<u8>) {
        memory.resize(self.bytes as usize, 0);
        let chroma_width = chroma_size(self.size).width as usize;
        for (row, source) in picture.y.chunks_exact(self.size.width as usize).enumerate() {
            response.luma(source, self.row(memory, 0, row), row);
        }
        let chroma = picture.u.chunks_exact(chroma_width).zip(picture.v.chunks_exact(chroma_width));
        for (row, (u, v)) in chroma.enumerate() {
            match self.format {
                PixelFormat::Yuv420 => {
                    response.chroma(u, self.row(memory, 1, row));
                    response.chroma(v, self.row(memory, 2, row));
                }
                PixelFormat::Nv12 => {
                    for (pair, (&u, &v)) in self.row(memory, 1, row).chunks_exact_mut(2).zip(u.iter().zip(v))
                    {
                        response.chroma(&[u, v], pair);
                    }
                }
            }
        }
    }
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
        let mut random = super::random::Random::new(seed);
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

    fn luma(&self, source: &[u8], target: &mut [u8], row: usize) {
        self.curve(0, source, target);
        if self.noise.is_empty() {
            return;
        }
        for (part, values) in target.chunks_mut(STRETCH).enumerate() {
            let place = self.frame << 28 | (row as u64) << 8 | part as u64;
            let start = super::random::hash(place) as usize % STARTS;
            for (value, noise) in values.iter_mut().zip(&self.noise[start..]) {
                *value = value.saturating_add_signed(*noise);
            }
        }
    }

    fn chroma(&self, source: &[u8], target: &mut [u8]) {
        self.curve(1, source, target);
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

    fn picture() -> Picture {
        let size = Size { width: 5, height: 3 };
        Picture { size, y: (0..15).collect(), u: (100..106).collect(), v: (200..206).collect() }
    }

    #[test]
    fn rows_are_aligned_and_planes_follow_each_other() {
        let mut memory = Vec::new();
        let layout = Layout::new(PixelFormat::Yuv420, picture().size);
        assert_eq!(
            (layout.strides.as_slice(), layout.offsets.as_slice()),
            (&[64, 64, 64][..], &[0, 192, 320][..])
        );
        layout.write(&picture(), &Response::default(), &mut memory);
        assert_eq!(memory.len(), 448);
        assert_eq!(
            (&memory[64..69], &memory[192 + 64..][..3], &memory[320..323]),
            (&[5, 6, 7, 8, 9][..], &[103, 104, 105][..], &[200, 201, 202][..])
        );
    }

    #[test]
    fn nv12_interleaves_the_chroma() {
        let mut memory = Vec::new();
        let layout = Layout::new(PixelFormat::Nv12, picture().size);
        layout.write(&picture(), &Response::default(), &mut memory);
        assert_eq!(&memory[192..198], &[100, 200, 101, 201, 102, 202]);
    }

    #[test]
    fn another_light_changes_colours_and_how_bright_they_are_and_white_light_nothing() {
        let grey = Picture::plain(Size { width: 3, height: 3 }, 100, 128, 128);
        assert_eq!(grey.tinted(ColourGains { red: 1.0, blue: 1.0 }), None);
        let warm = grey.tinted(ColourGains { red: 1.5, blue: 1.0 }).unwrap();
        // Red 150, green and blue 100.
        assert_eq!((warm.y[8], warm.u[3], warm.v[3]), (115, 120, 153));
        let cold = grey.tinted(ColourGains { red: 1.0, blue: 0.5 }).unwrap();
        assert_eq!((cold.y[0], cold.u[0], cold.v[0]), (94, 103, 132));
    }

    #[test]
    fn light_scales_luma_and_saturation_and_noise_differs_from_frame_to_frame() {
        let size = Size { width: 40_000, height: 2 };
        let grey = Picture::plain(size, 100, 138, 128);
        let layout = Layout::new(PixelFormat::Yuv420, size);
        let (mut memory, mut other) = (Vec::new(), Vec::new());
        let mut response = Response::default();
        response.expose(0.5);
        layout.write(&grey, &response, &mut memory);
        assert_eq!((memory[0], memory[layout.offsets[1] as usize]), (50, 133));
        let mut response = Response::noisy(1);
        response.begin(1);
        layout.write(&grey, &response, &mut memory);
        response.begin(2);
        layout.write(&grey, &response, &mut other);
        let row = &memory[..40_000];
        let mean = row.iter().map(|&value| f64::from(value)).sum::<f64>() / 40_000.0;
        assert!((mean - 100.0).abs() < 0.2, "{mean}");
        assert_ne!(row, &other[..40_000]);
    }
}
