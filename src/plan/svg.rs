//! A drawing of a plan, for people.

use std::collections::HashSet;
use std::iter::{once, zip};

use super::{Axis, Plan, Pose, travel};
use crate::config::AxisConfig;
use crate::motion::shortest_turn;
use crate::units::Seconds;

/// Plans with more points are drawn without the way between them, which would be a solid blot.
const MOST_WITH_WAY: usize = 5000;
/// Centre and outer radius of the view from above.
const ABOVE: (f64, f64, f64) = (300.0, 345.0, 215.0);
/// Left, top, right and bottom of the unrolled view.
const UNROLLED: (f64, f64, f64, f64) = (650.0, 130.0, 1130.0, 560.0);
/// Colours from the first point to the last, evenly spaced: red, green, blue.
const COLOURS: [[f64; 3]; 5] = [
    [38.0, 50.0, 130.0],
    [33.0, 125.0, 160.0],
    [62.0, 165.0, 105.0],
    [240.0, 160.0, 40.0],
    [205.0, 45.0, 75.0],
];
const STYLE: &str = "text{font-family:'DejaVu Sans',Helvetica,Arial,sans-serif;font-size:13px;fill:#4a5160}\
    .h{font-size:22px;font-weight:bold;fill:#1d2330}.t{font-size:15px;font-weight:bold;fill:#1d2330}\
    .n{font-size:11px;font-weight:bold;fill:#1d2330;stroke:#fff;stroke-width:3;paint-order:stroke}\
    .g{fill:none;stroke:#d9dde5}.w{fill:none;stroke-width:1.6;stroke-linecap:round;opacity:.75}\
    .s{fill:#fff;stroke:#1d2330;stroke-width:2}.m{text-anchor:middle}.e{text-anchor:end}";

/// `plan` as an SVG image: seen from above, with the turntable's angle around, and unrolled, with the angle to
/// the right; in both, points are coloured by their order and joined by the way that the axes take from `start`.
pub fn svg(plan: &Plan, axes: &[AxisConfig], start: &Pose) -> String {
    let (left, top, right, bottom) = UNROLLED;
    let views = [View::above(plan, start), View::unrolled(plan, start)];
    let parts = once(heading(plan, axes, start)).chain(views.iter().flat_map(|view| {
        let way = if plan.points.len() <= MOST_WITH_WAY { view.way(plan, start) } else { String::new() };
        [view.grid(), way, view.points(plan), view.start(start)]
    }));
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 1180 640\" width=\"1180\" height=\"640\">\n\
         <style>{STYLE}</style>\n<clipPath id=\"unrolled\"><rect x=\"{left}\" y=\"{top}\" width=\"{:.1}\" \
         height=\"{:.1}\"/></clipPath>\n<rect width=\"1180\" height=\"640\" fill=\"#fff\"/>\n{}{}</svg>\n",
        right - left,
        bottom - top,
        parts.collect::<String>(),
        legend(plan.points.len()),
    )
}

/// One of the two drawings: turntable angle by one other axis.
struct View {
    /// Seen from above, rather than unrolled.
    from_above: bool,
    axis: Axis,
    /// What the axis' positions in the drawing run from and to.
    range: (f64, f64),
    /// Positions worth a line, at most a few.
    ticks: Vec<f64>,
}

impl View {
    fn above(plan: &Plan, start: &Pose) -> Self {
        Self { from_above: true, ..Self::unrolled(plan, start) }
    }

