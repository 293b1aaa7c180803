//! Planes in parts by their fineness: what each level has that the coarser ones have not.

use crate::Area;

/// Numbers are so many times as fine as the bytes of a picture.
pub(super) const FINE: i32 = 64;
/// What a weight is at most, as a power of two: see [`super::WHOLE`].
const WEIGHT_BITS: u32 = 15;
/// Levels end where a side has so few values.
const LEAST_SIDE: usize = 4;

/// A plane in levels, the finest first; all that is added to it is added to each.
#[derive(Debug, Default)]
pub(super) struct Pyramid {
    levels: Vec<Plane>,
}

/// A level.
#[derive(Debug, Clone)]
pub(super) struct Plane {
    pub(super) area: Area,
    pub(super) values: Vec<i16>,
}

impl Pyramid {
    /// Adds `plane` of this size, each value with the weight at the same place.
    pub(super) fn add(&mut self, plane: &[u8], area: Area, weights: &[u16]) {
        self.prepare(area);
        let coarser = down_bytes(plane, area);
        self.add_bytes(plane, &coarser, &|row, of: &mut [u16]| {
            of.copy_from_slice(&weights[row * area.width..][..area.width]);
        });
        self.add_coarser(coarser, down_weights(weights, area), 1);
    }

    /// As [`add`](Self::add), with weights that have half its width and height.
    pub(super) fn add_fine(&mut self, plane: &[u8], area: Area, weights: &[u16]) {
        self.prepare(area);
        let half = area.chroma();
        let coarser = down_bytes(plane, area);
        self.add_bytes(plane, &coarser, &|row, of: &mut [u16]| {
            let weights = &weights[row / 2 * half.width..][..half.width];
            for (pair, weight) in of.chunks_mut(2).zip(weights) {
                pair.fill(*weight);
            }
        });
        self.add_coarser(coarser, weights.to_vec(), 1);
    }

    fn prepare(&mut self, area: Area) {
        if self.levels.is_empty() {
            let mut next = Some(area);
            while let Some(area) = next {
                self.levels.push(Plane { area, values: vec![0; area.pixels()] });
                next = (area.width.min(area.height) > LEAST_SIDE).then(|| area.chroma());
            }
            // What is coarser than the finest level has a coarser one, or is the coarsest.
            if self.levels.len() == 1 {
                let area = area.chroma();
                self.levels.push(Plane { area, values: vec![0; area.pixels()] });
            }
        }
    }

    /// Adds the finest level of `plane`, whose next one is `coarser`.
    fn add_bytes(&mut self, plane: &[u8], coarser: &Plane, weights: &dyn Fn(usize, &mut [u16])) {
        let Some(level) = self.levels.first_mut() else { return };
        let width = level.area.width;
        let (mut smooth, mut row_weights) = (vec![0; width], vec![0; width]);
        for (row, values) in level.values.chunks_exact_mut(width).enumerate() {
            up_row(coarser, row, &mut smooth);
            weights(row, &mut row_weights);
            let bytes = &plane[row * width..][..width];
            for (((value, byte), smooth), weight) in
                values.iter_mut().zip(bytes).zip(&smooth).zip(&row_weights)
            {
                *value += weighted(i32::from(*byte) * FINE - i32::from(*smooth), *weight);
            }
        }
    }

    /// Adds all levels from `first` on, of which `plane` is the finest.
    fn add_coarser(&mut self, mut plane: Plane, mut weights: Vec<u16>, first: usize) {
        let count = self.levels.len();
        for (index, level) in self.levels.iter_mut().enumerate().skip(first) {
            let Area { width, .. } = level.area;
            if index + 1 == count {
                for ((value, own), weight) in level.values.iter_mut().zip(&plane.values).zip(&weights) {
                    *value += weighted(i32::from(*own), *weight);
                }
                return;
            }
            let coarser = down(&plane);
            let mut smooth = vec![0; width];
            let rows = level.values.chunks_exact_mut(width).zip(plane.values.chunks_exact(width));
            for (row, ((values, own), weights)) in rows.zip(weights.chunks_exact(width)).enumerate() {
                up_row(&coarser, row, &mut smooth);
                for (((value, own), smooth), weight) in values.iter_mut().zip(own).zip(&smooth).zip(weights) {
                    *value += weighted(i32::from(*own) - i32::from(*smooth), *weight);
                }
            }
            weights = down_weights(&weights, plane.area);
            plane = coarser;
        }
    }

    /// All levels put together: [`FINE`] times the bytes, and beyond what bytes can be.
    pub(super) fn collapse(mut self) -> Vec<i16> {
        let Some(mut whole) = self.levels.pop() else { return Vec::new() };
        let widest = self.levels.first().map_or(0, |level| level.area.width);
        let mut smooth = vec![0; widest];
        while let Some(mut level) = self.levels.pop() {
            let width = level.area.width;
            for (row, values) in level.values.chunks_exact_mut(width).enumerate() {
                up_row(&whole, row, &mut smooth[..width]);
                for (value, smooth) in values.iter_mut().zip(&smooth) {
                    *value = value.saturating_add(*smooth);
                }
            }
            whole = level;
        }
        whole.values
    }
}

