//! From a configured shape to a plan.

use std::fmt;
use std::path::PathBuf;

use super::list::{self, ListError};
use super::{Plan, PlanCamera, Point, least, order, shapes};
use crate::config::{PlanOrder, PlanShape, SphereTravel};
use crate::model::{AxisConfig, Pose};
use crate::motion::{self, Unreachable};

/// Most shots that a plan may have.
pub const MAX_SHOTS: usize = 1_000_000;

/// How many violations an error spells out.
const SHOWN_VIOLATIONS: usize = 10;

/// Why a shape cannot be planned.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// There is no point at all.
    #[error("the plan has no points: ask for at least one")]
    NoPoints,
    /// Nobody to do it.
    #[error("the plan has no cameras: configure at least one")]
    NoCameras,
    /// More shots than [`MAX_SHOTS`].
    #[error("the plan has {shots} shots, more than {MAX_SHOTS}: ask for fewer points")]
    TooManyShots {
        /// How many there would be: points times cameras.
        shots: u64,
    },
    /// Fewer points than rings to put them on.
    #[error("{points} points do not fill {rings} rings: ask for fewer rings or for more points")]
    TooFewPoints {
        /// Points that were asked for in all.
        points: u32,
        /// Rings that were asked for.
        rings: u32,
    },
    /// Points that the axes cannot reach.
    #[error("{0}")]
    Unreachable(Violations),
    /// The list of points cannot be used.
    #[error("{}: {source}", file.display())]
    List {
        /// The file with the list.
        file: PathBuf,
        /// What is wrong, and where.
        source: ListError,
    },
}

/// The points of a plan that the axes cannot reach.
#[derive(Debug, Clone, PartialEq)]
pub struct Violations {
    /// The first few of them, to be shown.
    pub first: Vec<Violation>,
    /// How many there are in all.
    pub count: usize,
}

/// A point that an axis cannot reach.
#[derive(Debug, Clone, PartialEq)]
pub struct Violation {
    /// The label of the point.
    pub label: String,
    /// What keeps the rig from it.
    pub reason: Unreachable,
}

impl fmt::Display for Violations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the axes cannot reach every point:")?;
        for violation in &self.first {
            write!(f, "\n  {}: {}", violation.label, violation.reason)?;
        }
        match self.count - self.first.len() {
            0 => Ok(()),
            more => write!(f, "\n  and {more} more"),
        }
    }
}

/// The plan of `shape` for `cameras`, in `order` from `start` on; every point can be reached by `axes`.
pub fn generate(
    shape: &PlanShape,
    cameras: Vec<PlanCamera>,
    order: PlanOrder,
    axes: &[AxisConfig],
    start: &Pose,
) -> Result<Plan, PlanError> {
    if cameras.is_empty() {
        return Err(PlanError::NoCameras);
    }
    let ordered = |points: Vec<Point>| match order {
        PlanOrder::Given => points,
        PlanOrder::Fastest => order::fastest(points, axes, start),
    };
    let points = points_of(shape, cameras.len())?;
    if points.is_empty() {
        return Err(PlanError::NoPoints);
    }
    check_reach(&points, axes)?;
    let points = match *shape {
        PlanShape::FibonacciSphere { points, min_tilt, max_tilt, travel: SphereTravel::Least } => {
            least::sphere(points, (min_tilt, max_tilt), axes, start, ordered)
        }
        PlanShape::FibonacciSphere { travel: SphereTravel::Given, .. }
        | PlanShape::Cylinder { .. }
        | PlanShape::Ring { .. }
        | PlanShape::LatitudeSphere { .. }
        | PlanShape::List { .. } => ordered(points),
    };
    Ok(Plan { points, cameras })
}

