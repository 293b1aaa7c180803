//! Photographs of the simulated rig, for cameras that are simulated by others.

use scanner_pixels::picture::Response;

use super::SimOptions;
use super::scene::Table;
use crate::camera_driver::host::{DeviceError, Layout};
use crate::clock::now_ns;
use crate::model::{FileType, PixelFormat, Size};
use crate::sim::camera::{Focus, Framing, MadeFile, Scene as _, Timing, make_files};
use crate::units::Seconds;

/// A camera that takes one photograph at a time, when it is asked.
#[derive(Debug)]
pub struct Photographer {
    table: Table,
    /// With which the light is right.
    exposure: Seconds,
    readout: Seconds,
    response: Response,
    pixels: Vec<u8>,
}

impl Photographer {
    /// One that stands where `options` say, and looks at what they say.
    pub fn new(options: SimOptions) -> Self {
        let response = Response::noisy(options.seed);
        let (exposure, readout) = (options.exposure, options.readout);
        Self { table: Table::new(options), exposure, readout, response, pixels: Vec::new() }
    }

    /// The files of a photograph of this size that is exposed from now on. With the time and gain for which the light is right, if
    /// none are given.
    pub fn take(
        &mut self,
        size: Size,
        set: Option<(Seconds, f64)>,
        files: &[FileType],
        number: u64,
    ) -> Result<Vec<MadeFile>, DeviceError> {
        let (time, gain) = set.unwrap_or((self.exposure, 1.0));
        let shutter = Timing::new(time, time, self.readout, 1.0).shutter(now_ns(), 0);
        let framing = Framing { crop: None, focus: Focus::On(None) };
        let picture = self.table.picture(size, &framing, &shutter, None)?;
        self.response.expose(time.get() / self.exposure.get() * gain);
        self.response.begin(number);
        let layout = Layout::new(PixelFormat::Yuv420, size);
        layout.write(&picture, &self.response, &mut self.pixels);
        make_files(files, &layout, &self.pixels)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::FileKind;

    const SIZE: Size = Size { width: 192, height: 108 };

    #[test]
    fn a_photograph_is_a_jpeg_as_bright_as_it_was_exposed() {
        let mut camera = Photographer::new(SimOptions::default());
        let mut taken = |set, files: &[FileType]| camera.take(SIZE, set, files, 0).unwrap();
        let both = taken(None, &[FileType::Jpeg, FileType::Raw]);
        assert!(matches!(&both[..], [(FileKind::Jpeg, _), (FileKind::Raw { .. }, _)]));
        let mut brightness = |set| {
            let files = taken(set, &[FileType::Jpeg]);
            let image = turbojpeg::decompress(&files[0].1, turbojpeg::PixelFormat::GRAY).unwrap();
            assert_eq!((image.width, image.height), (192, 108));
            image.pixels.iter().map(|value| u64::from(*value)).sum::<u64>()
        };
        let usual = brightness(None);
        assert!(brightness(Some((Seconds::new(0.002), 1.0))) < usual / 2);
        assert_eq!(brightness(Some((Seconds::new(0.010), 1.0))), usual);
    }
}
