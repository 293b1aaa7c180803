//! What a shot is called, for people.

use serde::Serialize;

use crate::plan::{Plan, ShotIndex};

/// A shot, as logs name it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct ShotName {
    /// Index in the plan.
    pub shot: u32,
    /// Point in the order of execution, from 1.
    pub point: u32,
    /// Stem of its file.
    pub label: String,
    /// The camera that takes it, as it is called in the plan.
    pub camera: String,
}

impl ShotName {
    /// The names of `shot`, which the plan has.
    pub fn of(plan: &Plan, shot: ShotIndex) -> Self {
        let point = plan.point_of(shot);
        Self {
            shot: shot.0,
            point: point.0 + 1,
            label: plan.point(point).label.clone(),
            camera: plan.camera(plan.camera_of(shot)).name.clone(),
        }
    }
}
