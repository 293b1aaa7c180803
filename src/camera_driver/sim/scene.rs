//! What a simulated camera sees at a moment.

use std::rc::Rc;

use super::SimOptions;
use crate::camera_driver::host::{DeviceError, DriverArgs, parse_options};
use crate::camera_driver::protocol::Size;
use crate::camera_driver::synthetic::{Faulty, Picture, Properties, Scene, Script, Shutter, Synthetic};

/// The device of `scanner-sim`.
pub type SimDevice = Faulty<Synthetic<Table>>;

/// Builds the device from the driver's command line.
pub fn build(args: &DriverArgs) -> Result<SimDevice, DeviceError> {
    let options: SimOptions = parse_options(&args.options)?;
    options.check()?;
    let properties = Properties {
        driver: concat!("scanner-sim ", env!("CARGO_PKG_VERSION")).into(),
        camera: args.camera.clone(),
        model: "simulated".into(),
        sensor: options.sensor,
        pixel_pitch_um: options.pixel_pitch.get() * 1000.0,
        frame_period: options.frame_period,
        exposure: options.exposure,
        readout: options.readout,
        time_scale: options.time_scale,
        startup_frames: options.startup_frames,
        noise: Some(options.seed),
    };
    let script = Script::new(options.script(&args.camera))?;
    let (time_scale, wedge_file) = (options.time_scale, options.wedge_file.clone());
    let camera = Synthetic::new(properties, Table { options });
    Ok(Faulty::new(camera, script, time_scale, wedge_file))
}

/// The turntable with the object on it.
#[derive(Debug)]
pub struct Table {
    options: SimOptions,
}

impl Scene for Table {
    fn picture(
        &mut self,
        size: Size,
        _shutter: &Shutter,
        _shot: Option<u32>,
    ) -> Result<Rc<Picture>, DeviceError> {
        tracing::trace!("{:?}", self.options.mount);
        Ok(Rc::new(Picture::plain(size, 128, 128, 128)))
    }
}
