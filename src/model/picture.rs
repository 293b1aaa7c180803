//! Pictures: their size, how their pixels lie in memory, parts of them.

use scanner_pixels::Area;
use serde::{Deserialize, Serialize};

/// Layout of pixels in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PixelFormat {
    /// Three planes: Y, U, V, the latter two at half width and height. Full-range BT.601 (as JPEG).
    Yuv420,
    /// Two planes: Y, and U and V interleaved at half width and height. Full-range BT.601 (as JPEG).
    Nv12,
}

impl PixelFormat {
    /// How many planes it has.
    pub const fn planes(self) -> usize {
        match self {
            Self::Yuv420 => 3,
            Self::Nv12 => 2,
        }
    }

    /// Bytes in a row (without padding) and rows of `plane` in an image of `size`.
    pub const fn plane_size(self, plane: usize, size: Size) -> (u32, u32) {
        let (half_width, half_height) = (size.width.div_ceil(2), size.height.div_ceil(2));
        match (self, plane) {
            (Self::Yuv420 | Self::Nv12, 0) => (size.width, size.height),
            (Self::Yuv420, _) => (half_width, half_height),
            (Self::Nv12, _) => (half_width * 2, half_height),
        }
    }
}

/// Width and height in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Size {
    /// Pixels in a row.
    pub width: u32,
    /// Rows of pixels, from top to bottom.
    pub height: u32,
}

impl From<Size> for Area {
    fn from(size: Size) -> Self {
        Self { width: size.width as usize, height: size.height as usize }
    }
}

/// How images are turned before they are handed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Orientation {
    /// As the sensor stands.
    #[default]
    Normal,
    /// Upside down: turned by half a turn.
    #[serde(rename = "rotate_180")]
    Rotate180,
    /// Left and right exchanged.
    Mirror,
    /// Top and bottom exchanged.
    Flip,
}

impl Orientation {
    /// Whether nothing is turned.
    pub fn is_normal(&self) -> bool {
        *self == Self::Normal
    }
}

/// A rectangle, in parts (0 to 1) of the width and height of what it is a part of.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Region {
    /// Left edge, from 0 (left) to 1.
    pub x: f64,
    /// Top edge, from 0 (top) to 1.
    pub y: f64,
    /// Width as a part of the image's, > 0.
    pub width: f64,
    /// Height as a part of the image's, > 0.
    pub height: f64,
}

impl Region {
    /// The whole image: nothing is left out.
    pub const WHOLE: Self = Self { x: 0.0, y: 0.0, width: 1.0, height: 1.0 };

    /// Whether it is a part of what it should be a part of, and has one itself.
    pub fn is_within(&self) -> bool {
        // A sum of what was rounded may be above 1 by as little.
        let within = |from: f64, length: f64| from >= 0.0 && length > 0.0 && from + length <= 1.0 + 1e-9;
        within(self.x, self.width) && within(self.y, self.height)
    }
}
