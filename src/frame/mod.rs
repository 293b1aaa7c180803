//! From what is in a camera's memory to files in the dataset.
//!
//! A frame of pixels is encoded from the memory it arrived in ([`PixelView`]), measured, shrunk to a [`thumbnail`] and
//! handed to a [`Store`], all on the threads of a bounded [`Pipeline`]; the raw image beside it becomes a [`dng`]. One of files ([`File`]) is only decoded, to be measured
//! and shrunk: they are stored as they came.

mod decode;
pub mod dng;
pub mod exif;
mod facts;
mod failure;
mod file;
pub mod jpeg;
mod pipeline;
#[cfg(test)]
mod test_picture;
pub mod thumbnail;
mod tiles;
mod view;

pub use decode::{DecodeError, Decoded};
pub use facts::facts;
pub use failure::{FailureKind, StoreFailed, StoreRefused};
pub use file::{Captured, Content, File};
pub use pipeline::{Job, Pipeline, Store};
pub use view::{PixelView, Plane, ViewError};
