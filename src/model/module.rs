//! Camera modules for the Raspberry Pi, and how other programs spell them.

use crate::units::Millimetres;

/// A sensor, and the lens that cannot be taken off it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Module {
    /// The sensor as libcamera names it, without `_noir`.
    pub sensor: &'static str,
    /// EXIF's `Model`, whose `Make` is [`MAKE`]. The first three are entries of `AliceVision`'s `cameraSensors.db`, which
    /// Meshroom reads; the others are spelled like them. COLMAP's database (`specs.cc`) has none of them.
    pub model: &'static str,
    /// The lens, where it is part of the module.
    pub lens: Option<Lens>,
}

/// A lens that is part of a module.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Lens {
    /// The module's name, which is all the name that the lens has.
    pub name: &'static str,
    /// Focal length, as its maker says.
    pub focal_length: Millimetres,
    /// Focal length over the diameter of its aperture.
    pub f_number: f64,
}

/// EXIF's `Make` of every [`Module`].
pub const MAKE: &str = "RaspberryPi";

const fn lens(name: &'static str, millimetres: f64, f_number: f64) -> Lens {
    Lens { name, focal_length: Millimetres::new(millimetres), f_number }
}

const fn module(sensor: &'static str, model: &'static str, lens: Option<Lens>) -> Module {
    Module { sensor, model, lens }
}

/// Focal lengths and apertures are those of the table of hardware specifications in Raspberry Pi's documentation of its
/// cameras. Other makers sell the last two with several lenses.
const MODULES: [Module; 8] = [
    module("imx219", "RP_imx219", Some(lens("Raspberry Pi Camera Module 2", 3.04, 2.0))),
    module("imx477", "RP_imx477", None),
    module("ov5647", "RP_OV5647", Some(lens("Raspberry Pi Camera Module 1", 3.60, 2.9))),
    module("imx296", "RP_imx296", None),
    module("imx708", "RP_imx708", Some(lens("Raspberry Pi Camera Module 3", 4.74, 1.8))),
    module("imx708_wide", "RP_imx708", Some(lens("Raspberry Pi Camera Module 3 Wide", 2.75, 2.2))),
    module("imx519", "RP_imx519", None),
    module("ov64a40", "RP_OV64A40", None),
];

impl Module {
    /// The module whose sensor libcamera names so.
    pub fn of(model: &str) -> Option<Self> {
        let sensor = model.strip_suffix("_noir").unwrap_or(model);
        MODULES.into_iter().find(|module| module.sensor == sensor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modules_are_found_by_what_libcamera_calls_them() {
        let of = |model| {
            Module::of(model).map(|module| (module.model, module.lens.map(|lens| lens.focal_length.get())))
        };
        assert_eq!(of("imx708"), Some(("RP_imx708", Some(4.74))));
        assert_eq!(of("imx708_wide"), Some(("RP_imx708", Some(2.75))));
        assert_eq!(of("imx708_wide_noir"), Some(("RP_imx708", Some(2.75))));
        assert_eq!(of("imx219_noir"), Some(("RP_imx219", Some(3.04))));
        assert_eq!(of("ov5647"), Some(("RP_OV5647", Some(3.6))));
        assert_eq!(of("imx477"), Some(("RP_imx477", None)));
        assert_eq!(of("simulated"), None);
        assert_eq!(of("imx7080"), None);
    }
}
