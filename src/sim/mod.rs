//! A simulated rig: axes that take their time, lights, and a panel.
//!
//! Simulated cameras are processes of their own. What they need to know, where the axes truly stand at any
//! moment and how bright the lights are, they read from a small file, [`World`], which [`WorldFile`] replaces
//! atomically whenever something changes. Motion is known in advance, so a reader computes the exact pose of
//! any moment by itself and the file changes only once a move.

mod axes;
pub mod camera;
mod lights;
pub mod object;
mod panel;
pub mod replay;
mod segment;
mod swinging;
mod world;
mod world_file;

pub use axes::SimAxes;
pub use lights::SimLights;
pub use panel::{SimButtons, SimPanel};
pub use segment::{Segment, Way};
pub use world::{OnTable, World};
pub use world_file::{WorldError, WorldFile, WorldReader};
