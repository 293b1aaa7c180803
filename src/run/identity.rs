//! What a camera and an image are called in EXIF.

use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

use crate::camera_driver::protocol::Hello;
use crate::frame::exif::Camera;
use crate::model::{Intrinsics, MAKE, Module};

/// The camera that says `hello` of itself, on the machine of this name.
pub(super) fn camera(hello: &Hello, intrinsics: Option<Intrinsics>, machine: &str) -> Camera {
    let module = Module::of(&hello.model);
    let (make, model) = module.map_or(("scanner", hello.model.as_str()), |module| (MAKE, module.model));
    let focal_length = intrinsics.and_then(|known| Some(known.fx * known.pixel_pitch?.get()));
    // What was configured may be of another lens than the module's.
    let lens = module.and_then(|module| module.lens).filter(|lens| {
        focal_length.is_none_or(|length| (length / lens.focal_length.get() - 1.0).abs() < SAME_LENS)
    });
    // Of one that was put on, as of a simulated one, the focal length is all that is known.
    let by_length = || focal_length.map(|length| format!("{} mm lens", (length * 100.0).round() / 100.0));
    Camera {
        make: make.into(),
        model: model.into(),
        lens: lens.map(|lens| lens.name.to_owned()).or_else(by_length),
        f_number: lens.map(|lens| lens.f_number),
        serial: serial(machine, hello),
        intrinsics,
    }
}

/// How much a calibrated focal length may differ from the one that the maker says, relatively.
const SAME_LENS: f64 = 0.15;

/// Camera modules cannot be asked for a serial number: this is the place that one is connected to, on this machine. Hashed,
/// since a machine's id is not to be published.
fn serial(machine: &str, hello: &Hello) -> String {
    let program = hello.driver.split(' ').next().unwrap_or_default();
    format!("{:016x}", hash(&["scanner camera", machine, program, &hello.camera]) >> 64)
}

/// Different for every image, and the same whenever it is asked.
pub(super) fn image(serial: &str, taken_at: Timestamp, sensor_timestamp_ns: u64) -> u128 {
    hash(&["scanner image", serial, &taken_at.to_string(), &sensor_timestamp_ns.to_string()])
}

fn hash(parts: &[&str]) -> u128 {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    hash.finalize().iter().take(16).fold(0, |number, byte| number << 8 | u128::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::camera_driver::protocol::Timestamps;
    use crate::model::Size;
    use crate::units::Millimetres;

    fn hello(model: &str, camera: &str) -> Hello {
        Hello {
            protocol: 1,
            driver: "scanner-libcamera 0.1.0".into(),
            camera: camera.into(),
            model: model.into(),
            sensor: Size { width: 4608, height: 2592 },
            pixel_pitch_um: 1.4,
            formats: Vec::new(),
            modes: Vec::new(),
            controls: Vec::new(),
            devices: Vec::new(),
            live_beside_stills: true,
            raw: false,
            bayer: None,
            longest_call_ms: 0,
            files: Vec::new(),
            timestamps: Timestamps::Sensor,
            reset: None,
        }
    }

    #[test]
    fn every_camera_has_a_serial_number_of_its_own_that_stays() {
        let [left, right] = ["i2c@80000/imx708@1a", "i2c@88000/imx708@1a"].map(|id| hello("imx708", id));
        let updated = Hello { driver: "scanner-libcamera 0.2.0".into(), ..left.clone() };
        assert_eq!(serial("a machine", &left), serial("a machine", &updated));
        assert_ne!(serial("a machine", &left), serial("a machine", &right));
        assert_ne!(serial("a machine", &left), serial("another", &left));
        assert_eq!(serial("", &left).len(), 16);
    }

    #[test]
    fn the_lens_of_a_module_is_named_where_it_is_on_it() {
        let known = |fx| Intrinsics {
            width: 4608,
            height: 2592,
            fx,
            fy: fx,
            cx: 2304.0,
            cy: 1296.0,
            pixel_pitch: Some(Millimetres::new(0.0014)),
            distortion: None,
        };
        let own = 4.74 / 0.0014;
        let lens = |intrinsics| camera(&hello("imx708_noir", "0"), intrinsics, "").lens;
        assert_eq!(lens(None).as_deref(), Some("Raspberry Pi Camera Module 3"));
        assert_eq!(lens(Some(known(own * 1.04))).as_deref(), Some("Raspberry Pi Camera Module 3"));
        assert_eq!(lens(Some(known(own * 2.0))).as_deref(), Some("9.48 mm lens"));
        let other = camera(&hello("simulated", "0"), Some(known(own)), "");
        assert_eq!((other.make.as_str(), other.model.as_str()), ("scanner", "simulated"));
        assert_eq!((other.lens.as_deref(), other.f_number), (Some("4.74 mm lens"), None));
        let in_pixels = Intrinsics { pixel_pitch: None, ..known(own) };
        assert_eq!(camera(&hello("simulated", "0"), Some(in_pixels), "").lens, None);
    }
}
