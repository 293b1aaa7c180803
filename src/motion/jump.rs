//! How the acceleration of a way changes.

/// A moment at which acceleration or jerk jumps. Between two of them, jerk is constant; before the first and after the last
/// one, there is no acceleration.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Jump {
    /// Seconds after the start.
    pub time: f64,
    /// By how much the acceleration is another one.
    pub acceleration: f64,
    /// By how much the jerk is.
    pub jerk: f64,
}

impl Jump {
    /// The same, later, and of a part of the way.
    pub(super) fn of_part(self, part: f64, after: f64) -> Self {
        let Self { time, acceleration, jerk } = self;
        Self { time: time + after, acceleration: acceleration * part, jerk: jerk * part }
    }
}
