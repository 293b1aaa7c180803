//! Rows of a block, and what is added up over them.

use super::level::Level;

/// Values that are added up at once.
const LANES: usize = 8;
/// As wide as a block is at most.
pub(super) const ROW: usize = super::MOST_SIDE;

/// Part of a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Rect {
    pub(super) x: usize,
    pub(super) y: usize,
    pub(super) width: usize,
    pub(super) height: usize,
}

impl Rect {
    pub(super) fn halved(self) -> Self {
        Self { x: self.x / 2, y: self.y / 2, width: self.width / 2, height: self.height / 2 }
    }

    /// Its width, up to whole lanes.
    pub(super) fn lanes(self) -> usize {
        self.width.next_multiple_of(LANES)
    }

    /// What of it has gradients in a picture like `level` and, displaced by `by`, can be interpolated there.
    pub(super) fn inside(self, level: &Level, by: [isize; 2]) -> Option<Self> {
        let range = |start: usize, length: usize, by: isize, size: usize| {
            let (start, end, size) = (start as isize, (start + length) as isize, size as isize);
            let (from, to) = (start.max(1).max(1 - by), end.min(size - 1).min(size - 2 - by));
            // Less than half of a block does not stand for it.
            (2 * (to - from) >= length as isize).then_some((from as usize, (to - from) as usize))
        };
        let (x, width) = range(self.x, self.width, by[0], level.area.width)?;
        let (y, height) = range(self.y, self.height, by[1], level.area.height)?;
        Some(Self { x, y, width, height })
    }
}

/// A row of a block: its luma and gradients; nothing beyond its width.
pub(super) struct Patch {
    pub(super) luma: [f32; ROW],
    right: [f32; ROW],
    down: [f32; ROW],
}

impl Default for Patch {
    fn default() -> Self {
        Self { luma: [0.0; ROW], right: [0.0; ROW], down: [0.0; ROW] }
    }
}

impl Patch {
    pub(super) fn take(&mut self, from: &Level, rect: Rect, y: usize) {
        let columns = rect.x..rect.x + rect.width;
        let row = from.row(y);
        self.luma[..rect.width].copy_from_slice(&row[columns.clone()]);
        slopes(&mut self.right[..rect.width], &row[columns.start - 1..], &row[columns.start + 1..]);
        slopes(&mut self.down[..rect.width], &from.row(y - 1)[columns.clone()], &from.row(y + 1)[columns]);
    }

    /// Luma and gradients, with nothing behind them up to whole lanes.
    pub(super) fn lanes(&self, rect: Rect) -> [&[f32]; 3] {
        [&self.luma, &self.right, &self.down].map(|row| &row[..rect.lanes()])
    }
}

fn slopes(slopes: &mut [f32], before: &[f32], behind: &[f32]) {
    let (before, behind) = (&before[..slopes.len()], &behind[..slopes.len()]);
    for (index, slope) in slopes.iter_mut().enumerate() {
        *slope = (behind[index] - before[index]) * 0.5;
    }
}

/// The weighted sum of four rows.
pub(super) fn mix(sums: &mut [f32], rows: [&[f32]; 4], weights: [f32; 4]) {
    let [a, b, c, d] = rows.map(|row| &row[..sums.len()]);
    for (index, sum) in sums.iter_mut().enumerate() {
        *sum = weights[0] * a[index] + weights[1] * b[index] + weights[2] * c[index] + weights[3] * d[index];
    }
}

/// Weights of four pixels for what is `part` of the way from the second to the third (Catmull and Rom).
pub(super) fn cubic(part: f32) -> [f32; 4] {
    let (x, xx, xxx) = (part, part * part, part * part * part);
    [-0.5 * xxx + xx - 0.5 * x, 1.5 * xxx - 2.5 * xx + 1.0, -1.5 * xxx + 2.0 * xx + 0.5 * x, 0.5 * (xxx - xx)]
}

/// Sum of the products of what is at the same place, of as many as are whole lanes.
pub(super) fn product(a: &[f32], b: &[f32]) -> f64 {
    let mut sums = [0.0_f32; LANES];
    for (a, b) in a.as_chunks::<LANES>().0.iter().zip(b.as_chunks::<LANES>().0) {
        for lane in 0..LANES {
            sums[lane] += a[lane] * b[lane];
        }
    }
    f64::from(sums.iter().sum::<f32>())
}

pub(super) fn total(values: &[f32]) -> f64 {
    let mut sums = [0.0_f32; LANES];
    for values in values.as_chunks::<LANES>().0 {
        for lane in 0..LANES {
            sums[lane] += values[lane];
        }
    }
    f64::from(sums.iter().sum::<f32>())
}
