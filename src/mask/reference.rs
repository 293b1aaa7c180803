//! Which image of the empty rig belongs to an image.

use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::error::MaskError;
use crate::dataset::{self, Contents, ShotState};
use crate::model::{Axis, Pose};
use crate::plan::{Plan, PlanCamera, Point, ShotIndex};
use crate::scan::Stored;

/// How far two places may be apart, in degrees or millimetres, to be the same one.
const APART: f64 = 1e-3;

/// A scan of the empty rig.
#[derive(Debug)]
pub(super) struct Reference {
    pub(super) dir: PathBuf,
    contents: Contents,
}

/// Why no reference shows what an image shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unmatched {
    /// None has an image from this place.
    Place,
    /// One has, but its camera was another one.
    Camera,
}

impl Reference {
    /// The scan at `dir`, whatever it was made for.
    pub(super) fn read(dir: &Path) -> Result<Self, MaskError> {
        Ok(Self { dir: dir.to_owned(), contents: dataset::read_contents(dir)? })
    }

    /// Those for the scan at `dir`, the newest first: scans beside it of the empty rig, made before. One that cannot be read
    /// is none, as long as there is another.
    pub(super) fn of(dir: &Path) -> Result<Vec<Self>, MaskError> {
        let listed = dataset::show(dir)?;
        let root = listed.dir.parent().unwrap_or(Path::new("/"));
        let ids = dataset::references(root, &listed.id).map_err(dataset::OpenError::from)?;
        let (mut found, mut error) = (Vec::new(), None);
        for id in ids {
            match Self::read(&root.join(id.as_str())) {
                Ok(reference) => found.push(reference),
                Err(unread) => error = error.or(Some(unread)),
            }
        }
        match error {
            Some(error) if found.is_empty() => Err(error),
            Some(_) | None => Ok(found),
        }
    }

    /// The id of the scan.
    pub(super) fn scan(&self) -> &str {
        self.contents.manifest.id.as_str()
    }

    /// When it was created.
    pub(super) fn created(&self) -> Timestamp {
        self.contents.manifest.created
    }

    fn find(&self, camera: &PlanCamera, point: &Point) -> Result<&Stored, Unmatched> {
        let Contents { plan, .. } = &self.contents;
        let mut at_place = plan.shots().filter(|shot| {
            let (own, at) = (plan.camera(plan.camera_of(*shot)), plan.point(plan.point_of(*shot)));
            own.name == camera.name
                && is_same_place(&at.pose, &point.pose)
                && at.focus == point.focus
                && at.lighting == point.lighting
        });
        let stored = |shot: ShotIndex| match self.contents.tally().shot(shot) {
            Some(ShotState::Done(stored)) => Some((shot, stored)),
            Some(ShotState::Failed { .. } | ShotState::Pending) | None => None,
        };
        let (shot, stored) = at_place.find_map(stored).ok_or(Unmatched::Place)?;
        if is_same_camera(plan, shot, camera) { Ok(stored) } else { Err(Unmatched::Camera) }
    }
}

/// The newest image of `references` that the same camera took from the same place.
pub(super) fn find<'a>(
    references: &'a [Reference],
    camera: &PlanCamera,
    point: &Point,
) -> Result<(&'a Reference, &'a Stored), Unmatched> {
    let mut why = Unmatched::Place;
    for reference in references {
        match reference.find(camera, point) {
            Ok(stored) => return Ok((reference, stored)),
            Err(Unmatched::Camera) => why = Unmatched::Camera,
            Err(Unmatched::Place) => {}
        }
    }
    Err(why)
}

/// Whether it was where it is now, and took images as large, as far as that is known before it is opened.
fn is_same_camera(plan: &Plan, shot: ShotIndex, camera: &PlanCamera) -> bool {
    let own = plan.camera(plan.camera_of(shot));
    let size = own.intrinsics.size().zip(camera.intrinsics.size());
    own.mount == camera.mount && size.is_none_or(|(own, now)| own == now)
}

pub(super) fn is_same_place(a: &Pose, b: &Pose) -> bool {
    Axis::ALL.into_iter().all(|axis| {
        let apart = (a.get(axis) - b.get(axis)).abs();
        // 359.9999 degrees are 0.
        let apart = if axis == Axis::Turntable { (apart % 360.0).min(360.0 - apart % 360.0) } else { apart };
        apart < APART
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_the_same_after_a_whole_turn_and_no_other() {
        let at = |turntable, lift| Pose::default().with(Axis::Turntable, turntable).with(Axis::Lift, lift);
        assert!(is_same_place(&at(0.0, 5.0), &at(359.9995, 5.0)));
        assert!(is_same_place(&at(720.0, 5.0), &at(0.0, 5.0)));
        assert!(!is_same_place(&at(0.0, 5.0), &at(0.01, 5.0)));
        assert!(!is_same_place(&at(0.0, 5.0), &at(0.0, 365.0)));
    }
}
