//! Points by formula. Labels say where a point is, whatever the order in which points are visited.

use super::Point;
use crate::model::{Axis, Pose};
use crate::units::{Degrees, Millimetres};

/// The golden angle in degrees: turns by it never come near one another soon.
const GOLDEN_ANGLE: f64 = 137.507_764_050_037_85;

/// `angles` points around at each of `heights`, in the order of the heights as given. Rings are numbered from
/// the lowest, angles from 0°.
pub(super) fn cylinder(angles: u32, heights: &[Millimetres]) -> Vec<Point> {
    let mut ranks: Vec<usize> = (0..heights.len()).collect();
    ranks.sort_by(|&a, &b| heights[a].get().total_cmp(&heights[b].get()));
    let mut rings = vec![0; heights.len()];
    for (rank, &index) in ranks.iter().enumerate() {
        rings[index] = rank;
    }
    let labels = Labels::new(heights.len(), angles);
    std::iter::zip(heights, rings)
        .flat_map(|(height, ring)| labels.around(ring, angles, Pose { lift: *height, ..Pose::default() }))
        .collect()
}

/// `angles` points around at one height and tilt.
pub(super) fn ring(angles: u32, height: Millimetres, tilt: Degrees) -> Vec<Point> {
    let pose = Pose { lift: height, tilt, ..Pose::default() };
    Labels::new(1, angles).around(0, angles, pose).collect()
}

/// `rings` rings (at most `points`) evenly spaced from `min_tilt` to `max_tilt`, both included (one ring: in
/// their middle), numbered from the lowest. Each has points in proportion to its length, but at least one.
pub(super) fn latitude_sphere(points: u32, rings: u32, min_tilt: Degrees, max_tilt: Degrees) -> Vec<Point> {
    let steps = f64::from(rings.max(2) - 1);
    let first = if rings == 1 { 0.5 } else { 0.0 };
    let tilts: Vec<f64> = (0..rings)
        .map(|ring| (f64::from(ring) + first) / steps)
        .map(|part| min_tilt.get() * (1.0 - part) + max_tilt.get() * part)
        .collect();
    let shares = ring_shares(points, &tilts);
    let labels = Labels::new(tilts.len(), shares.iter().copied().max().unwrap_or(0));
    std::iter::zip(tilts, shares)
        .enumerate()
        .flat_map(|(ring, (tilt, angles))| {
            labels.around(ring, angles, Pose::default().with(Axis::Tilt, tilt))
        })
        .collect()
}

/// `rings` rings (at most `points`) evenly spaced between the `tilts`, the outer ones `inset` of the span of a ring within them (one
/// ring: in their middle), with points in proportion to each ring's length, but at least one. Each begins `phase` of its step further
/// on than the last one ended.
pub(super) fn inset_rings(
    points: u32,
    rings: u32,
    tilts: (Degrees, Degrees),
    inset: f64,
    phase: f64,
) -> Vec<Point> {
    let (min_tilt, max_tilt) = (tilts.0.get(), tilts.1.get());
    let edge = if rings == 1 { 0.5 } else { inset / f64::from(rings) };
    let part = |ring: u32| edge + (1.0 - 2.0 * edge) * f64::from(ring) / f64::from(rings.max(2) - 1);
    let tilts: Vec<f64> =
        (0..rings).map(part).map(|part| min_tilt * (1.0 - part) + max_tilt * part).collect();
    let shares = ring_shares(points, &tilts);
    let labels = Labels::new(tilts.len(), shares.iter().copied().max().unwrap_or(0));
    let mut begin = 0.0;
    let mut all = Vec::with_capacity(points as usize);
    for (ring, (tilt, angles)) in std::iter::zip(tilts, shares).enumerate() {
        let step = 360.0 / f64::from(angles);
        if ring > 0 {
            begin += phase * step;
        }
        let pose = Pose::default().with(Axis::Tilt, tilt);
        all.extend(labels.around(ring, angles, pose).map(|point| {
            let angle = (point.pose.get(Axis::Turntable) + begin).rem_euclid(360.0);
            Point { pose: point.pose.with(Axis::Turntable, angle), ..point }
        }));
        // It ends a step before it would be round.
        begin -= step;
    }
    all
}

/// How many of `points` are on each ring, in proportion to the rings' lengths.
fn ring_shares(points: u32, tilts: &[f64]) -> Vec<u32> {
    let lengths: Vec<f64> = tilts.iter().map(|tilt| tilt.to_radians().cos().max(0.0)).collect();
    shares(points, &lengths)
}

/// `points` points on a spiral from `min_tilt` to `max_tilt`, each of which stands for the same area of the
/// sphere. Numbered along the spiral.
pub(super) fn fibonacci_sphere(points: u32, min_tilt: Degrees, max_tilt: Degrees) -> Vec<Point> {
    // Slices of a sphere of equal height have equal areas.
    let (low, high) = (min_tilt.get().to_radians().sin(), max_tilt.get().to_radians().sin());
    let width = digits(points).max(4);
    (0..points)
        .map(|index| {
            let height = low + (high - low) * (f64::from(index) + 0.5) / f64::from(points);
            let tilt = height.asin().to_degrees().clamp(min_tilt.get(), max_tilt.get().max(min_tilt.get()));
            let angle = (f64::from(index) * GOLDEN_ANGLE) % 360.0;
            let pose = Pose::default().with(Axis::Turntable, angle).with(Axis::Tilt, tilt);
            Point::new(format!("p{:0width$}", index + 1), pose)
        })
        .collect()
}

