//! Points and directions, and where a camera sees them.

use scanner_pixels::Area;
use scanner_pixels::sight::{Sight, Vec3};

pub(crate) fn dot(a: Vec3, b: Vec3) -> f64 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

pub(crate) fn minus(a: Vec3, b: Vec3) -> Vec3 {
    std::array::from_fn(|axis| a[axis] - b[axis])
}

/// `a` and `factor` times `b`.
pub(crate) fn plus(a: Vec3, b: Vec3, factor: f64) -> Vec3 {
    std::array::from_fn(|axis| a[axis] + b[axis] * factor)
}

pub(crate) fn cross(a: Vec3, b: Vec3) -> Vec3 {
    [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]]
}

pub(crate) fn length(a: Vec3) -> f64 {
    dot(a, a).sqrt()
}

pub(crate) fn double(a: [f32; 3]) -> Vec3 {
    a.map(f64::from)
}

/// `point` in the camera's frame: right, down, forward.
pub(crate) fn in_camera(sight: &Sight, point: Vec3) -> Vec3 {
    let from = minus(point, sight.centre);
    sight.rotation.map(|row| dot(row, from))
}

/// Where `point` of the camera's frame is in the picture, inside its edges or not; none if it is not in front of the camera.
pub(crate) fn in_picture(sight: &Sight, [x, y, depth]: Vec3) -> Option<[f64; 2]> {
    (depth > 1e-6)
        .then(|| [sight.focal[0] * x / depth + sight.middle[0], sight.focal[1] * y / depth + sight.middle[1]])
}

/// The same camera with a picture of another size.
pub(crate) fn resized(sight: &Sight, area: Area) -> Sight {
    let across = area.width as f64 / sight.area.width.max(1) as f64;
    let down = area.height as f64 / sight.area.height.max(1) as f64;
    Sight {
        area,
        focal: [sight.focal[0] * across, sight.focal[1] * down],
        middle: [sight.middle[0] * across, sight.middle[1] * down],
        ..*sight
    }
}
