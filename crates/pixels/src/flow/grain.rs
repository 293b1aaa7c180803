//! How noisy a picture is.

use super::patch::Rect;

/// Pixels to a side of a cell of [`Grain`].
const CELL: usize = 8;

/// How noisy a picture is, by the second differences along rows of cells.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Grain {
    columns: usize,
    /// Their sum in each cell.
    sums: Vec<u32>,
}

impl Grain {
    pub(super) fn of(rows: &[&[u8]]) -> Self {
        let columns = rows.first().map_or(0, |row| row.len()) / CELL;
        let mut sums = vec![0; columns * (rows.len() / CELL)];
        for (sums, rows) in sums.chunks_exact_mut(columns.max(1)).zip(rows.chunks_exact(CELL)) {
            for row in rows {
                for (sum, cell) in sums.iter_mut().zip(row.as_chunks::<CELL>().0) {
                    let second = |at: usize| {
                        (i32::from(cell[at - 1]) + i32::from(cell[at + 1]) - 2 * i32::from(cell[at]))
                            .unsigned_abs()
                    };
                    *sum += (1..CELL - 1).map(second).sum::<u32>();
                }
            }
        }
        Self { columns, sums }
    }

    /// Variance of single pixels around `rect`, or more if there is fine texture.
    pub(super) fn noise(&self, rect: Rect) -> f64 {
        let cells = |start: usize, length: usize| start.div_ceil(CELL)..(start + length) / CELL;
        let (mut sum, mut count) = (0, 0);
        for row in cells(rect.y, rect.height) {
            let columns = cells(rect.x, rect.width);
            count += columns.len() * CELL * (CELL - 2);
            sum += self.sums[row * self.columns..][columns].iter().sum::<u32>();
        }
        // The mean of the absolute of a normal number, whose variance is six times that of a pixel.
        (f64::from(sum) / count.max(1) as f64).powi(2) * std::f64::consts::FRAC_PI_2 / 6.0
    }
}
