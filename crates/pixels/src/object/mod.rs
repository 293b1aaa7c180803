//! What simulated cameras see: an owl on a turntable, rendered.

mod board;
mod noise;
mod owl;
mod plate;
mod quadratic;
mod render;
mod view;

pub use board::Leaning;
pub use owl::{Material, OWL, Part};
pub use plate::{MARKS, mark};
pub use render::{Light, OnPlate, Renderer};
pub use view::{Viewpoint, covered, depths, silhouette};
