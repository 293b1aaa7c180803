//! Which image of the empty rig belongs to an image.

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::error::MaskError;
use crate::dataset::{self, Contents, ShotState};
use crate::model::{Axis, Lighting, Pose};
use crate::plan::{Plan, PlanCamera, Point, ShotIndex};
use crate::scan::{FrameFacts, Stored};

/// How far two places may be apart, in degrees or millimetres, to be the same one.
const APART: f64 = 1e-3;

/// A scan of the empty rig.
#[derive(Debug)]
pub(super) struct Reference {
    pub(super) dir: PathBuf,
    contents: Contents,
    /// Its stored shots, by where they were taken from: looking through all of them for each image takes as long as there are
    /// images of both, multiplied.
    places: HashMap<Cell, Vec<ShotIndex>>,
}

/// A box of poses, a degree or a millimetre wide along each axis.
type Cell = [i64; Axis::ALL.len()];

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
        let contents = dataset::read_contents(dir)?;
        let mut places: HashMap<Cell, Vec<ShotIndex>> = HashMap::new();
        for stored in contents.tally().stored() {
            let point = contents.plan.point(contents.plan.point_of(stored.shot));
            places.entry(cell(&point.pose)).or_default().push(stored.shot);
        }
        Ok(Self { dir: dir.to_owned(), contents, places })
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
                // An older one is no better because nobody could look at this one.
                Err(MaskError::Open(unread)) if unread.is_for_want() => return Err(unread.into()),
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
        let is_at_place = |shot: &ShotIndex| {
            let (own, at) = (plan.camera(plan.camera_of(*shot)), plan.point(plan.point_of(*shot)));
            own.name == camera.name
                && is_same_place(&at.pose, &point.pose)
                && at.focus == point.focus
                && at.bracket == point.bracket
                && at.lighting == point.lighting
        };
        let near = near(&point.pose).into_iter().filter_map(|cell| self.places.get(&cell)).flatten();
        let shot = near.copied().filter(is_at_place).min().ok_or(Unmatched::Place)?;
        match self.contents.tally().shot(shot) {
            Some(ShotState::Done(stored)) if is_same_camera(plan, shot, camera) => Ok(stored),
            Some(ShotState::Done(_)) => Err(Unmatched::Camera),
            Some(ShotState::Failed { .. } | ShotState::Pending) | None => Err(Unmatched::Place),
        }
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

/// What is known of the images of the empty rig behind the shots of a scan.
#[derive(Debug, Default)]
pub struct EmptyRig {
    /// Of each shot that has one.
    pub facts: Vec<(ShotIndex, FrameFacts)>,
    /// Cameras that it was seen with from some of the places, but elsewhere on the rig or with images of another size.
    pub other_cameras: BTreeSet<String>,
}

/// What is behind the shots of `plan`, by which the scan at `dir` goes; not of silhouettes, which show nothing else but their
/// outline.
///
/// # Errors
/// Scans of the empty rig cannot be read.
pub fn empty_rig(dir: &Path, plan: &Plan) -> Result<EmptyRig, MaskError> {
    let references = Reference::of(dir)?;
    let mut empty = EmptyRig::default();
    for shot in plan.shots().filter(|shot| plan.lighting_of(*shot) == Lighting::Front) {
        let camera = plan.camera(plan.camera_of(shot));
        match find(&references, camera, plan.point(plan.point_of(shot))) {
            Ok((_, stored)) => empty.facts.push((shot, stored.facts.clone())),
            Err(Unmatched::Camera) => drop(empty.other_cameras.insert(camera.name.clone())),
            Err(Unmatched::Place) => {}
        }
    }
    Ok(empty)
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

fn cell(pose: &Pose) -> Cell {
    Axis::ALL.map(|axis| along(axis, pose.get(axis)))
}

/// The number of the cell along `axis`.
fn along(axis: Axis, at: f64) -> i64 {
    let number = at.floor() as i64;
    // After a whole turn they begin anew.
    if axis == Axis::Turntable { number.rem_euclid(360) } else { number }
}

/// The cells with all poses that are the same place as `pose`: one, or those beside it, if it is near a border.
fn near(pose: &Pose) -> Vec<Cell> {
    let mut cells = vec![Cell::default()];
    for (index, axis) in Axis::ALL.into_iter().enumerate() {
        let at = pose.get(axis);
        let (below, above) = (along(axis, at - 2.0 * APART), along(axis, at + 2.0 * APART));
        let both = if below == above { vec![below] } else { vec![below, above] };
        let with = |mut cell: Cell, number: i64| {
            cell[index] = number;
            cell
        };
        cells =
            cells.into_iter().flat_map(|cell| both.iter().map(move |number| with(cell, *number))).collect();
    }
    cells
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn pose() -> impl Strategy<Value = Pose> {
        // Many of them at borders.
        let at = prop_oneof![(-800..800_i32).prop_map(f64::from), -800.0..800.0_f64];
        prop::collection::vec(at, Axis::ALL.len()).prop_map(|at| {
            Axis::ALL.into_iter().zip(at).fold(Pose::default(), |pose, (axis, at)| pose.with(axis, at))
        })
    }

    proptest! {
        #[test]
        fn a_pose_is_looked_for_wherever_one_may_be_that_is_the_same_place(
            pose in pose(),
            turns in -3..4_i32,
            aside in prop::collection::vec(-1.2 * APART..1.2 * APART, Axis::ALL.len()),
        ) {
            let other = Axis::ALL.into_iter().zip(aside).fold(pose, |other, (axis, aside)| {
                let turned = if axis == Axis::Turntable { f64::from(turns) * 360.0 } else { 0.0 };
                other.with(axis, pose.get(axis) + aside + turned)
            });
            prop_assert!(!is_same_place(&pose, &other) || near(&pose).contains(&cell(&other)), "{pose:?} {other:?}");
            prop_assert!(near(&pose).len() <= 1 << Axis::ALL.len());
        }
    }

    #[test]
    fn a_place_is_the_same_after_a_whole_turn_and_no_other() {
        let at = |turntable, lift| Pose::default().with(Axis::Turntable, turntable).with(Axis::Lift, lift);
        assert!(is_same_place(&at(0.0, 5.0), &at(359.9995, 5.0)));
        assert!(is_same_place(&at(720.0, 5.0), &at(0.0, 5.0)));
        assert!(!is_same_place(&at(0.0, 5.0), &at(0.01, 5.0)));
        assert!(!is_same_place(&at(0.0, 5.0), &at(0.0, 365.0)));
    }
}
