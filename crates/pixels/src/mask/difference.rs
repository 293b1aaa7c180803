//! Which pixels show something that the reference does not.
//!
//! A pixel shows what is behind the object if a small window around it, in any place that contains it, is the
//! reference's, dimmed or not: brightness and colour times one factor, which may rise or fall across the window as light
//! does at the edge of a shadow. That keeps the texture of what a shadow falls on, and an object does not. Since any
//! window will do, one that ends at the object's edge does, so the edge stays where it is.

use super::colours::Colour;
use crate::Area;

/// Pixels from the middle of a window to its edge.
const REACH: usize = 2;
const SIDE: usize = 2 * REACH + 1;
const PIXELS: f32 = (SIDE * SIDE) as f32;
/// Noise that a picture has at least: that of rounding and of JPEG.
const LEAST_NOISE: Colour = [0.9, 0.6, 0.6];
/// More is no noise: the pictures show different things.
const MOST_NOISE: f32 = 10.0;
/// How far single values may be off, in standard deviations.
const FAR: f32 = 3.5;
/// How far the values of a window may be off, in the mean of squares.
const FIT: f32 = 1.7;
/// What the model leaves out, as a part of the light: a shadow's edge is not straight, a table not dull.
const MODEL: f32 = 0.03;

/// How far an edge may be off, as a part of its height: the rig does not come back to a place exactly, and JPEG blurs.
const EDGE: f32 = 0.12;

/// What light may do to what is behind the object.
#[derive(Debug, Clone, Copy)]
pub(super) struct Dimming {
    pub(super) darkest: f32,
    pub(super) brightest: f32,
}

/// On the table, near the object.
pub(super) const TABLE: Dimming = Dimming { darkest: 0.12, brightest: 1.25 };
/// What is far behind it.
pub(super) const BEHIND: Dimming = Dimming { darkest: 0.8, brightest: 1.2 };

/// The noise of the difference between two pictures, if at least a quarter of them is alike.
pub(super) fn noise(before: &[Colour], now: &[Colour]) -> Option<Colour> {
    let found: Colour = std::array::from_fn(|channel| {
        let mut counts = [0_u32; 1024];
        let mut all = 0;
        for (a, b) in before.iter().zip(now) {
            let off = (a[channel] - b[channel]).abs() * 16.0;
            if let Some(count) = counts.get_mut(off as usize) {
                *count += 1;
            }
            all += 1;
        }
        // A quarter of normal values is within 0.3186 deviations; of what is not alike, next to nothing is.
        let mut seen = 0;
        let quarter = counts.iter().position(|count| {
            seen += count;
            seen * 4 >= all
        });
        quarter.map_or(f32::INFINITY, |step| (step as f32 + 0.5) / 16.0 / 0.3186)
    });
    let alike = found.iter().all(|deviation| *deviation <= MOST_NOISE);
    alike.then(|| std::array::from_fn(|channel| found[channel].max(LEAST_NOISE[channel])))
}

/// How much brightness changes around each pixel, from one neighbour to another.
pub(super) fn contrasts(area: Area, colours: &[Colour]) -> Vec<f32> {
    let Area { width, height } = area;
    let range = |at: usize| {
        let (x, y) = (at % width, at / width);
        let mut range = (f32::INFINITY, f32::NEG_INFINITY);
        for y in y.saturating_sub(1)..(y + 2).min(height) {
            for near in &colours[y * width + x.saturating_sub(1)..y * width + (x + 2).min(width)] {
                range = (range.0.min(near[0]), range.1.max(near[0]));
            }
        }
        range.1 - range.0
    };
    (0..colours.len()).map(range).collect()
}

/// Two pictures of one view, and what is known of it.
pub(super) struct Pair<'a> {
    pub(super) area: Area,
    pub(super) before: &'a [Colour],
    pub(super) now: &'a [Colour],
    pub(super) noise: Colour,
    pub(super) contrast: &'a [f32],
    /// Where the line of sight meets the table.
    pub(super) table: &'a [bool],
}

