//! The inner geometry of a camera, as far as it is known.

use serde::{Deserialize, Serialize};

use crate::camera_driver::protocol::{Region, Size};
use crate::units::Millimetres;

use super::Intrinsics;

/// What is known of a camera's images.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Optics {
    /// All of it.
    Intrinsics(Intrinsics),
    /// Their size; nothing of the lens.
    Size(Size),
    /// Nothing before the camera is opened.
    #[default]
    Unknown,
}

/// What a camera says of its sensor.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sensor<'a> {
    /// Model of sensor and lens, in the words of libcamera.
    pub model: &'a str,
    /// Size of the pixel array.
    pub size: Size,
    /// Distance between pixels in micrometres; 0 if unknown.
    pub pitch_um: f64,
}

impl Optics {
    /// Size of the images.
    pub const fn size(&self) -> Option<Size> {
        match self {
            Self::Intrinsics(Intrinsics { width, height, .. }) => {
                Some(Size { width: *width, height: *height })
            }
            Self::Size(size) => Some(*size),
            Self::Unknown => None,
        }
    }

    /// All of it, if it is known.
    pub const fn intrinsics(&self) -> Option<Intrinsics> {
        match self {
            Self::Intrinsics(intrinsics) => Some(*intrinsics),
            Self::Size(_) | Self::Unknown => None,
        }
    }

    /// What is known once a camera makes images of `size` with the part `crop` of its field of view: what was
    /// configured, or what follows from the camera module where its lens cannot be exchanged.
    #[must_use]
    pub fn once_open(self, sensor: Sensor<'_>, size: Size, crop: Option<Region>) -> Self {
        match self {
            Self::Intrinsics(_) => self,
            Self::Size(_) | Self::Unknown => {
                of_module(sensor, size, crop).map_or(Self::Size(size), Self::Intrinsics)
            }
        }
    }
}

/// Intrinsics of a camera module with a lens of its own.
fn of_module(sensor: Sensor<'_>, size: Size, crop: Option<Region>) -> Option<Intrinsics> {
    let focal = focal_length(sensor.model)?;
    if sensor.pitch_um <= 0.0 || sensor.size.width == 0 {
        return None;
    }
    let part = crop.unwrap_or(Region { x: 0.0, y: 0.0, width: 1.0, height: 1.0 });
    // Modes of a sensor may crop, too: the pixels of the image are taken to be square and to cover its width.
    let scale = f64::from(size.width) / (f64::from(sensor.size.width) * part.width);
    let pixels = focal.get() * 1000.0 / sensor.pitch_um * scale;
    let centre = |start: f64, extent: f64, side: u32| (0.5 - start) / extent * f64::from(side);
    Some(Intrinsics {
        width: size.width,
        height: size.height,
        fx: pixels,
        fy: pixels,
        cx: centre(part.x, part.width, size.width),
        cy: centre(part.y, part.height, size.height),
    })
}

/// Focal lengths of camera modules whose lens cannot be exchanged, by their model in libcamera; from the table of
/// hardware specifications in Raspberry Pi's documentation of its cameras.
fn focal_length(model: &str) -> Option<Millimetres> {
    let mm = match model.strip_suffix("_noir").unwrap_or(model) {
        "ov5647" => 3.60,
        "imx219" => 3.04,
        "imx708" => 4.74,
        "imx708_wide" | "imx708_wide_noir" => 2.75,
        _ => return None,
    };
    Some(Millimetres::new(mm))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: Size = Size { width: 4608, height: 2592 };
    const MODULE_3: Sensor<'static> = Sensor { model: "imx708", size: SIZE, pitch_um: 1.4 };

    #[test]
    fn a_camera_module_with_its_own_lens_is_known() {
        let Optics::Intrinsics(full) = Optics::Unknown.once_open(MODULE_3, SIZE, None) else { panic!() };
        assert!((full.fx - 4740.0 / 1.4).abs() < 1e-9 && full.fx.to_bits() == full.fy.to_bits());
        assert_eq!((full.cx, full.cy), (2304.0, 1296.0));
        let half = Size { width: 2304, height: 1296 };
        let Optics::Intrinsics(binned) = Optics::Size(half).once_open(MODULE_3, half, None) else { panic!() };
        assert!((binned.fx - full.fx / 2.0).abs() < 1e-9);
        // The right half of it, as large as all of it was: twice the focal length, its middle at the left edge.
        let right = Region { x: 0.5, y: 0.25, width: 0.5, height: 0.5 };
        let Optics::Intrinsics(cropped) = Optics::Unknown.once_open(MODULE_3, SIZE, Some(right)) else {
            panic!()
        };
        assert!((cropped.fx - full.fx * 2.0).abs() < 1e-9);
        assert_eq!((cropped.cx, cropped.cy), (0.0, 1296.0));
    }

    #[test]
    fn what_is_not_known_is_not_made_up_and_what_is_configured_stays() {
        let other = Sensor { model: "imx477", ..MODULE_3 };
        assert_eq!(Optics::Unknown.once_open(other, SIZE, None), Optics::Size(SIZE));
        let no_pitch = Sensor { pitch_um: 0.0, ..MODULE_3 };
        assert_eq!(Optics::Unknown.once_open(no_pitch, SIZE, None), Optics::Size(SIZE));
        let own = Intrinsics { width: 4608, height: 2592, fx: 1.0, fy: 1.0, cx: 0.0, cy: 0.0 };
        assert_eq!(Optics::Intrinsics(own).once_open(MODULE_3, SIZE, None), Optics::Intrinsics(own));
    }

    #[test]
    fn plans_say_all_or_the_size_or_nothing() {
        let own = Intrinsics { width: 4608, height: 2592, fx: 1.0, fy: 1.0, cx: 0.0, cy: 0.0 };
        for optics in [Optics::Intrinsics(own), Optics::Size(SIZE), Optics::Unknown] {
            let json = serde_json::to_string(&optics).unwrap();
            assert_eq!(serde_json::from_str::<Optics>(&json).unwrap(), optics, "{json}");
        }
    }
}
