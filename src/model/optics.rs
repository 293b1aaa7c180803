//! The inner geometry of a camera, as far as it is known.

use serde::{Deserialize, Serialize};

use super::{Intrinsics, Module, Region, Size};
use crate::units::Millimetres;

/// What is known of a camera's images.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Optics {
    /// The whole geometry, size included.
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
    /// The part of the pixel array that an image shows; unknown where none.
    pub field_of_view: Option<Region>,
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
            Self::Intrinsics(known) => {
                let pitch = || Some(shown(sensor, size, crop)?.pitch(sensor));
                Self::Intrinsics(Intrinsics { pixel_pitch: known.pixel_pitch.or_else(pitch), ..known })
            }
            Self::Size(_) | Self::Unknown => {
                of_module(sensor, size, crop).map_or(Self::Size(size), Self::Intrinsics)
            }
        }
    }
}

/// Intrinsics of a camera module with a lens of its own, if that is known.
fn of_module(sensor: Sensor<'_>, size: Size, crop: Option<Region>) -> Option<Intrinsics> {
    let focal = Module::of(sensor.model)?.lens?.focal_length;
    let shown = shown(sensor, size, crop)?;
    let pixels = focal.get() * 1000.0 / sensor.pitch_um;
    Some(Intrinsics {
        width: size.width,
        height: size.height,
        fx: pixels * shown.across,
        fy: pixels * shown.down,
        // The optical axis meets the middle of the pixel array.
        cx: (f64::from(sensor.size.width) / 2.0 - shown.x) * shown.across,
        cy: (f64::from(sensor.size.height) / 2.0 - shown.y) * shown.down,
        pixel_pitch: Some(shown.pitch(sensor)),
        distortion: None,
    })
}

/// The part of a sensor that an image shows.
struct Shown {
    /// Its corner, in pixels of the sensor.
    x: f64,
    y: f64,
    /// Pixels of the image for one of the sensor.
    across: f64,
    down: f64,
}

impl Shown {
    fn pitch(&self, sensor: Sensor<'_>) -> Millimetres {
        Millimetres::new(sensor.pitch_um / 1000.0 / self.across)
    }
}

/// None where it is not known which part of the sensor an image of `size` shows, or where its pixels would not be
/// square: the camera has cut off more than is known, then.
fn shown(sensor: Sensor<'_>, size: Size, crop: Option<Region>) -> Option<Shown> {
    let field = sensor.field_of_view.or((size == sensor.size).then_some(Region::WHOLE))?;
    let crop = crop.unwrap_or(Region::WHOLE);
    let (array_width, array_height) = (f64::from(sensor.size.width), f64::from(sensor.size.height));
    let width = field.width * crop.width * array_width;
    let height = field.height * crop.height * array_height;
    if sensor.pitch_um <= 0.0 || width < 1.0 || height < 1.0 {
        return None;
    }
    let across = f64::from(size.width) / width;
    let down = f64::from(size.height) / height;
    ((across / down - 1.0).abs() <= SQUARE).then_some(Shown {
        x: (field.x + crop.x * field.width) * array_width,
        y: (field.y + crop.y * field.height) * array_height,
        across,
        down,
    })
}

/// How much the sides of a pixel may differ, relatively.
const SQUARE: f64 = 0.01;

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: Size = Size { width: 4608, height: 2592 };
    const MODULE_3: Sensor<'static> =
        Sensor { model: "imx708", size: SIZE, pitch_um: 1.4, field_of_view: Some(Region::WHOLE) };

    fn intrinsics(sensor: Sensor<'_>, size: Size, crop: Option<Region>) -> Intrinsics {
        Optics::Unknown.once_open(sensor, size, crop).intrinsics().unwrap()
    }

    #[test]
    fn a_camera_module_with_its_own_lens_is_known() {
        let full = intrinsics(MODULE_3, SIZE, None);
        assert!((full.fx - 4740.0 / 1.4).abs() < 1e-9 && (full.fx - full.fy).abs() < 1e-9);
        assert_eq!((full.cx, full.cy), (2304.0, 1296.0));
        assert_eq!(intrinsics(Sensor { field_of_view: None, ..MODULE_3 }, SIZE, None), full);
        let half = Size { width: 2304, height: 1296 };
        assert!((intrinsics(MODULE_3, half, None).fx - full.fx / 2.0).abs() < 1e-9);
        // The lower right quarter of it, as large as all of it was: twice the focal length, its middle at the corner.
        let quarter = Region { x: 0.5, y: 0.5, width: 0.5, height: 0.5 };
        let cropped = intrinsics(MODULE_3, SIZE, Some(quarter));
        assert!((cropped.fx - full.fx * 2.0).abs() < 1e-9);
        assert_eq!((cropped.cx, cropped.cy), (0.0, 0.0));
    }

    #[test]
    fn a_mode_that_shows_a_part_of_the_sensor_is_narrower() {
        // Camera Module 2 at 1920x1080: that many of 3280x2464 pixels, from the middle.
        let sensor = Size { width: 3280, height: 2464 };
        let part = |pixels: f64, all: f64| ((all - pixels) / 2.0 / all, pixels / all);
        let ((x, width), (y, height)) = (part(1920.0, 3280.0), part(1080.0, 2464.0));
        let field_of_view = Some(Region { x, y, width, height });
        let module_2 = Sensor { model: "imx219", size: sensor, pitch_um: 1.12, field_of_view };
        let narrow = intrinsics(module_2, Size { width: 1920, height: 1080 }, None);
        assert!((narrow.fx - 3040.0 / 1.12).abs() < 1e-6 && (narrow.cx - 960.0).abs() < 1e-6);
        let unknown = Sensor { field_of_view: None, ..module_2 };
        let size = Size { width: 1920, height: 1080 };
        assert_eq!(Optics::Unknown.once_open(unknown, size, None), Optics::Size(size));
        // Not the shape of what is shown: the camera has cut off more.
        let square = Size { width: 1080, height: 1080 };
        assert_eq!(Optics::Unknown.once_open(module_2, square, None), Optics::Size(square));
    }

    #[test]
    fn what_is_not_known_is_not_made_up_and_what_is_configured_stays() {
        let other = Sensor { model: "imx477", ..MODULE_3 };
        assert_eq!(Optics::Unknown.once_open(other, SIZE, None), Optics::Size(SIZE));
        let no_pitch = Sensor { pitch_um: 0.0, ..MODULE_3 };
        assert_eq!(Optics::Unknown.once_open(no_pitch, SIZE, None), Optics::Size(SIZE));
        let own = Intrinsics {
            width: 4608,
            height: 2592,
            fx: 1.0,
            fy: 1.0,
            cx: 0.0,
            cy: 0.0,
            pixel_pitch: None,
            distortion: None,
        };
        let own = Intrinsics { pixel_pitch: Some(Millimetres::new(0.0014)), ..own };
        assert_eq!(Optics::Intrinsics(own).once_open(MODULE_3, SIZE, None), Optics::Intrinsics(own));
    }

    #[test]
    fn plans_say_all_or_the_size_or_nothing() {
        let own = Intrinsics {
            width: 4608,
            height: 2592,
            fx: 1.0,
            fy: 1.0,
            cx: 0.0,
            cy: 0.0,
            pixel_pitch: None,
            distortion: None,
        };
        for optics in [Optics::Intrinsics(own), Optics::Size(SIZE), Optics::Unknown] {
            let json = serde_json::to_string(&optics).unwrap();
            assert_eq!(serde_json::from_str::<Optics>(&json).unwrap(), optics, "{json}");
        }
    }
}
