//! Looking through the cameras.

mod camera;
mod feed;
mod mjpeg;
mod picture;
pub(super) mod routes;
pub(super) mod state;
mod stats;