/// The nearest byte.
#[inline]
pub(super) fn to_byte(value: i16) -> u8 {
    ((i32::from(value) + FINE / 2).div_euclid(FINE)).clamp(0, 255) as u8
}

/// A part of `value`, rounded.
#[inline]
fn weighted(value: i32, weight: u16) -> i16 {
    ((value * i32::from(weight) + (1 << (WEIGHT_BITS - 1))) >> WEIGHT_BITS) as i16
}

/// `plane` at half width and height.
pub(super) fn down(plane: &Plane) -> Plane {
    let width = plane.area.width;
    let values = halved(plane.area, &|row, to: &mut [i32]| {
        for (to, value) in to.iter_mut().zip(&plane.values[row * width..][..width]) {
            *to = i32::from(*value);
        }
    });
    Plane { area: plane.area.chroma(), values: values.into_iter().map(|value| value as i16).collect() }
}

/// The same of bytes.
pub(super) fn down_bytes(plane: &[u8], area: Area) -> Plane {
    let values = halved(area, &|row, to: &mut [i32]| {
        for (to, value) in to.iter_mut().zip(&plane[row * area.width..][..area.width]) {
            *to = i32::from(*value) * FINE;
        }
    });
    Plane { area: area.chroma(), values: values.into_iter().map(|value| value as i16).collect() }
}

/// The same of weights.
fn down_weights(weights: &[u16], area: Area) -> Vec<u16> {
    let values = halved(area, &|row, to: &mut [i32]| {
        for (to, value) in to.iter_mut().zip(&weights[row * area.width..][..area.width]) {
            *to = i32::from(*value);
        }
    });
    values.into_iter().map(|value| value as u16).collect()
}

/// Every second value of every second row, smoothed by 1 4 6 4 1 both ways.
fn halved(area: Area, read: &dyn Fn(usize, &mut [i32])) -> Vec<i32> {
    let Area { width, height } = area;
    let half = area.chroma();
    let mut values = Vec::with_capacity(half.pixels());
    let (mut line, mut sum) = (vec![0; width], vec![0; width]);
    for row in 0..half.height {
        sum.fill(0);
        for (place, weight) in [1, 4, 6, 4, 1].into_iter().enumerate() {
            read((2 * row + place).saturating_sub(2).min(height - 1), &mut line);
            for (sum, value) in sum.iter_mut().zip(&line) {
                *sum += weight * value;
            }
        }
        let at = |column: usize| sum[column.min(width - 1)];
        let smooth = |column: usize| {
            let (two, one) = (column.saturating_sub(2), column.saturating_sub(1));
            (at(two) + 4 * at(one) + 6 * at(column) + 4 * at(column + 1) + at(column + 2) + 128) >> 8
        };
        let first = values.len();
        let inner = sum.windows(5).step_by(2).map(|near| match near {
            [first, left, own, right, last] => (first + 4 * (left + right) + 6 * own + last + 128) >> 8,
            _ => 0,
        });
        values.push(smooth(0));
        values.extend(inner.take(half.width - 1));
        let done = values.len() - first;
        values.extend((done..half.width).map(|column| smooth(2 * column)));
    }
    values
}

/// Row `row` of `coarse` at twice its width and height, as wide as `fine`.
pub(super) fn up_row(coarse: &Plane, row: usize, fine: &mut [i16]) {
    let Area { width, height } = coarse.area;
    let at = |row: usize| &coarse.values[row.min(height - 1) * width..][..width];
    let middle = row / 2;
    // Sums of 8.
    let column = |index: usize| -> i32 {
        let of = |row: usize| i32::from(at(row)[index.min(width - 1)]);
        if row % 2 == 1 {
            4 * (of(middle) + of(middle + 1))
        } else {
            of(middle.saturating_sub(1)) + 6 * of(middle) + of(middle + 1)
        }
    };
    let [above, own, below] = [at(middle.saturating_sub(1)), at(middle), at(middle + 1)];
    let mut line = Vec::with_capacity(width);
    if row % 2 == 1 {
        line.extend(own.iter().zip(below).map(|(own, below)| 4 * (i32::from(*own) + i32::from(*below))));
    } else {
        let three = above.iter().zip(own).zip(below);
        line.extend(three.map(|((a, b), c)| i32::from(*a) + 6 * i32::from(*b) + i32::from(*c)));
    }
    let between = |left: i32, right: i32| ((4 * (left + right) + 32) >> 6) as i16;
    let on = |left: i32, own: i32, right: i32| ((left + 6 * own + right + 32) >> 6) as i16;
    // The first pair and the last, and what is between them without looking for edges.
    let pair = |index: usize| {
        let (left, own, right) = (column(index.saturating_sub(1)), column(index), column(index + 1));
        [on(left, own, right), between(own, right)]
    };
    let last = fine.len().div_ceil(2) - 1;
    for (pair, near) in fine.chunks_mut(2).skip(1).zip(line.windows(3)) {
        if let (&[left, own, right], [even, odd]) = (near, pair) {
            *even = on(left, own, right);
            *odd = between(own, right);
        }
    }
    for index in [0, last] {
        for (value, own) in fine[2 * index..].iter_mut().zip(pair(index)) {
            *value = own;
        }
    }
}
