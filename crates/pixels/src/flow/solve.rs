//! The least squares over one block.
//!
//! A pixel of the block is at `x` in the one picture and, displaced by `d`, at `x + d` in the other, where it may be
//! brighter or of more contrast: `to(x + d) = from(x) + gain * from(x) + offset`. The gradients are those of `from`: as
//! they are symmetric around each pixel, its noise is not in them, which would pull `d` towards nothing.

use super::level::{Level, NOISE_LEFT, NOISE_SLOPE};
use super::patch::{Patch, ROW, Rect, cubic, mix, product, total};
use super::{Luma, Moved, Seen, Symmetric};

/// A displacement is looked for to so many pixels around where it is expected.
const REACH: f64 = 3.0;
/// And until it changes by no more than so many.
const ENOUGH: f64 = 0.004;
const MOST_STEPS: usize = 10;
/// What is known no better than to so many pixels is not known.
const MOST_ERROR: f64 = 0.25;
/// What is known to so many pixels is known well.
pub(super) const GOOD_ERROR: f64 = 0.05;
/// Nothing is known better, for what interpolation leaves, in pixels.
const LEAST_ERROR: f64 = 0.005;
/// Variance of levels that are whole numbers.
const ROUNDING: f64 = 1.0 / 12.0;
/// As much of a block's contrast may be left over.
const MOST_LEFT: f64 = 0.5;
/// Texture below this, as a gradient's square for each pixel, moves a block by little at a time.
const DAMPING: f64 = 0.02;
/// In the picture of a quarter, it is sought to so many pixels.
const SOUGHT: usize = 2;
/// There, a displacement explains more than none if it leaves so little of the difference.
const EXPLAINS: f32 = 0.7;
/// Differences that are added up there at once.
const FEW_LANES: usize = 4;

/// How the block at `rect` of `from` is displaced in `to`.
pub(super) fn block(from: &Luma, to: &Luma, rect: Rect) -> Seen {
    let noise = from.grain.noise(rect).max(to.grain.noise(rect));
    let Some(inside) = rect.inside(&from.full, [0, 0]) else { return Seen::Flat };
    if Texture::of(&from.full, inside).errors(2.0 * noise)[0] > MOST_ERROR {
        return Seen::Flat;
    }
    let quarter = sought(&from.quarter, &to.quarter, rect.halved().halved());
    let start = quarter.map(|pixels| 4.0 * pixels as f64);
    let half = fit(&from.half, &to.half, rect.halved(), start.map(|pixels| pixels / 2.0));
    let half = half.filter(|fit| fit.residual < MOST_LEFT * fit.texture.contrast);
    let start = half.map_or(start, |fit| fit.way.map(|pixels| 2.0 * pixels));
    fit(&from.full, &to.full, rect, start).map_or(Seen::Lost, |fit| fit.seen(noise))
}

/// By how many whole pixels the block looks displaced.
fn sought(from: &Level, to: &Level, rect: Rect) -> [isize; 2] {
    // With its neighbourhood: a small block alone is alike elsewhere, too. The same pixels for each displacement.
    let range = |start: usize, length: usize, size: usize| {
        let start = start.saturating_sub(2).max(SOUGHT);
        start..(start + length + 4).min(size.saturating_sub(SOUGHT)).max(start)
    };
    let columns = range(rect.x, rect.width, from.area.width);
    let rows = range(rect.y, rect.height, from.area.height);
    let width = columns.len() / FEW_LANES * FEW_LANES;
    let pixels = (width * rows.len()).max(1) as f32;
    let differs = |by: [isize; 2]| {
        let (mut sums, mut squares) = ([0.0_f32; FEW_LANES], [0.0_f32; FEW_LANES]);
        let shifted = columns.start.wrapping_add_signed(by[0]);
        for y in rows.clone() {
            let a = from.row(y)[columns.start..][..width].as_chunks::<FEW_LANES>().0;
            let b = to.row(y.wrapping_add_signed(by[1]))[shifted..][..width].as_chunks::<FEW_LANES>().0;
            for (a, b) in a.iter().zip(b) {
                for lane in 0..FEW_LANES {
                    let difference = a[lane] - b[lane];
                    sums[lane] += difference;
                    squares[lane] += difference * difference;
                }
            }
        }
        squares.iter().sum::<f32>() / pixels - (sums.iter().sum::<f32>() / pixels).powi(2)
    };
    let at_rest = differs([0, 0]);
    let (least, most) = (-(SOUGHT as isize), SOUGHT as isize);
    let all = (least..=most).flat_map(|y| (least..=most).map(move |x| [x, y]));
    let best = all.map(|by| (differs(by), by)).min_by(|a, b| a.0.total_cmp(&b.0));
    best.filter(|(differs, _)| *differs < EXPLAINS * at_rest).map_or([0, 0], |(_, by)| by)
}

