//! What a replaying camera can be told (`[camera.options]`).

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::camera_driver::host::DeviceError;
use crate::camera_driver::protocol::{Timestamps, VERSION};
use crate::model::{FileType, Size};
use crate::sim::camera::{Fault, ScriptOptions, check_deliver, positive};
use crate::units::{Millimetres, Seconds};

/// Options of `scanner-replay`. Each has a default but `directory` and `files`, one of which is needed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ReplayOptions {
    /// Folder whose JPEG files (`.jpg`, `.jpeg`) are played, in the order of their names.
    pub directory: Option<PathBuf>,
    /// The JPEG files to play, in this order.
    pub files: Vec<PathBuf>,
    /// How many shots in a row show the same photo, at least 1.
    pub stride: u32,
    /// How many times faster than real time the camera is, > 0.
    pub time_scale: f64,
    /// Chooses the random faults.
    pub seed: u64,
    /// The greatest size that can be configured; photos are scaled to what is.
    pub sensor: Size,
    /// Distance between the centres of pixels, at the sensor's full size.
    pub pixel_pitch: Millimetres,
    /// Time between frames, unless the configuration says a rate.
    pub frame_period: Seconds,
    /// Exposure time that frames report, until it is set.
    pub exposure: Seconds,
    /// Time from the first to the last row's readout.
    pub readout: Seconds,
    /// The version of the driver protocol that it says it speaks.
    pub protocol: u32,
    /// By what it knows when its stills were exposed: `sensor`, or `trigger` for a camera without timestamps.
    pub timestamps: Timestamps,
    /// Where a camera that is triggered notes, a line each, whether the rig stood still when it was, and while it exposed.
    pub trigger_log: Option<PathBuf>,
    /// Plays the photos as the files that they are, byte for byte: `["jpeg"]`, or `["jpeg", "raw"]` with the raw file of the same
    /// name beside each. None if they are played as pixels.
    pub deliver: Vec<FileType>,
    /// The longest call that it announces; the faults `long_call`, `busy_hang` and `busy_again` need one.
    pub longest_call: Seconds,
    /// Faults that are to happen, each at its shot.
    pub faults: Vec<Fault>,
    /// Probability, 0 to 1, that a capture fails at random.
    pub random_faults: f64,
    /// Folder in which faults that happened are remembered for the next process of this camera.
    pub fault_state: Option<PathBuf>,
    /// What the fault `wedge` reads.
    pub wedge_file: Option<PathBuf>,
}

impl Default for ReplayOptions {
    fn default() -> Self {
        Self {
            directory: None,
            files: Vec::new(),
            stride: 1,
            time_scale: 1.0,
            seed: 0,
            sensor: Size { width: 4608, height: 3456 },
            pixel_pitch: Millimetres::new(0.0014),
            frame_period: Seconds::new(0.033),
            exposure: Seconds::new(0.010),
            readout: Seconds::new(0.025),
            protocol: VERSION,
            timestamps: Timestamps::Sensor,
            trigger_log: None,
            deliver: Vec::new(),
            longest_call: Seconds::ZERO,
            faults: Vec::new(),
            random_faults: 0.0,
            fault_state: None,
            wedge_file: None,
        }
    }
}

impl ReplayOptions {
    /// Checks what types alone do not say.
    pub fn check(&self) -> Result<(), DeviceError> {
        if self.directory.is_some() != self.files.is_empty() {
            return Err(DeviceError::invalid("options directory and files: give one of them"));
        }
        check_deliver(&self.deliver)?;
        positive("stride", f64::from(self.stride))?;
        positive("time_scale", self.time_scale)?;
        positive("frame_period", self.frame_period.get())?;
        positive("exposure", self.exposure.get())?;
        positive("pixel_pitch", self.pixel_pitch.get())?;
        positive("sensor", f64::from(self.sensor.width.min(self.sensor.height)))
    }

    /// The faults of `camera`.
    pub fn script(&self, camera: &str) -> ScriptOptions {
        ScriptOptions {
            camera: camera.to_owned(),
            faults: self.faults.clone(),
            random: self.random_faults,
            seed: self.seed,
            state: self.fault_state.clone(),
        }
    }
}
