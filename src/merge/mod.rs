//! One image of each stack: of a focus stack, sharp everywhere; of an exposure bracket, neither too dark nor too bright.
//!
//! What is merged is derived, as masks are: it is in no journal, may be removed, and says from which images it was made, so that
//! one of other images is never taken for it. The pixels are a matter of [`scanner_pixels::stack`], or of `enfuse`.

mod enfuse;
mod error;
mod file;
mod images;
mod jpeg;
mod make;
mod own;

pub use crate::model::MergeProgram as Program;
pub use error::MergeError;
pub use file::{Merged, find};
pub use images::{ImageStack, stacks};
pub use make::{Made, Report, Wish, Without, make};
