//! What a rig, a pose, a camera, a picture and its settings *are*.
//!
//! Plain types, which everything above may use: no clock, no file, no hardware.

mod axis;
mod bayer;
mod camera;
mod capabilities;
mod controls;
mod export_format;
mod file;
mod lighting;
mod merge_program;
mod module;
mod optics;
mod picture;
mod swing;
mod tremble;

pub use axis::{Axis, AxisConfig, Limits, Pose};
pub use bayer::{Bayer, BayerOrder, ColourMatrix, Packing};
pub use camera::{Distortion, Extrinsics, Intrinsics, Mount};
pub use capabilities::{Control, Domain, Refused, is_near, limits};
pub use controls::{ColourGains, Controls, Metering, NoiseReduction};
pub use export_format::ExportFormat;
pub use file::{FileKind, FileType, NoSuffix, Suffix, is_whole_jpeg};
pub use lighting::Lighting;
pub use merge_program::MergeProgram;
pub use module::{Lens, MAKE, Module};
pub use optics::{Optics, Sensor};
pub use picture::{Orientation, PixelFormat, Region, Size};
pub use swing::{Shaper, ShaperChoice, SimulatedAxis, Swing};
pub use tremble::Tremble;
