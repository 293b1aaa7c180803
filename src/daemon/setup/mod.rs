//! Setting a rig up, on the machine itself: what there is, where the configuration and the answers are, and the rig's parts
//! tried one by one. What is asked, and what comes of an answer, is in [`crate::setup`]; a terminal and the API put it before
//! somebody.

mod bench;
mod cameras;
mod disks;
mod place;

pub use bench::{Bench, Showing, Tried};
pub use cameras::{CameraSearch, is_known_driver, plain_camera, real_cameras, search_cameras};
pub use disks::disks;
pub use place::{Place, PlaceError, notes};
