//! The hardware as a whole: cameras, axes, lights and panel, each behind a small trait or type that does not
//! know of scans, and the simulated ones.

pub mod axes;
pub mod camera;
pub mod gpio;
pub mod lights;
pub mod panel;
pub mod presses;

pub use axes::Axes;