/// Where the least squares lead.
struct Fit {
    way: [f64; 2],
    texture: Texture,
    /// Sum of the squares of what is left over.
    residual: f64,
    /// Whether the direction with less texture was settled, too.
    both: bool,
}

/// None if it leads too far away, or nowhere.
fn fit(from: &Level, to: &Level, rect: Rect, start: [f64; 2]) -> Option<Fit> {
    let mut way = start;
    let mut known: Option<(Rect, Texture)> = None;
    for steps in 1..=MOST_STEPS {
        let whole = way.map(|pixels| pixels.floor() as isize);
        let inside = rect.inside(from, whole)?;
        let texture = match known {
            Some((place, texture)) if place == inside => texture,
            Some(_) | None => Texture::of(from, inside),
        };
        known = Some((inside, texture));
        let part = [0, 1].map(|axis| (way[axis] - whole[axis] as f64) as f32);
        let difference = Difference::of(from, to, inside, whole, part);
        let (gradient, residual) = texture.without_light(&difference);
        let damping = DAMPING * texture.pixels;
        let damped = texture.structure.plus(Symmetric { xx: damping, xy: 0.0, yy: damping });
        let step = damped.inverse()?.times(gradient);
        way = [way[0] - step[0], way[1] - step[1]];
        if (way[0] - start[0]).hypot(way[1] - start[1]) > REACH {
            return None;
        }
        let (_, [right, down]) = texture.structure.eigen();
        let (along, across) = (step[0] * right + step[1] * down, step[1] * right - step[0] * down);
        let both = across.abs() < ENOUGH;
        // Along an edge, noise leads to and fro.
        if along.abs() < ENOUGH && (both || steps > MOST_STEPS / 2) {
            // The step was still to be taken when the difference was.
            let residual = (residual - texture.structure.product(step, step)).max(0.0);
            return Some(Fit { way, texture, residual, both });
        }
    }
    None
}

impl Fit {
    /// With the variance of single pixels in each picture, as far as it is known from elsewhere.
    fn seen(&self, noise: f64) -> Seen {
        let pixels = self.texture.pixels;
        if self.residual > MOST_LEFT * self.texture.contrast + 3.0 * pixels * noise * NOISE_LEFT {
            return Seen::Lost;
        }
        let residual = self.residual / (pixels - 4.0).max(1.0) / NOISE_LEFT + 2.0 * ROUNDING;
        let errors = self.texture.errors(residual);
        if errors[0] > MOST_ERROR {
            return Seen::Flat;
        }
        let edge = errors[1] > MOST_ERROR || !self.both;
        let (_, direction) = self.texture.structure.eigen();
        let way = if edge {
            let across = self.way[0] * direction[0] + self.way[1] * direction[1];
            direction.map(|part| part * across)
        } else {
            self.way
        };
        let errors = [errors[0], if edge { f64::INFINITY } else { errors[1] }];
        let information = Symmetric::along(direction, errors.map(|error| error.powi(-2)));
        Seen::Moved(Moved { way, information, errors })
    }
}

/// Sums over a block of the first picture.
#[derive(Debug, Clone, Copy)]
struct Texture {
    pixels: f64,
    mean: f64,
    /// Squares of luma, less its mean.
    contrast: f64,
    /// Of each gradient: its mean, and how much of it goes with the luma.
    slopes: [[f64; 2]; 2],
    structure: Symmetric,
}

