//! Where to look once more: points within the axes' reach that show what was seen too little.

use std::path::Path;

use scanner_hull::{Look, Survey, propose as choose};
use scanner_pixels::sight::Sight;
use serde::Serialize;

use super::error::HullError;
use super::model::{Model, photographs, sight};
use crate::dataset::{self, Contents};
use crate::model::{Axis, AxisConfig, Lighting, Pose};
use crate::motion;
use crate::plan::NewPoint;

/// Most points that are proposed at a time.
const MOST: usize = 48;
/// Angles of the turntable that are thought of, at least.
const ANGLES: usize = 36;
/// A pose is no other one if no axis differs by more: degrees, or millimetres.
const APART: f64 = 2.0;

/// Points that would show more, and how much.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct Proposal {
    /// The part of the surface that is well covered, in percent,
    pub well_covered_percent: f64,
    /// and what it would be with these points.
    pub expected_percent: f64,
    /// Without labels, the best first; none if the surface is seen as well as the rig can.
    pub points: Vec<NewPoint>,
}

/// Points for the scan at `dir`, which `axes` can reach. Tells how many images have been looked at, of how many: a `false` gives
/// it up.
///
/// # Errors
/// There is no model of it: it is not known where the cameras were, or no image has a mask.
pub fn propose(
    dir: &Path,
    axes: &[AxisConfig],
    tell: &dyn Fn(usize, usize) -> bool,
) -> Result<Proposal, HullError> {
    let contents = dataset::read_contents(dir)?;
    let plan = &contents.plan;
    let mut model = Model::begin(dir, &contents)?;
    let of = photographs(&contents).count();
    let tell = |done: usize| tell(done, of);
    model.catch_up(&contents, &tell)?;
    let mesh = model.mesh(&contents, &tell)?;
    let taken: Vec<Sight> = photographs(&contents).filter_map(|stored| sight(plan, stored.shot)).collect();
    let poses = candidates(&contents, axes);
    let places: Vec<Vec<Sight>> = poses
        .iter()
        .map(|pose| {
            let eye = |camera: &crate::plan::PlanCamera| {
                Some(camera.pose(pose)?.sight(&camera.intrinsics.intrinsics()?))
            };
            plan.cameras.iter().filter_map(eye).collect()
        })
        .collect();
    let covered_by = |sights: &mut dyn Iterator<Item = &Sight>| {
        let mut survey = Survey::new(&mesh);
        for sight in sights {
            survey.look(&Look { sight, sharpness: 1.0, picture: None });
        }
        survey.end()
    };
    let covered = covered_by(&mut taken.iter());
    let chosen = choose(&mesh, &covered, &places, MOST);
    let added = chosen.iter().flat_map(|index| &places[*index]);
    let expected = covered_by(&mut taken.iter().chain(added));
    let percent = |part: f64| (part * 10.0).round() / 10.0;
    let point =
        |index: &usize| NewPoint { label: None, pose: poses[*index], focus: None, lighting: Lighting::Front };
    Ok(Proposal {
        well_covered_percent: percent(covered.summary.well_covered),
        expected_percent: percent(expected.summary.well_covered),
        points: chosen.iter().map(point).collect(),
    })
}

/// Poses at which no image was taken: all around, at each place of the other axes that the plan has, and half-way between those of
/// the lift and the tilt, and a step beyond.
fn candidates(contents: &Contents, axes: &[AxisConfig]) -> Vec<Pose> {
    let plan = &contents.plan;
    let fronts = || plan.points.iter().filter(|point| point.lighting == Lighting::Front);
    let taken: Vec<Pose> =
        photographs(contents).map(|stored| plan.point(plan.point_of(stored.shot)).pose).collect();
    let places = |axis: Axis| {
        let mut places: Vec<f64> = fronts().map(|point| point.pose.get(axis)).collect();
        places.sort_unstable_by(f64::total_cmp);
        places.dedup_by(|a, b| (*a - *b).abs() < APART);
        between(&places)
    };
    let rail = fronts().next().map_or(0.0, |point| point.pose.get(Axis::Rail));
    let turntable = axes.iter().any(|axis| axis.axis == Axis::Turntable);
    let angles = if turntable { ANGLES } else { 1 };
    let mut poses = Vec::new();
    for lift in places(Axis::Lift) {
        for tilt in places(Axis::Tilt) {
            for angle in 0..angles {
                let pose = Pose::default()
                    .with(Axis::Lift, lift)
                    .with(Axis::Tilt, tilt)
                    .with(Axis::Rail, rail)
                    .with(Axis::Turntable, angle as f64 * 360.0 / angles as f64);
                let is_new = !taken.iter().any(|other| is_same(&pose, other));
                if is_new && motion::unreachable(&pose, axes).next().is_none() {
                    poses.push(pose);
                }
            }
        }
    }
    poses
}

/// `places`, sorted, with those half-way between them, and one beyond each end.
fn between(places: &[f64]) -> Vec<f64> {
    let mut all = places.to_vec();
    all.extend(places.windows(2).map(|pair| f64::midpoint(pair[0], pair[1])));
    if let [first, second, ..] = places {
        all.push(first - (second - first));
    }
    if let [.., before, last] = places {
        all.push(last + (last - before));
    }
    all.sort_unstable_by(f64::total_cmp);
    all
}

fn is_same(a: &Pose, b: &Pose) -> bool {
    Axis::ALL.into_iter().all(|axis| {
        let apart = (a.get(axis) - b.get(axis)).abs();
        let apart = if axis == Axis::Turntable { (apart % 360.0).min(360.0 - apart % 360.0) } else { apart };
        apart < APART
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_between_and_beyond_are_thought_of() {
        assert_eq!(between(&[0.0, 50.0]), [-50.0, 0.0, 25.0, 50.0, 100.0]);
        assert_eq!(between(&[10.0]), [10.0]);
        assert!(between(&[]).is_empty());
    }

    #[test]
    fn a_whole_turn_is_none() {
        let at = |angle| Pose::default().with(Axis::Turntable, angle);
        assert!(is_same(&at(359.5), &at(0.5)));
        assert!(!is_same(&at(10.0), &at(20.0)));
    }
}
