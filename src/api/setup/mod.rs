//! The rig set up: the questions of `scanner setup`, its parts tried, what comes of it put in force.

pub(super) mod apply;
pub(super) mod look;
pub(super) mod questions;
pub(super) mod state;
pub(super) mod trial;
mod tried;
