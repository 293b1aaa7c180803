//! The order of least travel time.

use super::improve::improve;
use super::metric::{Metric, Node};
use super::neighbours::Sweep;
use super::serpentine::serpentines;
use crate::model::{AxisConfig, Pose};
use crate::plan::Point;
use crate::plan::time::travel_through;

/// How many of the orders by construction are improved.
const IMPROVED: usize = 3;
/// Steps of work spent on improving each: about a second's.
const ALLOWANCE: u64 = 200_000_000;

/// `points` in the order of least travel time that was found from `start` on; never worse than as given, nor than back and forth.
pub(in crate::plan) fn fastest(points: Vec<Point>, axes: &[AxisConfig], start: &Pose) -> Vec<Point> {
    let metric = Metric::new(&points, axes, start);
    let orders = tours(&metric).into_iter().map(|tour| -> Vec<Point> {
        tour.iter().skip(1).map(|&node| points[node as usize - 1].clone()).collect()
    });
    // Compared as they will be driven, free of the metric's rounding; of equal ones the first is taken.
    let time = |points: &Vec<Point>| travel_through(points, axes, start);
    let best = orders.map(|order| (time(&order), order)).min_by_key(|(time, _)| *time);
    match best {
        Some((least, order)) if least < time(&points) => order,
        Some(_) | None => points,
    }
}

