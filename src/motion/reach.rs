//! Which poses a rig can take up.

use crate::model::{Axis, AxisConfig, Pose};

/// Why an axis cannot take up a position.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
pub enum Unreachable {
    /// The rig lacks an axis that would have to leave zero.
    #[error("the rig has no {axis}, which would have to be at {position} {}: add [motion.{axis}]", axis.unit())]
    NoAxis {
        /// The axis that the plan needs, and the rig does not have.
        axis: Axis,
        /// Where it should go, in its unit.
        position: f64,
    },
    /// The position is outside the axis' travel.
    #[error(
        "the {axis} cannot go to {position} {unit}: its travel is {min} to {max} {unit}",
        unit = axis.unit()
    )]
    OutOfTravel {
        /// The axis whose travel is too short.
        axis: Axis,
        /// Where it should go, in its unit, as all positions here.
        position: f64,
        /// The lowest position that the axis may take, in its unit.
        min: f64,
        /// The highest position that the axis may take, in its unit.
        max: f64,
    },
}

/// Everything that keeps a rig with these `axes` from taking up `pose`; nothing if it can.
pub fn unreachable(pose: &Pose, axes: &[AxisConfig]) -> impl Iterator<Item = Unreachable> {
    Axis::ALL.into_iter().filter_map(move |axis| {
        let position = pose.get(axis);
        let Some(config) = axes.iter().find(|config| config.axis == axis) else {
            return (position != 0.0).then_some(Unreachable::NoAxis { axis, position });
        };
        let (min, max) = config.travel?;
        (!(min..=max).contains(&position)).then_some(Unreachable::OutOfTravel { axis, position, min, max })
    })
}
