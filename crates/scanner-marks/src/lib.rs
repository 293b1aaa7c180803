//! How the rig measures itself: targets to print, where they are in images, and what follows for cameras and axes.
//!
//! * [`print`](mod@print): the board and the ring for a printer.
//! * [`image`], [`detect`]: where their corners are in an image.
//! * [`solve`](mod@solve): the rig, from many images.
//! * [`locate`]: whether the table stands as commanded, and the camera where it was, from one image.
//! * [`serve`](mod@serve): all that as lines of JSON.
//!
//! What the frames are is said in [`geometry`].

pub mod detect;
pub mod geometry;
pub mod image;
pub mod locate;
mod normal;
pub mod print;
pub mod serve;
pub mod solve;
