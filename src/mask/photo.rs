//! Photographs from JPEGs, no larger than masks need them.

use turbojpeg::{Decompressor, Image, PixelFormat, ScalingFactor};

use super::colours::{Area, Photo};
use crate::model::{Pose, Size};
use crate::plan::PlanCamera;
use crate::plan::geometry::CameraPose;

/// Longest side of what is worked on: an edge is found to a pixel of it, in a second or two on a Raspberry Pi.
const LONGEST_SIDE: usize = 1600;
/// What libjpeg-turbo can make of a JPEG while it decodes it, the largest first.
const SCALES: [(usize, usize); 8] = [(1, 1), (7, 8), (3, 4), (5, 8), (1, 2), (3, 8), (1, 4), (1, 8)];

/// The picture in `jpeg`, made smaller if it is large, and its true size.
pub(super) fn decode(jpeg: &[u8]) -> Result<(Photo, Size), turbojpeg::Error> {
    let mut decompressor = Decompressor::new()?;
    let header = decompressor.read_header(jpeg)?;
    let factors = SCALES.map(|(part, whole)| ScalingFactor::new(part, whole));
    let fits = |factor: &ScalingFactor| {
        let scaled = header.scaled(*factor);
        scaled.width.max(scaled.height) <= LONGEST_SIDE
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

/// Of each pixel of a picture of this size, whether its line of sight meets the table, on which shadows fall, no farther
/// from the axis than the camera; of all, where nobody said where the camera is.
pub(super) fn table(camera: &PlanCamera, pose: &Pose, photo: &Photo) -> Vec<bool> {
    let Some((camera, places)) = on_table(camera, pose, photo.area()) else {
        return vec![true; photo.pixels.len()];
    };
    let [east, north, height] = camera.centre();
    let away = east.hypot(north).hypot(height);
    places.map(|place| place.is_some_and(|[x, y]| x.hypot(y) < away)).collect()
}

/// Of each pixel of a picture of this size, how far from the axis its line of sight meets the plane of the table, in
/// millimetres: 0 before the axis, infinite if never; none where nobody said where the camera is.
pub(super) fn to_table(camera: &PlanCamera, pose: &Pose, area: Area) -> Option<Vec<f32>> {
    let (camera, places) = on_table(camera, pose, area)?;
    let [east, north, _] = camera.centre();
    let distance = |[x, y]: [f64; 2]| if x * east + y * north > 0.0 { 0.0 } else { x.hypot(y) as f32 };
    Some(places.map(|place| place.map_or(f32::INFINITY, distance)).collect())
}

/// Where the line of sight of each pixel meets the plane of the table, if it does.
fn on_table(
    camera: &PlanCamera,
    pose: &Pose,
    area: Area,
) -> Option<(CameraPose, impl Iterator<Item = Option<[f64; 2]>>)> {
    let (mount, lens) = (camera.mount?, camera.intrinsics.intrinsics()?);
    let (x, y) = (f64::from(lens.width) / area.width as f64, f64::from(lens.height) / area.height as f64);
    let camera = CameraPose::new(&mount, pose);
    let [east, north, height] = camera.centre();
    let meets = move |at: usize| {
        let (column, row) = ((at % area.width) as f64 + 0.5, (at / area.width) as f64 + 0.5);
        let direction = camera.ray(&lens, column * x, row * y).direction;
        let along = -height / direction[2];
        (along > 0.0).then(|| [east + along * direction[0], north + along * direction[1]])
    };
    Some((camera, (0..area.width * area.height).map(meets)))
}
