//! What keeps a model from being made.

use std::io;
use std::path::PathBuf;

use crate::dataset::OpenError;
use crate::mask::MaskError;

/// Why there is no model of a scan.
#[derive(Debug, thiserror::Error)]
pub enum HullError {
    /// The dataset cannot be read.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// Masks that it needs cannot be made.
    #[error("a model is made from masks: {0}")]
    Masks(#[from] MaskError),
    /// Nobody said where the cameras are.
    #[error(
        "the scan at {} has no camera of which mount and lens are known, so its images cannot make a model: configure \
         [camera.mount], and the lens by focal_length and pixel_pitch, and scan again",
        .0.display()
    )]
    NoPoses(PathBuf),
    /// No image has a mask.
    #[error(
        "the scan at {} has no image with a mask, from which a model could be made: `scanner dataset masks` says why",
        .0.display()
    )]
    NoMasks(PathBuf),
    /// The silhouettes have nothing in common.
    #[error(
        "the masks of the scan at {} leave nothing over: a camera stands elsewhere than its [camera.mount] says, or the masks \
         show something else than the object",
        .0.display()
    )]
    Nothing(PathBuf),
    /// Somebody wanted it so.
    #[error("the making of the model was given up: begin it again")]
    GivenUp,
    /// A file cannot be written.
    #[error("cannot write the model {}: {source}", path.display())]
    Write {
        /// The file that was to be written.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}
