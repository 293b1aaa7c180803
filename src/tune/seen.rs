//! What a camera has seen of moves.

/// What was seen at one moment after a move.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sample {
    /// Seconds since the axis came to rest, in the middle of the exposure.
    pub at_s: f64,
    /// How far the picture is from that of the rig at rest, in pixels, with a sign.
    pub px: f64,
}

/// What was seen after one move.
#[derive(Debug, Clone, PartialEq)]
pub struct Seen {
    /// Moves of one kind swing alike: as far, at the same place, in the same direction.
    pub kind: usize,
    /// In any order.
    pub samples: Vec<Sample>,
}
