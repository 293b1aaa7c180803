//! From pixels in a camera's memory to a JPEG in the dataset.
//!
//! A frame is encoded from the memory it arrived in ([`PixelView`]), measured ([`quality`]), shrunk to a
//! [`thumbnail`] and handed to a [`Store`], all on the threads of a bounded [`Pipeline`].

pub mod exif;
mod facts;
pub mod jpeg;
mod pipeline;
pub mod quality;
#[cfg(test)]
mod test_picture;
pub mod thumbnail;
mod tiles;
mod view;

pub use facts::facts;
pub use pipeline::{FailureKind, Job, Pipeline, Pixels, Store, StoreFailed, StoreRefused};
pub use view::{PixelView, Plane, ViewError};
