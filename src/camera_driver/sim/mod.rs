//! A simulated camera: it renders an object from where the simulated axes truly stand.

mod options;
mod scene;

pub use options::SimOptions;
pub use scene::{SimDevice, build};
