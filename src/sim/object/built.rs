//! A simulated rig that is not as its configuration says, for what finds that out.

use serde::{Deserialize, Serialize};

use crate::model::{Distortion, Extrinsics, Intrinsics, Mount};
use crate::plan::geometry::{Vec3, extrinsics};

/// How the rig was truly built. What is absent is as configured.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Built {
    /// The lens' focal length, as a part of the configured one.
    pub focal_length: f64,
    /// How far the principal point is from the configured one, in parts of the image's width and height.
    pub principal_point: [f64; 2],
    /// How it bends lines.
    pub distortion: Option<Distortion>,
    /// How far the camera stands from its mount, in the rig's frame, in millimetres.
    pub shift: Vec3,
    /// How it is turned there, about its own right, down and forward, in degrees.
    pub turn: Vec3,
    /// How the turntable's axis leans, in degrees about the rig's x and y: all that is not on the table is turned the other way.
    pub axis_tilt: [f64; 2],
    /// Where a millimetre of the lift carries the camera, in millimetres.
    pub lift: Vec3,
    /// Degrees that the turntable turns for each that it is told to.
    pub turntable: f64,
    /// From this shot on, somebody has knocked against the camera:
    pub bumped_from: Option<u32>,
    /// by so many millimetres, in the rig's frame.
    pub bump: Vec3,
}

impl Default for Built {
    fn default() -> Self {
        Self {
            focal_length: 1.0,
            principal_point: [0.0; 2],
            distortion: None,
            shift: [0.0; 3],
            turn: [0.0; 3],
            axis_tilt: [0.0; 2],
            lift: [0.0, 0.0, 1.0],
            turntable: 1.0,
            bumped_from: None,
            bump: [0.0; 3],
        }
    }
}

impl Built {
    /// The lens that a camera truly has for which `configured` is configured.
    pub fn lens(&self, configured: &Intrinsics) -> Intrinsics {
        Intrinsics {
            fx: configured.fx * self.focal_length,
            fy: configured.fy * self.focal_length,
            cx: configured.cx + self.principal_point[0] * f64::from(configured.width),
            cy: configured.cy + self.principal_point[1] * f64::from(configured.height),
            distortion: self.distortion.or(configured.distortion),
            ..*configured
        }
    }

    /// Whether a picture of `shot` is one after the bump.
    pub fn is_bumped(&self, shot: Option<u32>) -> bool {
        shot.zip(self.bumped_from).is_some_and(|(shot, from)| shot >= from)
    }

    /// Where a camera that is configured to stand at `mount` truly stands, for a picture of `shot` if it is one of a shot; none if
    /// that is where the mount says.
    pub fn extrinsics(&self, mount: &Mount, shot: Option<u32>) -> Option<Extrinsics> {
        let Self { shift, turn, axis_tilt, lift, turntable, bump, .. } = *self;
        let bump = if self.is_bumped(shot) { bump } else { [0.0; 3] };
        let moved = Self { bump, ..*self };
        let as_mounted = Self {
            focal_length: moved.focal_length,
            principal_point: moved.principal_point,
            distortion: moved.distortion,
            bumped_from: moved.bumped_from,
            ..Self::default()
        };
        if moved == as_mounted {
            return None;
        }
        let mounted = extrinsics(mount);
        // Columns of the camera's own turn, about its right, then its down, then its forward.
        let rotation = turn.iter().enumerate().fold(mounted.rotation, |rotation, (about, degrees)| {
            rotation.map(|row| turned_about(row, rotation[about], *degrees))
        });
        let centre = std::array::from_fn(|axis| mounted.centre[axis] + shift[axis] + bump[axis]);
        let tilted = |vector: Vec3| {
            let vector = turned_about(vector, [1.0, 0.0, 0.0], -axis_tilt[0]);
            turned_about(vector, [0.0, 1.0, 0.0], -axis_tilt[1])
        };
        Some(Extrinsics {
            centre: tilted(centre),
            rotation: rotation.map(tilted),
            look_at_distance: mounted.look_at_distance,
            lift: tilted(lift),
            turntable,
        })
    }
}

/// `vector` turned by so many degrees about `axis`, of length 1 (Rodrigues).
fn turned_about(vector: Vec3, axis: Vec3, degrees: f64) -> Vec3 {
    let (sin, cos) = degrees.to_radians().sin_cos();
    let along: f64 = vector.iter().zip(axis).map(|(a, b)| a * b).sum();
    let cross = [
        axis[1] * vector[2] - axis[2] * vector[1],
        axis[2] * vector[0] - axis[0] * vector[2],
        axis[0] * vector[1] - axis[1] * vector[0],
    ];
    std::array::from_fn(|index| vector[index] * cos + cross[index] * sin + axis[index] * along * (1.0 - cos))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::object::SimOptions;

    #[test]
    fn a_rig_built_as_configured_is_no_other() {
        let SimOptions { intrinsics, mount, built, .. } = SimOptions::default();
        assert_eq!(built.extrinsics(&mount, Some(3)), None);
        assert_eq!(built.lens(&intrinsics), intrinsics);
    }

    #[test]
    fn a_leaning_axis_carries_lift_and_camera_the_other_way() {
        let mount = SimOptions::default().mount;
        let built = Built { axis_tilt: [0.0, 1.0], ..Built::default() };
        let found = built.extrinsics(&mount, None).unwrap();
        let angle = found.lift[0].atan2(found.lift[2]).to_degrees();
        assert!((angle + 1.0).abs() < 1e-9, "{angle}");
        let moved = (found.centre[2] - extrinsics(&mount).centre[2]) / 400.0;
        assert!((moved - 1.0_f64.to_radians()).abs() < 1e-3, "the arm along x goes up: {moved}");
        let bumped = Built { bumped_from: Some(5), bump: [0.0, 3.0, 0.0], ..Built::default() };
        assert_eq!(bumped.extrinsics(&mount, Some(4)), None);
        assert!(bumped.extrinsics(&mount, Some(5)).unwrap().centre[1] > 2.9);
    }
}
