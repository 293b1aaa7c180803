//! The rig's axes: one move at a time, of all axes at once.

use std::io;
use std::path::PathBuf;

use tokio::sync::oneshot;

use crate::model::{Axis, AxisConfig, Pose};
use crate::motion::Unreachable;

/// All axes of a rig.
pub trait Axes: Send + Sync {
    /// Where the axes stand now, the turntable within [0, 360) degrees.
    fn pose(&self) -> Pose;

    /// Starts every axis towards `target`, the turntable the shortest way round. Returns at once.
    fn start_move(&self, target: Pose) -> Result<Move, MotionError>;

    /// Brakes a running move at full deceleration; it then ends with [`MotionError::Stopped`] once at rest.
    /// Does nothing at rest.
    fn stop(&self);

    /// Homes what has to be homed before a scan; answers at once if that is nothing. [`Self::stop`] gives it up.
    fn make_ready(&self) -> oneshot::Receiver<Result<(), MotionError>> {
        self.home(&[])
    }

    /// Finds out where these axes stand, or those of which that is not known if `axes` is empty: by their switch, or
    /// by taking the word of the person who put them there. Those of the simulated rig are always home.
    fn home(&self, _axes: &[Axis]) -> oneshot::Receiver<Result<(), MotionError>> {
        let (sender, done) = oneshot::channel();
        let _ = sender.send(Ok(()));
        done
    }

    /// Axes that stand where the configuration says only as far as nobody has turned them before the program started,
    /// and where that is in their unit. [`Self::home`] takes a person's word for it.
    fn assumed(&self) -> Vec<(Axis, f64)> {
        Vec::new()
    }

    /// Moves one axis by `distance` in its unit; where that is, need not be known.
    fn jog(&self, axis: Axis, distance: f64) -> Result<Move, MotionError> {
        let pose = self.pose();
        self.start_move(pose.with(axis, pose.get(axis) + distance))
    }

    /// Why nothing may move until [`Self::clear`], if so.
    fn fault(&self) -> Option<String> {
        None
    }

    /// How often the axes have been let go since the start: by a fault, or to save power. As long as this does not
    /// change, axes at rest stand where they came to rest.
    fn disturbances(&self) -> u64 {
        0
    }

    /// By when what moves the axes has to show that it goes on, on `CLOCK_MONOTONIC` in nanoseconds; none if it has
    /// nothing to do.
    fn deadline_ns(&self) -> Option<u64> {
        None
    }

    /// Whether motors at rest stay powered, however long that lasts: a scan needs its axes where they are.
    fn keep_powered(&self, _keep: bool) {}

    /// Whether moves from now on are in one part, whatever swings: what a shaper takes away cannot be seen. At first they are not.
    fn keep_unshaped(&self, unshaped: bool);

    /// Brings the axes to rest and into their safe state, for good; waits for that.
    fn end(&self) {}

    /// Lets the axes move again after a fault, if its cause is gone. Moves nothing.
    fn clear(&self) -> Result<(), MotionError> {
        Ok(())
    }
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
    /// Nobody knows where an axis stands.
    #[error("it is not known where the {axis} stands: home it with `scanner home {axis}`")]
    Unknown {
        /// The axis that has to be homed first.
        axis: Axis,
    },
    /// It could not be found out.
    #[error("the {axis} is not home: {message}")]
    Homing {
        /// The axis that was to be homed.
        axis: Axis,
        /// What happened, and what to do.
        message: String,
    },
    /// Everything is stopped and stays so.
    #[error("the axes are stopped: {cause}; when it is safe again: `scanner clear`")]
    Fault {
        /// What stopped them first, for people.
        cause: String,
    },
    /// The thread that makes steps has ended.
    #[error("the thread that makes steps has ended: restart the program")]
    Ended,
    /// The state of the simulated rig cannot be written, so no simulated camera would see the move.
    #[error("cannot write the simulated rig's state to {}: {source}", path.display())]
    World {
        /// The file that has the rig's state.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}

/// Who has to know of each move of the motors before it begins, as simulated cameras do.
pub trait MoveObserver: Send + Sync {
    /// `axes` stand at `from`, and go to the end of each leg in turn. The motors do not move if this fails.
    fn about_to_move(&self, from: Pose, legs: &[PlannedLeg], axes: &[AxisConfig]) -> Result<(), MotionError>;
}

/// A part of a move in which no axis turns back.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PlannedLeg {
    /// `CLOCK_MONOTONIC` in nanoseconds at which it begins.
    pub start_ns: u64,
    /// Where the axes are at its end.
    pub to: Pose,
}

impl MotionError {
    /// That `cause` keeps the axes stopped.
    pub fn fault(cause: &impl std::fmt::Display) -> Self {
        Self::Fault { cause: cause.to_string() }
    }
}
