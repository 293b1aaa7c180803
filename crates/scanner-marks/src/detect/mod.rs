//! Where the marks of printed targets are in an image.

mod board;
mod marks;
mod refine;

use scanner_pixels::target::Board;
use serde::{Deserialize, Serialize};

use crate::image::Grey;

/// What a corner is one of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "target", rename_all = "snake_case", deny_unknown_fields)]
pub enum Which {
    /// One of the board: where four squares meet.
    Board {
        /// Its number, as `ChArUco` counts.
        id: u16,
    },
    /// One of a mark of the ring.
    Ring {
        /// The mark's id.
        id: u16,
        /// 0 at its top left, 1 top right, 2 bottom right, 3 bottom left.
        corner: u8,
    },
}

/// A corner in an image.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Corner {
    /// Which one.
    #[serde(flatten)]
    pub which: Which,
    /// Pixels from the image's left edge. The centre of the first pixel is at 0.5.
    pub x: f64,
    /// Pixels from the image's top edge.
    pub y: f64,
}

/// What is wrong with a detector.
#[derive(Debug, thiserror::Error)]
pub enum DetectError {
    /// A library refuses to work.
    #[error("marks cannot be looked for: {0}")]
    Library(String),
}

/// Finds marks in images.
#[derive(Debug)]
pub struct Detector {
    marks: marks::Finder,
}

impl Detector {
    /// Ready for images.
    pub fn new() -> Result<Self, DetectError> {
        Ok(Self { marks: marks::Finder::new()? })
    }

    /// The corners of `board` in `image`, and those of marks with ids that are `wanted`; in no special order.
    pub fn detect(
        &mut self,
        image: &Grey,
        board: Option<&Board>,
        wanted: impl Fn(u16) -> bool,
    ) -> Result<Vec<Corner>, DetectError> {
        let marks = self.marks.find(image)?;
        let mut corners = board.map_or_else(Vec::new, |board| board::find(image, board, &marks));
        corners.extend(marks.iter().filter(|mark| wanted(mark.id)).flat_map(|mark| mark.refined(image)));
        Ok(corners)
    }
}