    fn unrolled(plan: &Plan, start: &Pose) -> Self {
        let positions = |axis: Axis| plan.points.iter().map(move |point| point.pose.get(axis));
        let distinct = |axis| positions(axis).map(f64::to_bits).collect::<HashSet<_>>().len();
        // The lift comes last: of equals, the last is taken.
        let axis = [Axis::Rail, Axis::Tilt, Axis::Lift].into_iter().max_by_key(|&axis| distinct(axis));
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
            let (x, y, _) = ABOVE;
            let (sin, cos) = angle.to_radians().sin_cos();
            let radius = self.radius(part);
            (x + radius * cos, y - radius * sin)
        } else {
            let (left, top, right, bottom) = UNROLLED;
            (left + (right - left) * angle / 360.0, bottom - 20.0 - (bottom - top - 40.0) * part)
        }
    }

    /// What is higher is further in; a tilt as it would be seen.
    fn radius(&self, part: f64) -> f64 {
        let inner = 0.3;
        ABOVE.2 * (1.0 - (1.0 - inner) * part)
    }

    fn place_of(&self, pose: &Pose) -> (f64, f64) {
        self.place(pose.get(Axis::Turntable).rem_euclid(360.0), pose.get(self.axis))
    }

    fn grid(&self) -> String {
        let (left, top, right, bottom) = UNROLLED;
        let (x, y, radius) = ABOVE;
        let (title, title_x, title_y) = if self.from_above {
            ("From above", x, 104.0)
        } else {
            ("Unrolled", f64::midpoint(left, right), 104.0)
        };
        let mut parts =
            vec![format!("<text class=\"t m\" x=\"{title_x:.1}\" y=\"{title_y}\">{title}</text>\n")];
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
        } else {
            let unit = self.axis.unit().replace("deg", "°");
            parts.push(label("e", left - 8.0, top - 8.0, &format!("{} in {unit}", self.axis)));
        }
        parts.concat()
    }

    /// A piece of the way to each point, in its colour.
    fn way(&self, plan: &Plan, start: &Pose) -> String {
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

    fn points(&self, plan: &Plan) -> String {
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

    fn start(&self, start: &Pose) -> String {
        let (x, y) = self.place_of(start);
        format!("<rect class=\"s\" x=\"{:.1}\" y=\"{:.1}\" width=\"9\" height=\"9\"/>\n", x - 4.5, y - 4.5)
    }
}

fn heading(plan: &Plan, axes: &[AxisConfig], start: &Pose) -> String {
    let (points, cameras) = (plan.points.len(), plan.cameras.len());
    let plural = |count: usize| if count == 1 { "" } else { "s" };
    let travel = Seconds::from(travel(plan, axes, start)).get();
    let title = format!(
        "{points} point{}, {cameras} camera{}, {} shot{}",
        plural(points),
        plural(cameras),
        plan.shot_count(),
        plural(plan.shot_count() as usize),
    );
    let time = if travel < 100.0 {
        format!("{travel:.1} s in motion")
    } else {
        format!("{:.0} min {:.0} s in motion", (travel.round() / 60.0).floor(), travel.round() % 60.0)
    };
    label("h", 40.0, 46.0, &title) + &label("", 40.0, 69.0, &time)
}

fn legend(count: usize) -> String {
    let (x, y, steps) = (440.0, 606.0, 60);
    let bar = (0..steps).map(|step| {
        let left = x + 5.0 * f64::from(step);
        format!(
            "<rect x=\"{left}\" y=\"{y}\" width=\"5.5\" height=\"12\" fill=\"{}\"/>\n",
            colour(step as usize, steps as usize)
        )
    });
    let note = if count > MOST_WITH_WAY { "too many points to draw the way" } else { "" };
    [
        bar.collect(),
        label("e", x - 8.0, y + 11.0, "point 1"),
        label("", x + 308.0, y + 11.0, &count.to_string()),
        format!("<rect class=\"s\" x=\"240\" y=\"{:.1}\" width=\"9\" height=\"9\"/>\n", y + 1.5),
        label("", 256.0, y + 11.0, "start"),
        label("", 880.0, y + 11.0, note),
    ]
    .concat()
}

fn line(from: (f64, f64), to: (f64, f64)) -> String {
    format!("<path class=\"g\" d=\"M{:.1} {:.1}L{:.1} {:.1}\"/>\n", from.0, from.1, to.0, to.1)
}

/// `text` must be free of XML's special characters.
fn label(class: &str, x: f64, y: f64, text: &str) -> String {
    format!("<text class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\">{text}</text>\n")
}

/// With at most two decimals, and none that say nothing.
fn number(value: f64) -> String {
    let rounded = (value * 100.0).round() / 100.0;
    format!("{}", if rounded == 0.0 { 0.0 } else { rounded })
}

/// A handful of round numbers within `range`.
fn round_numbers((min, max): (f64, f64)) -> Vec<f64> {
    let magnitude = 10.0_f64.powf(((max - min) / 4.0).log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0]
        .map(|factor| factor * magnitude)
        .into_iter()
        .find(|step| (max - min) / step <= 8.0)
        .unwrap_or(10.0 * magnitude);
    let first = (min / step).ceil();
    let count = ((max / step).floor() - first).clamp(0.0, 20.0) as u32;
    (0..=count).map(|index| (first + f64::from(index)) * step).filter(|tick| *tick <= max).collect()
}

/// Of the point at `index` of `count`.
fn colour(index: usize, count: usize) -> String {
    let along = index as f64 / count.saturating_sub(1).max(1) as f64 * (COLOURS.len() - 1) as f64;
    let low = (along as usize).min(COLOURS.len() - 2);
    let part = along - low as f64;
    let [red, green, blue] = [0, 1, 2]
        .map(|i| COLOURS[low][i] * (1.0 - part) + COLOURS[low + 1][i] * part)
        .map(|value| value as u8);
    format!("#{red:02x}{green:02x}{blue:02x}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{Point, shapes};
    use crate::units::{Degrees, Millimetres};

    fn drawing(points: Vec<Point>) -> String {
        svg(&Plan { points, cameras: vec![] }, &[], &Pose::default())
    }

    fn count(drawing: &str, what: &str) -> usize {
        drawing.matches(what).count()
    }

    #[test]
    fn every_point_and_every_way_is_in_both_views() {
        let heights = [0.0, 100.0, 200.0, 300.0].map(Millimetres::new);
        let drawing = drawing(shapes::cylinder(36, &heights));
        assert_eq!(count(&drawing, "<title>"), 2 * 144);
        assert_eq!(count(&drawing, "class=\"w\""), 2 * 144);
        assert!(drawing.contains("<title>37: r02_a001</title>") && drawing.contains(">300</text>"));
        assert!(drawing.contains("lift in mm") && drawing.contains("144 points"));
    }

    #[test]
    fn plans_of_every_size_are_drawn_with_finite_numbers() {
        let ring = |angles| shapes::ring(angles, Millimetres::ZERO, Degrees::ZERO);
        let sphere = |points| shapes::fibonacci_sphere(points, Degrees::ZERO, Degrees::new(80.0));
        for points in [vec![], ring(1), ring(36), sphere(1), sphere(500), sphere(5001)] {
            let (expected, drawing) = (points.len(), drawing(points));
            assert_eq!(count(&drawing, "<title>"), 2 * expected);
            assert!(!drawing.contains("NaN") && !drawing.contains("inf"), "{expected} points");
            assert_eq!(count(&drawing, "too many points"), usize::from(expected > MOST_WITH_WAY));
        }
    }

    #[test]
    fn the_way_over_zero_leaves_the_unrolled_view_at_one_edge_and_comes_back_at_the_other() {
        let pose = |angle| Pose::default().with(Axis::Turntable, angle);
        let plan = Plan { points: vec![Point { label: "a".into(), pose: pose(10.0) }], cameras: vec![] };
        let view = View::unrolled(&plan, &pose(350.0));
        assert_eq!(count(&view.piece(&pose(350.0), &pose(10.0)), "M"), 2);
        assert_eq!(count(&view.piece(&pose(10.0), &pose(350.0)), "M"), 2);
        assert_eq!(count(&view.piece(&pose(10.0), &pose(20.0)), "M"), 1);
    }

    #[test]
    fn ticks_are_round_and_few() {
        assert_eq!(round_numbers((0.0, 80.0)).map_str(), "0 10 20 30 40 50 60 70 80");
        assert_eq!(round_numbers((-7.3, 12.9)).map_str(), "-5 0 5 10");
    }

    trait MapStr {
        fn map_str(self) -> String;
    }
    impl MapStr for Vec<f64> {
        fn map_str(self) -> String {
            self.into_iter().map(number).collect::<Vec<_>>().join(" ")
        }
    }

    #[test]
    #[ignore = "writes drawings for looking at"]
    fn zz_draw() {
        let axes: Vec<AxisConfig> = [(Axis::Turntable, 90.0), (Axis::Lift, 50.0), (Axis::Tilt, 30.0)]
            .map(|(axis, speed)| AxisConfig {
                axis,
                limits: crate::motion::Limits { speed, acceleration: 2.0 * speed },
                travel: None,
            })
            .to_vec();
        let start = Pose::default();
        for (name, points) in [
            ("cyl", shapes::cylinder(36, &[0.0, 100.0, 200.0, 300.0].map(Millimetres::new))),
            ("fib", shapes::fibonacci_sphere(144, Degrees::new(0.0), Degrees::new(80.0))),
            ("lat", shapes::latitude_sphere(144, 6, Degrees::new(-10.0), Degrees::new(75.0))),
            ("ring", shapes::ring(24, Millimetres::ZERO, Degrees::new(20.0))),
            ("fib1000", shapes::fibonacci_sphere(1000, Degrees::new(0.0), Degrees::new(80.0))),
        ] {
            let points = crate::plan::order::fastest(points, &axes, &start);
            std::fs::write(
                format!("/tmp/plan_{name}.svg"),
                svg(&Plan { points, cameras: vec![] }, &axes, &start),
            )
            .unwrap();
        }
    }
}