fn points_of(shape: &PlanShape, cameras: usize) -> Result<Vec<Point>, PlanError> {
    // Asked before a point is made: a typing error must not exhaust the memory.
    let room_for = |points: u64| {
        let shots = points.saturating_mul(cameras as u64);
        if shots > MAX_SHOTS as u64 { Err(PlanError::TooManyShots { shots }) } else { Ok(()) }
    };
    match shape {
        PlanShape::Cylinder { angles, heights } => {
            room_for(u64::from(*angles).saturating_mul(heights.len() as u64))?;
            Ok(shapes::cylinder(*angles, heights))
        }
        PlanShape::Ring { angles, height, tilt } => {
            room_for(u64::from(*angles))?;
            Ok(shapes::ring(*angles, *height, *tilt))
        }
        PlanShape::LatitudeSphere { points, rings, min_tilt, max_tilt } => {
            room_for(u64::from(*points))?;
            if rings > points {
                return Err(PlanError::TooFewPoints { points: *points, rings: *rings });
            }
            Ok(shapes::latitude_sphere(*points, *rings, *min_tilt, *max_tilt))
        }
        PlanShape::FibonacciSphere { points, min_tilt, max_tilt, travel: _ } => {
            room_for(u64::from(*points))?;
            Ok(shapes::fibonacci_sphere(*points, *min_tilt, *max_tilt))
        }
        PlanShape::List { file } => list::read(file, MAX_SHOTS / cameras)
            .map_err(|source| PlanError::List { file: file.clone(), source }),
    }
}

