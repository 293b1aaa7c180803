//! The images of a scan, and where each was taken from.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;

use crate::dataset::{Contents, ShotState};
use crate::model::{Intrinsics, Lighting, Pose};
use crate::plan::PlanCamera;
use crate::plan::geometry::{CameraPose, Vec3};
use shown::Shown;

/// The stored photographs of a scan, and what is known of its cameras. Silhouettes are none: they show no surface.
#[derive(Debug, Clone)]
pub struct Views {
    /// Every camera of the plan.
    pub cameras: Vec<PlanCamera>,
    /// In the order of the plan.
    pub views: Vec<View>,
    /// What is not known or not there, and what follows from it. For people.
    pub lacking: Vec<String>,
}

/// A stored image, and where it was taken from.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct View {
    /// Index of its shot in the plan.
    pub shot: u32,
    /// Index of its camera in the plan.
    #[serde(skip)]
    pub camera_index: usize,
    /// Name of its camera.
    pub camera: String,
    /// Label of its point.
    pub label: String,
    /// Its path in the dataset.
    pub image: String,
    /// Where the axes stood.
    pub axes: Pose,
    /// From the object's frame to the camera's; none where nobody said where the camera is mounted.
    #[serde(flatten, with = "shown")]
    #[schema(value_type = Shown)]
    pub pose: Option<CameraPose>,
    /// Its length in bytes.
    #[serde(skip)]
    pub bytes: u64,
    /// When it was taken.
    #[serde(skip)]
    pub taken_at: Timestamp,
    /// Where the object is in it; none before [`Views::with_masks`], or without one.
    #[serde(skip)]
    pub mask: Option<MaskFile>,
}

/// A mask of an image of the dataset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MaskFile {
    /// Its path in the dataset.
    pub path: String,
    /// Its length in bytes.
    pub bytes: u64,
}

impl Views {
    /// What `contents` says, of the shots that are stored.
    pub fn of(contents: &Contents) -> Self {
        let (plan, tally) = (&contents.plan, contents.tally());
        let mut views = Vec::new();
        let (mut failed, mut pending) = (0_u32, 0_u32);
        let fronts = plan.shots().filter(|shot| plan.lighting_of(*shot) == Lighting::Front);
        let mut wanted = 0_u32;
        for shot in fronts {
            wanted += 1;
            let stored = match tally.shot(shot) {
                Some(ShotState::Done(stored)) => stored,
                Some(ShotState::Failed { .. }) => {
                    failed += 1;
                    continue;
                }
                Some(ShotState::Pending) | None => {
                    pending += 1;
                    continue;
                }
            };
            let camera_index = usize::from(plan.camera_of(shot).0);
            let camera = &plan.cameras[camera_index];
            let point = plan.point(plan.point_of(shot));
            views.push(View {
                shot: shot.0,
                camera_index,
                camera: camera.name.clone(),
                label: point.label.clone(),
                image: stored.image.clone(),
                axes: point.pose,
                pose: camera.pose(&point.pose),
                bytes: stored.bytes,
                taken_at: stored.facts.taken_at,
                mask: None,
            });
        }
        let mut lacking = Vec::new();
        for (count, what) in [(failed, "failed"), (pending, "not taken yet")] {
            if count > 0 {
                lacking.push(format!("{count} of {wanted} shots {what}: they are left out"));
            }
        }
        for camera in &plan.cameras {
            let name = &camera.name;
            if camera.mount.is_none() && camera.extrinsics.is_none() {
                lacking.push(format!(
                    "{name} has no pose, since its [camera.mount] is not configured: the program has to find it"
                ));
            }
            if camera.intrinsics.intrinsics().is_none() {
                lacking.push(format!(
                    "{name} has no intrinsics, since its focal_length and pixel_pitch are not configured: the program \
                     has to find them"
                ));
            }
        }
        Self { cameras: plan.cameras.clone(), views, lacking }
    }

    /// For each view what `name` makes of its index, if it has a mask.
    pub(super) fn masks(&self, name: impl Fn(usize) -> String) -> Vec<Option<String>> {
        let views = self.views.iter().enumerate();
        views.map(|(index, view)| view.mask.is_some().then(|| name(index))).collect()
    }

    /// As [`Self::masks`], if every view has one: for programs that take masks of all images or of none.
    pub(super) fn all_masks(&self, name: impl Fn(usize) -> String) -> Vec<Option<String>> {
        let all = self.views.iter().all(|view| view.mask.is_some());
        if all { self.masks(name) } else { vec![None; self.views.len()] }
    }

    /// The inner geometry of the camera of `view`, if known.
    pub fn intrinsics(&self, view: &View) -> Option<Intrinsics> {
        self.cameras[view.camera_index].intrinsics.intrinsics()
    }

    /// The views whose pose and intrinsics are known.
    pub fn known(&self) -> impl Iterator<Item = (&View, CameraPose, Intrinsics)> {
        self.views.iter().filter_map(|view| Some((view, view.pose?, self.intrinsics(view)?)))
    }

    /// Names of the images, each there once in all folders: programs flatten folders, and would drop the second
    /// `r01_a001.jpg`.
    pub fn unique_names(&self) -> Vec<String> {
        let plain: Vec<_> = self.views.iter().map(|view| format!("{}_{}", view.camera, view.label)).collect();
        let mut count = BTreeMap::<String, u32>::new();
        for name in &plain {
            *count.entry(name.to_lowercase()).or_default() += 1;
        }
        let unique = |(name, view): (String, &View)| {
            if count.get(&name.to_lowercase()) == Some(&1) {
                name
            } else {
                format!("{:05}_{name}", view.shot)
            }
        };
        plain.into_iter().zip(&self.views).map(unique).map(|name| name + ".jpg").collect()
    }
}

