//! The hardware as a whole: axes and lights, each behind a small trait, and the simulated ones.

pub mod axes;
pub mod clock;
pub mod lights;
pub mod sim;
