//! How well points of a sphere cover it: the directions from which they see the object, and the gaps between those.
//!
//! A point's direction is its angle of the turntable and, as latitude, its tilt. What is covered is the zone between two tilts.

use super::Point;
use crate::model::Axis;
use crate::units::Degrees;

/// Directions that are looked at for each point.
const SAMPLES_A_POINT: usize = 20;
/// And in all: so few points are measured as well as many, and many in a second.
const SAMPLES: std::ops::RangeInclusive<usize> = 2_000..=40_000;
/// So many of the largest gaps found are looked at closely.
const CLOSELY: usize = 40;
/// So far beyond the zone it matters how far the nearest point is, in degrees.
const BEYOND: f64 = 30.0;
/// To within so many radians.
const CLOSE: f64 = 1e-7;
/// Turns by it (in radians) never come near one another soon.
const GOLDEN_ANGLE: f64 = 2.399_963_229_728_653;

/// The gaps between the directions of points.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Gaps {
    /// How far the direction of the zone that is farthest from all points is from the nearest: the covering radius.
    pub largest: Degrees,
    /// How far a direction of the zone is from the nearest point: the root of the mean square over its area.
    pub typical: Degrees,
    /// The same over the zone and `BEYOND` it: a view shows more than what it looks at, and those at the edges are the only ones
    /// that show what is beyond.
    pub around: Degrees,
}

impl Gaps {
    /// Those of `points` in the zone between two tilts; none of no points.
    pub fn of(points: &[Point], min_tilt: Degrees, max_tilt: Degrees) -> Option<Self> {
        let zone = Zone { low: min_tilt.get().to_radians(), high: max_tilt.get().to_radians() };
        let views = Views::of(points)?;
        let count = (points.len() * SAMPLES_A_POINT).clamp(*SAMPLES.start(), *SAMPLES.end());
        let inside: Vec<Sample> = zone.evenly(count).map(|at| views.sample(at)).collect();
        let typical = mean(inside.iter().map(|sample| sample.gap));
        let around = mean(zone.widened().evenly(count).map(|at| views.gap(at)));
        // Most gaps at the edges are larger: nothing is beyond them.
        let edges = zone.edges(count / 4).map(|at| views.sample(at));
        let mut all: Vec<Sample> = inside.iter().copied().chain(edges).collect();
        all.sort_by(|a, b| b.gap.total_cmp(&a.gap));
        // As far as one direction that was looked at is from the next.
        let step = (zone.area() / count as f64).sqrt().max(4.0 * std::f64::consts::TAU / count as f64);
        let closely = all.iter().take(CLOSELY).map(|sample| views.climb(*sample, &zone, step));
        Some(Self {
            largest: Degrees::new(closely.fold(0.0, f64::max).to_degrees()),
            typical: Degrees::new(typical.to_degrees()),
            around: Degrees::new(around.to_degrees()),
        })
    }

    /// Whether these are nowhere larger than `others`.
    pub fn are_within(&self, others: &Self) -> bool {
        self.largest.get() <= others.largest.get()
            && self.typical.get() <= others.typical.get()
            && self.around.get() <= others.around.get()
    }
}

/// A direction, in radians.
#[derive(Debug, Clone, Copy)]
struct Direction {
    latitude: f64,
    longitude: f64,
}

/// The part of the sphere between two latitudes.
struct Zone {
    low: f64,
    high: f64,
}

#[derive(Debug, Clone, Copy)]
struct Sample {
    at: Direction,
    gap: f64,
}

impl Zone {
    fn area(&self) -> f64 {
        std::f64::consts::TAU * (self.high.sin() - self.low.sin())
    }

    /// With [`BEYOND`] on either side.
    fn widened(&self) -> Self {
        let (beyond, pole) = (BEYOND.to_radians(), std::f64::consts::FRAC_PI_2);
        Self { low: (self.low - beyond).max(-pole), high: (self.high + beyond).min(pole) }
    }

