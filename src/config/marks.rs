//! `[marks]`: what is done when the ring of marks shows that table or camera is elsewhere.

use crate::units::Degrees;

/// `[marks]`: how far the table may be off, and what is done about it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Marks {
    /// What is done when something is elsewhere.
    pub policy: MarksPolicy,
    /// How far the table may be from where it was commanded to be.
    pub tolerance: Degrees,
}

/// `marks.policy`: what is done when table or camera is elsewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MarksPolicy {
    /// Nobody looks.
    Off,
    /// Log and page say so.
    Flag,
    /// It is said, and the scan pauses.
    Pause,
}

impl Default for Marks {
    fn default() -> Self {
        Self { policy: MarksPolicy::Flag, tolerance: Degrees::new(0.1) }
    }
}
