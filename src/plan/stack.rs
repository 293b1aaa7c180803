//! Several images at every pose: what differs is not where the rig stands.

use std::collections::HashMap;

use super::{Plan, Point, PointIndex};
use crate::model::{Axis, Lighting};
use crate::units::{Dioptres, Stops};

/// Points that differ in lens position or exposure alone: their images are merged into one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PointStack {
    /// What their labels have in common: `r01_a017`.
    pub label: String,
    /// Two at least, from the farthest lens position to the nearest, and at each from the darkest exposure to the brightest.
    pub points: Vec<PointIndex>,
}

impl Point {
    /// Its label, without what says which lens position and exposure it has.
    pub fn stack_label(&self) -> &str {
        let label = self.label.as_str();
        let label = if self.bracket.is_some() { without_number(label, "_e") } else { label };
        if self.focus.is_some() { without_number(label, "_f") } else { label }
    }
}

impl Plan {
    /// Its stacks, in the order of their first points. Silhouettes are of none.
    pub fn stacks(&self) -> Vec<PointStack> {
        let mut stacks: Vec<PointStack> = Vec::new();
        let mut known = HashMap::new();
        for (index, point) in self.points.iter().enumerate() {
            if point.lighting == Lighting::Backlight || (point.focus.is_none() && point.bracket.is_none()) {
                continue;
            }
            let label = point.stack_label();
            let place = *known.entry(label).or_insert_with(|| {
                stacks.push(PointStack { label: label.to_owned(), points: Vec::new() });
                stacks.len() - 1
            });
            if let Some(stack) = stacks.get_mut(place) {
                stack.points.push(PointIndex(index as u32));
            }
        }
        stacks.retain(|stack| stack.points.len() > 1);
        for stack in &mut stacks {
            stack.points.sort_by(|a, b| {
                let (a, b) = (self.point(*a), self.point(*b));
                let focus = |point: &Point| point.focus.map_or(0.0, Dioptres::get);
                let stops = |point: &Point| point.bracket.map_or(0.0, Stops::get);
                focus(a).total_cmp(&focus(b)).then(stops(a).total_cmp(&stops(b)))
            });
        }
        stacks
    }

