//! Pictures from the JPEGs that cameras make, no larger than it takes to measure them.

use scanner_pixels::Area;
use scanner_pixels::planes::nearest;
use turbojpeg::{Colorspace, DecompressHeader, Decompressor, ScalingFactor, YuvImage};

use crate::model::{PixelFormat, Size};

use super::{PixelView, Plane, ViewError};

/// The longer side of what is measured has so many pixels at least, if the JPEG has: from pixel to pixel, larger pictures show
/// mostly noise.
const LEAST_SIDE: usize = 1600;
/// What libjpeg-turbo can make of a JPEG while it decodes it, the smallest first.
const SCALES: [ScalingFactor; 3] =
    [ScalingFactor::ONE_EIGHTH, ScalingFactor::ONE_QUARTER, ScalingFactor::ONE_HALF];

/// A JPEG as a picture, made smaller if it is large.
#[derive(Debug)]
pub struct Decoded {
    /// Of the JPEG.
    full: Size,
    /// Of the picture.
    size: Size,
    y: Vec<u8>,
    stride: usize,
    u: Vec<u8>,
    v: Vec<u8>,
}

/// Why a JPEG is no picture.
#[derive(Debug, thiserror::Error)]
#[error("the camera's JPEG cannot be decoded: {reason}")]
pub struct DecodeError {
    /// What libjpeg-turbo says, or what is not known.
    reason: String,
}

impl From<turbojpeg::Error> for DecodeError {
    fn from(error: turbojpeg::Error) -> Self {
        Self { reason: error.to_string() }
    }
}

impl Decoded {
    /// Decodes `jpeg`, all of it: one that is torn is refused.
    pub fn of(jpeg: &[u8]) -> Result<Self, DecodeError> {
        let mut decompressor = Decompressor::new()?;
        let header = decompressor.read_header(jpeg)?;
        match header.colorspace {
            Colorspace::YCbCr | Colorspace::Gray => {}
            other @ (Colorspace::RGB | Colorspace::CMYK | Colorspace::YCCK) => {
                return Err(DecodeError { reason: format!("it is in {other:?}, and not in YCbCr") });
            }
        }
        let factor = smallest(&header);
        decompressor.set_scaling_factor(factor)?;
        let DecompressHeader { width, height, subsamp, .. } = header.scaled(factor);
        let mut image = YuvImage { pixels: Vec::new(), width, align: 1, height, subsamp };
        image.pixels.resize(turbojpeg::yuv_pixels_len(width, 1, height, subsamp)?, 0);
        decompressor.decompress_to_yuv(jpeg, image.as_deref_mut())?;

        // Chroma has half the sides, so these are even.
        let size = Size { width: width as u32 & !1, height: height as u32 & !1 };
        let (stride, luma) = (image.y_width(), image.y_width() * image.y_height());
        let (_, chroma) = image.pixels.split_at(luma);
        let (blue, red) = chroma.split_at(chroma.len() / 2);
        let [u, v] = [blue, red].map(|plane| halved(plane, image.uv_size(), size));
        let mut y = image.pixels;
        y.truncate(luma);
        let full = Size { width: header.width as u32, height: header.height as u32 };
        Ok(Self { full, size, y, stride, u, v })
    }

    /// The size of the JPEG.
    pub fn full_size(&self) -> Size {
        self.full
    }

    /// The picture.
    pub fn view(&self) -> Result<PixelView<'_>, ViewError> {
        let half = (self.size.width / 2) as usize;
        let planes = [
            Plane { data: &self.y, stride: self.stride },
            Plane { data: &self.u, stride: half },
            Plane { data: &self.v, stride: half },
        ];
        PixelView::new(PixelFormat::Yuv420, self.size, &planes)
    }
}

/// The smallest size at which it can still be measured.
fn smallest(header: &DecompressHeader) -> ScalingFactor {
    let is_enough = |factor: &ScalingFactor| {
        let scaled = header.scaled(*factor);
        scaled.width.max(scaled.height) >= LEAST_SIDE
    };
    SCALES.into_iter().find(|factor| !header.is_lossless && is_enough(factor)).unwrap_or(ScalingFactor::ONE)
}

/// A plane of chroma of `from`, with half the sides of a picture of `size`. Grey has none.
fn halved(plane: &[u8], from: (usize, usize), size: Size) -> Vec<u8> {
    let to = Area::from(size).chroma();
    if plane.is_empty() {
        return vec![128; to.pixels()];
    }
    nearest(plane, Area { width: from.0, height: from.1 }, to)
}

#[cfg(test)]
mod tests {
    use turbojpeg::{Image, PixelFormat as Channel, Subsamp};

    use super::*;

    /// Grey above, red below; half bright on the right.
    fn jpeg(width: usize, height: usize, subsamp: Subsamp) -> Vec<u8> {
        let pixels: Vec<u8> = (0..width * height)
            .flat_map(|at| {
                let bright = if at % width < width / 2 { 200 } else { 100 };
                if at / width < height / 2 { [bright; 3] } else { [bright, 0, 0] }
            })
            .collect();
        let image = Image { pixels: &pixels[..], width, pitch: width * 3, height, format: Channel::RGB };
        turbojpeg::compress(image, 95, subsamp).unwrap().to_vec()
    }

    #[test]
    fn every_subsampling_comes_to_the_same_picture() {
        for subsamp in [Subsamp::None, Subsamp::Sub2x1, Subsamp::Sub1x2, Subsamp::Sub2x2, Subsamp::Sub4x1] {
            let decoded = Decoded::of(&jpeg(256, 128, subsamp)).unwrap();
            let view = decoded.view().unwrap();
            assert_eq!(view.size(), Size { width: 256, height: 128 });
            let at = |plane: usize, x: usize, y: usize| view.rows(plane).nth(y).unwrap()[x];
            for (plane, x, y, wanted) in [
                (0, 20, 20, 200),
                (0, 220, 20, 100),
                (1, 20, 10, 128),
                (2, 20, 10, 128),
                (2, 20, 60, 228),
                (2, 110, 60, 178),
            ] {
                assert!(
                    at(plane, x, y).abs_diff(wanted) < 8,
                    "{subsamp:?} {plane} {x} {y}: {}",
                    at(plane, x, y)
                );
            }
        }
        let grey = Decoded::of(&jpeg(64, 48, Subsamp::Gray)).unwrap();
        assert!(grey.view().unwrap().rows(2).flatten().all(|value| *value == 128));
    }

    #[test]
    fn large_pictures_are_made_smaller_and_odd_sides_lose_a_pixel() {
        let large = Decoded::of(&jpeg(4000, 100, Subsamp::Sub2x1)).unwrap();
        assert_eq!(large.full_size(), Size { width: 4000, height: 100 });
        assert_eq!(large.view().unwrap().size(), Size { width: 2000, height: 50 });
        let odd = Decoded::of(&jpeg(101, 75, Subsamp::Sub2x1)).unwrap();
        assert_eq!(odd.view().unwrap().size(), Size { width: 100, height: 74 });
    }

    #[test]
    fn what_is_torn_or_none_is_refused() {
        let whole = jpeg(256, 128, Subsamp::Sub2x2);
        for torn in [&whole[..whole.len() / 2], &whole[..100], b"no JPEG", b""] {
            assert!(Decoded::of(torn).is_err(), "{} bytes", torn.len());
        }
    }
}
