//! What a picture counts for in a stack, a number for each pixel of its chroma.

use crate::Area;
use crate::picture::{Picture, rgb};

/// Around a pixel, detail is looked for as far as this part of the picture's width, in two passes,
const AROUND: f64 = 0.0012;
/// and this many values of chroma at least.
const LEAST_AROUND: usize = 2;
/// Twice the detail is so many times (as a power of two) as much worth.
const POWER: i32 = 3;
/// Detail that noise has, in squares of luma.
const NOISE: f32 = 0.5;
/// How far from the middle a well exposed value is, as a part of white.
const WELL_EXPOSED: f32 = 0.2;
/// What a grey pixel counts for, and one without contrast, as parts of 1: a scanner's objects are often grey.
const LEAST_SATURATION: f32 = 0.05;
const LEAST_CONTRAST: f32 = 1.0 / 255.0;
/// What any pixel counts for.
const LEAST: f32 = 1e-12;

/// By how much fine detail there is around each.
pub(super) fn detail(picture: &Picture) -> Vec<f32> {
    let half = picture.area.chroma();
    let mut detail = energy(&picture.y, picture.area);
    let around = ((picture.area.width as f64 * AROUND).round() as usize).max(LEAST_AROUND);
    for _ in 0..2 {
        smooth_rows(&mut detail, half, around);
        smooth_columns(&mut detail, half, around);
    }
    for value in &mut detail {
        *value = (*value + NOISE).powi(POWER);
    }
    detail
}

/// The square of how much each value of `luma` differs from those beside it, at half width and height.
fn energy(luma: &[u8], area: Area) -> Vec<f32> {
    let Area { width, height } = area;
    let half = area.chroma();
    let mut energies = Vec::with_capacity(half.pixels());
    let row = |number: usize| &luma[number.min(height - 1) * width..][..width];
    let mut squares = vec![0_i32; width];
    for number in 0..half.height {
        squares.fill(0);
        for own in [2 * number, 2 * number + 1] {
            let [above, middle, below] = [row(own.saturating_sub(1)), row(own), row(own + 1)];
            let three = above.windows(3).zip(middle.windows(3)).zip(below.windows(3));
            for (square, ((above, middle), below)) in squares.iter_mut().skip(1).zip(three) {
                let sum = |of: &[u8]| of.iter().map(|value| i32::from(*value)).sum::<i32>();
                let edge = 9 * i32::from(middle[1]) - sum(above) - sum(middle) - sum(below);
                *square += edge * edge;
            }
        }
        let pair = |pair: &[i32]| pair.iter().sum::<i32>() as f32 / (4.0 * 64.0);
        energies.extend(squares.chunks(2).map(pair));
    }
    energies
}

/// Makes each value the mean of those up to `around` away in its row.
fn smooth_rows(plane: &mut [f32], area: Area, around: usize) {
    let mut sums = vec![0.0; area.width + 1];
    for row in plane.chunks_exact_mut(area.width) {
        let mut sum = 0.0_f64;
        for (place, value) in row.iter().enumerate() {
            sum += f64::from(*value);
            sums[place + 1] = sum;
        }
        for (place, value) in row.iter_mut().enumerate() {
            let (first, end) = (place.saturating_sub(around), (place + around + 1).min(area.width));
            *value = ((sums[end] - sums[first]) / (end - first) as f64) as f32;
        }
    }
}

/// The same in its column.
fn smooth_columns(plane: &mut [f32], area: Area, around: usize) {
    let Area { width, height } = area;
    let mut sum = vec![0.0_f64; width];
    // The rows that are in the sum, as they were.
    let mut kept = std::collections::VecDeque::with_capacity(2 * around + 1);
    let mut next = 0;
    for row in 0..height {
        let end = (row + around + 1).min(height);
        while next < end {
            let line = plane[next * width..][..width].to_vec();
            sum.iter_mut().zip(&line).for_each(|(sum, value)| *sum += f64::from(*value));
            kept.push_back(line);
            next += 1;
        }
        if row > around
            && let Some(line) = kept.pop_front()
        {
            sum.iter_mut().zip(&line).for_each(|(sum, value)| *sum -= f64::from(*value));
        }
        let count = kept.len() as f64;
        for (value, sum) in plane[row * width..][..width].iter_mut().zip(&sum) {
            *value = (sum.max(0.0) / count) as f32;
        }
    }
}

/// By contrast, saturation, and how far each colour is from black and white.
pub(super) fn exposed(picture: &Picture) -> Vec<f32> {
    let half = picture.area.chroma();
    let luma = halved(&picture.y, picture.area);
    let well: Vec<f32> = (0..256)
        .map(|value| {
            let off = value as f32 / 255.0 - 0.5;
            (-off * off / (2.0 * WELL_EXPOSED * WELL_EXPOSED)).exp()
        })
        .collect();
    let mut weights = Vec::with_capacity(half.pixels());
    let at = |row: usize, column: usize| {
        i32::from(luma[row.min(half.height - 1) * half.width + column.min(half.width - 1)])
    };
    for row in 0..half.height {
        for column in 0..half.width {
            let place = row * half.width + column;
            let beside = at(row.saturating_sub(1), column)
                + at(row + 1, column)
                + at(row, column.saturating_sub(1))
                + at(row, column + 1);
            let contrast = (4 * at(row, column) - beside).abs() as f32 / (4.0 * 255.0);
            let colours = rgb(luma[place], picture.u[place], picture.v[place]);
            let [red, green, blue] = colours.map(|value| f32::from(value) / 255.0);
            let mean = (red + green + blue) / 3.0;
            let variance = ((red - mean).powi(2) + (green - mean).powi(2) + (blue - mean).powi(2)) / 3.0;
            let exposed: f32 = colours.iter().map(|value| well[usize::from(*value)]).product();
            weights
                .push((contrast + LEAST_CONTRAST) * (variance.sqrt() + LEAST_SATURATION) * exposed + LEAST);
        }
    }
    weights
}

/// Means of four.
fn halved(luma: &[u8], area: Area) -> Vec<u8> {
    let Area { width, height } = area;
    let half = area.chroma();
    let mut means = Vec::with_capacity(half.pixels());
    for row in 0..half.height {
        let upper = &luma[2 * row * width..][..width];
        let lower = &luma[(2 * row + 1).min(height - 1) * width..][..width];
        let sum = |pair: &[u8]| match pair {
            [a, b] => u32::from(*a) + u32::from(*b),
            [a] => 2 * u32::from(*a),
            _ => 0,
        };
        means.extend(upper.chunks(2).zip(lower.chunks(2)).map(|(a, b)| ((sum(a) + sum(b) + 2) / 4) as u8));
    }
    means
}