/// The orders to choose from, the best of those by construction improved; none if no axis has to move.
fn tours(metric: &Metric) -> Vec<Vec<Node>> {
    let Some(sweep) = Sweep::new(metric) else { return Vec::new() };
    let mut tours = serpentines(metric);
    tours.push(sweep.tour());
    tours.push((0..metric.nodes() as Node).collect());
    let mut tours: Vec<_> = tours.into_iter().map(|tour| (metric.length(&tour), tour)).collect();
    tours.sort_by(|a, b| a.0.total_cmp(&b.0));
    let nearest = sweep.nearest();
    let improved: Vec<_> = tours
        .iter()
        .take(IMPROVED)
        .map(|(_, tour)| improve(metric, &nearest, tour.clone(), ALLOWANCE))
        .collect();
    improved.into_iter().chain(tours.into_iter().map(|(_, tour)| tour)).collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::model::{Axis, Limits, Shaper, ShaperChoice, Swing};
    use crate::motion::travel_time;
    use crate::plan::shapes;
    use crate::units::{Degrees, Hertz, Millimetres};
    use proptest::prelude::*;

    fn axes(limits: [(f64, f64); 3]) -> Vec<AxisConfig> {
        std::iter::zip([Axis::Turntable, Axis::Lift, Axis::Tilt], limits)
            .map(|(axis, (speed, acceleration))| {
                AxisConfig::new(axis, Limits { speed, acceleration, jerk: None }, None)
            })
            .collect()
    }

    fn usual_axes() -> Vec<AxisConfig> {
        axes([(90.0, 180.0), (50.0, 200.0), (30.0, 60.0)])
    }

    fn points() -> impl Strategy<Value = Vec<Point>> {
        // Coarse positions, so that equal ones and exact half turns happen.
        proptest::collection::vec((-8..16_i32, 0..6_i32, -2..9_i32), 1..40).prop_map(|positions| {
            let point = |(index, (angle, lift, tilt)): (usize, (i32, i32, i32))| {
                let pose = Pose::default()
                    .with(Axis::Turntable, f64::from(angle) * 45.0)
                    .with(Axis::Lift, f64::from(lift) * 20.0)
                    .with(Axis::Tilt, f64::from(tilt) * 10.0);
                Point::new(format!("p{index:04}"), pose)
            };
            positions.into_iter().enumerate().map(point).collect()
        })
    }

    /// Some of them with a limit of jerk, which their times depend on.
    fn rig_axes() -> impl Strategy<Value = Vec<AxisConfig>> {
        let limits = || (1.0..200.0, 1.0..500.0);
        let jerks = proptest::array::uniform3(proptest::option::of(10.0..10_000.0));
        (limits(), limits(), limits(), jerks).prop_map(|(a, b, c, jerks)| {
            let mut axes = axes([a, b, c]);
            for (axis, jerk) in std::iter::zip(&mut axes, jerks) {
                axis.limits.jerk = jerk;
            }
            axes
        })
    }

    /// The least travel time of all orders.
    fn least(points: &mut Vec<Point>, axes: &[AxisConfig], from: &Pose) -> Duration {
        let count = points.len();
        let visit_first = |index: usize| {
            let point = points.remove(index);
            let time = travel_time(from, &point.pose, axes) + least(points, axes, &point.pose);
            points.insert(index, point);
            time
        };
        (0..count).map(visit_first).min().unwrap_or_default()
    }

    #[test]
    fn a_cylinder_is_gone_through_ring_by_ring_without_a_way_back() {
        let heights = [0.0, 100.0, 200.0, 300.0].map(Millimetres::new);
        let given = shapes::cylinder(36, &heights);
        let (axes, start) = (usual_axes(), Pose::default());
        let ordered = fastest(given, &axes, &start);
        let step = travel_time(&start, &Pose::default().with(Axis::Turntable, 10.0), &axes);
        let lift = travel_time(&start, &Pose::default().with(Axis::Lift, 100.0), &axes);
        let longest = step * (4 * 35) + lift * 3;
        let travel = travel_through(&ordered, &axes, &start);
        assert!(travel <= longest + Duration::from_micros(1), "{travel:?} > {longest:?}");
    }

    #[test]
    fn a_fast_lift_goes_column_by_column() {
        let given = shapes::cylinder(36, &[0.0, 10.0].map(Millimetres::new));
        let (axes, start) = (axes([(10.0, 10.0), (500.0, 5000.0), (1.0, 1.0)]), Pose::default());
        let ordered = fastest(given, &axes, &start);
        let turns =
            ordered.windows(2).filter(|pair| pair[0].pose.turntable != pair[1].pose.turntable).count();
        assert_eq!(turns, 35);
    }

    #[test]
    fn it_begins_near_the_start() {
        let start = Pose::default().with(Axis::Turntable, 200.0);
        let ordered = fastest(shapes::ring(36, Millimetres::ZERO, Degrees::ZERO), &usual_axes(), &start);
        assert_eq!(ordered[0].label, "r01_a021");
    }

    #[test]
    fn points_in_one_place_and_rigs_without_axes_work() {
        let given = shapes::ring(1, Millimetres::ZERO, Degrees::ZERO);
        assert_eq!(fastest(given.clone(), &usual_axes(), &Pose::default()), given);
        let all_the_same = vec![given[0].clone(); 20];
        let start = Pose::default().with(Axis::Lift, 5.0);
        assert_eq!(fastest(all_the_same.clone(), &usual_axes(), &start), all_the_same);
        assert_eq!(fastest(all_the_same.clone(), &[], &start), all_the_same);
    }

    proptest! {
        #[test]
        fn no_point_is_lost_and_none_added(given in points(), axes in rig_axes()) {
            let mut ordered = fastest(given.clone(), &axes, &Pose::default());
            ordered.sort_by(|a, b| a.label.cmp(&b.label));
            prop_assert_eq!(ordered, given);
        }

        #[test]
        fn it_is_never_worse_than_as_given(given in points(), axes in rig_axes(), angle in -360.0..360.0_f64) {
            let start = Pose::default().with(Axis::Turntable, angle);
            let ordered = fastest(given.clone(), &axes, &start);
            prop_assert!(travel_through(&ordered, &axes, &start) <= travel_through(&given, &axes, &start));
        }

        #[test]
        fn it_is_never_worse_than_back_and_forth(given in points(), axes in rig_axes()) {
            let start = Pose::default();
            let found = travel_through(&fastest(given.clone(), &axes, &start), &axes, &start);
            for tour in serpentines(&Metric::new(&given, &axes, &start)) {
                let points: Vec<_> = tour[1..].iter().map(|&node| given[node as usize - 1].clone()).collect();
                prop_assert!(found <= travel_through(&points, &axes, &start));
            }
        }

        #[test]
        fn the_metric_is_the_travel_time(given in points(), axes in rig_axes()) {
            let metric = Metric::new(&given, &axes, &Pose::default());
            let tour: Vec<Node> = (0..metric.nodes() as Node).collect();
            let travel = travel_through(&given, &axes, &Pose::default()).as_secs_f64();
            prop_assert!((metric.length(&tour) - travel).abs() <= 1e-4 * travel + 1e-6);
        }

        #[test]
        fn the_metric_of_what_swings_is_about_the_travel_time(given in points(), axes in rig_axes()) {
            let swing = Swing { frequency: Hertz::new(5.0), damping: 0.05, spread: 0.0 };
            let shaper = ShaperChoice::Always(Shaper::Zvd);
            let axes: Vec<AxisConfig> =
                axes.into_iter().map(|axis| AxisConfig { swing: Some(swing), shaper, ..axis }).collect();
            let metric = Metric::new(&given, &axes, &Pose::default());
            let tour: Vec<Node> = (0..metric.nodes() as Node).collect();
            let travel = travel_through(&given, &axes, &Pose::default()).as_secs_f64();
            // At the lowest speed, so much is lost between two samples, and as much where the speed begins to be full.
            let each = 2.0 * 180.0 / (4.0 * 512.0 * 512.0) + 1e-6;
            prop_assert!((metric.length(&tour) - travel).abs() < each * tour.len() as f64);
        }

        #[test]
        fn a_few_points_are_near_the_best_order(mut given in points(), axes in rig_axes()) {
            given.truncate(6);
            let found = travel_through(&fastest(given.clone(), &axes, &Pose::default()), &axes, &Pose::default());
            let least = least(&mut given, &axes, &Pose::default());
            prop_assert!(found.as_secs_f64() <= least.as_secs_f64() * 1.25 + 1e-6, "{found:?} for {least:?}");
        }
    }
}
