//! How a camera sees, and where it stands on the rig.

use serde::{Deserialize, Serialize};

use crate::units::{Degrees, Millimetres};

/// The inner geometry of a camera, in pixels of its still images.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Intrinsics {
    /// Width of the image in pixels.
    pub width: u32,
    /// Height of the image in pixels.
    pub height: u32,
    /// Focal length over pixel pitch, horizontally, in pixels.
    pub fx: f64,
    /// Focal length over pixel pitch, vertically, in pixels.
    pub fy: f64,
    /// Principal point from the left edge, in pixels.
    pub cx: f64,
    /// Principal point from the top edge, in pixels.
    pub cy: f64,
    /// Distance between neighbouring pixels of the image, on the sensor, if known: `fx` times this is the focal
    /// length in millimetres.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pixel_pitch: Option<Millimetres>,
    /// How the lens bends lines; not at all if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub distortion: Option<Distortion>,
}

/// Distortion of a lens as `OpenCV` and COLMAP (`OPENCV`) define it: at (x, y) of the undistorted image, in focal lengths from
/// the principal point, with r² = x² + y², a point is seen at
///
/// - x (1 + k1 r² + k2 r⁴) + 2 p1 x y + p2 (r² + 2 x²),
/// - y (1 + k1 r² + k2 r⁴) + p1 (r² + 2 y²) + 2 p2 x y.
///
/// Source: <https://docs.opencv.org/4.x/d9/d0c/group__calib3d.html>
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Distortion {
    /// Radial, second order.
    pub k1: f64,
    /// Radial, fourth order.
    pub k2: f64,
    /// Tangential, down.
    pub p1: f64,
    /// Tangential, across.
    pub p2: f64,
}

impl Distortion {
    /// Where a point is seen that would be at `x`, `y` without it, both in focal lengths from the principal point.
    pub fn seen_at(&self, x: f64, y: f64) -> (f64, f64) {
        let Self { k1, k2, p1, p2 } = *self;
        let square = x * x + y * y;
        let radial = 1.0 + square * (k1 + square * k2);
        (
            x * radial + 2.0 * p1 * x * y + p2 * (square + 2.0 * x * x),
            y * radial + p1 * (square + 2.0 * y * y) + 2.0 * p2 * x * y,
        )
    }
}

/// Where a camera stands on the rig with every axis at zero, and how the axes carry it, as a calibration has measured it.
///
/// In the rig's frame (see [`Mount`]), whose z is the axis around which the turntable truly turns.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Extrinsics {
    /// Its centre in millimetres.
    pub centre: [f64; 3],
    /// Its right, down and forward, each of length 1.
    pub rotation: [[f64; 3]; 3],
    /// Millimetres along its optical axis to the point that it looks at, about which a tilt carries it.
    pub look_at_distance: f64,
    /// Where a millimetre of the lift carries it, in millimetres; (0, 0, 1) on a perfect rig.
    pub lift: [f64; 3],
    /// Degrees that the turntable truly turns for each that it is told to; 1 on a perfect rig.
    pub turntable: f64,
}

/// Where a camera stands on the rig with every axis at zero.
///
/// The rig's frame is right-handed: the turntable turns around z (up), its surface is z = 0, the camera arm
/// points along +x. The camera stands at (`distance`, 0, `height`) turned by `azimuth` around z, and looks at
/// (0, 0, `look_at_height`).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Mount {
    /// Horizontal distance from the turntable's axis.
    pub distance: Millimetres,
    /// Height over the turntable's surface.
    pub height: Millimetres,
    /// Angle around the turntable's axis.
    pub azimuth: Degrees,
    /// Height of the point that it looks at, over the turntable's surface.
    pub look_at_height: Millimetres,
}
