//! Objects whose inside is known, and cameras around them.
#![allow(dead_code, clippy::allow_attributes, reason = "not every test needs all of them")]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use scanner_hull::Outline;
use scanner_pixels::Area;
use scanner_pixels::object::{OWL, Viewpoint, silhouette};
use scanner_pixels::sight::{Sight, Vec3};

/// A camera at `distance` from (0, 0, `height`), at these angles in degrees, with a lens that sees `field` mm there.
pub(crate) fn sight(
    area: Area,
    heading: f64,
    elevation: f64,
    distance: f64,
    height: f64,
    field: f64,
) -> Sight {
    let ((sin, cos), (up, level)) = (heading.to_radians().sin_cos(), elevation.to_radians().sin_cos());
    let forward = [-cos * level, -sin * level, -up];
    let focal = area.width as f64 * distance / field;
    Sight {
        area,
        centre: [cos * level * distance, sin * level * distance, height + up * distance],
        rotation: [[-sin, cos, 0.0], [cos * up, sin * up, -level], forward],
        focal: [focal; 2],
        middle: [area.width as f64 / 2.0, area.height as f64 / 2.0],
    }
}

/// Cameras on rings at these elevations, `each` on a ring.
pub(crate) fn rings(area: Area, elevations: &[f64], each: u32) -> Vec<Sight> {
    let ring = |(number, elevation): (usize, &f64)| {
        let (shift, elevation) = (number as f64 * 0.37, *elevation);
        (0..each).map(move |n| {
            let heading = (f64::from(n) + shift) * 360.0 / f64::from(each);
            sight(area, heading, elevation, 300.0, 60.0, 240.0)
        })
    };
    elevations.iter().enumerate().flat_map(ring).collect()
}

/// What the camera truly sees of the owl.
pub(crate) fn owl(sight: &Sight) -> Vec<u8> {
    let heading = sight.centre[1].atan2(sight.centre[0]).to_degrees();
    let seen = silhouette(&Viewpoint { sight: *sight, heading, distance: 300.0 });
    seen.into_iter().map(|owl| if owl { 255 } else { 0 }).collect()
}

/// The outline of the owl that the camera sees.
pub(crate) fn owl_outline(sight: &Sight) -> Outline {
    Outline::of(sight.area, &owl(sight)).unwrap()
}

/// How far inside the owl `point` is, about, in millimetres; less than 0 outside.
pub(crate) fn inside_owl(point: Vec3) -> f64 {
    let part = |part: &scanner_pixels::object::Part| {
        let (roll, pitch) = (part.roll.to_radians().sin_cos(), part.pitch.to_radians().sin_cos());
        let axes = [
            [pitch.1, 0.0, -pitch.0],
            [roll.0 * pitch.0, roll.1, roll.0 * pitch.1],
            [roll.1 * pitch.0, -roll.0, roll.1 * pitch.1],
        ];
        let from: Vec3 = std::array::from_fn(|axis| point[axis] - part.centre[axis]);
        let along: Vec3 = std::array::from_fn(|axis| {
            (0..3).map(|n| axes[axis][n] * from[n]).sum::<f64>() / part.radii[axis]
        });
        let radius = along.iter().map(|x| x * x).sum::<f64>().sqrt();
        let slope: f64 = (0..3).map(|axis| (along[axis] / part.radii[axis]).powi(2)).sum::<f64>().sqrt()
            / radius.max(1e-9);
        // Along the steepest way, as if that stayed as steep.
        (1.0 - radius) / slope.max(1e-9)
    };
    OWL.iter().map(part).fold(f64::NEG_INFINITY, f64::max).min(point[2])
}