    /// `count` directions, each for the same area.
    fn evenly(&self, count: usize) -> impl ExactSizeIterator<Item = Direction> + use<> {
        let (low, high) = (self.low.sin(), self.high.sin());
        (0..count).map(move |index| Direction {
            latitude: (low + (high - low) * (index as f64 + 0.5) / count as f64).clamp(-1.0, 1.0).asin(),
            longitude: index as f64 * GOLDEN_ANGLE,
        })
    }

    /// `count` directions on each of its two edges.
    fn edges(&self, count: usize) -> impl Iterator<Item = Direction> {
        let at = move |index| std::f64::consts::TAU * index as f64 / count as f64;
        let edge = move |latitude| (0..count).map(move |index| Direction { latitude, longitude: at(index) });
        edge(self.low).chain(edge(self.high))
    }
}

/// The directions of the points, from the lowest latitude to the highest.
struct Views {
    latitudes: Vec<f64>,
    vectors: Vec<[f64; 3]>,
}

impl Views {
    fn of(points: &[Point]) -> Option<Self> {
        let direction = |point: &Point| Direction {
            latitude: point.pose.get(Axis::Tilt).to_radians(),
            longitude: point.pose.get(Axis::Turntable).to_radians(),
        };
        let mut all: Vec<Direction> = points.iter().map(direction).collect();
        all.sort_by(|a, b| a.latitude.total_cmp(&b.latitude));
        let latitudes = all.iter().map(|at| at.latitude).collect();
        (!all.is_empty()).then(|| Self { latitudes, vectors: all.iter().map(|at| at.vector()).collect() })
    }

    fn sample(&self, at: Direction) -> Sample {
        Sample { at, gap: self.gap(at) }
    }

    /// How far `at` is from the nearest, in radians.
    fn gap(&self, at: Direction) -> f64 {
        let vector = at.vector();
        let first = self.latitudes.partition_point(|latitude| *latitude < at.latitude);
        // Nothing is nearer than its latitude is: so one way ends where that is farther than what was found.
        let (mut highest, mut nearest) = (f64::NEG_INFINITY, f64::INFINITY);
        let mut look = |index: usize| {
            let goes_on = (self.latitudes[index] - at.latitude).abs() < nearest;
            // An angle is worked out only of what is nearer: that is seldom.
            let dot = dot(vector, self.vectors[index]);
            if goes_on && dot > highest {
                (highest, nearest) = (dot, angle(dot));
            }
            goes_on
        };
        let _ = (first..self.latitudes.len()).all(&mut look);
        let _ = (0..first).rev().all(&mut look);
        nearest
    }

    /// The gap at the top of the hill on whose side `sample` is, found by steps within `zone` that grow shorter.
    fn climb(&self, sample: Sample, zone: &Zone, mut step: f64) -> f64 {
        let mut best = sample;
        while step > CLOSE {
            let up = |(north, east): (f64, f64)| {
                let latitude = (best.at.latitude + north * step).clamp(zone.low, zone.high);
                // At the poles, any step goes round.
                let longitude = best.at.longitude + east * step / best.at.latitude.cos().max(0.05);
                self.sample(Direction { latitude, longitude })
            };
            let ways =
                [-1.0, 0.0, 1.0].into_iter().flat_map(|north| [-1.0, 0.0, 1.0].map(|east| (north, east)));
            let highest = ways.map(up).max_by(|a, b| a.gap.total_cmp(&b.gap)).unwrap_or(best);
            if highest.gap > best.gap {
                best = highest;
            } else {
                step /= 2.0;
            }
        }
        best.gap
    }
}

impl Direction {
    fn vector(self) -> [f64; 3] {
        let (sin, cos) = self.latitude.sin_cos();
        let (east, north) = self.longitude.sin_cos();
        [cos * north, cos * east, sin]
    }
}