/// A rotation as the quaternion w, x, y, z, of length 1, with w >= 0.
pub(super) fn quaternion(rotation: &[Vec3; 3]) -> [f64; 4] {
    let [[m00, m01, m02], [m10, m11, m12], [m20, m21, m22]] = *rotation;
    // Of the four forms, the one that divides by the largest number.
    let candidates = [
        [1.0 + m00 + m11 + m22, m21 - m12, m02 - m20, m10 - m01],
        [m21 - m12, 1.0 + m00 - m11 - m22, m01 + m10, m02 + m20],
        [m02 - m20, m01 + m10, 1.0 - m00 + m11 - m22, m12 + m21],
        [m10 - m01, m02 + m20, m12 + m21, 1.0 - m00 - m11 + m22],
    ];
    let mut best = 0;
    for index in 1..4 {
        if candidates[index][index] > candidates[best][best] {
            best = index;
        }
    }
    let found = candidates[best];
    let length = found.iter().map(|part| part * part).sum::<f64>().sqrt();
    let sign = if found[0] < 0.0 { -1.0 } else { 1.0 };
    found.map(|part| part * sign / length)
}

/// How a pose is shown to people and programs.
mod shown {
    use serde::Serialize;
    use serde::ser::Serializer;

    use super::{CameraPose, quaternion};

    /// A pose; none of a camera of which nobody said where it is mounted.
    #[derive(Serialize, utoipa::ToSchema)]
    pub(super) struct Shown {
        /// The camera's centre in millimetres: x, y, z.
        centre: Option<[f64; 3]>,
        /// From the object's frame to the camera's; its rows are the camera's right, down and forward.
        rotation: Option<[[f64; 3]; 3]>,
        /// The same as w, x, y, z.
        quaternion: Option<[f64; 4]>,
        /// From the object's frame to the camera's, behind the rotation, in millimetres.
        translation: Option<[f64; 3]>,
    }

    #[expect(clippy::ref_option, reason = "as serde calls it")]
    pub(super) fn serialize<S: Serializer>(pose: &Option<CameraPose>, to: S) -> Result<S::Ok, S::Error> {
        let shown = Shown {
            centre: pose.map(|pose| pose.centre()),
            rotation: pose.map(|pose| pose.rotation),
            quaternion: pose.map(|pose| quaternion(&pose.rotation)),
            translation: pose.map(|pose| pose.translation),
        };
        shown.serialize(to)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::{Mount, Optics};
    use crate::units::{Degrees, Millimetres};

    fn views(images: &[(&str, &str)]) -> Views {
        let view = |(shot, (camera, label)): (usize, &(&str, &str))| View {
            shot: shot as u32,
            camera_index: 0,
            camera: (*camera).into(),
            label: (*label).into(),
            image: format!("images/{camera}/{label}.jpg"),
            axes: Pose::default(),
            pose: None,
            bytes: 1,
            taken_at: Timestamp::UNIX_EPOCH,
            mask: None,
        };
        let (name, intrinsics, files) = ("cam0".into(), Optics::Unknown, PlanCamera::image_alone());
        let camera = PlanCamera { name, intrinsics, mount: None, extrinsics: None, files };
        let views = images.iter().enumerate().map(view).collect();
        Views { cameras: vec![camera], views, lacking: Vec::new() }
    }

    #[test]
    fn names_are_there_once_whatever_cameras_and_labels_are_called() {
        let names = views(&[("cam0", "r01_a001"), ("cam1", "r01_a001")]).unique_names();
        assert_eq!(names, ["cam0_r01_a001.jpg", "cam1_r01_a001.jpg"]);
        let names = views(&[("a", "b_c"), ("a_b", "c"), ("x", "y"), ("X", "Y")]).unique_names();
        assert_eq!(names, ["00000_a_b_c.jpg", "00001_a_b_c.jpg", "00002_x_y.jpg", "00003_X_Y.jpg"]);
    }

    proptest! {
        #[test]
        fn a_quaternion_is_the_rotation(
            azimuth in -360.0..360.0, height in -300.0..500.0, turntable in 0.0..360.0, tilt in -90.0..180.0,
        ) {
            let mount = Mount {
                distance: Millimetres::new(300.0),
                height: Millimetres::new(height),
                azimuth: Degrees::new(azimuth),
                look_at_height: Millimetres::new(40.0),
            };
            let axes = Pose { turntable: Degrees::new(turntable), tilt: Degrees::new(tilt), ..Pose::default() };
            let CameraPose { rotation, .. } = CameraPose::new(&mount, &axes);
            let [w, x, y, z] = quaternion(&rotation);
            prop_assert!(w >= 0.0 && (w * w + x * x + y * y + z * z - 1.0).abs() < 1e-12);
            let again = [
                [1.0 - 2.0 * (y * y + z * z), 2.0 * (x * y - w * z), 2.0 * (x * z + w * y)],
                [2.0 * (x * y + w * z), 1.0 - 2.0 * (x * x + z * z), 2.0 * (y * z - w * x)],
                [2.0 * (x * z - w * y), 2.0 * (y * z + w * x), 1.0 - 2.0 * (x * x + y * y)],
            ];
            for (a, b) in again.as_flattened().iter().zip(rotation.as_flattened()) {
                prop_assert!((a - b).abs() < 1e-9, "{a} {b}");
            }
        }
    }
}
