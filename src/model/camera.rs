//! How a camera sees, and where it stands on the rig.

use serde::{Deserialize, Serialize};

use crate::units::{Degrees, Millimetres};

/// The inner geometry of a camera, in pixels of its still images (pinhole, no distortion).
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
