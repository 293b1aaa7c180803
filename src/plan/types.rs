//! What a plan is made of.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Optics;
use crate::units::{Degrees, Dioptres, Millimetres};

/// One motor of the rig.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Axis {
    /// Turns the object; degrees, unlimited, shortest way round.
    Turntable,
    /// Raises the cameras (or lowers the object); millimetres.
    Lift,
    /// Moves the cameras towards the object; millimetres.
    Rail,
    /// Tilts the cameras around the object's centre, 0 = level, 90 = from above; degrees.
    Tilt,
}

impl Axis {
    /// Every axis that a rig can have.
    pub const ALL: [Self; 4] = [Self::Turntable, Self::Lift, Self::Rail, Self::Tilt];

    /// As written in configuration files.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Turntable => "turntable",
            Self::Lift => "lift",
            Self::Rail => "rail",
            Self::Tilt => "tilt",
        }
    }

    /// The unit of its positions.
    pub const fn unit(self) -> &'static str {
        match self {
            Self::Turntable | Self::Tilt => "deg",
            Self::Lift | Self::Rail => "mm",
        }
    }
}

impl fmt::Display for Axis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Where every axis stands. Axes that a rig lacks stand at zero.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Pose {
    /// Rotation of the object, counter-clockwise seen from above.
    pub turntable: Degrees,
    /// Height of the cameras over their zero.
    pub lift: Millimetres,
    /// Travel of the cameras towards the object.
    pub rail: Millimetres,
    /// Elevation of the cameras.
    pub tilt: Degrees,
}

impl Pose {
    /// The position of `axis` in [`Axis::unit`].
    pub const fn get(&self, axis: Axis) -> f64 {
        match axis {
            Axis::Turntable => self.turntable.get(),
            Axis::Lift => self.lift.get(),
            Axis::Rail => self.rail.get(),
            Axis::Tilt => self.tilt.get(),
        }
    }

    /// This pose with `axis` at `position`, in [`Axis::unit`].
    #[must_use]
    pub const fn with(mut self, axis: Axis, position: f64) -> Self {
        match axis {
            Axis::Turntable => self.turntable = Degrees::new(position),
            Axis::Lift => self.lift = Millimetres::new(position),
            Axis::Rail => self.rail = Millimetres::new(position),
            Axis::Tilt => self.tilt = Degrees::new(position),
        }
        self
    }
}

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
}

/// The inner geometry of a camera, in pixels of its still images (pinhole, no distortion).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Intrinsics {
    /// Width of the image in pixels.
    pub width: u32,
    /// Height of the image in pixels.
    pub height: u32,
    /// Focal length over pixel pitch, horizontally, in pixels.
    pub fx: f64,
    /// Focal length over pixel pitch, vertically, in pixels.
    pub fy: f64,
    /// Principal point from the left edge, in pixels.
    pub cx: f64,
    /// Principal point from the top edge, in pixels.
    pub cy: f64,
}

/// Where a camera stands on the rig with every axis at zero.
///
/// The rig's frame is right-handed: the turntable turns around z (up), its surface is z = 0, the camera arm
/// points along +x. The camera stands at (`distance`, 0, `height`) turned by `azimuth` around z, and looks at
/// (0, 0, `look_at_height`).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Mount {
    /// Horizontal distance from the turntable's axis.
    pub distance: Millimetres,
    /// Height over the turntable's surface.
    pub height: Millimetres,
    /// Angle around the turntable's axis.
    pub azimuth: Degrees,
    /// Height of the point that it looks at, over the turntable's surface.
    pub look_at_height: Millimetres,
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
}

/// The ordered points of a scan, fixed when it starts and stored with it.
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

    /// Who takes `shot`.
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

    /// The camera at `index`, which must be one of this plan's.
    pub fn camera(&self, index: CameraIndex) -> &PlanCamera {
        &self.cameras[usize::from(index.0)]
    }

    /// Every shot, in the order of execution.
    pub fn shots(&self) -> impl Iterator<Item = ShotIndex> + use<> {
        (0..self.shot_count()).map(ShotIndex)
    }
}
