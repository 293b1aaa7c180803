//! A simulated camera: it renders an object from where the simulated axes truly stand.

mod blur;
mod noise;
mod object;
mod options;
mod plate;
mod render;
mod scene;
mod view;

pub use options::SimOptions;
pub use scene::{SimDevice, build};
