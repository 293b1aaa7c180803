//! Blur: what motion and a lens out of focus make of a picture.

use crate::Area;
use crate::picture::Picture;

/// Smears luma over `width` pixels of its row, as what moves across the picture does.
pub fn motion(picture: &mut Picture, width: usize) {
    average(&mut picture.y, picture.area.width, 1, width);
}

/// Spreads each point over a square `diameter` pixels wide.
pub fn defocus(picture: &mut Picture, diameter: usize) {
    let width = picture.area.width;
    let chroma_width = picture.area.chroma().width;
    let planes = [
        (&mut picture.y, width, diameter),
        (&mut picture.u, chroma_width, diameter / 2),
        (&mut picture.v, chroma_width, diameter / 2),
    ];
    for (plane, width, diameter) in planes {
        average(plane, width, 1, diameter);
        average(plane, width, width, diameter);
    }
}

/// Blurs the luma of `pixels`, which has this size and rows `stride` bytes apart, over so many pixels `across` and `down`.
pub fn luma(pixels: &mut [u8], stride: usize, area: Area, across: usize, down: usize) {
    let Area { width, height } = area;
    let mut luma = Vec::with_capacity(area.pixels());
    for row in pixels.chunks(stride.max(1)).take(height) {
        luma.extend_from_slice(&row[..width]);
    }
    average(&mut luma, width, 1, across);
    average(&mut luma, width, width, down);
    for (row, blurred) in pixels.chunks_mut(stride.max(1)).zip(luma.chunks_exact(width)) {
        row[..width].copy_from_slice(blurred);
    }
}

/// Makes each value of `plane`, in rows of `width`, the mean of `count` values around it that are `step` apart: 1 for
/// those of its row, `width` for those of its column. Beyond the edge it goes on as at the edge.
fn average(plane: &mut [u8], width: usize, step: usize, count: usize) {
    if count < 2 || plane.is_empty() {
        return;
    }
    let sharp = plane.to_vec();
    let (across, firsts) = if step == 1 {
        (width, (0..plane.len()).step_by(width))
    } else {
        (plane.len() / width, (0..width).step_by(1))
    };
    let before = (count - 1) / 2;
    for first in firsts {
        let at = |place: usize| u32::from(sharp[first + place.saturating_sub(before).min(across - 1) * step]);
        let mut sum: u32 = (0..count).map(at).sum();
        for place in 0..across {
            plane[first + place * step] = (sum / count as u32) as u8;
            sum = sum + at(place + count) - at(place);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blur_keeps_the_light_and_the_place() {
        let mut picture = Picture::plain(Area { width: 8, height: 1 }, 0, 128, 128);
        picture.y[4] = 200;
        motion(&mut picture, 4);
        assert_eq!(picture.y, [0, 0, 50, 50, 50, 50, 0, 0]);
        let mut picture = Picture::plain(Area { width: 5, height: 5 }, 0, 128, 128);
        picture.y[12] = 180;
        picture.u[4] = 254;
        defocus(&mut picture, 3);
        for (index, value) in picture.y.iter().enumerate() {
            let near = (1..=3).contains(&(index % 5)) && (1..=3).contains(&(index / 5));
            assert_eq!(*value, if near { 20 } else { 0 }, "at {index}");
        }
        assert_eq!((picture.u[4], &picture.v), (254, &vec![128; 9]), "chroma has half the size");
    }

    #[test]
    fn luma_is_blurred_and_what_is_between_its_rows_is_not() {
        let mut pixels = [0, 90, 0, 7, 0, 0, 0, 7, 9];
        luma(&mut pixels, 4, Area { width: 3, height: 2 }, 3, 1);
        assert_eq!(pixels, [30, 30, 30, 7, 0, 0, 0, 7, 9]);
        luma(&mut pixels, 4, Area { width: 3, height: 2 }, 1, 2);
        assert_eq!(pixels, [15, 15, 15, 7, 0, 0, 0, 7, 9]);
    }

    #[test]
    fn what_is_sharp_or_even_stays() {
        let mut picture = Picture::plain(Area { width: 4, height: 3 }, 77, 20, 200);
        let before = picture.clone();
        defocus(&mut picture, 9);
        motion(&mut picture, 9);
        assert_eq!(picture, before);
        picture.y[5] = 0;
        let before = picture.clone();
        defocus(&mut picture, 1);
        motion(&mut picture, 0);
        assert_eq!(picture, before);
    }
}
