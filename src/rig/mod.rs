//! The hardware as a whole: axes, lights and cameras, and the simulated ones.

pub mod axes;
pub mod camera;
pub mod clock;
pub mod lights;
pub mod sim;
