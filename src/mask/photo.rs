//! Photographs from JPEGs, no larger than masks need them.

use scanner_pixels::Area;
use scanner_pixels::mask::{self, Photo};
use scanner_pixels::sight::Sight;
use turbojpeg::{Decompressor, Image, PixelFormat, ScalingFactor};

use crate::model::{Pose, Size};
use crate::plan::PlanCamera;

/// Longest side of what is worked on: an edge is found to a pixel of it, in a second or two on a Raspberry Pi.
const LONGEST_SIDE: usize = 1600;
/// What libjpeg-turbo can make of a JPEG while it decodes it, the largest first.
const SCALES: [(usize, usize); 8] = [(1, 1), (7, 8), (3, 4), (5, 8), (1, 2), (3, 8), (1, 4), (1, 8)];

/// The picture in `jpeg`, made smaller if it is large, and its true size.
pub(super) fn decode(jpeg: &[u8]) -> Result<(Photo, Size), turbojpeg::Error> {
    decode_small(jpeg, LONGEST_SIDE)
}

/// The picture in `jpeg`, made so small that its longest side has at most `longest` pixels, or an eighth of its own.
///
/// # Errors
/// It is no JPEG, or damaged.
pub fn picture(jpeg: &[u8], longest: usize) -> Result<Photo, turbojpeg::Error> {
    decode_small(jpeg, longest).map(|(photo, _)| photo)
}

fn decode_small(jpeg: &[u8], longest: usize) -> Result<(Photo, Size), turbojpeg::Error> {
    let mut decompressor = Decompressor::new()?;
    let header = decompressor.read_header(jpeg)?;
    let factors = SCALES.map(|(part, whole)| ScalingFactor::new(part, whole));
    let fits = |factor: &ScalingFactor| {
        let scaled = header.scaled(*factor);
        scaled.width.max(scaled.height) <= longest
    };
    let factor = factors.into_iter().find(fits).unwrap_or(ScalingFactor::ONE_EIGHTH);
    decompressor.set_scaling_factor(factor)?;
    let scaled = header.scaled(factor);
    let (width, height) = (scaled.width, scaled.height);
    let mut pixels = vec![[0; 3]; width * height];
    let image = Image {
        pixels: pixels.as_flattened_mut(),
        width,
        pitch: width * 3,
        height,
        format: PixelFormat::RGB,
    };
    decompressor.decompress(jpeg, image)?;
    Ok((Photo { width, pixels }, Size { width: header.width as u32, height: header.height as u32 }))
}

/// Of each pixel of `photo`, whether its line of sight meets the table, on which shadows fall, no farther from the axis than
/// the camera; of all, where nobody said where the camera is.
pub(super) fn table(camera: &PlanCamera, pose: &Pose, photo: &Photo) -> Vec<bool> {
    match sight(camera, pose) {
        Some(sight) => mask::on_table(&sight, photo.area()),
        None => vec![true; photo.pixels.len()],
    }
}

/// Of each pixel of a picture of this size, how far from the axis its line of sight meets the plane of the table, in
/// millimetres: 0 before the axis, infinite if never; none where nobody said where the camera is.
pub(super) fn to_table(camera: &PlanCamera, pose: &Pose, area: Area) -> Option<Vec<f32>> {
    Some(mask::away_on_table(&sight(camera, pose)?, area))
}

fn sight(camera: &PlanCamera, pose: &Pose) -> Option<Sight> {
    Some(camera.pose(pose)?.sight(&camera.intrinsics.intrinsics()?))
}
