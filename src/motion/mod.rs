//! How an axis moves in time. Pure: no clock, no hardware.

use serde::{Deserialize, Serialize};

/// Speed and acceleration of an axis, in its unit (degrees or millimetres) per second (squared).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Limits {
    /// Highest speed, > 0.
    pub speed: f64,
    /// Highest acceleration and deceleration, > 0.
    pub acceleration: f64,
}
