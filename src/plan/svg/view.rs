//! The points and the way between them, by turntable angle and one other axis.

use std::collections::HashSet;
use std::iter::{once, zip};

use super::ink::{colour, label, line, number, round_numbers};
use crate::model::{Axis, Pose};
use crate::motion::shortest_turn;
use crate::plan::Plan;

/// Centre and outer radius of the view from above.
const ABOVE: (f64, f64, f64) = (300.0, 362.0, 200.0);
/// Radius of the innermost circle, as a part of the outer one.
const INNERMOST: f64 = 0.3;
/// Left, top, right and bottom of the unrolled view.
pub(super) const UNROLLED: (f64, f64, f64, f64) = (650.0, 130.0, 1130.0, 560.0);

/// One of the two drawings: turntable angle by one other axis.
pub(super) struct View {
    /// Seen from above, rather than unrolled.
    from_above: bool,
    axis: Axis,
    /// What the axis' positions in the drawing run from and to.
    range: (f64, f64),
    /// Positions worth a line, at most a few.
    ticks: Vec<f64>,
}

impl View {
    pub(super) fn above(plan: &Plan, start: &Pose) -> Self {
        Self { from_above: true, ..Self::unrolled(plan, start) }
    }

    pub(super) fn unrolled(plan: &Plan, start: &Pose) -> Self {
        let positions = |axis: Axis| plan.points.iter().map(move |point| point.pose.get(axis));
        let distinct = |axis| positions(axis).map(f64::to_bits).collect::<HashSet<_>>().len();
        // Of equals, the last is taken.
        let axis = [Axis::Rail, Axis::Tilt, Axis::Lift]
            .into_iter()
            .max_by_key(|&axis| (distinct(axis), positions(axis).any(|position| position != 0.0)));
        let axis = axis.unwrap_or(Axis::Lift);
        let with_start = || positions(axis).chain(once(start.get(axis)));
        let (min, max) = (with_start().fold(f64::MAX, f64::min), with_start().fold(f64::MIN, f64::max));
        let range = if max > min { (min, max) } else { (min - 1.0, max + 1.0) };
        let mut ticks: Vec<f64> = positions(axis).collect();
        ticks.sort_by(f64::total_cmp);
        ticks.dedup();
        if ticks.len() > 8 {
            ticks = round_numbers(range);
        }
        Self { from_above: false, axis, range, ticks }
    }

    /// Where `angle` and a position of the axis are in the image.
    fn place(&self, angle: f64, position: f64) -> (f64, f64) {
        let part = (position - self.range.0) / (self.range.1 - self.range.0);
        if self.from_above {
            let (x, y, outer) = ABOVE;
            let (sin, cos) = angle.to_radians().sin_cos();
            // What is higher is further in.
            let radius = outer * (1.0 - (1.0 - INNERMOST) * part);
            (x + radius * cos, y - radius * sin)
        } else {
            let (left, top, right, bottom) = UNROLLED;
            (left + (right - left) * angle / 360.0, bottom - 20.0 - (bottom - top - 40.0) * part)
        }
    }

    fn place_of(&self, pose: &Pose) -> (f64, f64) {
        self.place(pose.get(Axis::Turntable).rem_euclid(360.0), pose.get(self.axis))
    }

    pub(super) fn grid(&self) -> String {
        let (left, top, right, bottom) = UNROLLED;
        let (x, y, radius) = ABOVE;
        let unit = if self.axis.unit() == "deg" { "°" } else { " mm" };
        let (low, high) = (number(self.range.0), number(self.range.1));
        let (title, note, middle) = if self.from_above {
            let note = match self.ticks[..] {
                [only] => format!("{} at {}{unit}", self.axis, number(only)),
                _ => format!("{} {low}{unit} outside to {high}{unit} inside", self.axis),
            };
            ("From above", note, x)
        } else {
            (
                "Unrolled",
                format!("{} in {} over turntable angle", self.axis, unit.trim()),
                f64::midpoint(left, right),
            )
        };
        let mut parts = vec![label("t m", middle, 96.0, title), label("m", middle, 116.0, &note)];
        for angle in (0..=360).step_by(if self.from_above { 30 } else { 45 }) {
            if self.from_above && angle < 360 {
                let (sin, cos) = f64::from(angle).to_radians().sin_cos();
                let (from, to, text) = (radius * 0.12, radius + 6.0, radius + 20.0);
                parts.push(line((x + from * cos, y - from * sin), (x + to * cos, y - to * sin)));
                parts.push(label("m", x + text * cos, y - text * sin + 4.5, &format!("{angle}°")));
            } else if !self.from_above {
                let across = left + (right - left) * f64::from(angle) / 360.0;
                parts.push(line((across, top), (across, bottom)));
                parts.push(label("m", across, bottom + 18.0, &format!("{angle}°")));
            }
        }
        for &tick in &self.ticks {
            let (tick_x, tick_y) = self.place(0.0, tick);
            if self.from_above {
                parts.push(format!("<circle class=\"g\" cx=\"{x}\" cy=\"{y}\" r=\"{:.1}\"/>\n", tick_x - x));
            } else {
                parts.push(line((left, tick_y), (right, tick_y)));
                parts.push(label("e", left - 8.0, tick_y + 4.5, &number(tick)));
            }
        }
        if self.from_above {
            parts.push(label("m", x, y + 5.0, "object"));
        }
        parts.concat()
    }

