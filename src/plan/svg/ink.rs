//! Lines, words, numbers and colours.

/// Colours from the first point to the last, evenly spaced: red, green, blue.
const COLOURS: [[f64; 3]; 5] = [
    [38.0, 50.0, 130.0],
    [33.0, 125.0, 160.0],
    [62.0, 165.0, 105.0],
    [240.0, 160.0, 40.0],
    [205.0, 45.0, 75.0],
];

pub(super) fn line(from: (f64, f64), to: (f64, f64)) -> String {
    format!("<path class=\"g\" d=\"M{:.1} {:.1}L{:.1} {:.1}\"/>\n", from.0, from.1, to.0, to.1)
}

/// `text` must be free of XML's special characters.
pub(super) fn label(class: &str, x: f64, y: f64, text: &str) -> String {
    format!("<text class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\">{text}</text>\n")
}

/// With at most two decimals, and none that say nothing.
pub(super) fn number(value: f64) -> String {
    let rounded = (value * 100.0).round() / 100.0;
    format!("{}", if rounded == 0.0 { 0.0 } else { rounded })
}

/// A handful of round numbers within `range`.
pub(super) fn round_numbers((min, max): (f64, f64)) -> Vec<f64> {
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
pub(super) fn colour(index: usize, count: usize) -> String {
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

    #[test]
    fn ticks_are_round_and_few() {
        let ticks = |range| round_numbers(range).into_iter().map(number).collect::<Vec<_>>().join(" ");
        assert_eq!(ticks((0.0, 80.0)), "0 10 20 30 40 50 60 70 80");
        assert_eq!(ticks((-7.3, 12.9)), "-5 0 5 10");
    }
}
