//! Measures of a picture's parts, by which it can be compared with its neighbours.

use scanner_pixels::tiles::{self, Tiles};

use super::PixelView;
use crate::scan::{Luma, Measured, TileDetail, detail_of};

/// Measures the luma of a picture.
pub(super) fn measure(view: &PixelView<'_>) -> Measured {
    let Tiles { detail, luma, luma_crc32c } = tiles::measure(&view.luma());
    Measured {
        detail: detail_of(detail),
        luma: Luma(luma),
        luma_crc32c,
        tiles: Some(Box::new(TileDetail::new(&detail))),
    }
}

#[cfg(test)]
mod tests;
