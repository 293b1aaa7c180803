//! Pictures made a little larger or smaller around their middle.

use crate::Area;
use crate::picture::Picture;

/// Nothing is resampled by less than this many pixels at an edge.
const LEAST: f64 = 0.02;
/// Values that one is made from, each way.
const TAPS: usize = 6;
/// The whole of the parts that these have.
const WHOLE: f64 = 16_384.0;
/// Between the passes, numbers are so many times as fine as bytes.
const FINE_BITS: u32 = 6;
const WHOLE_BITS: u32 = 14;
/// What is beyond a picture's edge counts for nothing, unless there is nothing else.
const OUTSIDE: f32 = 1e-30;

/// From which values each is made.
struct Taps {
    first: Vec<usize>,
    parts: Vec<[i32; TAPS]>,
}

/// What `picture`, which shows everything `scale` times as large, would show with a scale of 1; none if it is that already.
pub(super) fn scaled(picture: &Picture, scale: f64) -> Option<Picture> {
    let Area { width, height } = picture.area;
    if (scale - 1.0).abs() * width.max(height) as f64 / 2.0 < LEAST {
        return None;
    }
    let chroma = picture.area.chroma();
    Some(Picture {
        area: picture.area,
        y: plane(&picture.y, picture.area, scale, [width as f64, height as f64].map(|side| side / 2.0)),
        // An odd side's last column of chroma is of one pixel.
        u: plane(&picture.u, chroma, scale, [width as f64, height as f64].map(|side| side / 4.0)),
        v: plane(&picture.v, chroma, scale, [width as f64, height as f64].map(|side| side / 4.0)),
    })
}

/// Makes `weights` of what lies outside of a picture with this `scale` next to nothing.
pub(super) fn fade_outside(weights: &mut [f32], area: Area, scale: f64) {
    if scale <= 1.0 {
        return;
    }
    let inside = |side: usize| {
        let margin = (side as f64 / 2.0 * (1.0 - scale.recip())).ceil() as usize + 1;
        margin..side.saturating_sub(margin)
    };
    let (columns, rows) = (inside(area.width), inside(area.height));
    for (row, weights) in weights.chunks_exact_mut(area.width).enumerate() {
        if rows.contains(&row) {
            weights[..columns.start].fill(OUTSIDE);
            weights[columns.end..].fill(OUTSIDE);
        } else {
            weights.fill(OUTSIDE);
        }
    }
}

fn plane(plane: &[u8], area: Area, scale: f64, middle: [f64; 2]) -> Vec<u8> {
    let Area { width, height } = area;
    let (across, down) = (Taps::new(width, scale, middle[0]), Taps::new(height, scale, middle[1]));
    let mut scaled = Vec::with_capacity(area.pixels());
    // The last few rows, made across: row `n` of the plane is at `n % TAPS`.
    let mut lines = vec![vec![0_i16; width]; TAPS];
    let mut made: [Option<usize>; TAPS] = [None; TAPS];
    let mut sum = vec![0_i32; width];
    for (first, parts) in down.first.iter().zip(&down.parts) {
        sum.fill(0);
        for (tap, part) in parts.iter().enumerate() {
            let row = first + tap;
            if row >= height {
                // A plane of fewer rows than taps: these have no part.
                continue;
            }
            let place = row % TAPS;
            if made[place] != Some(row) {
                across.line(&plane[row * width..][..width], &mut lines[place]);
                made[place] = Some(row);
            }
            for (sum, value) in sum.iter_mut().zip(&lines[place]) {
                *sum += part * i32::from(*value);
            }
        }
        let half = 1 << (FINE_BITS + WHOLE_BITS - 1);
        scaled.extend(sum.iter().map(|sum| ((sum + half) >> (FINE_BITS + WHOLE_BITS)).clamp(0, 255) as u8));
    }
    scaled
}

impl Taps {
    /// For a side of `length` values, scaled around `middle`.
    fn new(length: usize, scale: f64, middle: f64) -> Self {
        let (mut firsts, mut all) = (Vec::with_capacity(length), Vec::with_capacity(length));
        for place in 0..length {
            let at = middle + (place as f64 + 0.5 - middle) * scale - 0.5;
            let at = at.clamp(0.0, length as f64 - 1.0);
            let before = at.floor() as isize - (TAPS as isize / 2 - 1);
            let first = before.clamp(0, (length as isize - TAPS as isize).max(0)) as usize;
            let mut parts = [0.0; TAPS];
            for tap in 0..TAPS as isize {
                // What is beyond the edge is as at the edge.
                let taken = (before + tap).clamp(0, length as isize - 1) as usize;
                if let Some(part) = parts.get_mut(taken - first) {
                    *part += lanczos(at - (before + tap) as f64);
                }
            }
            let whole: f64 = parts.iter().sum();
            let mut rounded = parts.map(|part| (part / whole * WHOLE).round() as i32);
            let short = WHOLE as i32 - rounded.iter().sum::<i32>();
            if let Some(largest) = rounded.iter_mut().max() {
                *largest += short;
            }
            firsts.push(first);
            all.push(rounded);
        }
        Self { first: firsts, parts: all }
    }

    fn line(&self, from: &[u8], to: &mut [i16]) {
        let half = 1 << (WHOLE_BITS - FINE_BITS - 1);
        for ((to, first), parts) in to.iter_mut().zip(&self.first).zip(&self.parts) {
            let sum: i32 =
                from[*first..].iter().zip(parts).map(|(value, part)| i32::from(*value) * part).sum();
            *to = ((sum + half) >> (WHOLE_BITS - FINE_BITS)) as i16;
        }
    }
}

/// A sinc within a sinc of three times its width.
fn lanczos(at: f64) -> f64 {
    let sinc = |x: f64| {
        if x.abs() < 1e-9 { 1.0 } else { (std::f64::consts::PI * x).sin() / (std::f64::consts::PI * x) }
    };
    if at.abs() >= 3.0 { 0.0 } else { sinc(at) * sinc(at / 3.0) }
}
