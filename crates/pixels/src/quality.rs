//! Measures of a picture that tell a useless one from a good one.

/// One row in this many is measured, with its neighbours. Focus and exposure do not change from row to row, and
/// the time is better spent on the next frame.
const ROW_STEP: usize = 4;
/// Luma up to this is black.
const BLACK: u8 = 2;
/// Luma from this on is white.
const WHITE: u8 = 253;
/// Pixels whose squares are summed in 32 bits: the square of a Laplacian is at most 1020².
const CHUNK: usize = 1024;

/// What can be said of a picture's luma.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Quality {
    /// Variance of the Laplacian (4 times a pixel less its four neighbours), in squared levels of 0 to 255:
    /// higher is sharper. Comparable between pictures of the same object with the same camera only.
    pub sharpness: f64,
    /// Fraction of pixels at black, 0 to 1.
    pub clipped_dark: f64,
    /// Fraction of pixels at white, 0 to 1.
    pub clipped_bright: f64,
}

/// Measures every fourth row of the luma of a picture. Always finite.
pub fn measure(rows: &[&[u8]]) -> Quality {
    let width = rows.first().map_or(0, |row| row.len());
    let mut totals = Totals::default();
    for row in rows.iter().step_by(ROW_STEP) {
        totals.count_clipped(row);
    }
    if width > 2 {
        for around in rows.windows(3).step_by(ROW_STEP) {
            totals.add_laplacian(around[0], around[1], around[2]);
        }
    }
    let measured = (rows.len().div_ceil(ROW_STEP) * width).max(1) as f64;
    Quality {
        sharpness: totals.variance(),
        clipped_dark: totals.dark as f64 / measured,
        clipped_bright: totals.bright as f64 / measured,
    }
}

#[derive(Default)]
struct Totals {
    dark: u64,
    bright: u64,
    count: u64,
    sum: i64,
    squares: u64,
}

impl Totals {
    fn count_clipped(&mut self, row: &[u8]) {
        // Counted in bytes, sixteen pixels an instruction, 255 of them at most before a byte is full.
        for chunk in row.chunks(255) {
            self.dark += u64::from(chunk.iter().map(|&luma| u8::from(luma <= BLACK)).sum::<u8>());
            self.bright += u64::from(chunk.iter().map(|&luma| u8::from(luma >= WHITE)).sum::<u8>());
        }
    }

    fn add_laplacian(&mut self, above: &[u8], row: &[u8], below: &[u8]) {
        let inner = row.len() - 2;
        for start in (0..inner).step_by(CHUNK) {
            let length = CHUNK.min(inner - start);
            let centre = &row[start + 1..][..length];
            let left = &row[start..][..length];
            let right = &row[start + 2..][..length];
            let above = &above[start + 1..][..length];
            let below = &below[start + 1..][..length];
            let (mut sum, mut squares) = (0_i32, 0_i32);
            for i in 0..length {
                let neighbours =
                    i16::from(left[i]) + i16::from(right[i]) + i16::from(above[i]) + i16::from(below[i]);
                let laplacian = i32::from(4 * i16::from(centre[i]) - neighbours);
                sum += laplacian;
                squares += laplacian * laplacian;
            }
            self.sum += i64::from(sum);
            self.squares += u64::from(squares.unsigned_abs());
        }
        self.count += inner as u64;
    }

    fn variance(&self) -> f64 {
        if self.count == 0 {
            return 0.0;
        }
        let mean = self.sum as f64 / self.count as f64;
        (self.squares as f64 / self.count as f64 - mean * mean).max(0.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tiles::made_up;

    fn quality(width: u32, height: u32, luma: impl Fn(u32, u32) -> u8) -> Quality {
        made_up(width, height, luma, measure)
    }

    /// The definition, without any speed.
    fn reference(width: u32, height: u32, luma: impl Fn(u32, u32) -> u8) -> f64 {
        let at = |x, y| f64::from(luma(x, y));
        let mut values = Vec::new();
        for y in (1..height - 1).step_by(ROW_STEP) {
            for x in 1..width - 1 {
                values.push(4.0 * at(x, y) - at(x - 1, y) - at(x + 1, y) - at(x, y - 1) - at(x, y + 1));
            }
        }
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / values.len() as f64
    }

    #[test]
    fn sharpness_is_the_variance_of_the_laplacian() {
        let noise = |x: u32, y: u32| (x.wrapping_mul(2_654_435_761) ^ y.wrapping_mul(40_503) >> 3) as u8;
        // Wider than one chunk, and the worst case for its sums.
        let board = |x: u32, y: u32| if (x + y).is_multiple_of(2) { 255 } else { 0 };
        for luma in [&noise as &dyn Fn(u32, u32) -> u8, &board] {
            let (fast, slow) = (quality(2600, 38, luma).sharpness, reference(2600, 38, luma));
            assert!((fast - slow).abs() < 1e-6 * slow, "{fast} {slow}");
        }
        assert!(quality(64, 64, |_, _| 90).sharpness.abs() < 1e-9);
        assert!(quality(2, 2, |_, _| 90).sharpness.abs() < 1e-9);
    }

    #[test]
    fn a_blurred_edge_is_less_sharp() {
        let sharp = quality(128, 64, |x, _| if x < 64 { 20 } else { 220 });
        let soft =
            quality(128, 64, |x, _| (20.0 + 200.0 / (1.0 + (-(f64::from(x) - 64.0) / 3.0).exp())) as u8);
        assert!(sharp.sharpness > 10.0 * soft.sharpness, "{sharp:?} {soft:?}");
    }

    #[test]
    fn black_and_white_are_counted() {
        let quality = quality(400, 40, |x, _| [0, 128, 255, 253, 252][(x % 5) as usize]);
        assert!((quality.clipped_dark - 0.2).abs() < 1e-9, "{quality:?}");
        assert!((quality.clipped_bright - 0.4).abs() < 1e-9, "{quality:?}");
    }
}