impl Pair<'_> {
    /// Whether each pixel shows something new.
    pub(super) fn differs(&self) -> Vec<bool> {
        let mut differs: Vec<bool> = (0..self.now.len()).map(|at| !self.fits(at, 1.0, FAR)).collect();
        let plain = differs.clone();
        let Area { width, height } = self.area;
        for y in REACH..height.saturating_sub(REACH) {
            for x in REACH..width.saturating_sub(REACH) {
                let corner = (y - REACH) * width + x - REACH;
                let rows = || (0..SIDE).map(|row| corner + row * width);
                if !rows().any(|start| plain[start..start + SIDE].contains(&true)) {
                    continue;
                }
                let dimming = if self.table[y * width + x] { TABLE } else { BEHIND };
                let Some(light) = self.light(corner, dimming) else { continue };
                for (row, start) in rows().enumerate() {
                    for column in 0..SIDE {
                        let at = start + column;
                        differs[at] = differs[at] && !self.fits(at, light.at(column, row), FAR);
                    }
                }
            }
        }
        differs
    }

    /// Whether the pixel is the reference's in light of `factor`.
    #[inline]
    fn fits(&self, at: usize, factor: f32, limit: f32) -> bool {
        let (before, now) = (self.before[at], self.now[at]);
        (0..3).all(|channel| {
            let off = now[channel] - factor * before[channel];
            off * off <= limit * limit * self.variance(factor, at, channel)
        })
    }

    #[inline]
    fn variance(&self, factor: f32, at: usize, channel: usize) -> f32 {
        let [model, edge] = if channel == 0 { [MODEL, EDGE] } else { [MODEL / 2.0, EDGE / 2.0] };
        let (noise, model, edge) =
            (self.noise[channel], model * factor * self.before[at][0], edge * factor * self.contrast[at]);
        noise * noise + model * model + edge * edge
    }

    /// The light that makes the reference's window at `corner` that of now, if there is one.
    fn light(&self, corner: usize, dimming: Dimming) -> Option<Light> {
        let width = self.area.width;
        let pixel = |row: usize, column: usize| corner + row * width + column;
        // Least squares of now = (level + across x + down y) before.
        let (mut left, mut right) = ([[0.0_f32; 3]; 3], [0.0_f32; 3]);
        let mut colours = [[0.0_f32; 2]; 2];
        for row in 0..SIDE {
            for column in 0..SIDE {
                let at = pixel(row, column);
                let (before, now) = (self.before[at], self.now[at]);
                let place = [1.0, column as f32 - REACH as f32, row as f32 - REACH as f32];
                let (square, product) = (before[0] * before[0], before[0] * now[0]);
                for i in 0..3 {
                    right[i] += product * place[i];
                    for j in 0..=i {
                        left[i][j] += square * place[i] * place[j];
                    }
                }
                for channel in 0..2 {
                    colours[0][channel] += before[channel + 1];
                    colours[1][channel] += now[channel + 1];
                }
            }
        }
        let mean = right[0] / left[0][0].max(1.0);
        if !(dimming.darkest..=dimming.brightest).contains(&mean) {
            return None;
        }
        // A slope that the picture says little of is none.
        left[1][1] += 20.0 * PIXELS;
        left[2][2] += 20.0 * PIXELS;
        let [level, across, down] = solve(left, right)?;
        let light = Light { level, across, down };
        // The mean of the window's colours is known far better than each.
        let [colours_before, colours_now] = colours;
        for ((before, now), noise) in colours_before.into_iter().zip(colours_now).zip(&self.noise[1..]) {
            let off = (now - mean * before) / PIXELS;
            let known = 0.5 * noise + 0.008 * mean * left[0][0].sqrt() / SIDE as f32;
            if off.abs() > 2.0 * known {
                return None;
            }
        }
        let mut sum = [0.0_f32; 3];
        for row in 0..SIDE {
            for column in 0..SIDE {
                let at = pixel(row, column);
                let factor = light.at(column, row);
                for (channel, sum) in sum.iter_mut().enumerate() {
                    let off = self.now[at][channel] - factor * self.before[at][channel];
                    *sum += off * off / self.variance(factor, at, channel);
                }
            }
        }
        sum.iter().all(|sum| *sum <= FIT * FIT * PIXELS).then_some(light)
    }
}

/// The factor of a window.
struct Light {
    level: f32,
    across: f32,
    down: f32,
}

impl Light {
    #[inline]
    fn at(&self, column: usize, row: usize) -> f32 {
        self.level + self.across * (column as f32 - REACH as f32) + self.down * (row as f32 - REACH as f32)
    }
}

/// Solves three equations whose symmetric matrix is given by its lower half.
fn solve(left: [[f32; 3]; 3], right: [f32; 3]) -> Option<[f32; 3]> {
    let mut root = [[0.0_f32; 3]; 3];
    for i in 0..3 {
        for j in 0..=i {
            let rest = left[i][j] - (0..j).map(|k| root[i][k] * root[j][k]).sum::<f32>();
            root[i][j] = if i == j {
                if rest <= 0.0 {
                    return None;
                }
                rest.sqrt()
            } else {
                rest / root[j][j]
            };
        }
    }
    let mut solved = right;
    for i in 0..3 {
        solved[i] = (solved[i] - (0..i).map(|k| root[i][k] * solved[k]).sum::<f32>()) / root[i][i];
    }
    for i in (0..3).rev() {
        solved[i] = (solved[i] - (i + 1..3).map(|k| root[k][i] * solved[k]).sum::<f32>()) / root[i][i];
    }
    Some(solved)
}