/// The root of the mean square.
fn mean(gaps: impl ExactSizeIterator<Item = f64>) -> f64 {
    let count = gaps.len() as f64;
    (gaps.map(|gap| gap * gap).sum::<f64>() / count).sqrt()
}

/// Of two directions.
fn dot(a: [f64; 3], b: [f64; 3]) -> f64 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

/// Between two directions, in radians.
fn angle(dot: f64) -> f64 {
    dot.clamp(-1.0, 1.0).acos()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Pose;
    use proptest::prelude::*;

    fn at(angle: f64, tilt: f64) -> Point {
        Point::new("p".into(), Pose::default().with(Axis::Turntable, angle).with(Axis::Tilt, tilt))
    }

    fn gaps(points: &[Point], min: f64, max: f64) -> Gaps {
        Gaps::of(points, Degrees::new(min), Degrees::new(max)).unwrap()
    }

    fn close(a: Degrees, b: f64) -> bool {
        (a.get() - b).abs() < 1e-4
    }

    #[test]
    fn the_largest_gap_is_where_geometry_says() {
        assert_eq!(Gaps::of(&[], Degrees::ZERO, Degrees::new(60.0)), None);
        // From the pole, the equator is a quarter turn away.
        assert!(close(gaps(&[at(0.0, 90.0)], 0.0, 90.0).largest, 90.0));
        // Between four on the equator, an eighth.
        let equator = [0.0, 90.0, 180.0, 270.0].map(|angle| at(angle, 0.0));
        assert!(close(gaps(&equator, 0.0, 0.0).largest, 45.0));
        // The centre of an octant is as far from each of the three corners.
        let octants = [equator.to_vec(), vec![at(0.0, 90.0)]].concat();
        assert!(close(gaps(&octants, 0.0, 90.0).largest, (1.0_f64 / 3.0).sqrt().acos().to_degrees()));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]
        /// Nothing that is looked at is farther away than the largest gap, by a look at every point.
        #[test]
        fn no_direction_is_farther_than_the_largest_gap(
            poses in proptest::collection::vec((0.0..360.0_f64, -20.0..80.0_f64), 1..40),
            angle in 0.0..360.0_f64, part in 0.0..1.0_f64,
        ) {
            let points: Vec<Point> = poses.iter().map(|(angle, tilt)| at(*angle, *tilt)).collect();
            let found = gaps(&points, -20.0, 80.0);
            let latitude = (-20.0 + 100.0 * part).to_radians();
            let vector = Direction { latitude, longitude: angle.to_radians() }.vector();
            let views = Views::of(&points).unwrap();
            let far = views.vectors.iter().map(|view| dot(vector, *view).clamp(-1.0, 1.0).acos()).fold(f64::INFINITY, f64::min);
            // As far as one can be from the nearest of the directions that are looked at.
            let missed = (Zone { low: -20_f64.to_radians(), high: 80_f64.to_radians() }.area() / 2_000.0).sqrt() * 2.0;
            prop_assert!(far.to_degrees() <= found.largest.get() + missed.to_degrees());
            prop_assert!(found.typical.get() <= found.largest.get() + 1e-6);
        }

        #[test]
        fn a_point_more_leaves_no_larger_gaps(
            poses in proptest::collection::vec((0.0..360.0_f64, -20.0..80.0_f64), 1..20), more in (0.0..360.0_f64, -20.0..80.0_f64),
        ) {
            let points: Vec<Point> = poses.iter().map(|(angle, tilt)| at(*angle, *tilt)).collect();
            let found = gaps(&points, -20.0, 80.0);
            let with_one = [points, vec![at(more.0, more.1)]].concat();
            // The directions that are looked at are the same, and of each the nearest is no farther.
            let more = gaps(&with_one, -20.0, 80.0);
            prop_assert!(more.typical.get() <= found.typical.get() + 1e-9);
            prop_assert!(more.around.get() <= found.around.get() + 1e-9);
        }
    }
}