/// Labels `r01_a017`, with as many digits as the greatest ring and angle need, so that names sort.
#[derive(Clone, Copy)]
struct Labels {
    ring_digits: usize,
    angle_digits: usize,
}

impl Labels {
    fn new(rings: usize, angles: u32) -> Self {
        let ring_digits = digits(u32::try_from(rings).unwrap_or(u32::MAX)).max(2);
        Self { ring_digits, angle_digits: digits(angles).max(3) }
    }

    /// `angles` evenly spaced points from 0° on, with the other axes as in `pose`.
    fn around(self, ring: usize, angles: u32, pose: Pose) -> impl Iterator<Item = Point> {
        let Self { ring_digits, angle_digits } = self;
        (0..angles).map(move |index| {
            let label = format!("r{:0ring_digits$}_a{:0angle_digits$}", ring + 1, index + 1);
            Point::new(label, pose.with(Axis::Turntable, f64::from(index) * 360.0 / f64::from(angles)))
        })
    }
}

fn digits(number: u32) -> usize {
    number.checked_ilog10().unwrap_or(0) as usize + 1
}

/// `total` split in proportion to `weights`, but at least 1 each. `total` must not be less than their number.
fn shares(total: u32, weights: &[f64]) -> Vec<u32> {
    let sum: f64 = weights.iter().sum();
    // What each wants beyond the one that it has anyway; weights of nothing want equally much.
    let wants: Vec<f64> = weights
        .iter()
        .map(|weight| if sum > 1e-9 { (f64::from(total) * weight / sum - 1.0).max(0.0) } else { 1.0 })
        .collect();
    let (wanted, spare) = (wants.iter().sum::<f64>(), f64::from(total) - weights.len() as f64);
    // Rounding the running sum, rather than each part, makes the parts add up.
    let mut running = 0.0;
    let mut given = 0;
    wants
        .iter()
        .map(|want| {
            running += want;
            let upto = if wanted > 0.0 { (spare * running / wanted).round() as u32 } else { 0 };
            let share = 1 + upto.saturating_sub(given);
            given = given.max(upto);
            share
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn labels(points: &[Point]) -> Vec<&str> {
        points.iter().map(|point| point.label.as_str()).collect()
    }

    #[test]
    fn rings_are_numbered_by_height_in_whatever_order_they_are_given() {
        let points = cylinder(2, &[100.0, 0.0, 50.0].map(Millimetres::new));
        let expected = ["r03_a001", "r03_a002", "r01_a001", "r01_a002", "r02_a001", "r02_a002"];
        assert_eq!(labels(&points), expected);
        assert_eq!(points[1].pose, Pose::default().with(Axis::Turntable, 180.0).with(Axis::Lift, 100.0));
    }

    #[test]
    fn labels_sort_however_many_there_are() {
        let points = cylinder(1000, &[Millimetres::ZERO]);
        assert!(points.is_sorted_by(|a, b| a.label < b.label));
        assert_eq!(points[6].label, "r01_a0007");
        assert_eq!(ring(2, Millimetres::ZERO, Degrees::ZERO)[0].label, "r01_a001");
        assert_eq!(fibonacci_sphere(2, Degrees::ZERO, Degrees::new(60.0))[1].label, "p0002");
    }

    #[test]
    fn latitude_rings_have_points_in_proportion_to_their_length_and_the_pole_has_one() {
        let points = latitude_sphere(100, 4, Degrees::ZERO, Degrees::new(90.0));
        let on = |ring: &str| points.iter().filter(|point| point.label.starts_with(ring)).count();
        // Lengths 1 : 0.87 : 0.5 : 0
        assert_eq!(["r01", "r02", "r03", "r04"].map(on), [42, 36, 21, 1]);
        assert_eq!(points.last().unwrap().pose.tilt, Degrees::new(90.0));
    }

    proptest! {
        #[test]
        fn a_fibonacci_sphere_covers_equal_areas(points in 1..500_u32, min in -90.0..90.0_f64, span in 0.0..90.0_f64) {
            let max = (min + span).min(90.0);
            let sphere = fibonacci_sphere(points, Degrees::new(min), Degrees::new(max));
            prop_assert_eq!(sphere.len(), points as usize);
            let (low, high) = (min.to_radians().sin(), max.to_radians().sin());
            for (index, point) in sphere.iter().enumerate() {
                let tilt = point.pose.tilt.get();
                prop_assert!(tilt >= min && tilt <= max);
                // The area below a point, as a part of the whole, is that of the points before it.
                let below = (tilt.to_radians().sin() - low) * f64::from(points);
                prop_assert!((below - (high - low) * (index as f64 + 0.5)).abs() < 1e-6 * f64::from(points));
            }
        }

        #[test]
        fn shares_add_up_and_leave_nobody_out(
            weights in proptest::collection::vec(0.0..1.0_f64, 1..40), extra in 0..1000_u32,
        ) {
            let total = weights.len() as u32 + extra;
            let shares = shares(total, &weights);
            prop_assert!(shares.iter().all(|&share| share >= 1));
            prop_assert_eq!(shares.iter().sum::<u32>(), total);
        }
    }
}
