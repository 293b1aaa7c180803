//! A simulated camera: it renders an object from where the simulated axes truly stand.

mod built;
mod focus;
mod options;
mod photograph;
mod scene;
mod silhouette;
mod viewpoint;

pub use built::Built;
pub use options::SimOptions;
pub use photograph::Photographer;
pub use scene::{SimDevice, build};
pub use silhouette::silhouette;
