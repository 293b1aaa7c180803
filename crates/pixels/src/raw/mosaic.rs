//! What a sensor makes of a picture: one colour a pixel, linear in light, with its noise and black level.

use crate::picture::{Picture, rgb};
use crate::random::{Random, hash};

/// Stretches of noise to draw from begin at any of so many values.
const STARTS: usize = 1 << 14;
/// Pixels of a row that get one stretch.
const STRETCH: usize = 1 << 13;
/// Electrons that fill a pixel of 1.4 µm: so many make white at a gain of 1, and their number is random by its square root.
const FULL_WELL: f32 = 6000.0;
/// Electrons, as a standard deviation, that reading adds.
const READ_NOISE: f32 = 3.0;

/// A sensor with colour filters.
#[derive(Debug, Clone)]
pub struct Sensor {
    /// Which filters the pixels of a cell of two by two have, row by row: 0 is red, 1 green, 2 blue.
    filters: [usize; 4],
    /// How much of red, green and blue light each filter lets through, a row each.
    through: [[f32; 3]; 3],
    /// Samples of no light, and of the most.
    black: u16,
    white: u16,
    /// Light of each byte of sRGB, 0 to 1.
    linear: Box<[f32; 256]>,
    /// Normal random numbers.
    noise: Vec<f32>,
    /// How many times the light that pictures are made for is gathered, and how much what is gathered is amplified.
    gathered: f32,
    gain: f32,
}

impl Sensor {
    /// A sensor with these filters, whose samples go from `black` to `white`. `seed` chooses its noise.
    pub fn new(filters: [usize; 4], through: [[f64; 3]; 3], black: u16, white: u16, seed: u64) -> Self {
        let mut random = Random::new(seed);
        // The sum of twelve is close to normal, with deviation 1.
        let mut normal = || ((0..12).map(|_| random.unit()).sum::<f64>() - 6.0) as f32;
        Self {
            filters: filters.map(|filter| filter.min(2)),
            through: through.map(|row| row.map(|part| part as f32)),
            black,
            white: white.max(black),
            linear: Box::new(std::array::from_fn(|byte| linear(byte as f32 / 255.0))),
            noise: (0..STARTS + STRETCH).map(|_| normal()).collect(),
            gathered: 1.0,
            gain: 1.0,
        }
    }

    /// Gathers `gathered` times the light that pictures are made for, and amplifies it.
    pub fn expose(&mut self, gathered: f64, gain: f64) {
        (self.gathered, self.gain) = (gathered.max(0.0) as f32, gain.max(1e-3) as f32);
    }

    /// Makes `samples` of row number `row` of `picture`, which is sRGB, in frame number `frame`.
    pub fn row(&self, picture: &Picture, row: usize, frame: u64, samples: &mut [u16]) {
        let (width, chroma_width) = (picture.area.width, picture.area.chroma().width);
        let lumas = &picture.y[row * width..][..width];
        let (us, vs) = (&picture.u[row / 2 * chroma_width..], &picture.v[row / 2 * chroma_width..]);
        let range = f32::from(self.white - self.black);
        // In parts of white: that of a number of electrons, and that of reading.
        let (shot, read) = (self.gain / FULL_WELL, (self.gain * READ_NOISE / FULL_WELL).powi(2));
        let through = [0, 1].map(|column| self.through[self.filters[row % 2 * 2 + column]]);
        for (part, samples) in samples.chunks_mut(STRETCH).enumerate() {
            let start = hash(frame << 28 | (row as u64) << 8 | part as u64) as usize % STARTS;
            for ((at, sample), noise) in samples.iter_mut().enumerate().zip(&self.noise[start..]) {
                let column = part * STRETCH + at;
                let Some(luma) = lumas.get(column) else { return };
                let light =
                    rgb(*luma, us[column / 2], vs[column / 2]).map(|byte| self.linear[usize::from(byte)]);
                let [red, green, blue] = through[column % 2];
                let seen = (red * light[0] + green * light[1] + blue * light[2]).max(0.0);
                let amplified = seen * self.gathered * self.gain;
                let noisy = amplified + noise * (amplified * shot + read).sqrt();
                let value = f32::from(self.black) + noisy * range;
                *sample = value.round().clamp(0.0, f32::from(self.white)) as u16;
            }
        }
    }
}

