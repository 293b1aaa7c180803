//! Measures of a picture's parts, by which it can be compared with its neighbours.

use std::ops::Range;

use super::PixelView;
use crate::scan::{COLUMNS, Luma, Measured, ROWS, TILES, TileDetail, detail_of};

/// One row in this many is measured, with its neighbours, if there are [`MANY_ROWS`].
const ROW_STEP: usize = 4;
/// As many rows as make every fourth one enough.
const MANY_ROWS: usize = 480;
/// Pictures up to this side are looked at pixel by pixel; in larger ones, differences are taken over as many pixels more:
/// from pixel to pixel there is mostly noise.
const SIDE_A_PIXEL: u32 = 1600;

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
    let details = tiles.map(Tile::mean_squares);
    Measured {
        detail: detail_of(details),
        luma: Luma(tiles.map(Tile::mean_luma)),
        luma_crc32c: checksum,
        tiles: Some(Box::new(TileDetail::new(&details))),
    }
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

#[cfg(test)]
mod tests;