/// That the axes can reach every one of `points`.
pub(super) fn check_reach(points: &[Point], axes: &[AxisConfig]) -> Result<(), PlanError> {
    let mut violations = points.iter().flat_map(|point| {
        motion::unreachable(&point.pose, axes).map(|reason| Violation { label: point.label.clone(), reason })
    });
    let first: Vec<_> = violations.by_ref().take(SHOWN_VIOLATIONS).collect();
    if first.is_empty() {
        return Ok(());
    }
    let count = first.len() + violations.count();
    Err(PlanError::Unreachable(Violations { first, count }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Limits;
    use crate::model::Optics;
    use crate::model::{Axis, Intrinsics, Mount};
    use crate::units::{Degrees, Millimetres};
    use proptest::prelude::*;

    fn camera() -> PlanCamera {
        let intrinsics = Intrinsics {
            width: 4608,
            height: 2592,
            fx: 3400.0,
            fy: 3400.0,
            cx: 2304.0,
            cy: 1296.0,
            pixel_pitch: None,
            distortion: None,
        };
        let mount = Mount {
            distance: Millimetres::new(400.0),
            height: Millimetres::new(60.0),
            azimuth: Degrees::ZERO,
            look_at_height: Millimetres::new(60.0),
        };
        PlanCamera {
            name: "cam0".into(),
            intrinsics: Optics::Intrinsics(intrinsics),
            mount: Some(mount),
            extrinsics: None,
            files: PlanCamera::image_alone(),
        }
    }

    fn axes() -> Vec<AxisConfig> {
        let axis = |axis, speed, acceleration, travel| {
            AxisConfig::new(axis, Limits { speed, acceleration, jerk: None }, travel)
        };
        vec![
            axis(Axis::Turntable, 90.0, 180.0, None),
            axis(Axis::Lift, 50.0, 200.0, Some((0.0, 300.0))),
            axis(Axis::Tilt, 30.0, 60.0, Some((-20.0, 90.0))),
        ]
    }

    fn plan(shape: &PlanShape, order: PlanOrder) -> Result<Plan, PlanError> {
        generate(shape, vec![camera()], order, &axes(), &Pose::default())
    }

    fn cylinder(angles: u32, heights: &[f64]) -> PlanShape {
        PlanShape::Cylinder { angles, heights: heights.iter().copied().map(Millimetres::new).collect() }
    }

    #[test]
    fn a_plan_of_nothing_or_nobody_is_an_error() {
        assert!(matches!(plan(&cylinder(36, &[]), PlanOrder::Given), Err(PlanError::NoPoints)));
        assert!(matches!(plan(&cylinder(0, &[1.0]), PlanOrder::Fastest), Err(PlanError::NoPoints)));
        let nobody = generate(&cylinder(1, &[0.0]), vec![], PlanOrder::Given, &axes(), &Pose::default());
        assert!(matches!(nobody, Err(PlanError::NoCameras)));
        assert_eq!(plan(&cylinder(1, &[0.0]), PlanOrder::Fastest).unwrap().points.len(), 1);
    }

    #[test]
    fn too_many_shots_are_refused_before_they_are_made() {
        for (angles, cameras) in [(u32::MAX, 1), (1_000_001, 1), (500_001, 2)] {
            let error = generate(
                &cylinder(angles, &[0.0, 1.0]),
                vec![camera(); cameras],
                PlanOrder::Fastest,
                &axes(),
                &Pose::default(),
            );
            assert!(matches!(error, Err(PlanError::TooManyShots { .. })));
        }
    }

    #[test]
    fn every_point_out_of_reach_is_counted_and_the_first_are_named() {
        let error = plan(&cylinder(36, &[0.0, 301.0]), PlanOrder::Given).unwrap_err().to_string();
        let first = "\n  r02_a001: the lift cannot go to 301 mm: its travel is 0 to 300 mm\n";
        assert!(error.contains(first) && error.ends_with("and 26 more"), "{error}");
    }

    #[test]
    fn an_axis_that_the_rig_lacks_is_missed_only_where_it_would_move() {
        let turntable = &axes()[..1];
        let with = |tilt| {
            let shape = PlanShape::Ring { angles: 3, height: Millimetres::ZERO, tilt: Degrees::new(tilt) };
            generate(&shape, vec![camera()], PlanOrder::Fastest, turntable, &Pose::default())
        };
        assert!(with(0.0).is_ok());
        let error = with(10.0).unwrap_err().to_string();
        assert!(error.contains("the rig has no tilt") && error.contains("[motion.tilt]"), "{error}");
    }

    #[test]
    fn more_rings_than_points_are_refused() {
        let shape = PlanShape::LatitudeSphere {
            points: 3,
            rings: 4,
            min_tilt: Degrees::ZERO,
            max_tilt: Degrees::new(60.0),
        };
        assert!(matches!(plan(&shape, PlanOrder::Given), Err(PlanError::TooFewPoints { .. })));
    }

    fn shapes() -> impl Strategy<Value = PlanShape> {
        let tilts = (-20.0..90.0, -20.0..90.0)
            .prop_map(|(a, b): (f64, f64)| (Degrees::new(a.min(b)), Degrees::new(a.max(b))));
        prop_oneof![
            (1..50_u32, proptest::collection::vec(0.0..300.0, 1..5)).prop_map(|(n, h)| cylinder(n, &h)),
            (1..200_u32, tilts.clone()).prop_map(|(points, (min_tilt, max_tilt))| {
                PlanShape::FibonacciSphere { points, min_tilt, max_tilt, travel: SphereTravel::Given }
            }),
            (10..200_u32, 1..10_u32, tilts).prop_map(|(points, rings, (min_tilt, max_tilt))| {
                PlanShape::LatitudeSphere { points, rings, min_tilt, max_tilt }
            }),
        ]
    }

    proptest! {
        #[test]
        fn order_changes_no_point_and_no_label(shape in shapes()) {
            let sorted = |order| {
                let mut points = plan(&shape, order).unwrap().points;
                points.sort_by(|a, b| a.label.cmp(&b.label));
                points
            };
            let given = sorted(PlanOrder::Given);
            prop_assert_eq!(&given, &sorted(PlanOrder::Fastest));
            let labels: std::collections::HashSet<_> = given.iter().map(|point| &point.label).collect();
            prop_assert_eq!(labels.len(), given.len());
        }
    }
}