    /// This plan with an image at each lens position at every point, for focus stacking, each as often as there are exposures
    /// in `bracket`, and with a silhouette behind each point or stack, if there are to be `silhouettes`. Labels become
    /// `r01_a017_f2`, `r01_a017_e1` or `r01_a017_f2_e1`, and `r01_a017_b`.
    #[must_use]
    pub fn with_frames(mut self, positions: &[Dioptres], bracket: &[Stops], silhouettes: bool) -> Self {
        let frames = self.points.iter().enumerate().flat_map(|(index, point)| {
            // Every other stack goes the other way, so that the lens moves least.
            let mut frames = stack(point, positions);
            if index % 2 == 1 {
                frames.reverse();
            }
            let mut frames: Vec<Point> = frames.iter().flat_map(|point| bracketed(point, bracket)).collect();
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

/// `label` without `mark` and a number at its end; as it is, if there is none.
fn without_number<'a>(label: &'a str, mark: &str) -> &'a str {
    match label.rsplit_once(mark) {
        Some((before, number)) if !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()) => {
            before
        }
        Some(_) | None => label,
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

/// `point` at each exposure; as it is for none.
fn bracketed(point: &Point, bracket: &[Stops]) -> Vec<Point> {
    if bracket.is_empty() {
        return vec![point.clone()];
    }
    let width = bracket.len().to_string().len();
    let exposure = |(step, stops): (usize, &Stops)| Point {
        label: format!("{}_e{:0width$}", point.label, step + 1),
        bracket: Some(*stops),
        ..point.clone()
    };
    bracket.iter().enumerate().map(exposure).collect()
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
        let stacked = single.clone().with_frames(&[Dioptres::new(2.0), Dioptres::new(3.0)], &[], false);
        assert_eq!(stacked.points.len(), 8);
        let positions: Vec<_> = stacked.points.iter().map(|point| point.focus.unwrap().get()).collect();
        assert_eq!(positions, [2.0, 3.0, 3.0, 2.0, 2.0, 3.0, 3.0, 2.0]);
        assert_eq!(stacked.points[2].label, format!("{}_f2", single.points[1].label));
        assert_eq!(stacked.points[2].pose, single.points[1].pose);
        let labels: std::collections::HashSet<_> = stacked.points.iter().map(|point| &point.label).collect();
        assert_eq!(labels.len(), 8);
        assert_eq!(single.clone().with_frames(&[], &[], false), single);
    }

    #[test]
    fn a_silhouette_stands_behind_its_point_or_its_whole_stack() {
        let labels = |plan: &Plan| plan.points.iter().map(|point| point.label.clone()).collect::<Vec<_>>();
        let single = plan().with_frames(&[], &[], true);
        assert_eq!(labels(&single)[..4], ["r01_a001", "r01_a001_b", "r01_a002", "r01_a002_b"]);
        let positions = [1.0, 2.0, 3.0].map(Dioptres::new);
        let stacked = plan().with_frames(&positions, &[], true);
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
    fn a_bracket_is_taken_at_each_lens_position_and_its_points_are_read_as_they_were_written() {
        let stops = [-2.0, 0.0, 2.0].map(Stops::new);
        let bracketed = plan().with_frames(&[], &stops, true);
        let of = |plan: &Plan| plan.points.iter().map(|point| point.label.clone()).collect::<Vec<_>>();
        assert_eq!(of(&bracketed)[..4], ["r01_a001_e1", "r01_a001_e2", "r01_a001_e3", "r01_a001_b"]);
        assert_eq!(bracketed.points[2].bracket, Some(stops[2]));
        assert_eq!(bracketed.points[3].bracket, None, "a silhouette is exposed as usual");
        let both = plan().with_frames(&[1.0, 2.0].map(Dioptres::new), &stops[..2], false);
        assert_eq!(of(&both)[..4], ["r01_a001_f1_e1", "r01_a001_f1_e2", "r01_a001_f2_e1", "r01_a001_f2_e2"]);
        assert_eq!(of(&both)[4..6], ["r01_a002_f2_e1", "r01_a002_f2_e2"]);
        let json = serde_json::to_value(&both).unwrap();
        assert_eq!(json["points"][0]["bracket"], "-2 EV");
        assert_eq!(serde_json::from_value::<Plan>(json).unwrap(), both);
    }

    #[test]
    fn a_stack_is_what_differs_in_lens_position_or_exposure_alone_sorted_by_both() {
        let stops = [1.0, -1.0].map(Stops::new);
        let both = plan().with_frames(&[3.0, 2.0].map(Dioptres::new), &stops, true);
        let stacks = both.stacks();
        let labels: Vec<_> = stacks.iter().map(|stack| stack.label.as_str()).collect();
        assert_eq!(labels, ["r01_a001", "r01_a002", "r02_a001", "r02_a002"]);
        for stack in &stacks {
            let label = |point: &PointIndex| both.point(*point).label.strip_prefix(&stack.label).unwrap();
            let points: Vec<_> = stack.points.iter().map(label).collect();
            assert_eq!(points, ["_f2_e2", "_f2_e1", "_f1_e2", "_f1_e1"]);
        }
        assert!(plan().stacks().is_empty() && plan().with_frames(&[], &[], true).stacks().is_empty());
        assert!(plan().with_frames(&[Dioptres::new(2.0)], &[], true).stacks().is_empty(), "of one image");
        // A name that looks like one of a stack, and is none.
        let mut named = plan();
        named.points[0].label = "left_f1".into();
        assert_eq!(named.points[0].stack_label(), "left_f1");
        assert_eq!(named.with_frames(&[], &stops, false).stacks()[0].label, "left_f1");
    }

    #[test]
    fn a_plan_says_nothing_of_light_from_the_front_and_is_read_without_a_word_of_it() {
        let plan = plan().with_frames(&[], &[], true);
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