impl Texture {
    fn of(from: &Level, rect: Rect) -> Self {
        let mut sums = [0.0_f64; 9];
        let mut patch = Patch::default();
        for y in rect.y..rect.y + rect.height {
            patch.take(from, rect, y);
            let [luma, right, down] = patch.lanes(rect);
            let products =
                [(luma, luma), (luma, right), (luma, down), (right, right), (right, down), (down, down)];
            for (total, sum) in sums.iter_mut().zip([luma, right, down].map(total)) {
                *total += sum;
            }
            for (total, (a, b)) in sums[3..].iter_mut().zip(products) {
                *total += product(a, b);
            }
        }
        let pixels = (rect.width * rect.height) as f64;
        let [luma, right, down, contrast, luma_right, luma_down, xx, xy, yy] = sums;
        let contrast = contrast - luma * luma / pixels;
        let slope = |sum: f64, with: f64| {
            let shared = with - luma * sum / pixels;
            [sum / pixels, if contrast > 1e-3 * pixels { shared / contrast } else { 0.0 }]
        };
        let slopes = [slope(right, luma_right), slope(down, luma_down)];
        let own = |sum: f64, a: usize, b: usize| {
            sum - pixels * slopes[a][0] * slopes[b][0] - contrast * slopes[a][1] * slopes[b][1]
        };
        let structure = Symmetric { xx: own(xx, 0, 0), xy: own(xy, 0, 1), yy: own(yy, 1, 1) };
        Self { pixels, mean: luma / pixels, contrast, slopes, structure }
    }

    /// Standard errors where there is most texture and across that, for noise of this variance in both pictures together.
    fn errors(&self, noise: f64) -> [f64; 2] {
        // Gradients of noise are no texture.
        let slope = noise / 2.0 * NOISE_SLOPE * self.pixels;
        let (values, _) = self.structure.eigen();
        values.map(|value| {
            let texture = value - slope;
            if texture > slope { (noise / texture).sqrt().hypot(LEAST_ERROR) } else { f64::INFINITY }
        })
    }

    /// The sums of a difference with each gradient, and of its squares, without what brightness and contrast explain.
    fn without_light(&self, difference: &Difference) -> ([f64; 2], f64) {
        let Difference { sum, with_luma, with_slopes, squares } = *difference;
        let shared = with_luma - self.mean * sum;
        let gain = if self.contrast > 1e-3 * self.pixels { shared / self.contrast } else { 0.0 };
        let own = |axis: usize| {
            with_slopes[axis] - self.slopes[axis][0] * sum - self.slopes[axis][1] * self.contrast * gain
        };
        ([own(0), own(1)], squares - sum * sum / self.pixels - gain * gain * self.contrast)
    }
}

/// Sums over the difference of a block from where it may be in the second picture.
#[derive(Debug, Default, Clone, Copy)]
struct Difference {
    sum: f64,
    with_luma: f64,
    with_slopes: [f64; 2],
    squares: f64,
}

impl Difference {
    fn of(from: &Level, to: &Level, rect: Rect, whole: [isize; 2], part: [f32; 2]) -> Self {
        let (across, down) = (cubic(part[0]), cubic(part[1]));
        let mut sums = Self::default();
        let (mut patch, mut column, mut other) = (Patch::default(), [0.0_f32; ROW + 3], [0.0_f32; ROW]);
        let left = (rect.x - 1).wrapping_add_signed(whole[0]);
        for y in rect.y..rect.y + rect.height {
            patch.take(from, rect, y);
            let top = (y - 1).wrapping_add_signed(whole[1]);
            mix(&mut column[..rect.width + 3], [0, 1, 2, 3].map(|by| &to.row(top + by)[left..]), down);
            mix(&mut other[..rect.width], [0, 1, 2, 3].map(|by| &column[by..]), across);
            for (value, luma) in other.iter_mut().zip(&patch.luma).take(rect.width) {
                *value -= luma;
            }
            let other = &other[..rect.lanes()];
            let [luma, right, down] = patch.lanes(rect);
            sums.sum += total(other);
            sums.with_luma += product(other, luma);
            sums.with_slopes[0] += product(other, right);
            sums.with_slopes[1] += product(other, down);
            sums.squares += product(other, other);
        }
        sums
    }
}
