//! The ordered points of a scan: which poses, in which order, seen by which cameras.
//!
//! A plan is fixed when a scan starts and stored with it, so it carries all that a reader of the dataset
//! needs to know: poses, intrinsics, and where each camera stands.

pub mod geometry;
mod types;

pub use types::*;
