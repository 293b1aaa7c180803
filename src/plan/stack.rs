//! Several images at every pose: what differs is not where the rig stands.

use super::{Plan, Point};
use crate::model::{Axis, Lighting};
use crate::units::Dioptres;

impl Plan {
    /// This plan with an image at each lens position at every point, for focus stacking, and with a silhouette behind
    /// each point or stack, if there are to be `silhouettes`. Labels become `r01_a017_f2`, and `r01_a017_b`.
    #[must_use]
    pub fn with_frames(mut self, positions: &[Dioptres], silhouettes: bool) -> Self {
        let frames = self.points.iter().enumerate().flat_map(|(index, point)| {
            // Every other stack goes the other way, so that the lens moves least.
            let mut frames = stack(point, positions);
            if index % 2 == 1 {
                frames.reverse();
            }
            frames.extend(silhouettes.then(|| silhouette(point, positions)));
            frames
        });
        self.points = frames.collect();
        self
    }

    /// How many of its points are silhouettes.
    pub fn silhouettes(&self) -> usize {
        self.points.iter().filter(|point| point.lighting == Lighting::Backlight).count()
    }

    /// Which ring each point belongs to: points between which the turntable alone moves have the same number.
    pub fn rings(&self) -> Vec<u32> {
        let mut known: Vec<[u64; 3]> = Vec::new();
        let ring = |point: &Point| {
            let place = [Axis::Lift, Axis::Rail, Axis::Tilt].map(|axis| point.pose.get(axis).to_bits());
            let index = known.iter().position(|other| *other == place).unwrap_or_else(|| {
                known.push(place);
                known.len() - 1
            });
            index as u32
        };
        self.points.iter().map(ring).collect()
    }
}

/// `point` at each lens position; as it is for none.
fn stack(point: &Point, positions: &[Dioptres]) -> Vec<Point> {
    if positions.is_empty() {
        return vec![point.clone()];
    }
    let width = positions.len().to_string().len();
    let step = |(step, focus): (usize, &Dioptres)| Point {
        label: format!("{}_f{:0width$}", point.label, step + 1),
        focus: Some(*focus),
        ..point.clone()
    };
    positions.iter().enumerate().map(step).collect()
}

/// The silhouette of `point`, with the lens in the middle of its stack: there most of an outline is sharp.
fn silhouette(point: &Point, positions: &[Dioptres]) -> Point {
    Point {
        label: format!("{}_b", point.label),
        focus: positions.get(positions.len() / 2).copied(),
        lighting: Lighting::Backlight,
        ..point.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Pose;
    use crate::plan::shapes;
    use crate::units::Millimetres;

    fn plan() -> Plan {
        let points = shapes::cylinder(2, &[Millimetres::ZERO, Millimetres::new(10.0)]);
        Plan { points, cameras: Vec::new() }
    }

    #[test]
    fn every_point_has_an_image_at_each_lens_position_and_the_lens_goes_to_and_fro() {
        let single = plan();
        let stacked = single.clone().with_frames(&[Dioptres::new(2.0), Dioptres::new(3.0)], false);
        assert_eq!(stacked.points.len(), 8);
        let positions: Vec<_> = stacked.points.iter().map(|point| point.focus.unwrap().get()).collect();
        assert_eq!(positions, [2.0, 3.0, 3.0, 2.0, 2.0, 3.0, 3.0, 2.0]);
        assert_eq!(stacked.points[2].label, format!("{}_f2", single.points[1].label));
        assert_eq!(stacked.points[2].pose, single.points[1].pose);
        let labels: std::collections::HashSet<_> = stacked.points.iter().map(|point| &point.label).collect();
        assert_eq!(labels.len(), 8);
        assert_eq!(single.clone().with_frames(&[], false), single);
    }

    #[test]
    fn a_silhouette_stands_behind_its_point_or_its_whole_stack() {
        let labels = |plan: &Plan| plan.points.iter().map(|point| point.label.clone()).collect::<Vec<_>>();
        let single = plan().with_frames(&[], true);
        assert_eq!(labels(&single)[..4], ["r01_a001", "r01_a001_b", "r01_a002", "r01_a002_b"]);
        let positions = [1.0, 2.0, 3.0].map(Dioptres::new);
        let stacked = plan().with_frames(&positions, true);
        assert_eq!(
            labels(&stacked)[..8],
            [
                "r01_a001_f1",
                "r01_a001_f2",
                "r01_a001_f3",
                "r01_a001_b",
                "r01_a002_f3",
                "r01_a002_f2",
                "r01_a002_f1",
                "r01_a002_b"
            ]
        );
        let silhouette = &stacked.points[3];
        assert_eq!((silhouette.lighting, silhouette.focus), (Lighting::Backlight, Some(positions[1])));
        assert_eq!(silhouette.pose, stacked.points[2].pose);
        assert_eq!(single.rings(), [0, 0, 0, 0, 1, 1, 1, 1]);
        assert_eq!(single.silhouettes(), 4);
    }

    #[test]
    fn a_plan_says_nothing_of_light_from_the_front_and_is_read_without_a_word_of_it() {
        let plan = plan().with_frames(&[], true);
        let json = serde_json::to_value(&plan).unwrap();
        assert_eq!(json["points"][0].get("lighting"), None);
        assert_eq!(json["points"][1]["lighting"], "backlight");
        assert_eq!(serde_json::from_value::<Plan>(json).unwrap(), plan);
    }

    #[test]
    fn a_ring_is_where_only_the_turntable_moves() {
        assert_eq!(plan().rings(), [0, 0, 1, 1]);
        let mut back = plan();
        back.points.swap(0, 3);
        assert_eq!(back.rings(), [0, 1, 0, 1].map(|ring| ring));
        let pose = Pose::default();
        assert_eq!(pose, plan().points[0].pose);
    }
}
