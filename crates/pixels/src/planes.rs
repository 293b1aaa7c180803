//! Planes of a picture as they lie in memory: made of each other, scaled, lit otherwise.

use fast_image_resize::images::TypedImage;
use fast_image_resize::pixels::U8;
use fast_image_resize::{FilterType, ResizeAlg, ResizeOptions, Resizer};

use crate::Area;

/// Parts a row of two interleaved channels, as NV12 has its chroma.
pub fn split_pairs(row: &[u8], u: &mut [u8], v: &mut [u8]) {
    // One channel after the other, as halves of 16-bit numbers: this form the compiler vectorises, and
    // it takes a tenth of the time of the obvious one. The row is in the cache the second time.
    let pairs = row.as_chunks::<2>().0;
    u.iter_mut().zip(pairs).for_each(|(u, pair)| *u = u16::from_le_bytes(*pair) as u8);
    v.iter_mut().zip(pairs).for_each(|(v, pair)| *v = (u16::from_le_bytes(*pair) >> 8) as u8);
}

/// A plane of size `from` in size `to`: the nearest value for each pixel.
pub fn nearest(plane: &[u8], from: Area, to: Area) -> Vec<u8> {
    let mut nearest = Vec::with_capacity(to.pixels());
    for row in 0..to.height {
        let row = &plane[row * from.height / to.height * from.width..][..from.width];
        nearest.extend((0..to.width).map(|column| row[column * from.width / to.width]));
    }
    nearest
}

/// A plane of size `from` scaled to `to`, cut to its shape; as it is, if it has that size.
///
/// # Errors
/// What cannot be scaled, in English.
pub fn fit(plane: &[u8], from: Area, to: Area) -> Result<Vec<u8>, String> {
    if from == to {
        return Ok(plane.to_vec());
    }
    let [(from_width, from_height), (to_width, to_height)] =
        [from, to].map(|area| (area.width as u32, area.height as u32));
    // Both are of one type, which is said here: so one form of the crate's code is compiled. All that there are took minutes.
    let mut unscaled = plane.to_vec();
    let source = TypedImage::<U8>::from_buffer(from_width, from_height, &mut unscaled)
        .map_err(|error| error.to_string())?;
    let mut scaled = vec![0; to.pixels()];
    let mut target =
        TypedImage::<U8>::from_buffer(to_width, to_height, &mut scaled).map_err(|error| error.to_string())?;
    let options = ResizeOptions::new()
        .resize_alg(ResizeAlg::Convolution(FilterType::Bilinear))
        .fit_into_destination(Some((0.5, 0.5)));
    Resizer::new().resize_typed(&source, &mut target, &options).map_err(|error| error.to_string())?;
    Ok(scaled)
}

/// Makes every byte of the first `rows` rows of `plane`, `stride` bytes apart, `factor` times what it is.
pub fn brighten(plane: &mut [u8], stride: usize, rows: usize, factor: f64) {
    for value in plane.chunks_mut(stride.max(1)).take(rows).flatten() {
        *value = (f64::from(*value) * factor).round().clamp(0.0, 255.0) as u8;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_parted() {
        let (mut u, mut v) = ([0; 3], [0; 3]);
        split_pairs(&[1, 255, 2, 254, 3, 253], &mut u, &mut v);
        assert_eq!((u, v), ([1, 2, 3], [255, 254, 253]));
    }

    #[test]
    fn a_plane_is_scaled_by_its_nearest_values_and_by_means() {
        let (from, to) = (Area { width: 4, height: 2 }, Area { width: 2, height: 1 });
        assert_eq!(nearest(&[1, 2, 3, 4, 5, 6, 7, 8], from, to), [1, 3]);
        assert_eq!(fit(&[10, 20, 50, 60, 10, 20, 50, 60], from, from).unwrap().len(), 8);
        let small = fit(&[10, 10, 50, 50, 10, 10, 50, 50], from, to).unwrap();
        assert!(small[0] < 20 && small[1] > 40, "{small:?}");
        assert!(fit(&[1, 2], from, to).is_err(), "it ends too early");
    }

    #[test]
    fn light_stops_at_white_and_after_the_rows() {
        let mut plane = [10, 101, 200, 10, 10, 10];
        brighten(&mut plane, 2, 2, 2.5);
        assert_eq!(plane, [25, 253, 255, 25, 10, 10]);
    }
}
