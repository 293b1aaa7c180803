//! Masks: where the object is in each image of a scan.
//!
//! A mask is found by a *silhouette*, for which a panel shines behind the object; or by comparison with the *reference*: an
//! image that the same camera took from the same place while nothing stood on the table (`scanner reference`); or by both.
//! [`scanner_pixels::mask`] does it, pixel by pixel; `docs/masks.md` has what a person can do about it.
//!
//! Masks are derived, like thumbnails: they can be removed and made again. Each says in itself from which images
//! it was made, by their checksums, and one that was made from others is none: an image that was taken again has
//! no mask until one is made again. They are made behind a scan or after it, by the model that follows it, by a command or an
//! export, and never delay one.

mod error;
mod file;
mod fit;
mod look;
mod make;
mod one;
mod panel;
mod photo;
mod reference;

pub use error::MaskError;
pub use file::{LONGEST, MaskFile, Origin, Outline, Reduced, Source, find, path, read, reduced, small};
pub use fit::{Fit, References};
pub use make::{Making, Report, Wish, Without, make};
pub use one::{Made, Remake};
pub use photo::picture;
pub use reference::{EmptyRig, empty_rig};
