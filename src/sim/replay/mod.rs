//! A camera that plays photographs: real pictures through the whole program, without hardware.
//!
//! Shot `s` shows photo number `(s / stride) % count`, counted from 0 in the order of names. So with one camera
//! and the default `stride` of 1 each shot has its own photo; with several cameras, a `stride` of their number
//! gives each point its own, and each camera plays its own folder.

mod found;
mod options;
mod photos;

use crate::camera_driver::host::{DeviceError, DriverArgs, parse_options};
use crate::sim::camera::{Faulty, Properties, Scene as _, Script, Synthetic};

pub use options::ReplayOptions;
pub use photos::Photos;

/// The device of `scanner-replay`.
pub type ReplayDevice = Faulty<Synthetic<Photos>>;

/// Builds the device from the driver's command line.
pub fn build(args: &DriverArgs) -> Result<ReplayDevice, DeviceError> {
    let options: ReplayOptions = parse_options(&args.options)?;
    options.check()?;
    let photos = Photos::open(&options)?;
    let properties = Properties {
        driver: concat!("scanner-replay ", env!("CARGO_PKG_VERSION")).into(),
        camera: args.camera.clone(),
        model: "photographs".into(),
        sensor: photos.file_size().unwrap_or(options.sensor),
        pixel_pitch_um: options.pixel_pitch.get() * 1000.0,
        frame_period: options.frame_period,
        synced: None,
        exposure: options.exposure,
        readout: options.readout,
        time_scale: options.time_scale,
        startup_frames: 0,
        live_beside_stills: true,
        protocol: options.protocol,
        longest_call: options.longest_call,
        timestamps: options.timestamps,
        trigger_log: options.trigger_log.clone(),
        files: options.deliver.clone(),
        mosaic: None,
        seen: None,
        noise: None,
    };
    let script = Script::new(options.script(&args.camera))?;
    let camera = Synthetic::new(properties, photos);
    Ok(Faulty::new(camera, script, options.time_scale, options.wedge_file))
}
