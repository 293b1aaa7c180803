//! Several images at every pose: what differs is not where the rig stands.

use super::{Plan, Point};
use crate::model::Axis;
use crate::units::Dioptres;

impl Plan {
    /// This plan with an image at each lens position at every point, for focus stacking; as it is for none. Every
    /// other stack goes the other way, so that the lens moves least. Labels become `r01_a017_f2`.
    #[must_use]
    pub fn focus_stacked(mut self, positions: &[Dioptres]) -> Self {
        if positions.is_empty() {
            return self;
        }
        let width = positions.len().to_string().len();
        let step = |point: &Point, step: usize| Point {
            label: format!("{}_f{:0width$}", point.label, step + 1),
            focus: Some(positions[step]),
            ..point.clone()
        };
        let stacks = self.points.iter().enumerate().flat_map(|(index, point)| {
            (0..positions.len())
                .map(move |at| step(point, if index % 2 == 0 { at } else { positions.len() - 1 - at }))
        });
        self.points = stacks.collect();
        self
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
        let stacked = single.clone().focus_stacked(&[Dioptres::new(2.0), Dioptres::new(3.0)]);
        assert_eq!(stacked.points.len(), 8);
        let positions: Vec<_> = stacked.points.iter().map(|point| point.focus.unwrap().get()).collect();
        assert_eq!(positions, [2.0, 3.0, 3.0, 2.0, 2.0, 3.0, 3.0, 2.0]);
        assert_eq!(stacked.points[2].label, format!("{}_f2", single.points[1].label));
        assert_eq!(stacked.points[2].pose, single.points[1].pose);
        let labels: std::collections::HashSet<_> = stacked.points.iter().map(|point| &point.label).collect();
        assert_eq!(labels.len(), 8);
        assert_eq!(single.clone().focus_stacked(&[]), single);
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
