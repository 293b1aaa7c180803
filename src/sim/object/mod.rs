//! A simulated camera: it renders an object from where the simulated axes truly stand.

mod blur;
mod focus;
mod noise;
mod options;
mod owl;
mod plate;
mod render;
mod scene;
mod silhouette;
mod view;

pub use options::SimOptions;
pub use scene::{SimDevice, build};
pub use silhouette::silhouette;
