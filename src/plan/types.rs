//! What a plan is made of.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::geometry::CameraPose;
use crate::model::{Extrinsics, FileType, Lighting, Mount, Optics, Pose};
use crate::units::{Dioptres, Stops};

/// Index of a point in its plan, in the order of execution.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PointIndex(pub u32);

/// Index of a camera in its plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CameraIndex(pub u16);

/// Index of a shot in its plan: `point * cameras + camera`.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema,
)]
#[serde(transparent)]
pub struct ShotIndex(pub u32);

impl fmt::Display for PointIndex {
    /// Counted from 1, as people do.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0 + 1)
    }
}

/// One pose of the axes in a plan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Point {
    /// Unique name in the plan and stem of its files: `r01_a017`: ring and angle, not order of execution.
    pub label: String,
    /// Where the axes stand.
    pub pose: Pose,
    /// Lens position of every camera; as configured if absent. Points with the same pose make a focus stack.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub focus: Option<Dioptres>,
    /// How much more than usual every camera exposes; as usual if absent. Points with the same pose and lens position make a
    /// bracket.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bracket: Option<Stops>,
    /// How the object is lit; from the front if absent. A point with a backlight is the silhouette of those with its pose.
    #[serde(default, skip_serializing_if = "Lighting::is_front")]
    pub lighting: Lighting,
}

impl Point {
    /// A photograph of the surface, with the lens as configured.
    pub fn new(label: String, pose: Pose) -> Self {
        Self { label, pose, focus: None, bracket: None, lighting: Lighting::Front }
    }
}

/// A camera as the plan and the dataset know it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlanCamera {
    /// Its name in the configuration and folder name in the dataset: `cam0`.
    pub name: String,
    /// Inner geometry, as far as it is known.
    #[serde(default)]
    pub intrinsics: Optics,
    /// Place on the rig; none if nobody said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mount: Option<Mount>,
    /// Where it stands and how the axes carry it, if that was measured: it counts, then, and not the mount.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extrinsics: Option<Extrinsics>,
    /// The files of each of its shots, the image first; the image alone if absent.
    #[serde(default = "PlanCamera::image_alone", skip_serializing_if = "PlanCamera::is_image_alone")]
    pub files: Vec<FileType>,
}

impl PlanCamera {
    /// Files of shots of which only the image is kept.
    pub fn image_alone() -> Vec<FileType> {
        FileType::IMAGE_ALONE.to_vec()
    }

    fn is_image_alone(files: &[FileType]) -> bool {
        files == FileType::IMAGE_ALONE
    }

    /// Where it is with the axes at `axes`, as measured, or else as its mount was configured; none if nobody said.
    pub fn pose(&self, axes: &Pose) -> Option<CameraPose> {
        match (&self.extrinsics, &self.mount) {
            (Some(extrinsics), _) => Some(CameraPose::measured(extrinsics, axes)),
            (None, Some(mount)) => Some(CameraPose::new(mount, axes)),
            (None, None) => None,
        }
    }

    /// Whether its shots have files beside the image.
    pub fn has_raw(&self) -> bool {
        self.files.contains(&FileType::Raw)
    }
}

/// The ordered points of a scan, fixed when it starts and stored with it; further ones may be added behind them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// Points in the order of execution.
    pub points: Vec<Point>,
    /// Each takes one image at each point.
    pub cameras: Vec<PlanCamera>,
}

impl Plan {
    /// How many images the scan is to take.
    pub fn shot_count(&self) -> u32 {
        (self.points.len() * self.cameras.len()) as u32
    }

    /// The shot of `camera` at `point`.
    pub fn shot(&self, point: PointIndex, camera: CameraIndex) -> ShotIndex {
        ShotIndex(point.0 * self.cameras.len() as u32 + u32::from(camera.0))
    }

    /// Where `shot` is taken.
    pub fn point_of(&self, shot: ShotIndex) -> PointIndex {
        PointIndex(shot.0 / self.cameras.len().max(1) as u32)
    }

    /// The camera that takes `shot`.
    pub fn camera_of(&self, shot: ShotIndex) -> CameraIndex {
        CameraIndex((shot.0 % self.cameras.len().max(1) as u32) as u16)
    }

    /// The shot that a person means by its number in the plan, or by `CAMERA/LABEL` as logs name it; none if the plan
    /// does not have it.
    pub fn find_shot(&self, name: &str) -> Option<ShotIndex> {
        if let Ok(index) = name.parse() {
            return (index < self.shot_count()).then_some(ShotIndex(index));
        }
        let (camera, label) = name.split_once('/')?;
        let camera = self.cameras.iter().position(|known| known.name == camera)?;
        let point = self.points.iter().position(|known| known.label == label)?;
        Some(self.shot(PointIndex(point as u32), CameraIndex(camera as u16)))
    }

    /// The point at `index`, which must be one of this plan's.
    pub fn point(&self, index: PointIndex) -> &Point {
        &self.points[index.0 as usize]
    }

    /// How the object is lit for `shot`.
    pub fn lighting_of(&self, shot: ShotIndex) -> Lighting {
        self.points.get(self.point_of(shot).0 as usize).map_or(Lighting::Front, |point| point.lighting)
    }

    /// The camera at `index`, which must be one of this plan's.
    pub fn camera(&self, index: CameraIndex) -> &PlanCamera {
        &self.cameras[usize::from(index.0)]
    }

    /// Every shot, in the order of execution.
    pub fn shots(&self) -> impl Iterator<Item = ShotIndex> + use<> {
        (0..self.shot_count()).map(ShotIndex)
    }
}
