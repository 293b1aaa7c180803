//! `[gate]`: which images of a scan are good enough.

use crate::units::Dioptres;

/// What `retakes_per_shot` may be at most.
pub const MOST_RETAKES_PER_SHOT: u32 = 100;

/// `[gate]`: how far an image may be from its neighbours, and what is done about one that is too far.
#[derive(Debug, Clone, PartialEq)]
pub struct Gate {
    /// What is done about images that are not.
    pub policy: GatePolicy,
    /// Least fine detail, as a part of what the neighbours have.
    pub sharpness: f64,
    /// Least detail along one direction over detail across it, as a part of what the neighbours have.
    pub direction: f64,
    /// How much brighter or darker than its neighbours an image may be, as a part.
    pub brightness: f64,
    /// How much more of an image may be white than of its neighbours, as a part of all pixels.
    pub clipped: f64,
    /// How much of an image may be white, whatever its neighbours are like.
    pub white: f64,
    /// How much of an image may be black.
    pub black: f64,
    /// How far the lens may be from where it was for the neighbours.
    pub lens: Dioptres,
    /// How often one shot is taken again.
    pub retakes_per_shot: u32,
    /// How many shots of a scan are taken again in all.
    pub retakes_per_scan: u32,
}

/// `gate.policy`: what is done about an image that is not good enough.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GatePolicy {
    /// Images are stored without a verdict.
    Off,
    /// It is stored, and log, report and page say what is wrong with it.
    Flag,
    /// It is said, and the shot is taken again.
    Retake,
}

impl Default for Gate {
    fn default() -> Self {
        Self {
            policy: GatePolicy::Flag,
            sharpness: 0.5,
            direction: 0.4,
            brightness: 0.15,
            clipped: 0.05,
            white: 0.5,
            black: 0.95,
            lens: Dioptres::new(0.5),
            retakes_per_shot: 2,
            retakes_per_scan: 20,
        }
    }
}
