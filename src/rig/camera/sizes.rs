//! Which sizes of images are asked of a camera. Pure.

use crate::camera_driver::protocol::Hello;
use crate::config::Live;
use crate::model::Size;

/// Width of low-resolution frames in pixels, unless configured.
const LIVE_WIDTH: u32 = 960;

/// The sizes of stills to be tried, the best first: the one that is `settled`, or else those of the sensor's modes.
pub(super) fn of_stills(settled: Option<Size>, hello: &Hello) -> Vec<Size> {
    if let Some(size) = settled {
        return vec![size];
    }
    let mut sizes: Vec<Size> = hello.modes.iter().map(|mode| mode.size).collect();
    if sizes.is_empty() {
        sizes.push(hello.sensor);
    }
    // Colour has half the pixels, where images are made of them here.
    let mask = if hello.files().is_empty() { !1 } else { !0 };
    let even = |size: Size| Size { width: size.width & mask, height: size.height & mask };
    let mut sizes: Vec<Size> =
        sizes.into_iter().map(even).filter(|size| size.width > 0 && size.height > 0).collect();
    sizes.dedup();
    sizes
}

/// The size of low-resolution frames beside stills of `size`; none without.
pub(super) fn of_live(wanted: Live, hello: &Hello, size: Size) -> Option<Size> {
    match wanted {
        Live::Off => None,
        Live::Size(size) => Some(size),
        Live::Auto => hello.live_beside_stills.then(|| {
            let width = LIVE_WIDTH.min(size.width);
            let height = u64::from(width) * u64::from(size.height) / u64::from(size.width.max(1));
            Size { width: width & !1, height: (height as u32).max(2) & !1 }
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::camera_driver::protocol::{Mode, Timestamps, VERSION};
    use crate::model::FileType;

    const fn size(width: u32, height: u32) -> Size {
        Size { width, height }
    }

    fn hello(modes: &[Size]) -> Hello {
        Hello {
            protocol: VERSION,
            driver: "test 1".into(),
            camera: "0".into(),
            model: "test".into(),
            sensor: size(4057, 3041),
            pixel_pitch_um: 1.0,
            formats: Vec::new(),
            modes: modes.iter().map(|size| Mode { size: *size, raw: None }).collect(),
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
    fn stills_are_as_settled_or_as_large_as_there_are() {
        let modes = [size(4057, 3041), size(4056, 3040), size(2028, 1520), size(1, 1)];
        assert_eq!(of_stills(Some(size(640, 480)), &hello(&modes)), [size(640, 480)]);
        assert_eq!(of_stills(None, &hello(&modes)), [size(4056, 3040), size(2028, 1520)]);
        assert_eq!(of_stills(None, &hello(&[])), [size(4056, 3040)]);
        let makes_files = Hello { files: vec![FileType::Jpeg], ..hello(&[]) };
        assert_eq!(of_stills(None, &makes_files), [size(4057, 3041)]);
    }

    #[test]
    fn live_frames_have_the_shape_of_the_stills() {
        let hello = hello(&[]);
        assert_eq!(of_live(Live::Auto, &hello, size(4056, 3040)), Some(size(960, 718)));
        assert_eq!(of_live(Live::Auto, &hello, size(64, 48)), Some(size(64, 48)));
        assert_eq!(of_live(Live::Off, &hello, size(64, 48)), None);
        let without = Hello { live_beside_stills: false, ..hello };
        assert_eq!(of_live(Live::Auto, &without, size(64, 48)), None);
        assert_eq!(of_live(Live::Size(size(320, 240)), &without, size(64, 48)), Some(size(320, 240)));
    }
}
