//! Measures of a picture's parts, by which it can be compared with its neighbours.

use std::ops::Range;

/// Columns of tiles.
pub const COLUMNS: usize = 8;
/// Rows of tiles.
pub const ROWS: usize = 6;
/// How many tiles there are.
pub const TILES: usize = COLUMNS * ROWS;

/// One row in this many is measured, with its neighbours, if there are [`MANY_ROWS`].
const ROW_STEP: usize = 4;
/// As many rows as make every fourth one enough.
const MANY_ROWS: usize = 480;
/// Pictures up to this side are looked at pixel by pixel; in larger ones, differences are taken over as many pixels more:
/// from pixel to pixel there is mostly noise.
const SIDE_A_PIXEL: usize = 1600;

/// What is measured of each tile, row by row.
#[derive(Debug, Clone, PartialEq)]
pub struct Tiles {
    /// Mean squares of the second differences along rows, along the diagonal that rises, along columns, and along the one that
    /// falls.
    pub detail: [[f64; 4]; TILES],
    /// Mean luma.
    pub luma: [u8; TILES],
    /// CRC-32C of the rows that were measured, of all tiles together.
    pub luma_crc32c: u32,
}

/// Sums over a tile.
#[derive(Debug, Clone, Copy, Default)]
struct Tile {
    squares: [u64; 4],
    compared: u64,
    luma: u64,
    pixels: u64,
}

/// Measures the luma of a picture, which has these rows.
pub fn measure(rows: &[&[u8]]) -> Tiles {
    let (width, height) = (rows.first().map_or(0, |row| row.len()), rows.len());
    let apart = (width.max(height) / SIDE_A_PIXEL).clamp(1, 4);
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
    Tiles { detail: tiles.map(Tile::mean_squares), luma: tiles.map(Tile::mean_luma), luma_crc32c: checksum }
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

    fn mean_squares(self) -> [f64; 4] {
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

/// What `look` makes of the rows of a picture with this luma.
#[cfg(test)]
pub(crate) fn made_up<T>(
    width: u32,
    height: u32,
    luma: impl Fn(u32, u32) -> u8,
    look: impl FnOnce(&[&[u8]]) -> T,
) -> T {
    let pixels: Vec<u8> =
        (0..height).flat_map(|y| (0..width).map(move |x| (x, y))).map(|(x, y)| luma(x, y)).collect();
    look(&pixels.chunks_exact(width as usize).collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measured(width: u32, height: u32, luma: impl Fn(u32, u32) -> u8) -> Tiles {
        made_up(width, height, luma, measure)
    }

    #[test]
    fn stripes_have_detail_across_them_and_none_along_them() {
        for (size, step) in [((320, 240), 1), ((3200, 2400), 2)] {
            let (width, height) = size;
            let upright = measured(width, height, |x, _| if x / step % 2 == 0 { 50 } else { 150 });
            let level = measured(width, height, |_, y| if y / step % 2 == 0 { 50 } else { 150 });
            let falling =
                measured(width, height, |x, y| if (x + height - y) / step % 4 < 2 { 50 } else { 150 });
            for (tile, upright) in upright.detail.iter().enumerate() {
                assert!((upright[0] - 40_000.0).abs() < 1.0 && upright[2] < 1e-9, "{tile}: {upright:?}");
                let (level, falling) = (level.detail[tile], falling.detail[tile]);
                assert!(level[0] < 1e-9 && level[2] > 30_000.0, "{tile}: {level:?}");
                assert!(falling[3] < 1e-9 && falling[1] > 10_000.0, "{tile}: {falling:?}");
            }
        }
    }

    #[test]
    fn luma_is_that_of_each_tile_and_any_pixel_changes_the_checksum() {
        let grid = measured(320, 240, |x, y| (x / 40 + 10 * (y / 40)) as u8);
        assert_eq!((grid.luma[0], grid.luma[7], grid.luma[47]), (0, 7, 57));
        let other = measured(320, 240, |x, y| (x / 40 + 10 * (y / 40)) as u8 + u8::from((x, y) == (99, 99)));
        assert_eq!(grid.luma, other.luma);
        assert_ne!(grid.luma_crc32c, other.luma_crc32c);
        // Sides that no tile fits into.
        assert!(measured(2, 2, |_, _| 9).detail[0][0].abs() < 1e-9);
    }
}
