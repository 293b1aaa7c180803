//! A scan for programs that reconstruct, with the poses that the rig gave its cameras.
//!
//! Every format says the same of the same views; [`Views`] is what they are made from. The object's frame is that of
//! [`crate::plan::geometry`]: right-handed, millimetres, z up along the turntable's axis, its surface at z = 0. What turns
//! is the object; what is exported is that the cameras went around it.
//!
//! Pixels: our principal points count from the corner of the image, so that the centre of its first pixel is at 0.5, 0.5,
//! as in COLMAP and Metashape. Where a format counts otherwise, its file here says so and converts.

mod care;
mod colmap;
mod derived;
mod files;
mod folder;
mod format;
mod meshroom;
mod metashape;
mod nerfstudio;
mod pairs;
mod realityscan;
mod views;
mod xml;

pub use crate::model::ExportFormat as Format;
pub use care::{Care, free};
pub use files::{At, Files};
pub use folder::{ExportError, Exported, export};
pub use views::{View, Views};
