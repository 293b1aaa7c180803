//! A model of the object while the scan goes on: a hull from the masks of its images and the places of its cameras.
//!
//! [`scanner_hull`] does it, voxel by voxel; here are the dataset's files: masks and images are read, `preview.glb` and `preview.json`
//! written, each whole in the place of the one before. Both are derived: they can be removed and made again, no journal has
//! them, and `verify` does not speak of them. `docs/preview.md` has what a person can do about them.
//!
//! A [`Model`] takes up images as they come, in memory that does not grow with their number; [`follow()`] does so behind a scan
//! under way, and [`make()`] of a scan as it is.

mod error;
mod follow;
mod judge;
mod make;
mod model;
mod propose;
mod write;

pub use error::HullError;
pub use follow::{Behind, follow};
pub use judge::{Judged, judge};
pub use make::make;
pub use model::Model;
pub use propose::{Proposal, propose};
pub use write::{FILE, LONGEST, NUMBERS, Numbers, numbers};