    /// A piece of the way to each point, in its colour.
    pub(super) fn way(&self, plan: &Plan, start: &Pose) -> String {
        let poses = plan.points.iter().map(|point| &point.pose);
        let pairs = zip(once(start).chain(poses.clone()), poses);
        let pieces = pairs.enumerate().map(|(index, (from, to))| {
            let d = self.piece(from, to);
            format!("<path class=\"w\" stroke=\"{}\" d=\"{d}\"/>\n", colour(index, plan.points.len()))
        });
        let clip = if self.from_above { "" } else { " clip-path=\"url(#unrolled)\"" };
        format!("<g{clip}>\n{}</g>\n", pieces.collect::<String>())
    }

    /// The way between two poses as path data: the turntable the shortest way round.
    fn piece(&self, from: &Pose, to: &Pose) -> String {
        let angle = from.get(Axis::Turntable).rem_euclid(360.0);
        let turn = shortest_turn(angle, to.get(Axis::Turntable));
        let (position, rise) = (from.get(self.axis), to.get(self.axis) - from.get(self.axis));
        let points = |offset: f64, steps: u32| {
            let place = |step: u32| {
                let part = f64::from(step) / f64::from(steps);
                let (x, y) = self.place(angle + offset + turn * part, position + rise * part);
                format!("{}{x:.1} {y:.1}", if step == 0 { "M" } else { "L" })
            };
            (0..=steps).map(place).collect::<String>()
        };
        if self.from_above {
            return points(0.0, (turn.abs() / 5.0).ceil().max(1.0) as u32);
        }
        // What leaves the unrolled view at one edge comes back at the other; the edges clip.
        let end = angle + turn;
        if end < 0.0 {
            points(0.0, 1) + &points(360.0, 1)
        } else if end > 360.0 {
            points(0.0, 1) + &points(-360.0, 1)
        } else {
            points(0.0, 1)
        }
    }

    pub(super) fn points(&self, plan: &Plan) -> String {
        let count = plan.points.len();
        let radius = (42.0 / (count as f64).sqrt()).clamp(0.8, 5.0);
        let dots = plan.points.iter().enumerate().map(|(index, point)| {
            let (x, y) = self.place_of(&point.pose);
            format!(
                "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"{radius:.1}\" fill=\"{}\"><title>{}: {}</title></circle>\n",
                colour(index, count),
                index + 1,
                point.label
            )
        });
        let step = count.div_ceil(12).max(1);
        let numbered = (0..count).filter(|index| index % step == 0 || index + 1 == count);
        let numbers = numbered.map(|index| {
            let (x, y) = self.place_of(&plan.points[index].pose);
            label("n m", x, y - radius - 4.0, &(index + 1).to_string())
        });
        dots.chain(numbers).collect()
    }

    pub(super) fn start(&self, start: &Pose) -> String {
        let (x, y) = self.place_of(start);
        format!("<rect class=\"s\" x=\"{:.1}\" y=\"{:.1}\" width=\"13\" height=\"13\"/>\n", x - 6.5, y - 6.5)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Point;

    #[test]
    fn the_way_over_zero_leaves_the_unrolled_view_at_one_edge_and_comes_back_at_the_other() {
        let pose = |angle| Pose::default().with(Axis::Turntable, angle);
        let plan = Plan { points: vec![Point::new("a".into(), pose(10.0))], cameras: vec![] };
        let view = View::unrolled(&plan, &pose(350.0));
        let pieces = |from, to| view.piece(&pose(from), &pose(to)).matches('M').count();
        assert_eq!((pieces(350.0, 10.0), pieces(10.0, 350.0), pieces(10.0, 20.0)), (2, 2, 1));
    }
}
