//! What a synthetic camera is.

use std::path::PathBuf;

use super::mosaic::Mosaic;
use super::settings::Settings;
use crate::camera_driver::protocol::{Hello, Timestamps};
use crate::model::{FileType, PixelFormat, Size};
use crate::units::Seconds;

/// The properties of a synthetic camera.
#[derive(Debug, Clone)]
pub struct Properties {
    /// Name and version of the driver.
    pub driver: String,
    /// The camera, as it was named on the command line.
    pub camera: String,
    /// Model of the sensor, as `hello` says it.
    pub model: String,
    /// Greatest size of stills.
    pub sensor: Size,
    /// Distance between pixels in micrometres.
    pub pixel_pitch_um: f64,
    /// Time between frames, if not configured.
    pub frame_period: Seconds,
    /// How long after each whole number of frame periods on `CLOCK_MONOTONIC` its frames begin, if it is synchronised with others.
    pub synced: Option<Seconds>,
    /// Exposure time for which pictures are made, and the first setting.
    pub exposure: Seconds,
    /// Time from the first to the last row's readout.
    pub readout: Seconds,
    /// How many times faster than real time everything is, > 0.
    pub time_scale: f64,
    /// Frames after a start that are dark and green.
    pub startup_frames: u64,
    /// Whether it can show low-resolution frames beside stills.
    pub live_beside_stills: bool,
    /// The version of the protocol that its driver says it speaks.
    pub protocol: u32,
    /// By what it knows when its stills were exposed; one that is triggered has no live frames.
    pub timestamps: Timestamps,
    /// Where it notes whether its scene held still at each release of the shutter, if it is triggered.
    pub trigger_log: Option<PathBuf>,
    /// The files that it makes of each still; none if it hands over pixels.
    pub files: Vec<FileType>,
    /// The filters of its sensor, and how its samples are packed; none if it delivers no raw images.
    pub mosaic: Option<Mosaic>,
    /// Where it leaves what its sensor saw of each still, before noise, as a pixmap (`SHOT.ppm`).
    pub seen: Option<PathBuf>,
    /// The longest call that it announces.
    pub longest_call: Seconds,
    /// Chooses the sensor's noise; none for pictures that are what they are, whatever is set.
    pub noise: Option<u64>,
}

impl Properties {
    /// What the daemon is told of it.
    pub(super) fn hello(&self) -> Hello {
        let mosaic = self.mosaic.filter(|_| self.files.is_empty());
        let bayer = mosaic.map(|mosaic| mosaic.bayer(self.sensor));
        Hello {
            protocol: self.protocol,
            driver: self.driver.clone(),
            camera: self.camera.clone(),
            model: self.model.clone(),
            sensor: self.sensor,
            pixel_pitch_um: self.pixel_pitch_um,
            formats: if self.files.is_empty() {
                vec![PixelFormat::Yuv420, PixelFormat::Nv12]
            } else {
                Vec::new()
            },
            files: self.files.clone(),
            modes: Vec::new(),
            controls: Settings::controls(self.noise.is_some()),
            devices: Vec::new(),
            live_beside_stills: self.live_beside_stills && self.timestamps == Timestamps::Sensor,
            timestamps: self.timestamps,
            reset: None,
            raw: bayer.is_some(),
            bayer,
            longest_call_ms: u64::try_from(self.longest_call.duration().as_millis()).unwrap_or(u64::MAX),
        }
    }
}
