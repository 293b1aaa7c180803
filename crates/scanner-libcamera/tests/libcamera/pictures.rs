//! What the virtual cameras see, and how like it an image is.

use std::fs;
use std::path::Path;

use turbojpeg::{Image, PixelFormat, Subsamp};

/// Size of the photographs, and of the images unless told otherwise.
pub const SIZE: (usize, usize) = (640, 480);

/// A picture that differs much from that of another camera.
pub fn photo(seed: usize) -> Vec<u8> {
    let (width, height) = SIZE;
    let pixel = |x: usize, y: usize| {
        let wave = |speed: usize| 127.0 + 120.0 * ((x * speed + y * (seed * 7 + 1)) as f64 / 97.0).sin();
        [wave(1 + seed * 3) as u8, wave(2 + seed) as u8, wave(3) as u8]
    };
    (0..height).flat_map(|y| (0..width).flat_map(move |x| pixel(x, y))).collect()
}

/// Pixels as a JPEG file.
pub fn jpeg(pixels: &[u8]) -> Vec<u8> {
    let (width, height) = SIZE;
    let image = Image { pixels, width, pitch: width * 3, height, format: PixelFormat::RGB };
    turbojpeg::compress(image, 95, Subsamp::None).unwrap().to_vec()
}

/// The picture in a file, at the size of the photographs: of a larger one every n-th pixel.
pub fn decoded(file: &Path) -> (Vec<u8>, (usize, usize)) {
    let picture = turbojpeg::decompress(&fs::read(file).unwrap(), PixelFormat::RGB).unwrap();
    let (width, height) = (picture.width, picture.height);
    let sample = |x: usize, y: usize| {
        let at = (y * height / SIZE.1 * width + x * width / SIZE.0) * 3;
        [picture.pixels[at], picture.pixels[at + 1], picture.pixels[at + 2]]
    };
    let pixels = (0..SIZE.1).flat_map(|y| (0..SIZE.0).map(move |x| (x, y)));
    (pixels.flat_map(|(x, y)| sample(x, y)).collect(), (width, height))
}

/// Peak signal-to-noise ratio in decibels.
pub fn psnr(a: &[u8], b: &[u8]) -> f64 {
    let error: f64 = a.iter().zip(b).map(|(a, b)| (f64::from(*a) - f64::from(*b)).powi(2)).sum();
    10.0 * (255.0 * 255.0 * a.len() as f64 / error).log10()
}
