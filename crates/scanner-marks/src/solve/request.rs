//! What is asked of the solver.

use serde::{Deserialize, Serialize};

use crate::detect::Corner;
use crate::geometry::{Axes, Board, Lens, Ring, Stand};

/// Views of printed targets, and what is known of the rig.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// The board, if there is one.
    #[serde(default)]
    pub board: Option<Board>,
    /// The ring, if there is one.
    #[serde(default)]
    pub ring: Option<Ring>,
    /// Each camera as it is configured.
    pub cameras: Vec<Camera>,
    /// What was seen.
    pub views: Vec<View>,
}

/// A camera as it is configured.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Camera {
    /// Its name.
    pub name: String,
    /// Width of its images in pixels.
    pub width: u32,
    /// Height of its images in pixels.
    pub height: u32,
    /// Its lens, nominally.
    pub lens: Lens,
    /// Where it stands, nominally.
    pub stand: Stand,
}

/// An image that was taken, and what is in it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct View {
    /// The camera's name.
    pub camera: String,
    /// What was commanded.
    pub axes: Axes,
    /// Where the lens was, if it moves. Each position has a lens of its own in the answer.
    #[serde(default)]
    pub lens_position: Option<f64>,
    /// Which placement of the board this is, if it was put down again in between.
    #[serde(default)]
    pub placement: u32,
    /// What [`Detector`](crate::detect::Detector) found.
    pub corners: Vec<Corner>,
}
