//! A model of the object from its silhouettes: what is left of the room once everything is cut away that some image shows
//! beside the object. Functions of plain data, without files, clock or threads.
//!
//! * [`Volume`]: the part of space that the cameras see in common.
//! * [`Outline`]: a mask, as the distance of each pixel to the object's edge.
//! * [`Carver`]: a grid of voxels, carved by one silhouette at a time.
//! * [`Mesh`]: the surface of what is left.
//! * [`Survey`]: how many images see each part of that surface, how well, and in which colour.
//! * [`propose()`]: which further views would show what was seen too little.
//! * [`glb()`]: all of it as a file of glTF.
//!
//! All lengths are millimetres in the object's frame: right-handed, z up along the turntable's axis, the table's surface at
//! z = 0. Below the table there is nothing.

mod ball;
mod carve;
mod cover;
mod depth;
mod gltf;
mod mesh;
mod outline;
mod propose;
mod solid;
mod survey;
mod vector;
mod volume;

pub use carve::{Bound, Carver};
pub use cover::{Cover, Covered, Summary};
pub use gltf::{Station, glb};
pub use mesh::Mesh;
pub use outline::Outline;
pub use propose::propose;
pub use survey::{Look, Survey};
pub use volume::Volume;