/// Light of a value of sRGB (IEC 61966-2-1), both 0 to 1.
fn linear(value: f32) -> f32 {
    if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Area;

    const GREY_ONLY: [[f64; 3]; 3] = [[0.5, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 0.25]];

    fn means(sensor: &Sensor, picture: &Picture) -> ([f64; 4], f64) {
        let (mut sums, mut squares) = ([0.0; 4], 0.0);
        let mut samples = vec![0; picture.area.width];
        for row in 0..picture.area.height {
            sensor.row(picture, row, 3, &mut samples);
            for (column, sample) in samples.iter().enumerate() {
                sums[row % 2 * 2 + column % 2] += f64::from(*sample);
                squares += f64::from(*sample).powi(2);
            }
        }
        let pixels = picture.area.pixels() as f64;
        let mean = sums.iter().sum::<f64>() / pixels;
        (sums.map(|sum| sum * 4.0 / pixels), squares / pixels - mean * mean)
    }

    #[test]
    fn each_pixel_sees_what_its_filter_lets_through_above_black() {
        // sRGB 188 is half of the light.
        let grey = Picture::plain(Area { width: 200, height: 200 }, 188, 128, 128);
        let sensor = Sensor::new([0, 1, 1, 2], GREY_ONLY, 256, 4095, 1);
        let half = f64::from(linear(188.0 / 255.0)) * 3839.0;
        for (mean, part) in means(&sensor, &grey).0.into_iter().zip([0.5, 1.0, 1.0, 0.25]) {
            assert!((mean - 256.0 - half * part).abs() < 2.0, "{mean}");
        }
    }

    #[test]
    fn noise_grows_with_the_light_by_its_square_root_and_there_is_some_in_the_dark() {
        let same = [[0.0, 1.0, 0.0]; 3];
        let variance = |luma: u8, gathered: f64, gain: f64| {
            let mut sensor = Sensor::new([1; 4], same, 256, 4095, 1);
            sensor.expose(gathered, gain);
            let grey = Picture::plain(Area { width: 300, height: 300 }, luma, 128, 128);
            means(&sensor, &grey).1
        };
        let dark = variance(0, 1.0, 1.0);
        let expected = |electrons: f64, gain: f64| {
            let deviation = (electrons + f64::from(READ_NOISE).powi(2)).sqrt() * gain;
            (deviation / f64::from(FULL_WELL) * 3839.0).powi(2)
        };
        // Rounding adds a twelfth.
        assert!((dark / (expected(0.0, 1.0) + 1.0 / 12.0) - 1.0).abs() < 0.1, "{dark}");
        let half = f64::from(linear(188.0 / 255.0)) * f64::from(FULL_WELL);
        let lit = variance(188, 1.0, 1.0);
        assert!((lit / expected(half, 1.0) - 1.0).abs() < 0.1, "{lit}");
        // As bright with a quarter of the light, and noisier for that.
        let amplified = variance(188, 0.25, 4.0);
        assert!((amplified / expected(half / 4.0, 4.0) - 1.0).abs() < 0.1, "{amplified} {lit}");
    }

    #[test]
    fn too_much_light_is_white_and_frames_differ() {
        let white = Picture::plain(Area { width: 64, height: 2 }, 255, 128, 128);
        let mut sensor = Sensor::new([1; 4], [[0.0, 1.0, 0.0]; 3], 64, 1023, 1);
        sensor.expose(2.0, 1.0);
        let (mut samples, mut other) = (vec![0; 64], vec![0; 64]);
        sensor.row(&white, 0, 1, &mut samples);
        assert_eq!(samples, vec![1023; 64]);
        sensor.expose(0.2, 1.0);
        sensor.row(&white, 0, 1, &mut samples);
        sensor.row(&white, 0, 2, &mut other);
        assert_ne!(samples, other);
    }
}
