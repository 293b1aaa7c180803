//! The whole sheet: heading, the two views, legend.

use std::iter::once;

use super::ink::{colour, label};
use super::view::{UNROLLED, View};
use crate::model::{AxisConfig, Pose};
use crate::plan::{Plan, travel};
use crate::units::Seconds;

/// Plans with more points are drawn without the way between them, which would be a solid blot.
const MOST_WITH_WAY: usize = 5000;
const STYLE: &str = "text{font-family:'DejaVu Sans',Helvetica,Arial,sans-serif;font-size:13px;fill:#4a5160}\
    .h{font-size:22px;font-weight:bold;fill:#1d2330}.t{font-size:15px;font-weight:bold;fill:#1d2330}\
    .n{font-size:11px;font-weight:bold;fill:#1d2330;stroke:#fff;stroke-width:3;paint-order:stroke}\
    .g{fill:none;stroke:#d9dde5}.w{fill:none;stroke-width:1.6;stroke-linecap:round;opacity:.75}\
    .s{fill:none;stroke:#1d2330;stroke-width:2}.m{text-anchor:middle}.e{text-anchor:end}";

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
        assert!(drawing.contains("lift in mm over") && drawing.contains("144 points"));
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
}
