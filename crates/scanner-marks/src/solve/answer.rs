//! What the solver answers.

use serde::{Deserialize, Serialize};

use crate::geometry::{Lens, Lift, LyingRing, Stand, Turntable};

/// The rig as it was measured. What ends in `deviation` are standard deviations, in the unit of what they belong to; they are 0
/// for what was taken as it was given.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Answer {
    /// The cameras, in the order in which they were given.
    pub cameras: Vec<Camera>,
    /// What the turntable does.
    pub turntable: Turntable,
    /// Of the turntable's numbers.
    pub turntable_deviation: Turntable,
    /// What of the turntable was measured: `scale`, `backlash_deg`.
    pub turntable_measured: Vec<String>,
    /// What the lift does.
    pub lift: Lift,
    /// Of the lift's numbers.
    pub lift_deviation: Lift,
    /// Whether the lift was measured.
    pub lift_measured: bool,
    /// Where the board was on the table, for each placement that was seen.
    pub boards: Vec<Board>,
    /// The ring as it lies on the table: its marks that were seen.
    pub ring: Option<LyingRing>,
    /// Of the ring's numbers.
    pub ring_deviation: Option<LyingRing>,
    /// Root of the mean square of the distances of corners from where they should be, in pixels.
    pub rms_px: f64,
    /// How noisy the board's corners are in each of x and y, in pixels; 0 without a board.
    pub board_noise_px: f64,
    /// How noisy the ring's corners are in each of x and y, in pixels; 0 without a ring.
    pub ring_noise_px: f64,
    /// The views, in the order in which they were given.
    pub views: Vec<View>,
    /// How many corners count.
    pub used: usize,
    /// How many corners were left out, since they do not fit the others.
    pub dropped: usize,
    /// What makes the answer doubtful, in words.
    pub warnings: Vec<String>,
}

/// A camera as it was measured.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Camera {
    /// Its name.
    pub name: String,
    /// Its lens at each position at which it was used.
    pub lenses: Vec<FoundLens>,
    /// Where it stands with the axes at zero.
    pub stand: Stand,
    /// Of its centre, in mm.
    pub centre_deviation_mm: [f64; 3],
    /// Of its directions, in degrees: turned about its right, down and forward.
    pub turn_deviation_deg: [f64; 3],
    /// As of all, for this camera.
    pub rms_px: f64,
    /// How many of its corners count.
    pub used: usize,
    /// How many of its corners were left out.
    pub dropped: usize,
}

/// A lens as it was measured.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct FoundLens {
    /// Where it was, if it moves.
    pub lens_position: Option<f64>,
    /// Its numbers.
    pub lens: Lens,
    /// Their standard deviations.
    pub deviation: Lens,
    /// What was measured; the rest is as it was given, because the views do not determine it.
    pub measured: Vec<String>,
}

/// A board as it was on the table.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Board {
    /// Which placement.
    pub placement: u32,
    /// Its columns are the board's right, up and outward in the table's frame.
    pub rotation: [[f64; 3]; 3],
    /// Where the bottom left corner of its chessboard is in the table's frame, in mm.
    pub origin_mm: [f64; 3],
    /// Of the origin, in mm.
    pub origin_deviation_mm: [f64; 3],
}

/// How well a view fits.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct View {
    /// The camera's name.
    pub camera: String,
    /// As of all, for this view; 0 if none of its corners count.
    pub rms_px: f64,
    /// How many of its corners count.
    pub used: usize,
    /// How many of its corners were left out.
    pub dropped: usize,
}
