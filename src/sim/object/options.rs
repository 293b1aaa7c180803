//! What a simulated camera can be told (`[camera.options]`).

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::Built;
use crate::camera_driver::host::DeviceError;
use crate::camera_driver::protocol::{Timestamps, VERSION};
use crate::model::{BayerOrder, FileType, Intrinsics, Mount, Packing, Size};
use crate::sim::camera::{Fault, Mosaic, ScriptOptions, check_deliver, positive};
use crate::units::{Degrees, Millimetres, Seconds};

/// Options of `scanner-sim`. Each has a default.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SimOptions {
    /// The simulated rig's state; without, nothing ever moves and the light is full.
    pub world: Option<PathBuf>,
    /// How many times faster than real time the camera is, > 0.
    pub time_scale: f64,
    /// Chooses the sensor's noise and the random faults.
    pub seed: u64,
    /// Size of the sensor's pixel array: the greatest that can be configured.
    pub sensor: Size,
    /// Distance between the centres of pixels, at the sensor's full size.
    pub pixel_pitch: Millimetres,
    /// Time between frames, unless the configuration says a rate.
    pub frame_period: Seconds,
    /// How long after each whole number of frame periods on `CLOCK_MONOTONIC` its frames begin, as of cameras that are synchronised; else
    /// they begin when it is started.
    pub synced: Option<Seconds>,
    /// Exposure time for which the light is right, and the first setting.
    pub exposure: Seconds,
    /// Time from the first to the last row's readout.
    pub readout: Seconds,
    /// Frames after each start that are dark and green, and never answer a capture.
    pub startup_frames: u64,
    /// Whether it can show low-resolution frames beside stills.
    pub live_beside_stills: bool,
    /// Inner geometry, scaled to the size of each stream.
    pub intrinsics: Intrinsics,
    /// Width of its lens: 0 mm is sharp everywhere.
    pub aperture: Millimetres,
    /// Whether each part of the picture is blurred by how far away it is itself, rather than all of it by how far the object's middle is.
    pub defocus_by_depth: bool,
    /// By which part of its focal length everything gets larger for each dioptre that the lens is focused nearer than at what it
    /// looks at: the lens breathes.
    pub breathing: f64,
    /// Place on the rig.
    pub mount: Mount,
    /// How the rig was truly built, where that is not what is configured.
    pub built: Built,
    /// Whether the ring of coded marks is printed along the turntable's edge.
    pub marks: bool,
    /// So many samples across and down make a pixel of its pictures: more make them smoother, and slower.
    pub samples: u8,
    /// The version of the driver protocol that it says it speaks.
    pub protocol: u32,
    /// By what it knows when its stills were exposed: `sensor`, or `trigger` for a camera without timestamps.
    pub timestamps: Timestamps,
    /// Where a camera that is triggered notes, a line each, whether the rig stood still when it was, and while it exposed.
    pub trigger_log: Option<PathBuf>,
    /// The files that it makes of each still, `["jpeg"]` or `["jpeg", "raw"]`, as a camera with a card does; none if it hands over
    /// pixels.
    pub deliver: Vec<FileType>,
    /// The filters of its sensor's top left pixels, for raw images beside its stills:
    pub raw_order: BayerOrder,
    /// bits of a sample,
    pub raw_bits: u32,
    /// and how samples lie in memory.
    pub raw_packing: Packing,
    /// Folder in which it leaves what its sensor saw of each still, before noise and before it is processed, as `SHOT.ppm`,
    /// and by how many pixels the object was elsewhere than at rest, as `SHOT.displaced`.
    pub seen: Option<PathBuf>,
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

impl Default for SimOptions {
    fn default() -> Self {
        Self {
            world: None,
            time_scale: 1.0,
            seed: 0,
            sensor: Size { width: 4608, height: 3456 },
            pixel_pitch: Millimetres::new(0.0014),
            frame_period: Seconds::new(0.033),
            synced: None,
            exposure: Seconds::new(0.010),
            readout: Seconds::new(0.025),
            startup_frames: 2,
            live_beside_stills: true,
            intrinsics: Intrinsics {
                width: 1920,
                height: 1080,
                fx: 1900.0,
                fy: 1900.0,
                cx: 960.0,
                cy: 540.0,
                pixel_pitch: None,
                distortion: None,
            },
            // That of the Camera Module 3, of 4.74 mm at f/1.8
            // (<https://www.raspberrypi.com/documentation/accessories/camera.html>).
            aperture: Millimetres::new(4.74 / 1.8),
            defocus_by_depth: false,
            breathing: 0.0,
            mount: Mount {
                distance: Millimetres::new(400.0),
                height: Millimetres::new(160.0),
                azimuth: Degrees::ZERO,
                look_at_height: Millimetres::new(65.0),
            },
            built: Built::default(),
            marks: false,
            samples: 1,
            protocol: VERSION,
            timestamps: Timestamps::Sensor,
            trigger_log: None,
            deliver: Vec::new(),
            raw_order: BayerOrder::Rggb,
            raw_bits: 12,
            raw_packing: Packing::Csi2,
            seen: None,
            longest_call: Seconds::ZERO,
            faults: Vec::new(),
            random_faults: 0.0,
            fault_state: None,
            wedge_file: None,
        }
    }
}

impl SimOptions {
    /// Checks what types alone do not say.
    pub fn check(&self) -> Result<(), DeviceError> {
        check_deliver(&self.deliver)?;
        if let Some(objection) = self.mosaic().bayer(self.sensor).objection() {
            return Err(DeviceError::invalid(format!("options raw_bits and raw_packing: {objection}")));
        }
        positive("time_scale", self.time_scale)?;
        positive("frame_period", self.frame_period.get())?;
        positive("exposure", self.exposure.get())?;
        positive("samples", f64::from(self.samples))?;
        positive("built.focal_length", self.built.focal_length)?;
        positive("pixel_pitch", self.pixel_pitch.get())?;
        positive("sensor", f64::from(self.sensor.width.min(self.sensor.height)))?;
        let Intrinsics { width, height, fx, fy, cx: _, cy: _, pixel_pitch: _, distortion: _ } =
            self.intrinsics;
        positive("intrinsics", f64::from(width.min(height)).min(fx).min(fy))?;
        if self.aperture.get() < 0.0 || self.breathing.abs() > 0.05 {
            return Err(DeviceError::invalid(
                "options aperture and breathing: write 0 mm or more, and -0.05 to 0.05 for each dioptre",
            ));
        }
        positive("mount.distance", self.mount.distance.get())
    }

    /// The filters of its sensor, and how its samples are packed.
    pub fn mosaic(&self) -> Mosaic {
        Mosaic { order: self.raw_order, bits: self.raw_bits, packing: self.raw_packing }
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
