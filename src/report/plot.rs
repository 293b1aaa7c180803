//! A measure over a scan: a line for each camera, a dot for each image.

use std::fmt::Write as _;

use maud::{Markup, html};

use super::shots::{Shot, State};

/// Width and height of a drawing.
const SIZE: (f64, f64) = (460.0, 150.0);
/// Left, top, right and bottom of what is inside the axes.
const FRAME: (f64, f64, f64, f64) = (52.0, 10.0, 452.0, 126.0);
/// Scans with more points get lines only.
const MOST_DOTS: u32 = 1500;

/// A measure of an image.
pub(super) struct Measure<'m> {
    /// What it is called, with its unit.
    pub(super) name: &'static str,
    /// What it says, for people.
    pub(super) note: &'static str,
    /// Its value, if it is known.
    pub(super) value: &'m dyn Fn(&Shot<'_>) -> Option<f64>,
    /// The scale reaches at least so far up from zero.
    pub(super) at_least: f64,
}

/// Draws `measure` of the shots of `cameras` cameras at `points` points; nothing if it is known of none.
pub(super) fn plot(measure: &Measure<'_>, shots: &[Shot<'_>], cameras: usize, points: u32) -> Option<Markup> {
    let most = shots.iter().filter_map(|shot| (measure.value)(shot)).reduce(f64::max)?;
    let scale = Scale::reaching(most.max(measure.at_least));
    let (left, top, right, bottom) = FRAME;
    let across =
        |point: u32| left + 6.0 + (right - left - 12.0) * f64::from(point - 1) / f64::from(points.max(2) - 1);
    let up = |value: f64| bottom - (bottom - top) * (value / scale.end).clamp(0.0, 1.0);
    let lines = (0..cameras).map(|camera| {
        let (mut path, mut pen_is_down) = (String::new(), false);
        for shot in shots.iter().filter(|shot| shot.camera == camera) {
            if let Some(value) = (measure.value)(shot) {
                let command = if pen_is_down { 'L' } else { 'M' };
                let _ = write!(path, "{command}{:.1} {:.1}", across(shot.point), up(value));
            }
            // What is missing leaves a gap.
            pen_is_down = (measure.value)(shot).is_some();
        }
        path
    });
    let dots = shots.iter().filter(|_| points <= MOST_DOTS);
    let dots = dots.filter_map(|shot| Some((shot, (measure.value)(shot)?)));
    let failed = shots.iter().filter(|shot| matches!(shot.state, State::Failed(_)));
    Some(html! {
        figure.plot {
            figcaption { b { (measure.name) } " " span.dim { (measure.note) } }
            svg viewBox=(format!("0 0 {} {}", SIZE.0, SIZE.1)) role="img" aria-label=(measure.name) {
                @for tick in scale.ticks() {
                    line.rule x1=(left) x2=(right) y1=(format!("{:.1}", up(tick))) y2=(format!("{:.1}", up(tick))) {}
                    text.end x=(left - 6.0) y=(format!("{:.1}", up(tick) + 4.0)) { (scale.label(tick)) }
                }
                text x=(across(1)) y=(bottom + 16.0) text-anchor="middle" { "1" }
                @if points > 1 { text.end x=(right) y=(bottom + 16.0) { "point " (points) } }
                @for shot in failed {
                    path.failed d=(format!("M{:.1} {:.1}v-9", across(shot.point), bottom)) {
                        title { (shot.name) ": failed" }
                    }
                }
                @for (camera, line) in lines.enumerate() {
                    path.(colour(camera)).line d=(line) {}
                }
                @for (shot, value) in dots {
                    circle.(colour(shot.camera)).dot
                        cx=(format!("{:.1}", across(shot.point))) cy=(format!("{:.1}", up(value))) r="2" {
                        title { (shot.name) ": " (number(value)) }
                    }
                }
            }
        }
    })
}

/// The class of what is drawn for a camera.
pub(super) fn colour(camera: usize) -> &'static str {
    ["c0", "c1", "c2", "c3"][camera % 4]
}

/// With three digits that say something, and no more decimals than four.
pub(super) fn number(value: f64) -> String {
    let digits = if value == 0.0 { 0.0 } else { value.abs().log10().floor() };
    let decimals = (2.0 - digits).clamp(0.0, 4.0) as usize;
    let text = format!("{value:.decimals$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

/// A scale from zero to a round number.
pub(super) struct Scale {
    pub(super) end: f64,
    pub(super) step: f64,
}

impl Scale {
    /// As short as it can be for `most`.
    pub(super) fn reaching(most: f64) -> Self {
        let most = if most > 0.0 && most.is_finite() { most } else { 1.0 };
        let magnitude = 10.0_f64.powf((most / 4.0).log10().floor());
        let step = [1.0, 2.0, 2.5, 5.0, 10.0].map(|factor| factor * magnitude);
        let step = step.into_iter().find(|step| most / step <= 4.0 + 1e-9).unwrap_or(10.0 * magnitude);
        Self { end: step * (most / step).ceil().max(1.0), step }
    }

    fn ticks(&self) -> impl Iterator<Item = f64> {
        let step = self.step;
        (0..=(self.end / step).round() as u32).map(move |index| f64::from(index) * step)
    }

    fn label(&self, tick: f64) -> String {
        if self.end >= 1e5 { format!("{:.0}k", tick / 1000.0) } else { number(tick) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scales_end_at_round_numbers() {
        let ticks = |most| Scale::reaching(most).ticks().map(number).collect::<Vec<_>>().join(" ");
        assert_eq!(ticks(83.0), "0 25 50 75 100");
        assert_eq!(ticks(0.031), "0 0.01 0.02 0.03 0.04");
        assert_eq!(ticks(4.0), "0 1 2 3 4");
        assert_eq!(ticks(0.0), "0 0.25 0.5 0.75 1");
        assert!((Scale::reaching(f64::NAN).end - 1.0).abs() < f64::EPSILON);
    }

    #[test]
    fn numbers_are_short() {
        let texts = [0.0, 1234.5, 12.345, 0.5, 0.000_123_4].map(number);
        assert_eq!(texts, ["0", "1234", "12.3", "0.5", "0.0001"]);
    }
}
