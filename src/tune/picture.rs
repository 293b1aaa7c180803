//! What was seen of each axis after its moves, and the swing that fits it, as a drawing.

use std::fmt::Write as _;

use super::linear::shape;
use super::record::{Found, Shown, TunedAxis, TunedPlace, Tuning};

/// The drawing's width, and the height of the part of each place.
const WIDTH: f64 = 900.0;
const HEIGHT: f64 = 250.0;
/// Left, top, right and bottom of what is inside the axes of a part.
const FRAME: (f64, f64, f64, f64) = (60.0, 46.0, 880.0, 214.0);
/// What is over by then is not drawn.
const LONGEST_S: f64 = 1.5;
/// Points of a period of the curve.
const FINE: f64 = 24.0;
const STYLE: &str = "text{font-family:'DejaVu Sans',Helvetica,Arial,sans-serif;font-size:12px;fill:#4a5160}\
    .t{font-size:15px;font-weight:bold;fill:#1d2330}.g{fill:none;stroke:#d9dde5}\
    .c{fill:none;stroke:#cd2d4b;stroke-width:1.5}.p{fill:#26327f}.m{text-anchor:middle}.e{text-anchor:end}";

/// Draws it all, as SVG.
pub(super) fn picture(tuning: &Tuning) -> String {
    let places = || tuning.axes.iter().flat_map(|axis| axis.places.iter().map(move |place| (axis, place)));
    let height = HEIGHT * places().count().max(1) as f64;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" width=\"{WIDTH}\" \
         height=\"{height}\">\n<style>{STYLE}</style>\n<rect width=\"{WIDTH}\" height=\"{height}\" fill=\"#fff\"/>\n"
    );
    for (index, (axis, place)) in places().enumerate() {
        let _ = writeln!(svg, "<g transform=\"translate(0 {})\">", HEIGHT * index as f64);
        part(&mut svg, axis, place);
        svg.push_str("</g>\n");
    }
    svg.push_str("</svg>\n");
    svg
}

fn part(svg: &mut String, axis: &TunedAxis, place: &TunedPlace) {
    let (left, top, ..) = FRAME;
    let name = format!("{} at {:.1} {}", axis.axis, place.at, axis.axis.unit());
    let by = place.camera.as_ref().map(|camera| format!(", seen by {camera}")).unwrap_or_default();
    let _ = writeln!(
        svg,
        "<text class=\"t\" x=\"{left}\" y=\"{}\">{name}: {}{by}</text>",
        top - 18.0,
        place.found
    );
    if let Found::Swing { frequency_hz, damping, most, .. } = &place.found {
        plot(svg, *frequency_hz, *damping, most);
    }
}

fn plot(svg: &mut String, frequency: f64, damping: f64, shown: &Shown) {
    let (left, top, right, bottom) = FRAME;
    let points = || shown.points.iter().filter(|[at_s, _]| *at_s <= LONGEST_S);
    let end = points().map(|[at_s, _]| *at_s).fold(0.1, f64::max);
    let most =
        points().map(|[_, px]| px.abs()).fold(shown.sine_px.hypot(shown.cosine_px), f64::max).max(1e-3);
    let x = |at_s: f64| left + (right - left) * at_s / end;
    let y = |px: f64| f64::midpoint(top, bottom) - (bottom - top) / 2.0 * px / most;
    for px in [-most, 0.0, most] {
        let _ = writeln!(
            svg,
            "<path class=\"g\" d=\"M{left} {0:.1}H{right}\"/><text class=\"e\" x=\"{1:.1}\" y=\"{2:.1}\">{px:.2} px</text>",
            y(px),
            left - 6.0,
            y(px) + 4.0
        );
    }
    for tenth in
        (0..).step_by(if end > 0.8 { 2 } else { 1 }).take_while(|tenth| f64::from(*tenth) / 10.0 <= end)
    {
        let at_s = f64::from(tenth) / 10.0;
        let _ = writeln!(
            svg,
            "<path class=\"g\" d=\"M{0:.1} {top}V{bottom}\"/><text class=\"m\" x=\"{0:.1}\" y=\"{1:.1}\">{at_s:.1} s</text>",
            x(at_s),
            bottom + 16.0
        );
    }
    let steps = (end * frequency * FINE).ceil() as u32;
    svg.push_str("<path class=\"c\" d=\"");
    for step in 0..=steps {
        let at_s = end * f64::from(step) / f64::from(steps.max(1));
        let [sine, cosine] = shape(frequency, damping, at_s);
        let px = shown.sine_px * sine + shown.cosine_px * cosine;
        let _ = write!(svg, "{}{:.1} {:.1}", if step == 0 { 'M' } else { 'L' }, x(at_s), y(px));
    }
    svg.push_str("\"/>\n");
    for [at_s, px] in points() {
        let _ = writeln!(svg, "<circle class=\"p\" cx=\"{:.1}\" cy=\"{:.1}\" r=\"2\"/>", x(*at_s), y(*px));
    }
}
