//! Where the axes go for a calibration.

use crate::model::{Axis, AxisConfig, Pose};
use crate::plan::Point;
use crate::units::Dioptres;

/// Angles of the turntable all around.
const ANGLES: u32 = 24;
/// Heights of the lift, in millimetres above the lowest that is at zero or above: as far as the board is seen.
pub const HEIGHTS: [f64; 3] = [0.0, 25.0, 50.0];
/// So many angles are taken again on the way back, which shows the turntable's backlash.
const BACK: u32 = 6;

/// The points of a calibration by `axes`, in order: around at each height, and a part of the way back; at each of the lens
/// positions, if there are any.
pub fn points(axes: &[AxisConfig], positions: &[Dioptres]) -> Vec<Point> {
    let lift = axes.iter().find(|axis| axis.axis == Axis::Lift);
    let (low, high) = lift.map_or((0.0, 0.0), |lift| lift.travel.unwrap_or((0.0, f64::INFINITY)));
    let start = low.max(0.0).min(high);
    let mut heights: Vec<f64> = HEIGHTS.iter().map(|height| (start + height).min(high)).collect();
    heights.dedup_by(|a, b| (*a - *b).abs() < 1.0);
    let step = 360.0 / f64::from(ANGLES);
    let mut points = Vec::new();
    for (index, height) in heights.iter().enumerate() {
        let at = |angle: u32| {
            Pose::default().with(Axis::Lift, *height).with(Axis::Turntable, f64::from(angle) * step)
        };
        let label = |kind: &str, angle: u32| format!("h{}_{kind}{angle:02}", index + 1);
        points.extend((0..ANGLES).map(|angle| Point::new(label("a", angle), at(angle))));
        let back = (ANGLES - BACK - 1..ANGLES - 1).rev();
        points.extend(back.map(|angle| Point::new(label("b", angle), at(angle))));
    }
    if positions.is_empty() {
        return points;
    }
    let stacked = points.into_iter().flat_map(|point| {
        positions.iter().enumerate().map(move |(step, position)| Point {
            label: format!("{}_f{}", point.label, step + 1),
            focus: Some(*position),
            ..point.clone()
        })
    });
    stacked.collect()
}

/// From which side the turntable comes to each of `points`: 1 if its angle grows, -1 if it falls.
pub(super) fn directions(points: &[Point]) -> Vec<i8> {
    let mut directions = Vec::with_capacity(points.len());
    let (mut last, mut before) = (1, None::<f64>);
    for point in points {
        let angle = point.pose.get(Axis::Turntable);
        if let Some(before) = before {
            // The short way.
            let moved = (angle - before + 180.0_f64).rem_euclid(360.0) - 180.0;
            if moved.abs() > 1e-6 {
                last = if moved > 0.0 { 1 } else { -1 };
            }
        }
        before = Some(angle);
        directions.push(last);
    }
    directions
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Limits;

    fn axes(travel: Option<(f64, f64)>) -> Vec<AxisConfig> {
        let limits = Limits { speed: 10.0, acceleration: 10.0, jerk: None };
        let table = AxisConfig::new(Axis::Turntable, limits, None);
        let lift = travel.map(|travel| AxisConfig::new(Axis::Lift, limits, Some(travel)));
        [table].into_iter().chain(lift).collect()
    }

    #[test]
    fn it_goes_around_at_each_height_and_a_part_of_the_way_back() {
        let points = points(&axes(Some((-10.0, 300.0))), &[]);
        assert_eq!(points.len(), 3 * 30);
        let directions = directions(&points);
        assert_eq!(directions.iter().filter(|way| **way < 0).count(), 3 * 6);
        assert!(directions[24..30].iter().all(|way| *way < 0));
        assert!((points[29].pose.turntable.get() - 17.0 * 15.0).abs() < 1e-9);
        let labels: std::collections::HashSet<_> = points.iter().map(|point| &point.label).collect();
        assert_eq!(labels.len(), points.len());
    }

    #[test]
    fn it_keeps_to_the_lift_s_travel() {
        let heights = |travel| {
            let mut heights: Vec<_> =
                points(&axes(travel), &[]).iter().map(|point| point.pose.lift.get()).collect();
            heights.dedup();
            heights
        };
        assert_eq!(heights(None), [0.0]);
        assert_eq!(heights(Some((0.0, 30.0))), [0.0, 25.0, 30.0]);
        assert_eq!(heights(Some((40.0, 300.0))), [40.0, 65.0, 90.0]);
        assert_eq!(heights(Some((-50.0, -20.0))), [-20.0]);
        assert_eq!(points(&axes(None), &[Dioptres::new(2.0), Dioptres::new(3.0)]).len(), 60);
    }
}
