//! Measures of a picture's parts, by which it can be compared with its neighbours.

use std::ops::Range;

use super::PixelView;
use crate::scan::{COLUMNS, Luma, Measured, ROWS, TILES};

/// One row in this many is measured, with its neighbours, if there are [`MANY_ROWS`].
const ROW_STEP: usize = 4;
/// As many rows as make every fourth one enough.
const MANY_ROWS: usize = 480;
/// Pictures up to this side are looked at pixel by pixel; in larger ones, differences are taken over as many pixels more:
/// from pixel to pixel there is mostly noise.
const SIDE_A_PIXEL: u32 = 1600;
/// Of so many tiles with most detail the mean is taken.
const TOP: usize = 6;

/// Sums over a tile.
#[derive(Debug, Clone, Copy, Default)]
struct Tile {
    squares: [u64; 4],
    compared: u64,
    luma: u64,
    pixels: u64,
}

/// Measures the luma of a picture.
pub(super) fn measure(view: &PixelView<'_>) -> Measured {
    let rows: Vec<&[u8]> = view.rows(0).collect();
    let (width, height) = (view.size().width as usize, rows.len());
    let apart = (view.size().width.max(view.size().height) / SIDE_A_PIXEL).clamp(1, 4) as usize;
    let step = if height >= MANY_ROWS { ROW_STEP } else { 1 };
    let mut tiles = [Tile::default(); TILES];
    let mut checksum = 0;
    for y in (0..height).step_by(step) {
        let row = rows[y];
        checksum = crc32c::crc32c_append(checksum, row);
        let around = y.checked_sub(apart).and_then(|above| rows.get(above)).zip(rows.get(y + apart));
        for column in 0..COLUMNS {
            let tile = &mut tiles[y * ROWS / height * COLUMNS + column];
            let (start, end) = (column * width / COLUMNS, (column + 1) * width / COLUMNS);
            tile.luma += row[start..end].iter().map(|&luma| u64::from(luma)).sum::<u64>();
            tile.pixels += (end - start) as u64;
            let inner = start.max(apart)..end.min(width.saturating_sub(apart));
            if let Some((above, below)) = around
                && !inner.is_empty()
            {
                tile.compare(above, row, below, inner, apart);
            }
        }
    }
    Measured { detail: detail(&tiles), luma: Luma(tiles.map(Tile::mean_luma)), luma_crc32c: checksum }
}

impl Tile {
    fn compare(&mut self, above: &[u8], row: &[u8], below: &[u8], inner: Range<usize>, apart: usize) {
        let left = inner.start - apart..inner.end - apart;
        let right = inner.start + apart..inner.end + apart;
        let centre = &row[inner.clone()];
        let pairs = [
            (&row[left.clone()], &row[right.clone()]),
            (&below[left.clone()], &above[right.clone()]),
            (&above[inner.clone()], &below[inner.clone()]),
            (&above[left], &below[right]),
        ];
        for (sum, (before, behind)) in self.squares.iter_mut().zip(pairs) {
            *sum += u64::from(squares(before, centre, behind));
        }
        self.compared += inner.len() as u64;
    }

    fn mean_squares(&self) -> [f64; 4] {
        self.squares.map(|sum| sum as f64 / self.compared.max(1) as f64)
    }

    fn mean_luma(self) -> u8 {
        ((self.luma + self.pixels / 2) / self.pixels.max(1)) as u8
    }
}

/// Sum of the squares of second differences. A row's part of a tile, of 8187 pixels at most, does not fill 32 bits.
fn squares(before: &[u8], centre: &[u8], behind: &[u8]) -> u32 {
    let triples = before.iter().zip(centre).zip(behind);
    triples
        .map(|((&before, &centre), &behind)| {
            let difference = i32::from(before) + i32::from(behind) - 2 * i32::from(centre);
            (difference * difference).unsigned_abs()
        })
        .sum()
}

fn detail(tiles: &[Tile]) -> [f64; 4] {
    let mut means: Vec<[f64; 4]> = tiles.iter().map(Tile::mean_squares).collect();
    means.sort_by(|a, b| b.iter().sum::<f64>().total_cmp(&a.iter().sum()));
    let top = &means[..TOP.min(means.len())];
    std::array::from_fn(|direction| {
        let mean = top.iter().map(|mean| mean[direction]).sum::<f64>() / top.len().max(1) as f64;
        // More digits say nothing, and are read by people.
        (mean * 1000.0).round() / 1000.0
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::test_picture::with_luma;

    fn measured(width: u32, height: u32, luma: impl Fn(u32, u32) -> u8) -> Measured {
        with_luma(width, height, luma, measure)
    }

    fn noise(x: u32, y: u32) -> u8 {
        ((x.wrapping_mul(2_654_435_761) ^ y.wrapping_mul(2_246_822_519)).wrapping_mul(3_266_489_917) >> 24)
            as u8
    }

    #[test]
    fn stripes_have_detail_across_them_and_none_along_them() {
        for (size, step) in [((320, 240), 1), ((3200, 2400), 2)] {
            let (width, height) = size;
            let upright = measured(width, height, |x, _| if x / step % 2 == 0 { 50 } else { 150 });
            assert!((upright.detail[0] - 40_000.0).abs() < 1.0 && upright.detail[2] < 1e-9, "{upright:?}");
            let level = measured(width, height, |_, y| if y / step % 2 == 0 { 50 } else { 150 });
            assert!(level.detail[0] < 1e-9 && level.detail[2] > 30_000.0, "{level:?}");
            let falling =
                measured(width, height, |x, y| if (x + height - y) / step % 4 < 2 { 50 } else { 150 });
            assert!(falling.detail[3] < 1e-9 && falling.detail[1] > 10_000.0, "{falling:?}");
        }
    }

    #[test]
    fn only_the_parts_with_most_detail_count() {
        let all = measured(320, 240, noise);
        let corner = measured(320, 240, |x, y| if x < 120 && y < 80 { noise(x, y) } else { 90 });
        for (part, whole) in corner.detail.iter().zip(all.detail) {
            assert!((part / whole - 1.0).abs() < 0.1, "{corner:?} {all:?}");
        }
    }

    #[test]
    fn luma_is_that_of_each_tile_and_any_pixel_changes_the_checksum() {
        let grid = measured(320, 240, |x, y| (x / 40 + 10 * (y / 40)) as u8);
        assert_eq!((grid.luma.0[0], grid.luma.0[7], grid.luma.0[47]), (0, 7, 57));
        let other = measured(320, 240, |x, y| (x / 40 + 10 * (y / 40)) as u8 + u8::from((x, y) == (99, 99)));
        assert_eq!(grid.luma, other.luma);
        assert_ne!(grid.luma_crc32c, other.luma_crc32c);
        // Sides that no tile fits into.
        assert!(measured(2, 2, |_, _| 9).detail[0].abs() < 1e-9);
    }
}
