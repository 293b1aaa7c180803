//! The rig's axes: one move at a time, of all axes at once.

use std::io;
use std::path::PathBuf;

use tokio::sync::oneshot;

use crate::motion::Unreachable;
use crate::plan::Pose;

/// All axes of a rig.
pub trait Axes: Send + Sync {
    /// Where the axes stand now, the turntable within [0, 360) degrees.
    fn pose(&self) -> Pose;

    /// Starts every axis towards `target`, the turntable the shortest way round. Returns at once.
    fn start_move(&self, target: Pose) -> Result<Move, MotionError>;

    /// Brakes a running move at full deceleration; it then ends with [`MotionError::Stopped`] once at rest.
    /// Does nothing at rest.
    fn stop(&self);
}

/// A move under way.
#[derive(Debug)]
pub struct Move {
    /// `CLOCK_MONOTONIC` in nanoseconds at which every axis is at rest, as planned.
    pub rest_ns: u64,
    /// Answers once every axis is at rest, with `CLOCK_MONOTONIC` in nanoseconds since when it really is. It is
    /// dropped unanswered if the axes are dropped.
    pub done: oneshot::Receiver<Result<u64, MotionError>>,
}

/// Why the axes did not go where they should.
#[derive(Debug, thiserror::Error)]
pub enum MotionError {
    /// A move is under way.
    #[error("the axes are still moving: wait for the move to end, or stop it")]
    Moving,
    /// The rig cannot take up the target pose.
    #[error(transparent)]
    Unreachable(#[from] Unreachable),
    /// The move was stopped before its end.
    #[error("the move was stopped before its end")]
    Stopped,
    /// The state of the simulated rig cannot be written, so no simulated camera would see the move.
    #[error("cannot write the simulated rig's state to {}: {source}", path.display())]
    World {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}
