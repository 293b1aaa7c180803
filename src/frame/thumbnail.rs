//! A small picture for looking at, straight from a big one's planes.

use scanner_pixels::Area;
use scanner_pixels::shrink::{Channels, means};
use turbojpeg::{Decompressor, Image, PixelFormat as Channel, ScalingFactor};

use crate::model::{PixelFormat, Size};

use super::jpeg::{Encoder, JpegError};
use super::{PixelView, Plane};

/// Longest side in pixels.
pub const LONGEST_SIDE: u32 = 320;
/// JPEG quality of thumbnails, 1 to 100.
pub const QUALITY: u8 = 80;

/// Replaces the content of `jpeg` by the picture, each pixel the mean of those it stands for; a picture that is
/// small already keeps its size. `encoder` is one of [`QUALITY`].
pub fn encode(encoder: &mut Encoder, view: &PixelView<'_>, jpeg: &mut Vec<u8>) -> Result<(), JpegError> {
    let size = size(view.size());
    let width = size.width as usize;
    let half = Area { width: width / 2, height: size.height as usize / 2 };
    let luma = means(&view.luma(), Channels { count: 1, index: 0 }, size.into());
    let [u, v] = match view.format() {
        PixelFormat::Yuv420 => [(1, 1, 0), (2, 1, 0)],
        PixelFormat::Nv12 => [(1, 2, 0), (1, 2, 1)],
    }
    .map(|(plane, count, index)| {
        means(&view.rows(plane).collect::<Vec<_>>(), Channels { count, index }, half)
    });
    let planes = [
        Plane { data: &luma, stride: width },
        Plane { data: &u, stride: width / 2 },
        Plane { data: &v, stride: width / 2 },
    ];
    let small = PixelView::new(PixelFormat::Yuv420, size, &planes)
        .map_err(|error| JpegError { reason: error.to_string() })?;
    encoder.encode(&small, &[], jpeg)
}

/// Mean luma of a thumbnail, 0 to 255, told from its coarsest detail; none if it is no JPEG, or larger than a thumbnail is.
pub fn mean_luma(jpeg: &[u8]) -> Option<f64> {
    let mut decompressor = Decompressor::new().ok()?;
    let header = decompressor.read_header(jpeg).ok()?;
    if header.width.max(header.height) > LONGEST_SIDE as usize {
        return None;
    }
    decompressor.set_scaling_factor(ScalingFactor::ONE_EIGHTH).ok()?;
    let small = header.scaled(ScalingFactor::ONE_EIGHTH);
    let (width, height) = (small.width, small.height);
    let mut pixels = vec![0; width * height];
    let image = Image { pixels: &mut pixels[..], width, pitch: width, height, format: Channel::GRAY };
    decompressor.decompress(jpeg, image).ok()?;
    let sum: u64 = pixels.iter().map(|&luma| u64::from(luma)).sum();
    Some(sum as f64 / pixels.len().max(1) as f64)
}

/// The size of the thumbnail of a picture of `size`: even sides, the longer at most [`LONGEST_SIDE`].
pub fn size(size: Size) -> Size {
    let longest = size.width.max(size.height).max(LONGEST_SIDE);
    let scale = |side: u32| {
        let side = u64::from(side) * u64::from(LONGEST_SIDE) / u64::from(longest);
        (side as u32 & !1).max(2)
    };
    if longest == LONGEST_SIDE { size } else { Size { width: scale(size.width), height: scale(size.height) } }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sides_are_even_and_fit() {
        let of = |width, height| {
            let Size { width, height } = size(Size { width, height });
            (width, height)
        };
        assert_eq!(of(4056, 3040), (320, 238));
        assert_eq!(of(3040, 4056), (238, 320));
        assert_eq!(of(320, 240), (320, 240));
        assert_eq!(of(64, 48), (64, 48));
        assert_eq!(of(65_500, 2), (320, 2));
    }

    #[test]
    fn means_do_not_mix_channels_or_padding() {
        let luma: Vec<u8> = (0..6400 * 4).map(|i| if i % 6400 < 320 { 100 } else { 255 }).collect();
        let chroma: Vec<u8> = (0..640 * 2).map(|i| [30, 200][i % 2]).collect();
        let planes = [Plane { data: &luma, stride: 6400 }, Plane { data: &chroma, stride: 640 }];
        let view = PixelView::new(PixelFormat::Nv12, Size { width: 320, height: 4 }, &planes).unwrap();
        let small = |plane, count, index, width, height| {
            let rows: Vec<&[u8]> = view.rows(plane).collect();
            means(&rows, Channels { count, index }, Area { width, height })
        };
        assert_eq!(small(0, 1, 0, 16, 2), [100; 32]);
        assert_eq!(small(1, 2, 0, 8, 1), [30; 8]);
        assert_eq!(small(1, 2, 1, 8, 1), [200; 8]);
    }

    #[test]
    fn a_thumbnail_is_a_jpeg_of_the_right_size() {
        let memory = vec![128; 800 * 600];
        let planes = [800, 400, 400].map(|stride| Plane { data: &memory, stride });
        let view = PixelView::new(PixelFormat::Yuv420, Size { width: 800, height: 600 }, &planes).unwrap();
        let mut jpeg = Vec::new();
        encode(&mut Encoder::new(QUALITY).unwrap(), &view, &mut jpeg).unwrap();
        let header = turbojpeg::read_header(&jpeg).unwrap();
        assert_eq!((header.width, header.height), (320, 240));
    }

    #[test]
    fn the_mean_luma_of_a_thumbnail_is_that_of_its_picture() {
        let luma: Vec<u8> = (0..320 * 240).map(|i| if i % 320 < 160 { 40 } else { 120 }).collect();
        let chroma = vec![128; 160 * 120];
        let planes = [
            Plane { data: &luma, stride: 320 },
            Plane { data: &chroma, stride: 160 },
            Plane { data: &chroma, stride: 160 },
        ];
        let view = PixelView::new(PixelFormat::Yuv420, Size { width: 320, height: 240 }, &planes).unwrap();
        let mut jpeg = Vec::new();
        encode(&mut Encoder::new(QUALITY).unwrap(), &view, &mut jpeg).unwrap();
        assert!((mean_luma(&jpeg).unwrap() - 80.0).abs() < 1.0);
        assert_eq!(mean_luma(&jpeg[..20]), None);
        assert_eq!(mean_luma(b"no JPEG"), None);
        let large = Image::mandelbrot(640, 480, Channel::RGB);
        let large = turbojpeg::compress(large.as_deref(), 90, turbojpeg::Subsamp::Sub2x2).unwrap();
        assert_eq!(mean_luma(&large), None);
    }
}
