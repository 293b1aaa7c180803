//! Planes of luma in which displacements are sought.

use crate::Area;

/// What is left of the variance of noise of single pixels: (70 / 256)², the sums of both kernels' squares.
pub(super) const NOISE_LEFT: f64 = 0.074_768_07;
/// Variance of the gradients that such noise has, of that of single pixels: half of what is left, less what pixels two apart share.
pub(super) const NOISE_SLOPE: f64 = NOISE_LEFT * (1.0 - 28.0 / 70.0) / 2.0;

/// A picture in one size, without padding.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Level {
    pub(super) area: Area,
    luma: Vec<f32>,
}

impl Level {
    /// Smoothed by 1, 4, 6, 4, 1 sixteenths, in both directions: what is finer than can be interpolated goes.
    pub(super) fn smoothed(rows: &[&[u8]]) -> Self {
        let area = Area { width: rows.first().map_or(0, |row| row.len()), height: rows.len() };
        let mut luma = vec![0.0; area.pixels()];
        // Two more on either side, which are as those at the edge.
        let mut sums = vec![0.0_f32; area.width + 4];
        for (y, smooth) in luma.chunks_exact_mut(area.width.max(1)).enumerate() {
            let rows: [&[u8]; 5] =
                std::array::from_fn(|by| rows[(y + by).saturating_sub(2).min(area.height - 1)]);
            for (x, sum) in sums[2..area.width + 2].iter_mut().enumerate() {
                let luma = rows.map(|row| u16::from(row[x]));
                let (outer, near) = (luma[0] + luma[4], luma[1] + luma[3]);
                *sum = f32::from(outer + 4 * near + 6 * luma[2]) / 16.0;
            }
            let (first, last) = (sums[2], sums[area.width + 1]);
            sums[..2].fill(first);
            sums[area.width + 2..].fill(last);
            filter(smooth, &sums);
        }
        Self { area, luma }
    }

    /// In half the width and height.
    pub(super) fn halved(&self) -> Self {
        let area = Area { width: self.area.width / 2, height: self.area.height / 2 };
        let mut luma = Vec::with_capacity(area.pixels());
        for y in 0..area.height {
            let (upper, lower) = (self.row(2 * y), self.row(2 * y + 1));
            let pairs = upper.chunks_exact(2).zip(lower.chunks_exact(2));
            luma.extend(pairs.map(|(a, b)| (a[0] + a[1] + b[0] + b[1]) / 4.0));
        }
        Self { area, luma }
    }

    pub(super) fn row(&self, y: usize) -> &[f32] {
        &self.luma[y * self.area.width..(y + 1) * self.area.width]
    }
}

/// Each of `into` the weighted sum of as many of `from`, from the same place on.
fn filter(into: &mut [f32], from: &[f32]) {
    let from: [&[f32]; 5] = std::array::from_fn(|by| &from[by..by + into.len()]);
    for (index, value) in into.iter_mut().enumerate() {
        let (outer, near) = (from[0][index] + from[4][index], from[1][index] + from[3][index]);
        *value = (outer + 4.0 * near + 6.0 * from[2][index]) / 16.0;
    }
}
