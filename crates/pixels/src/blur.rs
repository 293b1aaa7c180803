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

/// Spreads what each pixel shows over a square that is so many pixels wide: parts of pixels count, and less than one is sharp.
/// There is one for each pixel of luma. What is nearer or farther away than a neighbour is spread on by itself: nothing
/// reaches over an edge in front of it.
pub fn defocus_each(picture: &mut Picture, diameters: &[f32]) {
    let Area { width, .. } = picture.area;
    let chroma = picture.area.chroma();
    let halves: Vec<f32> = (0..chroma.height)
        .flat_map(|row| (0..chroma.width).map(move |column| diameters[2 * row * width + 2 * column] / 2.0))
        .collect();
    let planes = [
        (&mut picture.y, width, diameters),
        (&mut picture.u, chroma.width, halves.as_slice()),
        (&mut picture.v, chroma.width, halves.as_slice()),
    ];
    for (plane, width, diameters) in planes {
        if width == 0 {
            continue;
        }
        // Numbers between the two passes, for blur of less than a pixel.
        let mut fine: Vec<f32> = plane.iter().map(|value| f32::from(*value)).collect();
        average_each(&mut fine, diameters, width, 1);
        average_each(&mut fine, diameters, width, width);
        for (value, fine) in plane.iter_mut().zip(fine) {
            *value = fine.round().clamp(0.0, 255.0) as u8;
        }
    }
}

/// Makes each value the mean of those within its own `diameters`, in its row (`step` 1) or column (`step` `width`).
fn average_each(plane: &mut [f32], diameters: &[f32], width: usize, step: usize) {
    let (count, firsts) = if step == 1 {
        (width, (0..plane.len()).step_by(width))
    } else {
        (plane.len() / width, (0..width).step_by(1))
    };
    let mut sums = vec![0.0_f64; count + 1];
    for first in firsts {
        let mut sum = 0.0;
        for place in 0..count {
            sum += f64::from(plane[first + place * step]);
            sums[place + 1] = sum;
        }
        // The integral of the line up to `at`.
        let up_to = |at: f64| {
            let whole = (at as usize).min(count - 1);
            sums[whole] + (sums[whole + 1] - sums[whole]) * (at - whole as f64)
        };
        for place in 0..count {
            let index = first + place * step;
            let half = f64::from(diameters[index]) / 2.0;
            if half > 0.5 {
                let middle = place as f64 + 0.5;
                let (from, to) = ((middle - half).max(0.0), (middle + half).min(count as f64));
                plane[index] = ((up_to(to) - up_to(from)) / (to - from)) as f32;
            }
        }
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
    fn each_pixel_is_blurred_by_its_own_width_and_the_sharp_ones_stay() {
        let mut picture = Picture::plain(Area { width: 8, height: 6 }, 0, 128, 128);
        (0..6).for_each(|row| picture.y[row * 8 + 2] = 160);
        let mut same = picture.clone();
        defocus_each(&mut same, &[1.0; 48]);
        assert_eq!(same, picture);
        let diameters: Vec<f32> = (0..48).map(|place| if place % 8 < 2 { 4.0 } else { 1.0 }).collect();
        defocus_each(&mut picture, &diameters);
        assert_eq!(picture.y[..8], [32, 46, 160, 0, 0, 0, 0, 0], "there is less beside them, at the edge");
        let mut fine = Picture::plain(Area { width: 8, height: 1 }, 0, 128, 128);
        fine.y[4] = 200;
        defocus_each(&mut fine, &[1.25; 8]);
        assert_eq!(fine.y, [0, 0, 0, 20, 160, 20, 0, 0]);
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
