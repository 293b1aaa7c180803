//! Points of a sphere that are placed so that the way through them takes the least time.
//!
//! A Fibonacci spiral spreads its points evenly, but from one to the next both axes move. On rings
//! most moves are those of the turntable alone. As many points on fewer rings take less time, and on more rings the
//! gaps between rings are smaller: looked for is the quickest set whose gaps are nowhere larger than those of the spiral.

use std::time::Duration;

use super::covering::Gaps;
use super::time::travel_through;
use super::{Point, shapes};
use crate::model::{AxisConfig, Pose};
use crate::units::Degrees;

/// Numbers of rings that are tried: around that of rings as far apart as their points. On fewer, the gaps between rings are larger
/// than those of the spiral, and on more those between the points of a ring.
const RINGS: std::ops::RangeInclusive<f64> = 0.9..=1.3;
/// So many of them, at most: each set of points has to be measured.
const NUMBERS: usize = 8;
/// How far within the zone the outer rings are, as a part of the span of a ring.
const INSETS: [f64; 3] = [0.25, 0.35, 0.5];
/// By how much of a step each ring is turned against the last: its first point is above the last one, or between two.
const PHASES: [f64; 2] = [0.0, 0.5];

/// `points` in the order that `order` gives them, on the spiral or, if that takes less time and leaves no larger gaps, on rings.
pub(super) fn sphere(
    points: u32,
    tilts: (Degrees, Degrees),
    axes: &[AxisConfig],
    start: &Pose,
    order: impl Fn(Vec<Point>) -> Vec<Point>,
) -> Vec<Point> {
    let (min_tilt, max_tilt) = tilts;
    let time = |points: &[Point]| travel_through(points, axes, start);
    let spiral = order(shapes::fibonacci_sphere(points, min_tilt, max_tilt));
    let Some(gaps) = Gaps::of(&spiral, min_tilt, max_tilt) else { return spiral };
    let spiral_time = time(&spiral);
    // Rings are in a good order as they are made, so what is slow is never measured.
    let mut rings: Vec<(Duration, Vec<Point>)> = rings(points, min_tilt, max_tilt)
        .map(|rings| (time(&rings), rings))
        .filter(|(time, _)| *time < spiral_time)
        .collect();
    rings.sort_by_key(|(time, _)| *time);
    let found = rings
        .into_iter()
        .find_map(|(_, rings)| Gaps::of(&rings, min_tilt, max_tilt)?.are_within(&gaps).then_some(rings));
    found.map(order).filter(|rings| time(rings) < spiral_time).unwrap_or(spiral)
}

/// Sets of rings, each in a good order.
fn rings(points: u32, min_tilt: Degrees, max_tilt: Degrees) -> impl Iterator<Item = Vec<Point>> {
    let (low, high) = (min_tilt.get().to_radians(), max_tilt.get().to_radians());
    // What stands for a point, if it were a square.
    let side = (std::f64::consts::TAU * (high.sin() - low.sin()) / f64::from(points)).sqrt();
    let even = if side > 0.0 { (high - low) / side } else { 1.0 };
    let fewest = (even * RINGS.start()).floor().max(1.0) as u32;
    let most = ((even * RINGS.end()).ceil() as u32).clamp(1, points.max(1));
    let step = ((most.saturating_sub(fewest) + 1) as usize).div_ceil(NUMBERS);
    (fewest..=most).step_by(step).flat_map(move |rings| {
        let sets = INSETS.iter().flat_map(|inset| PHASES.map(|phase| (*inset, phase)));
        sets.map(move |(inset, phase)| shapes::inset_rings(points, rings, (min_tilt, max_tilt), inset, phase))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Axis, Limits};
    use crate::plan::order;
    use proptest::prelude::*;

    fn axes(limits: [(f64, f64); 2]) -> Vec<AxisConfig> {
        std::iter::zip([Axis::Turntable, Axis::Tilt], limits)
            .map(|(axis, (speed, acceleration))| {
                AxisConfig::new(axis, Limits { speed, acceleration, jerk: None }, None)
            })
            .collect()
    }

    #[test]
    fn a_fast_turntable_saves_a_fifth_with_a_smaller_largest_gap() {
        let (axes, start) = (axes([(180.0, 600.0), (30.0, 60.0)]), Pose::default());
        let tilts = (Degrees::ZERO, Degrees::new(70.0));
        let order = |points| order::fastest(points, &axes, &start);
        let spiral = order(shapes::fibonacci_sphere(150, tilts.0, tilts.1));
        let least = sphere(150, tilts, &axes, &start, order);
        let time = |points: &[Point]| travel_through(points, &axes, &start).as_secs_f64();
        assert!(time(&least) < 0.8 * time(&spiral), "{} of {}", time(&least), time(&spiral));
        let gaps = |points: &[Point]| Gaps::of(points, tilts.0, tilts.1).unwrap();
        assert!(gaps(&least).largest.get() < 0.8 * gaps(&spiral).largest.get());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(8))]
        #[test]
        fn it_is_never_slower_never_fewer_never_worse_and_always_the_same(
            count in 1..60_u32, min in -30.0..60.0_f64, span in 1.0..60.0_f64,
            speeds in (5.0..200.0_f64, 5.0..200.0_f64), angle in 0.0..360.0_f64,
        ) {
            let axes = axes([(speeds.0, 2.0 * speeds.0), (speeds.1, 2.0 * speeds.1)]);
            let tilts = (Degrees::new(min), Degrees::new((min + span).min(90.0)));
            let start = Pose::default().with(Axis::Turntable, angle);
            let order = |points| order::fastest(points, &axes, &start);
            let spiral = order(shapes::fibonacci_sphere(count, tilts.0, tilts.1));
            let least = sphere(count, tilts, &axes, &start, order);
            prop_assert_eq!(least.len(), count as usize);
            prop_assert!(travel_through(&least, &axes, &start) <= travel_through(&spiral, &axes, &start));
            let gaps = |points: &[Point]| Gaps::of(points, tilts.0, tilts.1).unwrap();
            let (least_gaps, spiral_gaps) = (gaps(&least), gaps(&spiral));
            // The order of points changes how sums are rounded, and no more.
            prop_assert!(least_gaps.largest.get() <= spiral_gaps.largest.get() + 1e-6, "{least_gaps:?} {spiral_gaps:?}");
            prop_assert!(least_gaps.around.get() <= spiral_gaps.around.get() + 1e-9, "{least_gaps:?} {spiral_gaps:?}");
            prop_assert!(least_gaps.typical.get() <= spiral_gaps.typical.get() + 1e-9, "{least_gaps:?} {spiral_gaps:?}");
            let labels: std::collections::HashSet<_> = least.iter().map(|point| &point.label).collect();
            prop_assert_eq!(labels.len(), least.len());
            for point in &least {
                prop_assert!((tilts.0..=tilts.1).contains(&point.pose.tilt));
            }
            prop_assert_eq!(&sphere(count, tilts, &axes, &start, order), &least);
        }
    }
}
